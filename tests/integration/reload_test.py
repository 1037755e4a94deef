#!/usr/bin/env python3
"""Reloads of a daemon at work: by SIGHUP, by request and by a changed file; good and bad ones."""

import json
import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request

from harness import Sender, daemon, only_weir, otlp_sink, ports, request, sink_exporter, unittest

CONFIG = """
receivers:
  otlp:
    protocols:
      grpc: {endpoint: 127.0.0.1:@GRPC@}
      http: {endpoint: 127.0.0.1:@HTTP@}
processors:
  attributes: {actions: [{key: stage, value: "0", action: upsert}]}
  batch: {timeout: 20ms, send_batch_size: 1000}
exporters:
  otlp: @ONE@
service:
  pipelines:
    traces: {receivers: [otlp], processors: [attributes, batch], exporters: [otlp]}
"""

# A destination that takes all there is, so that only a reload could make somebody wait.
FULL_LOAD = CONFIG.replace("otlp: @ONE@", "nop: {sending_queue: {enabled: true}}").replace(
    "exporters: [otlp]", "exporters: [nop]"
)

EXIT_DIFFERENT = 7
# What a request may wait longer because of a reload. Every test run shares its cores with others,
# so it is asked of the median of the slowest requests of the three reloads.
ADDED_LATENCY_S = 0.1


def ask(weir, method="POST", headers=None):
    """(status, body) of /-/reload."""
    question = urllib.request.Request(
        f"http://127.0.0.1:{weir.metrics_port}/-/reload", method=method, headers=headers or {}
    )
    try:
        with urllib.request.urlopen(question, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as failed:
        return failed.code, failed.read().decode()


def rewrite(weir, before, after):
    """Replaces the file in one step, as a careful operator's tool does."""
    text = weir.config.read_text()
    assert before in text, before
    new = weir.config.with_suffix(".new")
    new.write_text(text.replace(before, after))
    os.replace(new, weir.config)


def stage(number):
    return f'value: "{number}"'


def reloads(weir, result="success"):
    return weir.value("weir_config_reloads_total", result=result)


class Load:
    """`weir load` at full speed over gRPC while the body of the `with` runs."""

    def __init__(self, weir, *arguments):
        self._command = [
            *ports.DIE_WITH_PARENT,
            daemon.binary(),
            "load",
            f"--endpoint=127.0.0.1:{weir.port('GRPC')}",
            "--duration=0",
            "--retries=0",
            "--json",
            *arguments,
        ]

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self.summary = json.loads(self._process.communicate(timeout=60)[0])
        self.code = self._process.returncode


@only_weir
class ReloadTest(unittest.TestCase):
    def under_load(self, arguments, trigger, seconds=15):
        """Three reloads of a changed processor under full load."""
        with daemon.Weir(FULL_LOAD, arguments=arguments) as weir:
            with Load(weir, "--concurrency=16", "--connections=4") as load:
                weir.wait_value("otelcol_receiver_accepted_spans", 2000)
                for number in range(1, 4):
                    accepted = weir.value("otelcol_receiver_accepted_spans")
                    rewrite(weir, stage(number - 1), stage(number))
                    trigger(weir)
                    ports.wait_for(
                        lambda: reloads(weir) >= number, lambda: weir.log()[-3000:], seconds
                    )
                    weir.wait_value("otelcol_receiver_accepted_spans", accepted + 2000)
            self.assertEqual(0, load.code, load.summary)
            self.assertEqual(0, weir.value("otelcol_receiver_refused_spans"))
            self.assertEqual(3, reloads(weir))
            # The connections live on: none was opened or closed by a reload.
            self.assertEqual(1, len(re.findall("Serving OTLP/gRPC", weir.log())))
            sent = weir.value("otelcol_receiver_accepted_spans")
            ports.wait_for(lambda: weir.value("weir_ledger_held_items") == 0, "items are held")
            ledger = weir.assert_ledger_closes()
            self.assertEqual(sent, ledger[("nop", "exporter", "traces", "")]["out"])
            self.assertEqual(sent, load.summary["acknowledged"])
            self.assertIn("processors::attributes changed", weir.log())

    def test_by_signal(self):
        self.under_load((), lambda weir: weir.reload())

    def test_by_request(self):
        def trigger(weir):
            status, body = ask(weir)
            self.assertEqual(200, status, body)
            self.assertEqual("~ processors::attributes: actions[0]::value\n", body)

        self.under_load((), trigger)

    def test_by_a_changed_file(self):
        self.under_load(("--watch",), lambda weir: None)

    def test_added_latency(self):
        """Guarantees: the slowest request that a reload meets waits less than 100 ms for it."""
        slowest = []
        with daemon.Weir(FULL_LOAD) as weir:
            for number in range(1, 6):
                with Load(weir, "--concurrency=4", "--rate=20000") as load:
                    accepted = weir.value("otelcol_receiver_accepted_spans")
                    weir.wait_value("otelcol_receiver_accepted_spans", accepted + 2000)
                    rewrite(weir, stage(number - 1), stage(number))
                    self.assertEqual(200, ask(weir)[0])
                    weir.wait_value("otelcol_receiver_accepted_spans", accepted + 8000)
                self.assertEqual(0, load.code, load.summary)
                slowest.append(load.summary["latency_ms"]["max"] / 1000)
        self.assertLess(sorted(slowest)[len(slowest) // 2], ADDED_LATENCY_S, slowest)

    def test_every_item_is_delivered_once(self):
        """Scenario: each request is a numbered set of items; processors and exporters change in between."""
        with otlp_sink.Sink() as sink, otlp_sink.Sink() as other, daemon.Weir(
            CONFIG, {"ONE": sink_exporter(sink)}
        ) as weir, Sender(weir.port("GRPC")) as sender:
            first = f"otlp: {sink_exporter(sink)}"
            for number in range(60):
                sender.send("traces", request("traces", 10, number * 10))
                if number == 20:
                    rewrite(weir, "timeout: 20ms", "timeout: 40ms")
                    self.assertIn("processors::batch", ask(weir)[1])
                if number == 40:
                    rewrite(weir, first, f"otlp: {sink_exporter(other)}")
                    self.assertIn("exporters::otlp", ask(weir)[1])
            ports.wait_for(
                lambda: sink.items.count() + other.items.count() >= 600, "items are missing"
            )
            self.assertEqual(410, sink.items.count())
            self.assertEqual(190, other.items.count())
            weir.assert_ledger_closes()

    def test_a_receiver_moves(self):
        """Guarantees: a changed receiver serves its new port, the old one is free, the other's is untouched."""
        with otlp_sink.Sink() as sink, daemon.Weir(CONFIG, {"ONE": sink_exporter(sink)}) as weir:
            free = ports.free_port()
            threads = weir.value("weir_process_threads")
            rewrite(weir, f"127.0.0.1:{weir.port('GRPC')}", f"127.0.0.1:{free}")
            status, body = ask(weir)
            self.assertEqual(
                (200, "~ receivers::otlp: protocols::grpc::endpoint\n"), (status, body)
            )
            self.assertFalse(ports.accepts(weir.port("GRPC")))
            with Sender(free) as sender:
                sender.send("traces", request("traces", 10))
            sink.wait_for_items(10)
            weir.assert_ledger_closes()
            self.assertEqual(threads, weir.value("weir_process_threads"), "the old one lives on")

    def test_a_bad_file_changes_nothing(self):
        with otlp_sink.Sink() as sink, daemon.Weir(
            CONFIG, {"ONE": sink_exporter(sink)}, arguments=("--watch",)
        ) as weir, Sender(weir.port("GRPC")) as sender:
            good = weir.config.read_text()
            for bad, wanted in (
                (good.replace("actions:", "actoins:"), r"config\.yaml:\d+:\d+: error: .*actoins"),
                (good.replace("exporters: [otlp]", "exporters: [nope]"), "nope"),
                ("{", "error"),
            ):
                failures = reloads(weir, "failure")
                weir.config.write_text(bad)
                ports.wait_for(lambda: reloads(weir, "failure") > failures, "nobody noticed")
                status, body = ask(weir)
                self.assertEqual(400, status)
                self.assertRegex(body, wanted)
                self.assertRegex(weir.log(), wanted)
                self.assertEqual(0, weir.value("weir_config_last_reload_successful"))
                sender.send("traces", request("traces", 10, 10 * int(failures)))
            self.assertEqual(0, reloads(weir))
            weir.config.write_text(good)
            ports.wait_for(lambda: reloads(weir) == 1, "the good file was not taken up")
            self.assertEqual(1, weir.value("weir_config_last_reload_successful"))
            sink.wait_for_items(30)
            weir.assert_ledger_closes()

    def test_a_port_that_is_taken_changes_nothing(self):
        """Guarantees: a receiver that can't have its new socket serves on its old one again."""
        with socket.create_server(("127.0.0.1", 0)) as taken, otlp_sink.Sink() as sink, daemon.Weir(
            CONFIG, {"ONE": sink_exporter(sink)}
        ) as weir:
            port = taken.getsockname()[1]
            rewrite(weir, f"grpc: {{endpoint: 127.0.0.1:{weir.port('GRPC')}",
                    f"grpc: {{endpoint: 127.0.0.1:{port}")  # fmt: skip
            status, body = ask(weir)
            self.assertEqual(500, status)
            self.assertIn(str(port), body)
            with Sender(weir.port("GRPC")) as sender:
                sender.send("traces", request("traces", 10))
            sink.wait_for_items(10)
            weir.assert_ledger_closes()

    def test_a_link_that_is_switched_over(self):
        """Scenario: the file is a link into a folder that is itself a link, as in a ConfigMap."""
        with otlp_sink.Sink() as sink:
            weir = daemon.Weir(CONFIG, {"ONE": sink_exporter(sink)}, arguments=("--watch",))
            text = weir.config.read_text()
            for name, content in (("one", text), ("two", text.replace(stage(0), stage(1)))):
                (weir.folder / name).mkdir()
                (weir.folder / name / "config.yaml").write_text(content)
            (weir.folder / "data").symlink_to("one")
            weir.config.unlink()
            weir.config.symlink_to("data/config.yaml")
            with weir:
                (weir.folder / "data.new").symlink_to("two")
                os.replace(weir.folder / "data.new", weir.folder / "data")
                ports.wait_for(lambda: reloads(weir) == 1, lambda: weir.log()[-3000:])

    def test_included_files_are_watched(self):
        with otlp_sink.Sink() as sink:
            weir = daemon.Weir(
                CONFIG.replace('value: "0"', 'value: "${file:@DIR@/value.txt}"'),
                {"ONE": sink_exporter(sink)},
                arguments=("--watch",),
            )
            (weir.folder / "value.txt").write_text("a")
            with weir:
                (weir.folder / "value.txt").write_text("b")
                ports.wait_for(lambda: reloads(weir) == 1, lambda: weir.log()[-3000:])

    def test_who_may_ask(self):
        with otlp_sink.Sink() as sink, daemon.Weir(CONFIG, {"ONE": sink_exporter(sink)}) as weir:
            self.assertEqual(405, ask(weir, "GET")[0])
            self.assertEqual(403, ask(weir, headers={"Origin": "http://evil.example"})[0])
            self.assertEqual((200, "nothing changed\n"), ask(weir))

    def test_own_metrics_move(self):
        """Guarantees: the request that moves the metrics server is itself answered."""
        with otlp_sink.Sink() as sink, daemon.Weir(CONFIG, {"ONE": sink_exporter(sink)}) as weir:
            free = ports.free_port()
            rewrite(weir, f"port: {weir.metrics_port}", f"port: {free}")
            status, body = ask(weir)
            self.assertEqual(200, status)
            self.assertIn("service::telemetry::metrics", body)
            old, weir.metrics_port = weir.metrics_port, free
            self.assertEqual(1, reloads(weir))
            ports.wait_for(lambda: not ports.accepts(old), "the old port is still served")

    def test_a_changed_receiver_does_not_stop_the_exit(self):
        with otlp_sink.Sink() as sink, daemon.Weir(CONFIG, {"ONE": sink_exporter(sink)}) as weir:
            rewrite(weir, "protocols:", "listener_threads: 2\n    protocols:")
            self.assertEqual(200, ask(weir)[0])
            start = time.monotonic()
            weir.stop()
            self.assertLess(time.monotonic() - start, 10)


@only_weir
class DiffTest(unittest.TestCase):
    def test_diff(self):
        weir = daemon.Weir(CONFIG, {"ONE": "{endpoint: 'a:1'}"})
        self.addCleanup(weir.close)
        other = weir.folder / "other.yaml"
        other.write_text(weir.config.read_text().replace(stage(0), stage(1)))
        broken = weir.folder / "broken.yaml"
        broken.write_text("receivers: 7")
        same = daemon.run("diff", str(weir.config), str(weir.config))
        self.assertEqual((0, ""), (same.returncode, same.stdout))
        found = daemon.run("diff", str(weir.config), str(other))
        self.assertEqual(EXIT_DIFFERENT, found.returncode)
        self.assertEqual("~ processors::attributes: actions[0]::value\n", found.stdout)
        as_json = json.loads(daemon.run("diff", "--json", str(weir.config), str(other)).stdout)
        self.assertEqual("processors::attributes", as_json["changes"][0]["path"])
        self.assertEqual(1, daemon.run("diff", str(weir.config), str(broken)).returncode)
        self.assertEqual(2, daemon.run("diff", str(weir.config)).returncode)


if __name__ == "__main__":
    unittest.main()
