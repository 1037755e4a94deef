#!/usr/bin/env python3
"""Configuration as an operator meets it: errors with their place and a suggestion, merging, exit codes."""

import pathlib
import re
import tempfile
import textwrap

from harness import daemon, only_weir, otlp_sink, ports, request, sink_exporter, unittest
from harness import Sender

EXIT_OK, EXIT_CONFIG, EXIT_USAGE, EXIT_START = 0, 1, 2, 3
GOOD = """\
receivers:
  otlp:
    protocols:
      grpc: {endpoint: 127.0.0.1:0}
processors:
  batch: {timeout: 1s}
exporters:
  nop:
service:
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [nop]}
"""


@only_weir
class ConfigTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def write(self, text, name="weir.yaml"):
        path = self.folder / name
        path.write_text(textwrap.dedent(text))
        return str(path)

    def errors(self, text, code=EXIT_CONFIG):
        """The lines that `weir validate` prints about a configuration."""
        result = daemon.run("validate", "--config", self.write(text))
        self.assertEqual(code, result.returncode, result.stdout + result.stderr)
        return (result.stdout + result.stderr).splitlines()

    def assert_error(self, text, where, *words):
        """One line begins with the file and `where` ("line" or "line:column") and has all the words."""
        lines = self.errors(text)
        found = [line for line in lines if re.match(rf".*weir\.yaml:{where}\b", line)]
        self.assertTrue(
            any(all(word in line for word in words) for line in found), "\n".join(lines)
        )

    def test_a_good_one(self):
        self.errors(GOOD, EXIT_OK)

    def test_unknown_key(self):
        self.assert_error(GOOD.replace("endpoint:", "endpont:"), "4:14", "endpont", "endpoint")

    def test_unknown_top_level_key(self):
        self.assert_error(GOOD + "exportres: {}\n", "12:1", "exportres", "exporters")

    def test_unknown_component(self):
        self.assert_error(
            GOOD.replace("  batch:", "  bacth:").replace("[batch]", "[bacth]"),
            "6:3",
            "bacth",
            "batch",
        )

    def test_dangling_reference(self):
        self.assert_error(
            GOOD.replace("exporters: [nop]", "exporters: [nopp]"), "11", "nopp", "nop"
        )

    def test_wrong_types(self):
        self.assert_error(GOOD.replace("timeout: 1s", "timeout: soon"), "6:20", "soon")
        self.assert_error(GOOD.replace("timeout: 1s", "send_batch_size: many"), "6:28", "many")
        self.assert_error(GOOD.replace("timeout: 1s", "send_batch_size: -1"), "6:28", "-1")
        self.assert_error(GOOD.replace("{timeout: 1s}", "[timeout]"), "6:10")

    def test_rules_between_fields(self):
        sizes = "send_batch_size: 100, send_batch_max_size: 10"
        self.assert_error(GOOD.replace("timeout: 1s", sizes), "6", "send_batch_max_size")

    def test_yaml_syntax(self):
        self.assert_error(GOOD.replace("{timeout: 1s}", "{timeout: 1s"), r"\d+:\d+")
        self.assert_error("receivers:\n\totlp:\n", "2:")

    def test_given_twice(self):
        self.assert_error(
            GOOD.replace("exporters:\n  nop:", "exporters:\n  nop:\n  nop:"), "9:3", "nop"
        )

    def test_nothing_to_run(self):
        self.assertTrue(self.errors(GOOD.split("service:")[0]))
        self.assertTrue(self.errors(""))
        self.assert_error(GOOD.replace("receivers: [otlp]", "receivers: []"), "11", "receiver")

    def test_signal_mismatch(self):
        text = GOOD.replace(
            "  batch: {timeout: 1s}", "  probabilistic_sampler: {sampling_percentage: 10}"
        )
        text = text.replace("[batch]", "[probabilistic_sampler]").replace("traces:", "metrics:")
        self.assert_error(text, "11", "probabilistic_sampler", "metrics")

    def test_all_at_once(self):
        text = (
            GOOD.replace("endpoint:", "endpont:")
            .replace("timeout: 1s", "timeout: soon")
            .replace("[nop]", "[nopp]")
        )
        lines = "\n".join(self.errors(text))
        for word in ("endpont", "soon", "nopp"):
            self.assertIn(word, lines)

    def test_unused_is_a_warning(self):
        lines = "\n".join(
            self.errors(GOOD.replace("exporters:\n", "exporters:\n  debug:\n"), EXIT_OK)
        )
        self.assertIn("debug", lines)

    def test_run_refuses_what_validate_refuses(self):
        path = self.write(GOOD.replace("endpoint:", "endpont:"))
        result = daemon.run("--config", path)
        self.assertEqual(EXIT_CONFIG, result.returncode)
        self.assertRegex(result.stderr, r"weir\.yaml:4:14: .*endpont")

    def test_exit_codes_of_the_command_line(self):
        self.assertEqual(EXIT_USAGE, daemon.run("--no-such-option").returncode)
        self.assertEqual(
            EXIT_CONFIG, daemon.run("--config", str(self.folder / "missing.yaml")).returncode
        )
        self.assertEqual(EXIT_OK, daemon.run("--help").returncode)
        for command in (
            "run",
            "validate",
            "components",
            "print-config",
            "diff",
            "schema",
            "load",
            "version",
        ):
            with self.subTest(command):
                self.assertEqual(EXIT_OK, daemon.run(command, "--help").returncode)

    def test_both_names_of_renamed_components(self):
        renamed = GOOD.replace(
            "  nop:", "  otlp_grpc: {endpoint: a:1}\n  otlp_http: {endpoint: http://a}"
        )
        self.errors(renamed.replace("[nop]", "[otlp_grpc, otlp_http]"), EXIT_OK)

    def test_print_config_names_origins(self):
        first = self.write(GOOD, "first.yaml")
        second = self.write("processors: {batch: {timeout: 7s}}\n", "second.yaml")
        result = daemon.run(
            "print-config",
            "--config",
            first,
            "--config",
            second,
            "--set",
            "processors.batch.send_batch_size=11",
        )
        self.assertEqual(EXIT_OK, result.returncode, result.stderr)
        line = next(line for line in result.stdout.splitlines() if "7s" in line)
        self.assertIn("second.yaml:1", line)
        self.assertIn("11", result.stdout)
        self.assertIn("127.0.0.1:0", result.stdout)

    def test_secrets_are_not_shown(self):
        text = GOOD.replace(
            "  nop:", "  otlp: {endpoint: a:1, headers: {authorization: geheim}}"
        ).replace("[nop]", "[otlp]")
        result = daemon.run("print-config", "--config", self.write(text))
        self.assertEqual(EXIT_OK, result.returncode, result.stderr)
        self.assertNotIn("geheim", result.stdout)


@only_weir
class SourcesTest(unittest.TestCase):
    """Guarantees: every way to give a configuration ends in a running pipeline."""

    def test_files_environment_and_overrides(self):
        with otlp_sink.Sink() as sink, tempfile.TemporaryDirectory() as folder:
            port = pathlib.Path(folder) / "port"
            port.write_text(str(sink.grpc_port))
            config = f"""
            receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "${{env:HOST}}:@GRPC@"}}}}}}}}
            exporters:
              otlp:
                endpoint: ${{HOST:-nowhere}}:${{file:{port}}}
                tls: {{insecure: true}}
                headers: {{x-literal: "$$5", x-default: "${{env:MISSING:-fallback}}"}}
            service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [nop]}}}}}}
            """
            arguments = ("--config", "yaml:exporters::nop:", "--config", "env:MORE", "--set",
                         "service.pipelines.traces.exporters=[otlp]")  # fmt: skip
            env = {"HOST": "127.0.0.1", "MORE": "processors: {batch: {timeout: 10ms}}"}
            with daemon.Weir(config, arguments=arguments, env=env) as weir, Sender(
                weir.port("GRPC")
            ) as sender:
                sender.send("traces", request("traces", 5))
                sink.wait_for_items(5)
                headers = sink.requests[0].headers
                self.assertEqual(("$5", "fallback"), (headers["x-literal"], headers["x-default"]))
                weir.assert_ledger_closes()

    def test_old_form_of_the_metrics_address(self):
        with otlp_sink.Sink() as sink:
            port = ports.free_port()
            config = """
            receivers: {otlp: {protocols: {grpc: {endpoint: 127.0.0.1:@GRPC@}}}}
            exporters: {otlp: @OTLP@}
            service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp]}}}
            """
            weir = daemon.Weir(config, {"OTLP": sink_exporter(sink)})
            self.addCleanup(weir.close)
            text = weir.config.read_text()
            weir.config.write_text(
                re.sub(
                    r"telemetry: \{.*?\}\}\}\]\}\}",
                    f"telemetry: {{metrics: {{address: '127.0.0.1:{port}'}}}}",
                    text,
                )
            )
            weir.metrics_port = port
            weir.start()
            self.assertTrue(weir.metrics())
            weir.stop()

    def test_metrics_have_the_collectors_names(self):
        with otlp_sink.Sink() as sink:
            config = """
            receivers: {otlp: {protocols: {grpc: {endpoint: 127.0.0.1:@GRPC@}}}}
            processors: {batch: {timeout: 10ms}}
            exporters: {otlp: @OTLP@}
            service: {pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [otlp]}}}
            """
            with daemon.Weir(config, {"OTLP": sink_exporter(sink)}) as weir, Sender(
                weir.port("GRPC")
            ) as sender:
                sender.send("traces", request("traces", 7))
                sink.wait_for_items(7)
                weir.assert_ledger_closes()
                self.assertEqual(
                    7,
                    weir.value(
                        "otelcol_receiver_accepted_spans", receiver="otlp", transport="grpc"
                    ),
                )
                self.assertEqual(7, weir.value("otelcol_exporter_sent_spans", exporter="otlp"))
                names = {sample.name for sample in weir.metrics()}
                for name in (
                    "otelcol_exporter_queue_size",
                    "otelcol_exporter_queue_capacity",
                    "otelcol_process_memory_rss",
                ):
                    self.assertIn(name, names)


if __name__ == "__main__":
    unittest.main()
