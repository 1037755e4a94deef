#!/usr/bin/env python3
"""Start, drain, pushback, retry, and exporters that are slow or dead beside ones that are not."""

import http.client
import signal
import socket
import subprocess
import threading
import time

import harness
from harness import Sender, assert_books, daemon, grpc, only_weir, otlp_sink, ports, post
from harness import request, sink_exporter, unittest

from google.rpc import error_details_pb2

CONFIG = """
receivers:
  otlp:
    protocols:
      grpc: {endpoint: 127.0.0.1:@GRPC@}
      http: {endpoint: 127.0.0.1:@HTTP@}
processors:
  batch: {timeout: 100ms, send_batch_size: 100}
exporters:
  otlp/one: @ONE@
  otlp/two: @TWO@
service:
  pipelines:
    traces: {receivers: [otlp], processors: [@PROCESSORS@], exporters: [@EXPORTERS@]}
"""


EXIT_DATA_LOST = 5


def weir_to(one, two=None, processors="batch"):
    exporters = "otlp/one" if two is None else "otlp/one, otlp/two"
    return daemon.Weir(
        CONFIG, {"ONE": one, "TWO": two or one, "EXPORTERS": exporters, "PROCESSORS": processors}
    )


def retry_delay(error):
    """The seconds that a refusal asks to wait, from its RetryInfo; None without one."""
    details = dict(error.trailing_metadata()).get("grpc-status-details-bin")
    if details is None:
        return None
    for each in otlp_sink.status_pb2.Status.FromString(details).details:
        info = error_details_pb2.RetryInfo()
        if each.Unpack(info):
            return info.retry_delay.ToTimedelta().total_seconds()
    return None


class DrainTest(unittest.TestCase):
    """Guarantees: what was answered with success is sent on before an orderly exit."""

    def test_sigterm_and_sigint(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number), otlp_sink.Sink() as sink, weir_to(
                sink_exporter(sink)
            ) as weir:
                sink.behave = lambda *_: otlp_sink.Answer(delay_s=0.05)
                with Sender(weir.port("GRPC")) as sender:
                    for each in range(100):
                        sender.send("traces", request("traces", 20, each * 20))
                weir.process.send_signal(number)
                self.assertEqual(0, weir.wait())
                self.assertEqual("", sender.sent.difference(sink.items))

    def test_while_clients_keep_sending(self):
        """What a client was told is taken is not lost, and what it was not told it knows to send again."""
        with otlp_sink.Sink() as sink, weir_to(sink_exporter(sink)) as weir:
            senders = [Sender(weir.port("GRPC")) for _ in range(4)]

            def stream(sender, first):
                try:
                    for each in range(100000):
                        sender.send("traces", request("traces", 5, first + each * 5), seconds=5)
                except grpc.RpcError:
                    pass

            threads = [
                threading.Thread(target=stream, args=(each, index * 10**7))
                for index, each in enumerate(senders)
            ]
            for each in threads:
                each.start()
            sink.wait_for_items(2000)
            weir.stop()
            for each in threads:
                each.join()
            for sender in senders:
                self.assertGreater(sender.sent.count(), 0)
                missing = sender.sent.missing_from(sink.items)["traces"]
                self.assertEqual(0, missing.total())
                sender.close()

    @only_weir
    def test_a_dead_target_does_not_hold_the_exit_for_ever(self):
        dead = f"{{endpoint: 127.0.0.1:{ports.free_port()}, tls: {{insecure: true}}}}"
        config = CONFIG.replace("service:\n", "service:\n  shutdown_timeout: 2s\n")
        values = {"ONE": dead, "TWO": dead, "EXPORTERS": "otlp/one", "PROCESSORS": "batch"}
        with daemon.Weir(config, values) as weir, Sender(weir.port("GRPC")) as sender:
            sender.send("traces", request("traces", 10))
            start = time.monotonic()
            weir.stop(code=EXIT_DATA_LOST)
            self.assertLess(time.monotonic() - start, 10)
            self.assertRegex(
                weir.log(), r"\b10\b", "the log does not say how many items were given up"
            )

    def test_twice(self):
        """A second signal ends a drain at once."""
        dead = f"{{endpoint: 127.0.0.1:{ports.free_port()}, tls: {{insecure: true}}}}"
        with weir_to(dead) as weir, Sender(weir.port("GRPC")) as sender:
            sender.send("traces", request("traces", 10))
            weir.terminate()
            ports.wait_for(lambda: not ports.accepts(weir.port("GRPC")), "the door is still open")
            if weir.alive():
                weir.terminate()
            weir.wait(seconds=15)


class StartTest(unittest.TestCase):
    def test_a_taken_port_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as taken, otlp_sink.Sink() as sink:
            weir = weir_to(sink_exporter(sink))
            weir.values["GRPC"] = taken.getsockname()[1]
            text = weir.config.read_text()
            weir.config.write_text(text.replace("grpc: {endpoint: 127.0.0.1:", "grpc: {endpoint: 127.0.0.1:#")
                                   .replace(f"#{weir_port(text)}", str(weir.values["GRPC"])))  # fmt: skip
            self.addCleanup(weir.close)
            weir._wait_ready = False
            weir.start()
            self.assertGreater(weir.wait(), 0)
            self.assertIn(str(weir.values["GRPC"]), weir.log())
            self.assertRegex(weir.log().lower(), "in use")

    @only_weir
    def test_health_check(self):
        port = ports.free_port()
        config = CONFIG.replace("service:\n", "extensions:\n  health_check: {endpoint: 127.0.0.1:@HEALTH@}\n"
                                "service:\n  extensions: [health_check]\n")  # fmt: skip
        with otlp_sink.Sink() as sink:
            values = {"ONE": sink_exporter(sink), "TWO": sink_exporter(sink), "EXPORTERS": "otlp/one",
                      "PROCESSORS": "batch", "HEALTH": port}  # fmt: skip
            with daemon.Weir(config, values) as weir:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                connection.request("GET", "/")
                answer = connection.getresponse()
                self.assertEqual(200, answer.status)
                answer.read()
                connection.close()
                weir.stop()


def weir_port(text):
    """The gRPC port in a rendered configuration."""
    return text.split("grpc: {endpoint: 127.0.0.1:")[1].split("}")[0]


class RetryTest(unittest.TestCase):
    """Guarantees: what fails for now is sent again until it is through; what fails for good is counted."""

    def test_passing_failures(self):
        for code in (
            grpc.StatusCode.UNAVAILABLE,
            grpc.StatusCode.DEADLINE_EXCEEDED,
            grpc.StatusCode.ABORTED,
        ):
            with self.subTest(code), otlp_sink.Sink() as sink, weir_to(sink_exporter(sink)) as weir:
                left = iter(range(20))
                sink.behave = lambda *_: (
                    otlp_sink.Answer(code=code) if next(left, None) is not None else None
                )
                with Sender(weir.port("GRPC")) as sender:
                    for number in range(20):
                        sender.send("traces", request("traces", 10, number * 10))
                    sink.wait_for_items(200)
                    self.assertEqual("", sender.sent.difference(sink.items))
                assert_books(weir)

    def test_the_target_names_the_time(self):
        with otlp_sink.Sink() as sink, weir_to(sink_exporter(sink)) as weir, Sender(
            weir.port("GRPC")
        ) as sender:
            first = []

            def behave(*_):
                first.append(time.monotonic())
                if len(first) == 1:
                    return otlp_sink.Answer(code=grpc.StatusCode.UNAVAILABLE, retry_after_s=1.5)
                return None

            sink.behave = behave
            sender.send("traces", request("traces", 10))
            sink.wait_for_items(10)
            self.assertGreaterEqual(first[1] - first[0], 1.4)
            assert_books(weir)

    def test_permanent_failures_are_not_tried_again(self):
        with otlp_sink.Sink() as sink, weir_to(sink_exporter(sink), processors="") as weir:
            sink.behave = lambda *_: otlp_sink.REFUSED
            with Sender(weir.port("GRPC")) as sender:
                sender.send("traces", request("traces", 10))
            weir.wait_value("otelcol_exporter_send_failed_spans", 10)
            assert_books(weir, lost=10)
            self.assertEqual(1, len(sink.requests))

    def test_a_target_that_comes_late(self):
        port = ports.free_port()
        config = f'{{endpoint: "127.0.0.1:{port}", tls: {{insecure: true}}, retry_on_failure: {{initial_interval: 100ms}}}}'
        with weir_to(config) as weir, Sender(weir.port("GRPC")) as sender:
            for number in range(10):
                sender.send("traces", request("traces", 10, number * 10))
            with otlp_sink.Sink(grpc_port=port) as sink:
                sink.wait_for_items(100)
                self.assertEqual("", sender.sent.difference(sink.items))
                assert_books(weir)

    def test_a_target_that_restarts(self):
        with otlp_sink.Sink() as sink, weir_to(sink_exporter(sink)) as weir, Sender(
            weir.port("GRPC")
        ) as sender:
            for number in range(60):
                sender.send("traces", request("traces", 10, number * 10))
                if number == 20:
                    sink.stop()
                if number == 40:
                    sink.start()
            sink.wait_for_items(600)
            self.assertEqual("", sender.sent.difference(sink.items, duplicates_allowed=True))
            assert_books(weir)


class NeighboursTest(unittest.TestCase):
    """Scenario: two exporters of one pipeline, one of them slow or dead. Guarantees: the other does not notice."""

    def beside(self, bad_exporter, bad_sink=None):
        with otlp_sink.Sink() as good, weir_to(sink_exporter(good), bad_exporter) as weir:
            with Sender(weir.port("GRPC")) as sender:
                slowest = 0.0
                for number in range(300):
                    start = time.monotonic()
                    sender.send("traces", request("traces", 20, number * 20))
                    slowest = max(slowest, time.monotonic() - start)
                good.wait_for_items(6000, seconds=20)
                self.assertEqual("", sender.sent.difference(good.items))
                self.assertLess(slowest, 1.0, "a client waited for the slow exporter")
                if bad_sink is not None:
                    bad_sink.behave = lambda *_: None
                    bad_sink.wait_for_items(6000)
                    self.assertEqual(
                        "", sender.sent.difference(bad_sink.items, duplicates_allowed=True)
                    )
                    assert_books(weir)
                elif not harness.PEER:
                    weir.assert_ledger_closes(held=6000)

    def test_slow(self):
        with otlp_sink.Sink() as slow:
            slow.behave = lambda *_: otlp_sink.Answer(delay_s=2)
            self.beside(sink_exporter(slow), slow)

    def test_refusing_for_now(self):
        with otlp_sink.Sink() as refusing:
            refusing.behave = lambda *_: otlp_sink.UNAVAILABLE
            self.beside(sink_exporter(refusing), refusing)

    def test_dead(self):
        self.beside(f"{{endpoint: 127.0.0.1:{ports.free_port()}, tls: {{insecure: true}}}}")

    def test_silent(self):
        """A target that takes the connection and never answers."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            self.beside(
                f"{{endpoint: 127.0.0.1:{silent.getsockname()[1]}, tls: {{insecure: true}}, timeout: 60s}}"
            )

    @only_weir
    def test_a_full_queue_refuses_only_its_own_copy(self):
        with otlp_sink.Sink() as good, otlp_sink.Sink() as stuck:
            stuck.behave = lambda *_: otlp_sink.UNAVAILABLE
            full = sink_exporter(stuck, sending_queue={"queue_size": 2, "num_consumers": 1})
            with weir_to(sink_exporter(good), full, processors="") as weir, Sender(
                weir.port("GRPC")
            ) as sender:
                for number in range(100):
                    sender.send("traces", request("traces", 10, number * 10))
                good.wait_for_items(1000)
                self.assertEqual("", sender.sent.difference(good.items))
                stuck.behave = lambda *_: None
                ports.wait_for(
                    lambda: weir.value("weir_ledger_held_items") == 0, "something is still held"
                )
                dropped = weir.dropped()
                self.assertEqual({"queue_full"}, set(dropped))
                self.assertEqual(1000, stuck.items.count() + dropped["queue_full"])
                self.assertEqual(
                    dropped["queue_full"], weir.value("otelcol_exporter_enqueue_failed_spans")
                )
                weir.assert_ledger_closes(lost=dropped["queue_full"])


@only_weir
class PushbackTest(unittest.TestCase):
    """Scenario: the only queue is full. Guarantees: the sender is told so and when to come again; nothing is lost."""

    def test_grpc_and_http(self):
        with otlp_sink.Sink() as sink:
            sink.behave = lambda *_: otlp_sink.UNAVAILABLE
            full = sink_exporter(sink, sending_queue={"queue_size": 2, "num_consumers": 1})
            with weir_to(full, processors="") as weir, Sender(weir.port("GRPC")) as sender:
                refused, number = None, 0
                while refused is None and number < 100:
                    try:
                        sender.send("traces", request("traces", 10, number * 10))
                    except grpc.RpcError as error:
                        refused = error
                    number += 1
                self.assertIsNotNone(refused, "a full queue takes everything")
                self.assertIn(
                    refused.code(),
                    (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED),
                )
                self.assertGreater(retry_delay(refused), 0)
                status, headers, _ = post(
                    weir.port("HTTP"), "/v1/traces", request("traces", 10, 9000).SerializeToString()
                )
                self.assertIn(status, (429, 503))
                self.assertGreater(int(headers["retry-after"]), 0)
                self.assertGreaterEqual(weir.value("otelcol_receiver_refused_spans"), 20)
                sink.behave = lambda *_: None
                sink.wait_for_items(sender.sent.count())
                self.assertEqual("", sender.sent.difference(sink.items))
                assert_books(weir)


@only_weir
class MemoryTest(unittest.TestCase):
    """Scenario: the target is dead and clients push ten times what fits. Guarantees: memory stays under the limit."""

    def test_the_limit_holds(self):
        config = CONFIG.replace(
            "processors:\n", "processors:\n  memory_limiter: {check_interval: 1s, limit_mib: 64}\n"
        )
        dead = f"{{endpoint: 127.0.0.1:{ports.free_port()}, tls: {{insecure: true}}, sending_queue: {{queue_size: 100000}}}}"
        values = {
            "ONE": dead,
            "TWO": dead,
            "EXPORTERS": "otlp/one",
            "PROCESSORS": "memory_limiter, batch",
        }
        with daemon.Weir(config, values) as weir, Sender(weir.port("GRPC")) as sender:
            idle = weir.rss()
            message = request("traces", 5000)
            codes = {
                sender.send_raw("traces", message.SerializeToString())[0]
                for _ in range(640 * 2**20 // message.ByteSize())
            }
            self.assertIn(grpc.StatusCode.OK, codes)
            self.assertTrue(
                codes & {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}, codes
            )
            self.assertLess(weir.rss(peak=True), idle + 64 * 2**20 * 1.25 + 16 * 2**20)
            self.assertTrue(weir.alive())


class MetricsTest(unittest.TestCase):
    """Guarantees: Prometheus's own checker takes /metrics, where the Collector's names allow."""

    def test_promtool(self):
        with otlp_sink.Sink() as sink, weir_to(sink_exporter(sink)) as weir:
            with Sender(weir.port("GRPC")) as sender:
                sender.send("traces", request("traces", 20))
                sink.wait_for_items(20)
            page = http.client.HTTPConnection("127.0.0.1", weir.metrics_port, timeout=10)
            page.request("GET", "/metrics")
            text = page.getresponse().read()
            page.close()
        checked = subprocess.run(
            ["promtool", "check", "metrics"], input=text, capture_output=True, check=False
        )
        complaints = (checked.stdout + checked.stderr).decode().splitlines()
        # The Collector's counters have no suffix where its readers are told so, as here by default.
        unknown = [
            line
            for line in complaints
            if not (line.startswith("otelcol_") and line.endswith('should have "_total" suffix'))
        ]
        self.assertEqual([], unknown)
        self.assertIn(b"otelcol_receiver_requests", text)


if __name__ == "__main__":
    unittest.main()
