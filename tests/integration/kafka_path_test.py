#!/usr/bin/env python3
"""Real clients → weir → Kafka → a second weir → an OTLP server, every item compared field by field."""

import subprocess
import threading

from harness import clients, daemon, items, kafka, otlp_sink, ports, tap, unittest
from harness import Sender, assert_books, cache_tool, request

EDGE = """
receivers:
  otlp:
    protocols:
      grpc: {endpoint: 127.0.0.1:@GRPC@}
      http: {endpoint: 127.0.0.1:@HTTP@}
processors:
  batch: {timeout: 50ms, send_batch_size: 500}
exporters:
  kafka:
    brokers: ["@BROKERS@"]
    traces: {topic: @TOPIC@_traces, encoding: @ENCODING@}
    metrics: {topic: @TOPIC@_metrics, encoding: @ENCODING@}
    logs: {topic: @TOPIC@_logs, encoding: @ENCODING@}
    producer: {compression: lz4, required_acks: -1}
    timeout: 5s
    retry_on_failure: {initial_interval: 100ms, max_interval: 1s, max_elapsed_time: 0s}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [kafka]}
    metrics: {receivers: [otlp], processors: [batch], exporters: [kafka]}
    logs: {receivers: [otlp], processors: [batch], exporters: [kafka]}
"""
GATEWAY = """
receivers:
  kafka:
    brokers: ["@BROKERS@"]
    group_id: @TOPIC@
    initial_offset: earliest
    traces: {topics: [@TOPIC@_traces], encoding: @ENCODING@}
    metrics: {topics: [@TOPIC@_metrics], encoding: @ENCODING@}
    logs: {topics: [@TOPIC@_logs], encoding: @ENCODING@}
    message_marking: {after: true}
exporters:
  otlp:
    endpoint: 127.0.0.1:@SINK@
    tls: {insecure: true}
    retry_on_failure: {initial_interval: 50ms, max_interval: 500ms, max_elapsed_time: 0s}
service:
  pipelines:
    traces: {receivers: [kafka], exporters: [otlp]}
    metrics: {receivers: [kafka], exporters: [otlp]}
    logs: {receivers: [kafka], exporters: [otlp]}
"""


class Path:
    """A broker, the two daemons and the sink at the end."""

    def __init__(self, broker, topic, encoding="otlp_proto"):
        self.sink = otlp_sink.Sink()
        self._values = {"BROKERS": broker.bootstrap, "TOPIC": topic, "ENCODING": encoding}

    def __enter__(self):
        self.sink.start()
        self.edge = daemon.Weir(EDGE, self._values)
        self.gateway = daemon.Weir(GATEWAY, dict(self._values, SINK=self.sink.grpc_port))
        self.gateway.start()
        self.edge.start()
        return self

    def __exit__(self, *failed):
        try:
            for each in (self.edge, self.gateway):
                each.__exit__(*failed)
        finally:
            self.sink.stop()

    def port(self, transport):
        return self.edge.port("GRPC" if transport == "grpc" else "HTTP")


class RealClientsTest(unittest.TestCase):
    """Scenario: each client sends all three signals over gRPC and HTTP. Guarantees: the same items arrive, each once."""

    @classmethod
    def setUpClass(cls):
        cls.broker = kafka.Broker().start()
        cls.addClassCleanup(cls.broker.close)

    def test_every_client_and_transport(self):
        with Path(self.broker, "clients") as path:
            for name, client in clients.CLIENTS.items():
                for transport in ("grpc", "http"):
                    with self.subTest(client=name, transport=transport):
                        path.sink.items = items.Items()
                        with tap.Tap(path.port(transport)) as relay:
                            client(transport, relay.port, 200)
                            sent = relay.sent()
                        for signal in items.SIGNALS:
                            self.assertGreater(sent.count(signal), 5, signal)
                        path.sink.wait_for_items(sent.count(), seconds=60)
                        self.assertEqual("", sent.difference(path.sink.items))
            assert_books(path.edge)
            assert_books(path.gateway)
            path.edge.stop()
            path.gateway.stop()

    def test_json_on_the_topic(self):
        with Path(self.broker, "json", "otlp_json") as path:
            with tap.Tap(path.port("grpc")) as relay:
                clients.python_sdk("grpc", relay.port, 100, "gzip")
                sent = relay.sent()
            path.sink.wait_for_items(sent.count(), seconds=60)
            self.assertEqual("", sent.difference(path.sink.items))
            assert_books(path.edge)
            assert_books(path.gateway)

    def test_a_gateway_that_starts_again_goes_on_where_it_was(self):
        with Path(self.broker, "restart") as path, Sender(path.port("grpc")) as sender:
            for number in range(50):
                sender.send("traces", request("traces", 20, number * 20))
            path.sink.wait_for_items(1000, seconds=60)
            assert_books(path.gateway)
            path.gateway.stop()
            for number in range(50, 100):
                sender.send("traces", request("traces", 20, number * 20))
            path.gateway.start()
            path.sink.wait_for_items(2000, seconds=60)
            # An orderly stop commits what was delivered, so nothing comes twice.
            self.assertEqual("", sender.sent.difference(path.sink.items))


class BrokerOutageTest(unittest.TestCase):
    """Scenario: the broker goes away in mid-stream and comes back. Guarantees: nothing is missing; again is allowed."""

    def stream_through(self, topic, take_down):
        with kafka.Broker() as broker, Path(broker, topic) as path, tap.Tap(
            path.port("grpc")
        ) as relay:
            generators = [
                subprocess.Popen(
                    [cache_tool("telemetrygen"), signal, "--otlp-insecure", "--otlp-endpoint", f"127.0.0.1:{relay.port}",
                     "--rate", "100", "--duration", "12s", "--telemetry-attributes", "outage=true"],
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                for signal in items.SIGNALS
            ]  # fmt: skip
            outputs = [threading.Thread(target=each.communicate) for each in generators]
            for each in outputs:
                each.start()
            path.sink.wait_for_items(200, seconds=60)
            take_down(broker)
            seen = path.sink.items.count()
            # Data keeps coming in while the broker is away.
            path.edge.wait_value("otelcol_receiver_accepted_spans", seen / 3 + 200)
            broker.start()
            for each in outputs:
                each.join()
            self.assertEqual([0, 0, 0], [each.returncode for each in generators])
            sent = relay.sent()

            def missing():
                return sum(left.total() for left in sent.missing_from(path.sink.items).values())

            ports.wait_for(
                lambda: missing() == 0,
                lambda: sent.difference(path.sink.items, duplicates_allowed=True),
                90,
                0.5,
            )
            self.assertEqual("", sent.difference(path.sink.items, duplicates_allowed=True))
            assert_books(path.edge)
            assert_books(path.gateway)

    def test_orderly_stop(self):
        self.stream_through("stopped", lambda broker: broker.stop())

    def test_kill(self):
        self.stream_through("killed", lambda broker: broker.kill())


if __name__ == "__main__":
    unittest.main()
