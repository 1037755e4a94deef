"""Starts a weir process for a test, watches it, and checks its books.

    with daemon.Weir('''
        receivers: {otlp: {protocols: {grpc: {endpoint: 127.0.0.1:@GRPC@}}}}
        exporters: {nop: }
        service: {pipelines: {traces: {receivers: [otlp], exporters: [nop]}}}
    ''') as weir:
        send(weir.port("GRPC"))
        weir.assert_ledger_closes()

Every @NAME@ in the configuration becomes a free loopback port, unless `values` gives it. The
metrics endpoint is added to `service` by this module.

The binary is $WEIR_BINARY, or build/release/weir.
"""

import collections
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import textwrap
import time
import urllib.error
import urllib.request

import cache
import ports

TELEMETRY = (
    "telemetry: {metrics: {level: detailed, readers: [{pull: {exporter: {prometheus: "
    "{host: 127.0.0.1, port: %d}}}}]}}"
)
SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
LEDGER_IN = ("in", "created", "recovered")
LEDGER_OUT = ("out", "consumed", "held", "dropped")
# Left out because the configuration asks for it: no loss.
DROPPED_BY_INTENT = ("filtered", "sampled")


def binary():
    path = pathlib.Path(os.environ.get("WEIR_BINARY") or cache.ROOT / "build" / "release" / "weir")
    if not path.exists():
        raise FileNotFoundError(
            f"{path} is missing: cmake --preset release && cmake --build --preset release"
        )
    return str(path)


def run(*arguments, env=None, stdin=None, seconds=30):
    """Runs a command of the binary to its end; the result has returncode, stdout and stderr."""
    return subprocess.run(
        [binary(), *arguments],
        stdin=stdin or subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        env=dict(os.environ, **(env or {})),
    )


def process_cpu_seconds(pid):
    """User and system time of all threads of a process, those that ended included, to the nanosecond."""
    return time.clock_gettime(
        ((~pid) << 3) | 2
    )  # The kernel's number for "CPU clock of process pid".


def resident_bytes(pid, peak=False):
    """Resident memory now, or its highest value so far."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:" if peak else "VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(pid)


def reset_peak(pid):
    """Lets the peak of resident memory start again from now."""
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


Sample = collections.namedtuple("Sample", "name labels value")


def parse_metrics(text):
    """Prometheus text to a list of samples; names without the "_total" that the format adds."""
    samples = []
    for line in text.splitlines():
        if not line.startswith("#") and (match := SAMPLE.match(line)):
            samples.append(Sample(match[1], dict(LABEL.findall(match[2] or "")), float(match[3])))
    return samples


def value(samples, name, **labels):
    """The sum of every sample of this name (with or without "_total") that has these labels."""
    return sum(
        sample.value
        for sample in samples
        if sample.name in (name, name + "_total")
        and all(sample.labels.get(key) == wanted for key, wanted in labels.items())
    )


def books(samples):
    """The ledger as {(node, kind, signal, pipeline): {"in": n, ..., "held": n, "reasons": {reason: n}}}."""
    found = collections.defaultdict(lambda: collections.defaultdict(float, reasons={}))

    def node(labels):
        return found[tuple(labels.get(key, "") for key in ("node", "kind", "signal", "pipeline"))]

    for name, labels, number in samples:
        if name == "weir_ledger_items_total":
            node(labels)[labels["flow"]] = number
        elif name == "weir_ledger_held_items":
            node(labels)["held"] = number
        elif name == "weir_dropped_items_total" and number:
            node({"node": labels["component"], **labels})["reasons"][labels["reason"]] = number
    return found


def unbalanced(ledger):
    """A line for each node whose books do not close."""
    lines = []
    for key, book in sorted(ledger.items()):
        entered = sum(book[column] for column in LEDGER_IN)
        left = sum(book[column] for column in LEDGER_OUT)
        if entered != left or book["dropped"] != sum(book["reasons"].values()):
            shown = {name: amount for name, amount in book.items() if amount}
            lines.append(
                f"{'/'.join(filter(None, key))}: {entered:.0f} entered, {left:.0f} accounted for: {shown}"
            )
    return lines


class Weir:
    """One daemon process with a temporary folder (`self.folder`, @DIR@ in the configuration)."""

    def __init__(self, config, values=None, arguments=(), env=None, wait_ready=True, wrapper=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-test-"))
        self.values = {"DIR": str(self.folder), **(values or {})}
        names = sorted(set(re.findall(r"@([A-Z0-9_]+)@", config)) - set(self.values))
        self.metrics_port, *free = ports.free_ports(1 + len(names))
        self.values.update(zip(names, free))
        self.config = self.folder / "config.yaml"
        self.config.write_text(self._render(config))
        self._command = [
            *ports.DIE_WITH_PARENT,
            *wrapper,
            binary(),
            "--config",
            str(self.config),
            *arguments,
        ]
        self._env = dict(os.environ, **(env or {}))
        self._wait_ready = wait_ready
        self.process = None
        self.log_path = self.folder / "log.txt"

    def _render(self, config):
        text = textwrap.dedent(config)
        text = re.sub(r"@([A-Z0-9_]+)@", lambda match: str(self.values[match[1]]), text)
        telemetry = TELEMETRY % self.metrics_port
        # Flow style has `service: {`, block style a line of its own.
        if re.search(r"^service: *\{", text, re.M):
            return re.sub(
                r"^service: *\{", "service: {" + telemetry + ", ", text, count=1, flags=re.M
            )
        return re.sub(r"^service: *$", "service:\n  " + telemetry, text, count=1, flags=re.M)

    def port(self, name):
        return int(self.values[name])

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._env,
            )
        if self._wait_ready:
            self.wait_ready()
        return self

    def wait_ready(self, seconds=30):
        """Waits until /metrics answers, which the daemon opens last."""
        ports.wait_for(self._answers, lambda: f"weir is not ready:\n{self.log()[-4000:]}", seconds)

    def _answers(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"weir exited with {self.process.returncode}:\n{self.log()[-4000:]}")
        try:
            self.metrics()
            return all(
                ports.accepts(port)
                for name, port in self.values.items()
                if re.fullmatch(r"(GRPC|HTTP)\d*", name)
            )
        except (OSError, urllib.error.URLError):
            return False

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def get(self, path, port=None, seconds=10):
        with urllib.request.urlopen(
            f"http://127.0.0.1:{port or self.metrics_port}{path}", timeout=seconds
        ) as answer:
            return answer.read().decode()

    def metrics(self):
        return parse_metrics(self.get("/metrics"))

    def value(self, name, **labels):
        return value(self.metrics(), name, **labels)

    def wait_value(self, name, at_least, seconds=30, **labels):
        ports.wait_for(
            lambda: self.value(name, **labels) >= at_least,
            lambda: f"{name}{labels} is {self.value(name, **labels)}, not {at_least}",
            seconds,
        )

    def dropped(self, **labels):
        """{reason: items} over all nodes that match."""
        totals = collections.Counter()
        for sample in self.metrics():
            if sample.name == "weir_dropped_items_total" and all(
                sample.labels.get(key) == wanted for key, wanted in labels.items()
            ):
                totals[sample.labels["reason"]] += int(sample.value)
        return +totals

    def ledger(self):
        return books(self.metrics())

    def assert_ledger_closes(self, lost=0, held=0, seconds=15):
        """Every node's books add up, `held` items are still inside and `lost` were dropped not by intent.

        The graph must be quiet; what is still on its way is waited for.
        """
        state = {}

        def settled():
            ledger = self.ledger()
            state["ledger"], state["open"] = ledger, unbalanced(ledger)
            state["held"] = sum(book["held"] for book in ledger.values())
            return ledger and not state["open"] and state["held"] == held

        def tell():
            return (
                f"the ledger does not close (held {state.get('held')}, not {held}): "
                + "; ".join(state.get("open", []))
                + f"\n{json.dumps(sorted(map(str, state['ledger'].items())))}"
            )

        ports.wait_for(settled, tell, seconds, 0.05)
        dropped = sum(
            amount
            for book in state["ledger"].values()
            for reason, amount in book["reasons"].items()
            if reason not in DROPPED_BY_INTENT
        )
        if dropped != lost:
            raise AssertionError(f"{dropped:.0f} items dropped, not {lost}: {self.dropped()}")
        return state["ledger"]

    def cpu_seconds(self):
        return process_cpu_seconds(self.pid)

    def rss(self, peak=False):
        return resident_bytes(self.pid, peak)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds=30):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired as late:
            raise AssertionError(
                f"weir has not exited after {seconds} s:\n{self.log()[-3000:]}"
            ) from late

    def stop(self, code=0, seconds=30):
        """SIGTERM, and the exit code must be `code`."""
        self.terminate()
        got = self.wait(seconds)
        if got != code:
            raise AssertionError(f"weir exited with {got}, not {code}:\n{self.log()[-3000:]}")

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    def close(self):
        if self.alive():
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, kind, *_):
        crashed = self.process.poll()
        log = self.log()
        self.close()
        if kind is None and crashed is not None and crashed < 0 and -crashed != signal.SIGKILL:
            raise AssertionError(f"weir died of signal {-crashed}:\n{log[-4000:]}")
