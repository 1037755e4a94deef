#!/usr/bin/env python3
"""Faults under load: what was acknowledged arrives, whatever dies in between.

Each case prints a line: acknowledged, delivered, duplicates, missing (must be 0), dropped by reason, peak memory.
WEIR_FAULT_TIMES says how often each is repeated (tests/faults/run); its random instants come from a
seed that is printed, and WEIR_FAULT_SEED repeats one.
"""

import collections
import os
import pathlib
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

from harness import daemon, grpc, otlp_sink, ports, request, sink_exporter, unittest  # noqa: E402
import items  # noqa: E402

TIMES = int(os.environ.get("WEIR_FAULT_TIMES", "1"))
SEED = int(os.environ.get("WEIR_FAULT_SEED", random.SystemRandom().randrange(1 << 32)))
PER_REQUEST = 20

CONFIG = """
extensions:
  file_storage: {directory: "@STORE@", create_directory: true}
receivers:
  otlp:
    protocols:
      grpc: {endpoint: 127.0.0.1:@GRPC@}
processors:
  batch: {timeout: 50ms, send_batch_size: 200}
exporters:
  otlp/one: @ONE@
  otlp/two: @TWO@
service:
  extensions: [file_storage]
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [@EXPORTERS@]}
"""

STORED = {"storage": "file_storage", "queue_size": 1000000}
FOREVER = {"initial_interval": "50ms", "max_interval": "200ms", "max_elapsed_time": "0s"}


def stored_exporter(sink, **settings):
    return sink_exporter(
        sink, sending_queue={**STORED, **settings}, retry_on_failure=FOREVER, timeout="3s"
    )


class Load:
    """Sends numbered spans from several threads, each request until it is acknowledged."""

    def __init__(self, port, threads=4):
        self.acknowledged = set()
        self.retries = 0
        self._channel = grpc.insecure_channel(
            f"127.0.0.1:{port}",
            (("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 100)),
        )
        self._next = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send, daemon=True) for _ in range(threads)]

    def _send(self):
        while not self._stop.is_set():
            with self._lock:
                first = self._next
                self._next += PER_REQUEST
            data = request("traces", PER_REQUEST, first).SerializeToString()
            while not self._try(data):
                if self._stop.is_set():
                    return
            with self._lock:
                self.acknowledged.update(range(first, first + PER_REQUEST))

    def _try(self, data):
        try:
            self._channel.unary_unary(items.GRPC_METHODS["traces"])(data, timeout=5)
            return True
        except grpc.RpcError:
            self.retries += 1
            time.sleep(0.02)
            return False

    def count(self):
        with self._lock:
            return len(self.acknowledged)

    def wait_for(self, more):
        target = self.count() + more
        ports.wait_for(
            lambda: self.count() >= target, lambda: f"{self.count()} of {target} acknowledged", 60
        )

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._channel.close()

    def __exit__(self, *_):
        self.stop()


class NumberSink(otlp_sink.Sink):
    """Counts how often each number arrived."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.numbers = collections.Counter()

    def take(self, signal, message, transport, headers, size):
        answer = self.behave(signal, message) or otlp_sink.Answer()
        if answer.delay_s:
            time.sleep(answer.delay_s)
        if answer.success:
            numbers = [
                int.from_bytes(span.trace_id[:15], "big")
                for resource in message.resource_spans
                for scope in resource.scope_spans
                for span in scope.spans
            ]
            with self._lock:
                self.numbers.update(numbers)
        return answer


class FaultTest(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        print(f"\n{self._testMethodName}: seed {SEED}", flush=True)

    def weir(self, one, two=None, config=CONFIG, store=None, **settings):
        made = daemon.Weir(
            config,
            {
                "ONE": one,
                "TWO": two or one,
                "EXPORTERS": "otlp/one" if two is None else "otlp/one, otlp/two",
                "STORE": store or "@DIR@/store",
            },
            **settings,
        )
        if store is None:
            made.config.write_text(made.config.read_text().replace("@DIR@", str(made.folder)))
        return made

    def kill_and_start(self, weir):
        weir.process.kill()
        weir.process.wait()
        weir.start()

    def assert_all_arrived(self, load, sink, weir, lost=0):
        """Every number that was acknowledged has arrived; what is known to be lost may be missing."""
        wanted = load.acknowledged

        def missing():
            with sink._lock:
                return [number for number in wanted if number not in sink.numbers]

        ports.wait_for(
            lambda: len(missing()) <= lost,
            lambda: f"{len(missing())} of {len(wanted)} acknowledged items are missing, such as "
            f"{sorted(missing())[:3]}\n{weir.log()[-3000:]}",
            60,
            0.1,
        )
        duplicates = sum(sink.numbers.values()) - len(sink.numbers)
        print(
            f"  acknowledged {len(wanted)}, delivered {len(sink.numbers)}, duplicates {duplicates}, "
            f"missing {len(missing())}, dropped {dict(weir.dropped())}, retries {load.retries}, "
            f"peak {weir.rss(peak=True) >> 20} MiB",
            flush=True,
        )
        return duplicates

    def wait_until_empty(self, weir):
        ports.wait_for(
            lambda: sum(book["held"] for book in weir.ledger().values()) == 0,
            lambda: f"items are still held\n{weir.log()[-3000:]}",
            60,
        )

    def repeat(self):
        for number in range(TIMES):
            with self.subTest(number):
                yield number

    def pause(self):
        time.sleep(self.random.uniform(0.05, 0.4))  # A random instant is the point.

    def test_kill_weir(self):
        for _ in self.repeat():
            with NumberSink() as sink, self.weir(stored_exporter(sink)) as weir:
                with Load(weir.port("GRPC")) as load:
                    for _ in range(5):
                        load.wait_for(400)
                        self.pause()
                        self.kill_and_start(weir)
                    load.wait_for(400)
                self.assert_all_arrived(load, sink, weir)
                weir.assert_ledger_closes()

    def test_kill_weir_with_its_sink_away(self):
        for _ in self.repeat():
            with NumberSink() as sink, self.weir(stored_exporter(sink)) as weir:
                sink.stop()
                with Load(weir.port("GRPC")) as load:
                    load.wait_for(2000)
                    self.kill_and_start(weir)
                    load.wait_for(2000)
                sink.start()
                self.assert_all_arrived(load, sink, weir)
                weir.assert_ledger_closes()

    def test_kill_sink(self):
        for _ in self.repeat():
            with NumberSink() as sink, self.weir(stored_exporter(sink)) as weir:
                with Load(weir.port("GRPC")) as load:
                    for _ in range(3):
                        load.wait_for(400)
                        sink.stop()
                        self.pause()
                        sink.start()
                    load.wait_for(400)
                self.assert_all_arrived(load, sink, weir)
                weir.assert_ledger_closes()

    def test_terminate_leaves_the_rest(self):
        """Guarantees: an orderly stop with a dead target is quick, loses nothing and says so."""
        for _ in self.repeat():
            with NumberSink() as sink, self.weir(stored_exporter(sink)) as weir:
                sink.stop()
                with Load(weir.port("GRPC")) as load:
                    load.wait_for(1000)
                weir.terminate()
                self.assertEqual(0, weir.wait(10))
                sink.start()
                weir.start()
                self.assert_all_arrived(load, sink, weir)
                weir.assert_ledger_closes()

    def test_every_answer_of_the_sink(self):
        """Passing answers lose nothing; permanent ones are counted, item by item."""
        passing = [grpc.StatusCode[name] for name in ("UNAVAILABLE", "ABORTED", "CANCELLED", "DATA_LOSS",
                                                      "DEADLINE_EXCEEDED", "OUT_OF_RANGE")]
        permanent = [grpc.StatusCode[name] for name in ("INVALID_ARGUMENT", "UNIMPLEMENTED", "INTERNAL",
                                                        "PERMISSION_DENIED", "NOT_FOUND", "UNKNOWN")]
        for _ in self.repeat():
            with NumberSink() as sink, self.weir(stored_exporter(sink)) as weir:
                sink.behave = lambda *_: (
                    otlp_sink.Answer(code=self.random.choice(passing))
                    if self.random.random() < 0.5
                    else None
                )
                with Load(weir.port("GRPC")) as load:
                    load.wait_for(3000)
                self.assert_all_arrived(load, sink, weir)
                sink.behave = lambda *_: (
                    otlp_sink.Answer(code=self.random.choice(permanent))
                    if self.random.random() < 0.2
                    else None
                )
                with Load(weir.port("GRPC")) as more:
                    more._next = load._next
                    more.wait_for(3000)
                self.wait_until_empty(weir)
                lost = sum(weir.dropped().values())
                self.assert_all_arrived(more, sink, weir, lost=int(lost))
                weir.assert_ledger_closes(lost=lost)

    def test_two_exporters_one_dead(self):
        """Guarantees: the living one gets everything at once, the other one when it comes back."""
        for _ in self.repeat():
            with NumberSink() as dead, NumberSink() as sink, self.weir(
                stored_exporter(sink), stored_exporter(dead)
            ) as weir:
                dead.stop()
                with Load(weir.port("GRPC")) as load:
                    load.wait_for(2000)
                    self.kill_and_start(weir)
                    load.wait_for(2000)
                self.assert_all_arrived(load, sink, weir)
                dead.start()
                self.assert_all_arrived(load, dead, weir)
                weir.assert_ledger_closes()

    def test_disk_full(self):
        """Guarantees: a full disk pushes back and heals by itself."""
        for _ in self.repeat():
            with NumberSink() as sink, self.small_disk() as disk, self.weir(
                stored_exporter(sink), store=disk
            ) as weir:
                sink.stop()
                with Load(weir.port("GRPC")) as load:
                    ports.wait_for(lambda: load.retries > 20, "the disk is never full", 120)
                    self.assertTrue(weir.alive())
                    sink.start()
                    load.wait_for(2000)
                self.assert_all_arrived(load, sink, weir)
                weir.assert_ledger_closes()

    def small_disk(self):
        test = self

        class SmallDisk:
            def __enter__(self):
                self.path = pathlib.Path(f"/tmp/weir-faults-{os.getpid()}")
                self.path.mkdir(exist_ok=True)
                made = subprocess.run(
                    ["mount", "-t", "tmpfs", "-o", "size=4m", "weir-faults", self.path], check=False
                )
                if made.returncode:
                    test.skipTest("mounting a small disk takes root")
                return str(self.path)

            def __exit__(self, *_):
                subprocess.run(["umount", "-l", self.path], check=False)
                self.path.rmdir()

        return SmallDisk()

    def test_damaged_journal(self):
        """Guarantees: it starts, goes on, and counts what the disk has lost."""
        for _ in self.repeat():
            for damage in ("truncated", "flipped", "deleted"):
                with self.subTest(damage), NumberSink() as sink, self.weir(
                    stored_exporter(sink)
                ) as weir:
                    sink.stop()
                    with Load(weir.port("GRPC")) as load:
                        load.wait_for(4000)
                    weir.process.kill()
                    weir.process.wait()
                    segments = sorted(weir.folder.glob("store/journal-traces/*.segment"))
                    self.assertTrue(segments)
                    self.harm(segments[0], damage)
                    weir.start()
                    with Load(weir.port("GRPC")) as more:
                        more._next = load._next
                        more.wait_for(400)
                        sink.start()
                    self.wait_until_empty(weir)
                    self.assert_all_arrived(more, sink, weir)
                    lost = [n for n in load.acknowledged if n not in sink.numbers]
                    print(f"  {damage}: {len(lost)} items were on the damaged part", flush=True)
                    if damage == "flipped":
                        self.assertLessEqual(len(lost), 2 * PER_REQUEST)
                    self.assertIn("ournal", weir.log())

    def harm(self, segment, damage):
        content = bytearray(segment.read_bytes())
        if damage == "deleted":
            segment.unlink()
        elif damage == "truncated":
            segment.write_bytes(content[: len(content) * 2 // 3])
        else:
            content[self.random.randrange(4096, len(content) * 9 // 10)] ^= 1
            segment.write_bytes(content)

    def test_reload_in_mid_stream(self):
        """Guarantees: a good reload and a bad one lose nothing and refuse nothing."""
        for _ in self.repeat():
            with NumberSink() as sink, self.weir(stored_exporter(sink)) as weir:
                good = weir.config.read_text()
                with Load(weir.port("GRPC")) as load:
                    for text in (
                        good.replace("timeout: 50ms", "timeout: 20ms"),
                        good.replace("[batch]", "[nonsense]"),
                        good,
                    ):
                        load.wait_for(400)
                        weir.config.write_text(text)
                        weir.reload()
                    load.wait_for(1000)
                self.assertEqual(0, load.retries)
                self.assert_all_arrived(load, sink, weir)
                weir.assert_ledger_closes()


if __name__ == "__main__":
    unittest.main()
