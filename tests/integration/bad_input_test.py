#!/usr/bin/env python3
"""Bad input on every port, in both depths of the guard: a clear answer, a counter, no crash, bounded memory."""

import gzip
import json
import random
import struct
import zlib

import harness
from harness import (
    Sender,
    assert_books,
    daemon,
    grpc,
    items,
    only_weir,
    otlp_sink,
    ports,
    post,
    raw,
)
from harness import refusals, request, sink_exporter, unittest

import raw_http2

CONFIG = """
receivers:
  otlp:
    @VALIDATION@
    protocols:
      grpc: {endpoint: 127.0.0.1:@GRPC@}
      http: {endpoint: 127.0.0.1:@HTTP@}
processors:
  batch: {timeout: 300ms, send_batch_size: 8192}
exporters:
  otlp: @OTLP@
service:
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [otlp]}
    metrics: {receivers: [otlp], processors: [batch], exporters: [otlp]}
    logs: {receivers: [otlp], processors: [batch], exporters: [otlp]}
"""
DEPTHS = ("structure",) if harness.PEER else ("structure", "full")
REFUSED_GRPC = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL)
MIB = 1 << 20
# What a misbehaving client may cost the process for good: allocator slack, connection state.
GROWTH_MAX = 96 * MIB


def weir_to(sink, depth="structure"):
    validation = "" if harness.PEER else f"validation: {depth}"
    return daemon.Weir(CONFIG, {"OTLP": sink_exporter(sink), "VALIDATION": validation})


def field(number, payload):
    """A length-delimited protobuf field."""
    length, size = b"", len(payload)
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + payload


def nested_value(depth):
    """An AnyValue of arrays in arrays."""
    value = b"\x18\x01"  # int_value: 1
    for _ in range(depth):
        value = field(5, field(1, value))
    return value


def spans(*span_bodies):
    """A request with these spans, each given as bytes."""
    return field(1, field(2, b"".join(field(2, body) for body in span_bodies)))


NOT_UTF8_SPAN = field(5, b"name \xff\xfe") + field(1, b"\x01" * 16) + field(2, b"\x02" * 8)
# (name, bytes, seen by the structure guard, seen by the full guard)
MALFORMED = (
    ("truncated", request("traces", 3).SerializeToString()[:-7], True, True),
    ("one byte", b"\x0a", True, True),
    ("length past the end", b"\x0a\xff\xff\xff\x7f", True, True),
    ("length of 2^63", b"\x0a" + b"\xff" * 9 + b"\x01", True, True),
    ("field number zero", b"\x02\x00", True, True),
    ("group that never ends", b"\x0b" * 20, True, True),
    ("reserved wire type", b"\x0e\x00", True, True),
    ("text", b"GET / HTTP/1.1\r\n\r\n", True, True),
    ("name is not UTF-8", spans(NOT_UTF8_SPAN), False, True),
    (
        "nested 5000 deep",
        spans(field(9, field(1, b"k") + field(2, nested_value(5000)))),
        False,
        True,
    ),
)
JSON_MALFORMED = (
    b"", b"{", b"[]", b"null", b'"a"', b'{"resourceSpans":{}}', b'{"resourceSpans":[1]}', b'{"resourceSpans":[{]}',
    b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz"}]}]}]}',
    b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030"}]}]}]}',
    b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"later"}]}]}]}',
    b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":-1}]}]}]}',
    b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"\xff\xfe"}]}]}]}',
    b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":5}]}]}]}',
    b"[" * 100000, b'{"resourceSpans":' * 20000, b'{"a":' + b"9" * 100000 + b"}x",
)  # fmt: skip


class MalformedTest(unittest.TestCase):
    """Guarantees: an answer in the protocol's own words, a counter, and good data still goes through."""

    def test_protobuf(self):
        for depth in DEPTHS:
            with otlp_sink.Sink() as sink, weir_to(sink, depth) as weir:
                for name, data, by_structure, by_full in MALFORMED:
                    caught = by_full if depth == "full" else by_structure
                    with self.subTest(depth=depth, case=name), Sender(weir.port("GRPC")) as sender:
                        before = refusals(weir)
                        code, details = sender.send_raw("traces", data)
                        status, headers, body = post(weir.port("HTTP"), "/v1/traces", data)
                        if caught:
                            self.assertIn(code, REFUSED_GRPC)
                            self.assertTrue(details)
                            self.assertEqual(400, status, body)
                            self.assertEqual("application/x-protobuf", headers["content-type"])
                            otlp_sink.status_pb2.Status.FromString(body)
                        else:
                            # Let through here; the exporter's target refuses it and it is counted there.
                            self.assertIn(code, (grpc.StatusCode.OK, *REFUSED_GRPC))
                            self.assertIn(status, (200, 400))
                        if not harness.PEER:
                            ports.wait_for(
                                lambda: refusals(weir) >= before + 2, f"{name} was not counted"
                            )
                self.still_works(sink, weir)

    @only_weir
    def test_wrong_wire_types_are_unknown_fields(self):
        """Protobuf reads a known number with another wire type as a field it does not know: legal, and no item."""
        cases = (b"\x08\x01", field(1, field(2, b"\x10\x01")), spans(b"\x48\x01"))
        for depth in DEPTHS:
            with otlp_sink.Sink() as sink, weir_to(sink, depth) as weir:
                with Sender(weir.port("GRPC")) as sender:
                    for data in cases:
                        code, details = sender.send_raw("traces", data)
                        self.assertEqual(grpc.StatusCode.OK, code, details)
                self.still_works(sink, weir)

    def test_every_signal_refuses_what_is_cut_short(self):
        with otlp_sink.Sink() as sink, weir_to(sink) as weir, Sender(weir.port("GRPC")) as sender:
            for signal in items.SIGNALS:
                whole = request(signal, 5).SerializeToString()
                for length in range(1, len(whole), 7):
                    code, _ = sender.send_raw(signal, whole[:length])
                    self.assertIn(code, REFUSED_GRPC, f"{signal} of {length} bytes")
                    self.assertEqual(
                        400, post(weir.port("HTTP"), f"/v1/{signal}", whole[:length])[0]
                    )
            self.still_works(sink, weir)

    def test_json(self):
        headers = {"Content-Type": "application/json"}
        with otlp_sink.Sink() as sink, weir_to(sink) as weir:
            for data in JSON_MALFORMED:
                with self.subTest(data=data[:60]):
                    status, answer, body = post(weir.port("HTTP"), "/v1/traces", data, headers)
                    if harness.PEER and status != 400:
                        continue  # The Collector takes some of these.
                    self.assertEqual(400, status)
                    self.assertEqual("application/json", answer["content-type"].split(";")[0])
                    self.assertTrue(json.loads(body)["message"])
            self.still_works(sink, weir)

    def test_random_bytes(self):
        dice = random.Random(20)
        for depth in DEPTHS:
            with otlp_sink.Sink() as sink, weir_to(sink, depth) as weir, Sender(
                weir.port("GRPC")
            ) as sender:
                good = request("traces", 5).SerializeToString()
                for number in range(300):
                    data = dice.randbytes(dice.randint(0, 2000))
                    if number % 2:  # Half of them nearly right.
                        data = bytearray(good)
                        for _ in range(dice.randint(1, 5)):
                            data[dice.randrange(len(data))] = dice.randrange(256)
                    sender.send_raw(items.SIGNALS[number % 3], bytes(data))
                    status, _, _ = post(
                        weir.port("HTTP"), f"/v1/{items.SIGNALS[number % 3]}", bytes(data)
                    )
                    self.assertIn(status, (200, 400))
                    raw(weir.port("GRPC"), bytes(data), seconds=2) if number < 40 else None
                    raw(weir.port("HTTP"), bytes(data), seconds=2) if number < 40 else None
                self.still_works(sink, weir)

    def still_works(self, sink, weir):
        with Sender(weir.port("GRPC")) as sender:
            sender.send("logs", request("logs", 10, first=777000))
            ports.wait_for(
                lambda: not sender.sent.missing_from(sink.items)["logs"],
                "good data does not arrive",
            )
        self.assertTrue(weir.alive())


class FramingTest(unittest.TestCase):
    """Below the message: gRPC frames, HTTP/1.1 heads, encodings."""

    def setUp(self):
        self.sink = self.enterContext(otlp_sink.Sink())
        self.weir = self.enterContext(weir_to(self.sink))

    def tearDown(self):
        with Sender(self.weir.port("GRPC")) as sender:
            sender.send("traces", request("traces", 1))
        self.assertEqual(
            200, post(self.weir.port("HTTP"), "/v1/logs", request("logs", 1).SerializeToString())[0]
        )

    def grpc_call(self, body, headers=b"", path=None):
        """Sends one call by frames; returns the frames' trailers and kinds seen for it."""
        with raw_http2.Connection(self.weir.port("GRPC")) as connection:
            block = (
                raw_http2.grpc_headers(path, headers)
                if path
                else raw_http2.grpc_headers(extra=headers)
            )
            connection.send(raw_http2.frame(raw_http2.HEADERS, raw_http2.END_HEADERS, 1, block))
            connection.send(raw_http2.frame(raw_http2.DATA, raw_http2.END_STREAM, 1, body))
            seen = []
            for kind, flags, stream, payload in connection.frames():
                seen.append(kind)
                ended = kind in (raw_http2.HEADERS, raw_http2.DATA) and flags & raw_http2.END_STREAM
                if (
                    stream == 1
                    and (ended or kind == raw_http2.RST_STREAM)
                    or kind == raw_http2.GOAWAY
                ):
                    return seen
            return seen

    def test_grpc_frames(self):
        good = request("traces", 1).SerializeToString()
        for name, body in (
            ("no message", b""),
            ("half a prefix", b"\0\0\0"),
            ("shorter than declared", struct.pack(">BI", 0, len(good) + 10) + good),
            ("longer than declared", struct.pack(">BI", 0, len(good) - 1) + good),
            ("two messages", (struct.pack(">BI", 0, len(good)) + good) * 2),
            ("compressed without an encoding", struct.pack(">BI", 1, len(good)) + good),
            ("flag 7", struct.pack(">BI", 7, len(good)) + good),
            ("4 GiB declared", struct.pack(">BI", 0, 2**32 - 1)),
        ):
            with self.subTest(name):
                self.assertTrue(self.grpc_call(body), "no answer")

    def test_grpc_bad_gzip(self):
        header = raw_http2.literal(b"grpc-encoding", b"gzip")
        self.assertTrue(self.grpc_call(struct.pack(">BI", 1, 5) + b"hello", header))

    def test_unknown_method(self):
        with Sender(self.weir.port("GRPC")) as sender:
            code, _ = sender.send_raw(
                "/opentelemetry.proto.collector.trace.v1.TraceService/Import", b""
            )
            self.assertEqual(grpc.StatusCode.UNIMPLEMENTED, code)

    def test_http_methods_paths_and_types(self):
        port = self.weir.port("HTTP")
        body = request("traces", 1).SerializeToString()
        self.assertEqual(404, post(port, "/v1/nothing", body)[0])
        self.assertEqual(415, post(port, "/v1/traces", body, {"Content-Type": "text/plain"})[0])
        self.assertIn(
            b" 405 ",
            raw(port, b"GET /v1/traces HTTP/1.1\r\nHost: a\r\n\r\n").split(b"\r\n")[0] + b" ",
        )

    def test_http_encodings(self):
        port = self.weir.port("HTTP")
        body = request("traces", 1).SerializeToString()
        for encoding, data in (
            ("gzip", body),
            ("gzip", gzip.compress(body)[:-9]),
            ("zstd", body),
            ("deflate", body),
            ("zlib", zlib.compress(body)[:-2]),
            ("br", body),
        ):
            with self.subTest(encoding):
                self.assertIn(
                    post(port, "/v1/traces", data, {"Content-Encoding": encoding})[0], (400, 415)
                )

    def test_http_heads(self):
        port = self.weir.port("HTTP")
        for name, data in (
            ("no method", b"\r\n\r\n\r\n"),
            ("no version", b"POST /v1/traces\r\n\r\n"),
            ("huge head", b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nX: " + b"a" * (4 * MIB) + b"\r\n\r\n"),
            ("many headers", b"POST /v1/traces HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 100000 + b"\r\n"),
            ("length is a word", b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n"),
            ("negative length", b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
            ("two lengths", b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
            ("bad chunk", b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            ("huge chunk", b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
            ("bare text", b"hello\n" * 1000),
        ):  # fmt: skip
            with self.subTest(name):
                answer = raw(port, data)
                self.assertTrue(answer == b"" or answer.split(b" ")[1][:1] == b"4", answer[:80])


class LimitsTest(unittest.TestCase):
    def test_too_large(self):
        """gRPC takes 4 MiB and HTTP 20 MiB unless configured."""
        with otlp_sink.Sink() as sink, weir_to(sink) as weir, Sender(weir.port("GRPC")) as sender:
            code, details = sender.send_raw("traces", b"\x0a" * (5 * MIB))
            self.assertEqual(grpc.StatusCode.RESOURCE_EXHAUSTED, code)
            self.assertRegex(details, r"\d")
            self.assertIn(
                post(weir.port("HTTP"), "/v1/traces", b"\x0a" * (21 * MIB))[0], (400, 413)
            )

    def test_compression_bombs(self):
        bomb = gzip.compress(b"\0" * (512 * MIB), 9)
        with otlp_sink.Sink() as sink, weir_to(sink) as weir:
            before = weir.rss()
            for encoding, data in (
                ("gzip", bomb),
                ("zstd", otlp_sink.zstandard.compress(b"\0" * (512 * MIB))),
            ):
                status, _, _ = post(
                    weir.port("HTTP"), "/v1/traces", data, {"Content-Encoding": encoding}
                )
                self.assertIn(status, (400, 413), encoding)
            with raw_http2.Connection(weir.port("GRPC")) as connection:
                block = raw_http2.grpc_headers(extra=raw_http2.literal(b"grpc-encoding", b"gzip"))
                connection.send(raw_http2.frame(raw_http2.HEADERS, raw_http2.END_HEADERS, 1, block))
                data = struct.pack(">BI", 1, len(bomb)) + bomb
                for start in range(0, len(data), 16384):
                    try:
                        connection.send(
                            raw_http2.frame(raw_http2.DATA, 0, 1, data[start : start + 16384])
                        )
                    except OSError:
                        break
            if not harness.PEER:
                self.assertLess(weir.rss(peak=True) - before, GROWTH_MAX)
            self.assertTrue(weir.alive())

    @only_weir
    def test_a_thousand_streams_that_never_send(self):
        with otlp_sink.Sink() as sink, weir_to(sink) as weir:
            before = weir.rss()
            with raw_http2.Connection(weir.port("GRPC")) as connection:
                block = raw_http2.grpc_headers()
                for number in range(1000):
                    stream = 2 * number + 1
                    connection.send(
                        raw_http2.frame(raw_http2.HEADERS, raw_http2.END_HEADERS, stream, block)
                        + raw_http2.frame(
                            raw_http2.DATA, 0, stream, struct.pack(">BI", 0, 4 * MIB - 100)
                        )
                    )
                with Sender(weir.port("GRPC")) as sender:
                    for number in range(100):
                        sender.send("traces", request("traces", 10, number * 10))
                    ports.wait_for(
                        lambda: sender.sent.difference(sink.items) == "", "others are disturbed"
                    )
                self.assertLess(weir.rss(peak=True) - before, GROWTH_MAX)
            assert_books(weir)

    def test_endless_resets(self):
        with otlp_sink.Sink() as sink, weir_to(sink) as weir, Sender(weir.port("GRPC")) as sender:
            before = weir.rss()
            block = raw_http2.grpc_headers()
            for _ in range(5):
                with raw_http2.Connection(weir.port("GRPC")) as connection:
                    try:
                        for number in range(20000):
                            stream = 2 * number + 1
                            connection.send(
                                raw_http2.frame(
                                    raw_http2.HEADERS, raw_http2.END_HEADERS, stream, block
                                )
                                + raw_http2.frame(
                                    raw_http2.RST_STREAM, 0, stream, struct.pack(">I", 8)
                                )
                            )
                    except OSError:
                        pass  # The server may well hang up on such a client.
                sender.send("traces", request("traces", 1))
            ports.wait_for(lambda: sink.items.count() >= 5, "others are disturbed")
            self.assertLess(weir.rss(peak=True) - before, GROWTH_MAX)

    def test_frame_floods(self):
        """PING, SETTINGS, empty DATA and CONTINUATION without end."""
        block = raw_http2.grpc_headers()
        floods = {
            "ping": raw_http2.frame(raw_http2.PING, payload=b"12345678"),
            "settings": raw_http2.frame(raw_http2.SETTINGS),
            "window": raw_http2.frame(raw_http2.WINDOW_UPDATE, payload=b"\0\0\0\1"),
            "empty data": raw_http2.frame(raw_http2.DATA, 0, 1),
            "continuation": raw_http2.frame(
                raw_http2.CONTINUATION, 0, 1, raw_http2.literal(b"x", b"y") * 10
            ),
        }
        with otlp_sink.Sink() as sink, weir_to(sink) as weir:
            before = weir.rss()
            for name, one in floods.items():
                with self.subTest(name), raw_http2.Connection(
                    weir.port("GRPC"), timeout=5
                ) as connection:
                    flags = 0 if name == "continuation" else raw_http2.END_HEADERS
                    try:
                        connection.send(raw_http2.frame(raw_http2.HEADERS, flags, 1, block))
                        for _ in range(2000):
                            connection.send(one * 50)
                    except OSError:
                        pass  # Hung up on, or its window is closed because it reads no answers.
                    with Sender(weir.port("GRPC")) as sender:
                        sender.send("traces", request("traces", 1))
            self.assertLess(weir.rss(peak=True) - before, GROWTH_MAX)


@only_weir
class PoisonTest(unittest.TestCase):
    """Scenario: one request of a batch is poisoned. Guarantees: only its own items are lost, and counted."""

    def test_refused_by_the_target(self):
        with otlp_sink.Sink() as sink, weir_to(sink) as weir, Sender(weir.port("GRPC")) as sender:
            sink.behave = lambda _, message: (
                otlp_sink.REFUSED if b"poison" in message.SerializeToString() else None
            )
            for number in range(40):
                sender.send("traces", request("traces", 5, number * 5))
                if number == 17:
                    sender.send_raw(
                        "traces", request("traces", 3, 900, "poison").SerializeToString()
                    )
            ports.wait_for(
                lambda: not sender.sent.difference(sink.items),
                lambda: sender.sent.difference(sink.items),
            )
            weir.assert_ledger_closes(lost=3)
            self.assertEqual({"refused_permanent": 3}, weir.dropped())

    def test_not_decodable_by_the_target(self):
        """The structure guard lets a name that is not UTF-8 through; the target's parser does not."""
        with otlp_sink.Sink() as sink, weir_to(sink) as weir, Sender(weir.port("GRPC")) as sender:
            for number in range(40):
                sender.send("traces", request("traces", 5, number * 5))
                if number == 17:
                    code, _ = sender.send_raw("traces", spans(NOT_UTF8_SPAN))
                    self.assertEqual(grpc.StatusCode.OK, code)
            ports.wait_for(
                lambda: not sender.sent.difference(sink.items),
                lambda: sender.sent.difference(sink.items),
            )
            weir.assert_ledger_closes(lost=1)

    def test_partial_success_is_counted(self):
        with otlp_sink.Sink() as sink, weir_to(sink) as weir, Sender(weir.port("GRPC")) as sender:
            sink.behave = lambda *_: otlp_sink.Answer(rejected=2, message="two of them")
            sender.send("logs", request("logs", 10))
            sink.wait_for_items(10)
            weir.assert_ledger_closes(lost=2)
            self.assertEqual({"rejected_partial": 2}, weir.dropped())


if __name__ == "__main__":
    unittest.main()
