#!/usr/bin/env python3
"""Tests of the test support itself: the sink, the relay and the comparison, with real clients and no daemon."""

import pathlib
import sys
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import grpc  # noqa: E402

import clients  # noqa: E402
import daemon  # noqa: E402
import items  # noqa: E402
import otlp_sink  # noqa: E402
import tap  # noqa: E402


def one_span(name):
    request = items.REQUESTS["traces"]()
    request.resource_spans.add().scope_spans.add().spans.add(
        name=name, trace_id=b"\x01" * 16, span_id=b"\x02" * 8
    )
    return request


class ClientsTest(unittest.TestCase):
    """Scenario: each client sends through the relay straight into the sink. Guarantees: both see the same items."""

    def test_every_client(self):
        for name, client in clients.CLIENTS.items():
            for transport in ("grpc", "http"):
                with self.subTest(client=name, transport=transport), otlp_sink.Sink() as sink:
                    port = sink.grpc_port if transport == "grpc" else sink.http_port
                    with tap.Tap(port) as relay:
                        client(transport, relay.port, 50)
                        sent = relay.sent()
                    self.assertEqual("", sent.difference(sink.items))
                    for signal in items.SIGNALS:
                        self.assertGreater(sent.count(signal), 5, signal)

    def test_gzip(self):
        for transport in ("grpc", "http"):
            with self.subTest(transport=transport), otlp_sink.Sink() as sink:
                with tap.Tap(sink.grpc_port if transport == "grpc" else sink.http_port) as relay:
                    clients.python_sdk(transport, relay.port, 50, "gzip")
                    self.assertEqual("", relay.sent().difference(sink.items))


class SinkTest(unittest.TestCase):
    def test_answers(self):
        with otlp_sink.Sink() as sink:
            sink.behave = lambda signal, request: otlp_sink.Answer(
                code=grpc.StatusCode.UNAVAILABLE, http_status=503, message="later", retry_after_s=2
            )
            with grpc.insecure_channel(f"127.0.0.1:{sink.grpc_port}") as channel:
                with self.assertRaises(grpc.RpcError) as failed:
                    channel.unary_unary(items.GRPC_METHODS["traces"])(
                        one_span("a").SerializeToString()
                    )
            self.assertEqual(grpc.StatusCode.UNAVAILABLE, failed.exception.code())
            self.assertIn("grpc-status-details-bin", dict(failed.exception.trailing_metadata()))
            post = urllib.request.Request(
                f"http://127.0.0.1:{sink.http_port}/v1/traces",
                items.to_json("traces", one_span("b")),
                {"Content-Type": "application/json"},
            )
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(post, timeout=10)
            self.assertEqual(
                (503, "2"), (refused.exception.code, refused.exception.headers["Retry-After"])
            )
            refused.exception.close()
            self.assertEqual(0, sink.items.count())
            sink.behave = lambda signal, request: None
            urllib.request.urlopen(post, timeout=10).close()
            self.assertEqual(1, sink.items.count("traces"))

    def test_difference_names_what_is_missing(self):
        sent, got = items.Items(), items.Items()
        sent.add("traces", one_span("first"))
        sent.add("traces", one_span("second"))
        got.add("traces", one_span("first"))
        got.add("traces", one_span("first"))
        self.assertIn("missing 1", sent.difference(got))
        self.assertIn('"second"', sent.difference(got))
        got.add("traces", one_span("second"))
        self.assertIn("not sent 1", sent.difference(got))
        self.assertEqual("", sent.difference(got, duplicates_allowed=True))


class LedgerTest(unittest.TestCase):
    SCRAPE = """\
# TYPE weir_ledger_items_total counter
weir_ledger_items_total{node="otlp",kind="exporter",signal="traces",pipeline="",flow="in"} 10
weir_ledger_items_total{node="otlp",kind="exporter",signal="traces",pipeline="",flow="out"} 7
weir_ledger_items_total{node="otlp",kind="exporter",signal="traces",pipeline="",flow="dropped"} 2
weir_ledger_held_items{node="otlp",kind="exporter",signal="traces",pipeline=""} %d
weir_dropped_items_total{component="otlp",kind="exporter",signal="traces",pipeline="",reason="queue_full"} 2
"""

    def test_books(self):
        self.assertEqual([], daemon.unbalanced(daemon.books(daemon.parse_metrics(self.SCRAPE % 1))))
        open_books = daemon.unbalanced(daemon.books(daemon.parse_metrics(self.SCRAPE % 0)))
        self.assertEqual(1, len(open_books))
        self.assertIn("otlp/exporter/traces: 10 entered, 9 accounted for", open_books[0])


if __name__ == "__main__":
    unittest.main()
