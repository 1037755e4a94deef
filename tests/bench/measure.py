"""The kinds of measurement. Each takes a scenario and a running environment, and returns {figure: number}."""

import http.client
import socket
import statistics
import time

import payloads
from subject import ROOT, h2load, ports

PAYLOADS = ROOT / "build" / "bench-payloads"
DELIVERY_SECONDS_MAX = 120
IDLE_SECONDS = 20


def _payload(scenario):
    signal, count = scenario["payload"]["signal"], scenario["payload"]["items"]
    client = scenario["client"]
    return (
        signal,
        count,
        payloads.write(
            PAYLOADS, signal, count, client["protocol"], client.get("compression", "none")
        ),
    )


def _wait_delivered(delivered, expected):
    """Waits until all items came out at the other end, and tells how many did."""
    state = {"last": -1, "since": time.monotonic()}

    def done():
        now = delivered()
        if now != state["last"]:
            state.update(last=now, since=time.monotonic())
        # Ten quiet seconds: what has not come by then was refused or dropped.
        return now >= expected or time.monotonic() - state["since"] > 10

    ports.wait_for(done, "items keep trickling", DELIVERY_SECONDS_MAX, 0.01)
    return state["last"]


def throughput(scenario, environment, subject):
    """Items a CPU-second and a second from a closed-loop load until the last item has come out."""
    signal, count, body = _payload(scenario)
    client = scenario["client"]
    requests = environment.scale(client["requests"])

    def delivered():
        if scenario.get("output") == "kafka":
            return subject.sent(signal)
        return environment.sink.stats()["items"]

    before = delivered()
    h2load(subject, client, signal, body, max(requests // 20, 100))
    warm = _wait_delivered(delivered, before + max(requests // 20, 100) * count)
    cpu, start = subject.cpu(), time.monotonic()
    h2load(subject, client, signal, body, requests)
    arrived = _wait_delivered(delivered, warm + requests * count) - warm
    wall, cpu = time.monotonic() - start, subject.cpu() - cpu
    return {
        "items_per_cpu_s": arrived / cpu,
        "items_per_s": arrived / wall,
        "mb_per_cpu_s": arrived / count * body.stat().st_size / 1e6 / cpu,
        "peak_rss_mb": subject.rss(peak=True) / 2**20,
        "delivered_share": arrived / (requests * count),
    }


def kafka_in(scenario, environment, subject):
    """Items a CPU-second from a filled topic to the sink, the process's start included."""
    messages = environment.fill_topic(scenario)
    expected = messages * scenario["payload"]["items"]
    before = environment.sink.stats()["items"]
    arrived = _wait_delivered(lambda: environment.sink.stats()["items"] - before, expected)
    wall, cpu = time.monotonic() - subject.started, subject.cpu()
    return {
        "items_per_cpu_s": arrived / cpu,
        "items_per_s": arrived / wall,
        "peak_rss_mb": subject.rss(peak=True) / 2**20,
        "delivered_share": arrived / expected,
    }


def idle(scenario, environment, subject):
    """Resident memory and share of a core with nothing to do."""
    del scenario
    time.sleep(3)  # Start-up work is no part of idling.
    seconds = IDLE_SECONDS if environment.factor == 1 else 5
    cpu = subject.cpu()
    time.sleep(seconds)
    return {"rss_mb": subject.rss() / 2**20, "core_percent": (subject.cpu() - cpu) / seconds * 100}


def latency(scenario, environment, subject):
    """Request to response at a fixed rate: half of what the Collector can take on this machine."""
    signal, count, body = _payload(scenario)
    client = scenario["client"]
    rate = environment.half_capacity(scenario)
    connections = client.get("connections", 4)
    per_connection = max(rate // connections, 1)
    requests = int(per_connection * connections * max(environment.scale(10), 2))
    log = subject.folder / "latency.tsv"
    h2load(
        subject,
        client,
        signal,
        body,
        max(per_connection * connections // 2, 10),
        ("--rps", str(per_connection)),
    )
    cpu, start = subject.cpu(), time.monotonic()
    h2load(
        subject,
        client,
        signal,
        body,
        requests,
        ("--rps", str(per_connection), "--log-file", str(log)),
    )
    wall, cpu = time.monotonic() - start, subject.cpu() - cpu
    times = sorted(int(line.split("\t")[2]) for line in log.read_text().splitlines())
    percentiles = statistics.quantiles(times, n=100)
    return {
        "p50_ms": percentiles[49] / 1000,
        "p99_ms": percentiles[98] / 1000,
        "requests_per_s": requests / wall,
        "items_per_cpu_s": requests * count / cpu,
    }


def start(scenario, environment, subject):
    """From the start of the process to the first accepted request."""
    signal = scenario["payload"]["signal"]
    body = payloads.write(
        PAYLOADS, signal, scenario["payload"]["items"], "http", "none"
    ).read_bytes()
    del environment
    port = subject.port("HTTP")
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.request(
                "POST", f"/v1/{signal}", body, {"Content-Type": "application/x-protobuf"}
            )
            if connection.getresponse().status == 200:
                return {"start_ms": (time.monotonic() - subject.started) * 1000}
        except OSError:
            time.sleep(0.0005)
        finally:
            connection.close()
        if time.monotonic() - subject.started > 30:
            raise TimeoutError(
                f"{subject.name} accepts nothing:\n{subject.log_path.read_text()[-2000:]}"
            )


KINDS = {
    "throughput": throughput,
    "kafka_in": kafka_in,
    "idle": idle,
    "latency": latency,
    "start": start,
}
# These look at the process from its first moment on.
NOT_WAITED_FOR = ("start", "kafka_in")
