"""One collector under measurement: starts it, loads it with h2load, and reads what it costs."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import daemon  # noqa: E402
import ports  # noqa: E402

TOOLS = ROOT / "build" / "bench-tools"
GRPC_PATHS = {
    "traces": "trace.v1.TraceService",
    "metrics": "metrics.v1.MetricsService",
    "logs": "logs.v1.LogsService",
}
ITEM_WORDS = {"traces": "spans", "metrics": "metric_points", "logs": "log_records"}


class Process:
    """A child that ends with this one."""

    def __init__(self, command, log):
        self._log = open(log, "ab")
        self.log_path = pathlib.Path(log)
        self.child = subprocess.Popen(
            [*ports.DIE_WITH_PARENT, *command],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )

    @property
    def pid(self):
        return self.child.pid

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(20)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait(10)
        self._log.close()


class Sink(Process):
    """The counting sink. Its counts only grow, so a measurement takes differences."""

    def __init__(self, folder):
        self.port = ports.free_port()
        super().__init__([str(TOOLS / "weir_bench_sink"), str(self.port)], folder / "sink.log")
        ports.wait_for(lambda: ports.accepts(self.port), "the sink does not listen", 10)

    def stats(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stats", timeout=30) as answer:
            return json.load(answer)


class Subject(Process):
    """A running collector. `command` has @CONFIG@ for the path of its configuration."""

    def __init__(self, name, command, config, values):
        self.name = name
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"weir-bench-{name}-"))
        self.values = dict(values, DIR=str(self.folder))
        text = " ".join(command)
        if "@CONFIG@" in text:
            text += config
        names = sorted(set(re.findall(r"@([A-Z0-9_]+)@", text)) - set(self.values) - {"CONFIG"})
        self.values.update(zip(names, ports.free_ports(len(names))))
        if "@CONFIG@" in text:
            self.values["CONFIG"] = str(self.folder / "config.yaml")
            (self.folder / "config.yaml").write_text(self._render(config))
        self.started = time.monotonic()
        super().__init__([self._render(word) for word in command], self.folder / "log.txt")

    def _render(self, text):
        return re.sub(r"@([A-Z0-9_]+)@", lambda match: str(self.values[match[1]]), text)

    def port(self, name):
        return int(self.values[name])

    def wait_ready(self):
        """Every port of the configuration accepts."""
        names = [name for name in self.values if name.startswith(("GRPC", "HTTP", "METRICS"))]

        def ready():
            if self.child.poll() is not None:
                raise RuntimeError(
                    f"{self.name} exited with {self.child.returncode}:\n{self.log_path.read_text()[-3000:]}"
                )
            return all(ports.accepts(self.port(name)) for name in names)

        ports.wait_for(ready, f"{self.name} does not listen", 30)

    def cpu(self):
        return daemon.process_cpu_seconds(self.pid)

    def rss(self, peak=False):
        return daemon.resident_bytes(self.pid, peak)

    def metric(self, name):
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.port('METRICS')}/metrics", timeout=30
        ) as answer:
            return daemon.value(daemon.parse_metrics(answer.read().decode()), name)

    def sent(self, signal):
        return self.metric(f"otelcol_exporter_sent_{ITEM_WORDS[signal]}")


def h2load(subject, client, signal, body, requests, extra=()):
    """Sends `requests` copies of a body, in a closed loop. Fails when any gets no HTTP success."""
    command = [
        "h2load",
        "-n",
        str(requests),
        "-c",
        str(client.get("connections", 4)),
        "-t",
        "1",
        "-d",
        str(body),
        *extra,
    ]
    if client["protocol"] == "grpc":
        command += [
            "-m",
            str(client.get("streams", 16)),
            "-H",
            "content-type: application/grpc",
            "-H",
            "te: trailers",
        ]
        if client.get("compression") == "gzip":
            command += ["-H", "grpc-encoding: gzip"]
        command.append(
            f"http://127.0.0.1:{subject.port('GRPC')}/opentelemetry.proto.collector.{GRPC_PATHS[signal]}/Export"
        )
    else:
        command += ["--h1", "-H", "content-type: application/x-protobuf"]
        if client.get("compression") == "gzip":
            command += ["-H", "content-encoding: gzip"]
        command.append(f"http://127.0.0.1:{subject.port('HTTP')}/v1/{signal}")
    result = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ, LC_ALL="C"),
    )
    found = re.search(r"requests: (\d+) total, .* (\d+) succeeded", result.stdout)
    if not found or found[1] != found[2]:
        raise RuntimeError(
            f"h2load against {subject.name}:\n{result.stdout}{result.stderr}\n"
            f"{subject.log_path.read_text()[-2000:]}"
        )
