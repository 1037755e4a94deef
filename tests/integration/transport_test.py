#!/usr/bin/env python3
"""Ways in and out: TLS, mutual TLS, encodings, JSON, chunked bodies, Expect, CORS, Unix sockets, authentication."""

import gzip
import pathlib
import ssl
import subprocess
import tempfile
import time
import zlib

import harness  # noqa: F401
from harness import (
    Sender,
    assert_books,
    daemon,
    flow,
    grpc,
    items,
    only_weir,
    otlp_sink,
    ports,
    post,
    raw,
)
from harness import request, sink_exporter, unittest

import certificates

PIPELINES = """
service:
  extensions: @EXTENSIONS@
  pipelines:
    traces: {receivers: [otlp], exporters: [@EXPORTER@]}
    metrics: {receivers: [otlp], exporters: [@EXPORTER@]}
    logs: {receivers: [otlp], exporters: [@EXPORTER@]}
"""
CONFIG = """
extensions: @EXTENSION_CONFIGS@
receivers: {otlp: {protocols: {grpc: @GRPC_CONFIG@, http: @HTTP_CONFIG@}}}
exporters: {@EXPORTER@: @EXPORTER_CONFIG@}
""" + PIPELINES


def weir_with(exporter, exporter_config, grpc_config=None, http_config=None, extensions=None):
    """A daemon with one exporter and extra settings of its two listeners."""
    grpc_port, http_port = ports.free_ports(2)
    grpc_config = {"endpoint": f"127.0.0.1:{grpc_port}", **(grpc_config or {})}
    http_config = {"endpoint": f"127.0.0.1:{http_port}", **(http_config or {})}
    values = {"GRPC": grpc_port} if "transport" not in grpc_config else {}
    values |= {
        "HTTP": http_port,
        "GRPC_CONFIG": flow(grpc_config),
        "HTTP_CONFIG": flow(http_config),
        "EXPORTER": exporter,
        "EXPORTER_CONFIG": exporter_config,
        "EXTENSION_CONFIGS": flow(extensions or {}),
        "EXTENSIONS": flow(list(extensions or {})),
    }
    return daemon.Weir(CONFIG, values)


class TlsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.ours = certificates.Authority(pathlib.Path(folder.name) / "ours")
        cls.theirs = certificates.Authority(pathlib.Path(folder.name) / "theirs", "stranger")

    def credentials(self, client=None):
        roots = pathlib.Path(self.ours.path("ca.pem")).read_bytes()
        if client is None:
            return grpc.ssl_channel_credentials(roots)
        certificate, key = (pathlib.Path(path).read_bytes() for path in client)
        return grpc.ssl_channel_credentials(roots, key, certificate)

    def context(self, client=None):
        context = ssl.create_default_context(cafile=self.ours.path("ca.pem"))
        if client:
            context.load_cert_chain(*client)
        return context

    def server_tls(self, mutual):
        tls = {"cert_file": self.ours.server[0], "key_file": self.ours.server[1]}
        if mutual:
            tls["client_ca_file"] = self.ours.path("ca.pem")
        return {"tls": tls}

    def test_tls_in(self):
        with otlp_sink.Sink() as sink, weir_with(
            "otlp", sink_exporter(sink), self.server_tls(False), self.server_tls(False)
        ) as weir:
            with Sender(weir.port("GRPC"), self.credentials()) as sender:
                for signal in items.SIGNALS:
                    sender.send(signal, request(signal, 5))
            body = request("traces", 5, 100).SerializeToString()
            self.assertEqual(
                200, post(weir.port("HTTP"), "/v1/traces", body, context=self.context())[0]
            )
            sink.wait_for_items(20)
            # Plain text on a TLS port is refused, and does no harm.
            with Sender(weir.port("GRPC")) as sender:
                self.assertNotEqual(
                    grpc.StatusCode.OK, sender.send_raw("traces", body, seconds=3)[0]
                )
            raw(weir.port("HTTP"), b"POST /v1/traces HTTP/1.1\r\nHost: a\r\n\r\n", seconds=3)
            self.assertEqual(
                200, post(weir.port("HTTP"), "/v1/traces", body, context=self.context())[0]
            )
            assert_books(weir)

    def test_http2_by_alpn(self):
        with otlp_sink.Sink() as sink, weir_with(
            "otlp", sink_exporter(sink), self.server_tls(False), self.server_tls(False)
        ) as weir:
            body = request("traces", 5).SerializeToString()
            self.assertEqual(
                ["2", "200"],
                self.curl(
                    weir,
                    body,
                    "--http2",
                    "--cacert",
                    self.ours.path("ca.pem"),
                    f"https://localhost:{weir.port('HTTP')}/v1/traces",
                ),
            )
            self.assertEqual(
                ["1.1", "200"],
                self.curl(
                    weir,
                    body,
                    "--http1.1",
                    "--cacert",
                    self.ours.path("ca.pem"),
                    f"https://localhost:{weir.port('HTTP')}/v1/traces",
                ),
            )

    @only_weir
    def test_http2_without_tls(self):
        with otlp_sink.Sink() as sink, weir_with("otlp", sink_exporter(sink)) as weir:
            body = request("traces", 5).SerializeToString()
            self.assertEqual(
                ["2", "200"],
                self.curl(
                    weir,
                    body,
                    "--http2-prior-knowledge",
                    f"http://127.0.0.1:{weir.port('HTTP')}/v1/traces",
                ),
            )

    def curl(self, weir, body, *arguments):
        path = weir.folder / "body"
        path.write_bytes(body)
        result = subprocess.run(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", "--data-binary", f"@{path}",
             "-H", "Content-Type: application/x-protobuf", *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)  # fmt: skip
        return result.stdout.split()

    def test_mutual_tls_in(self):
        with otlp_sink.Sink() as sink, weir_with(
            "otlp", sink_exporter(sink), self.server_tls(True), self.server_tls(True)
        ) as weir:
            body = request("traces", 5).SerializeToString()
            with Sender(weir.port("GRPC"), self.credentials(self.ours.client)) as sender:
                sender.send("traces", request("traces", 5))
            self.assertEqual(
                200,
                post(weir.port("HTTP"), "/v1/traces", body, context=self.context(self.ours.client))[
                    0
                ],
            )
            for client in (None, self.theirs.client):
                with Sender(weir.port("GRPC"), self.credentials(client)) as sender:
                    self.assertEqual(
                        grpc.StatusCode.UNAVAILABLE, sender.send_raw("traces", body, seconds=5)[0]
                    )
                with self.assertRaises(OSError):
                    post(weir.port("HTTP"), "/v1/traces", body, context=self.context(client))
            sink.wait_for_items(10)
            self.assertEqual(10, sink.items.count())

    def test_mutual_tls_out(self):
        server = (*self.ours.server, self.ours.path("ca.pem"))
        client = {
            "ca_file": self.ours.path("ca.pem"),
            "cert_file": self.ours.client[0],
            "key_file": self.ours.client[1],
        }
        with otlp_sink.Sink(tls=server) as sink:
            for exporter, endpoint in (
                ("otlp", f"localhost:{sink.grpc_port}"),
                ("otlphttp", f"https://localhost:{sink.http_port}"),
            ):
                with self.subTest(exporter), weir_with(
                    exporter, flow({"endpoint": endpoint, "tls": client})
                ) as weir:
                    before = sink.items.count()
                    with Sender(weir.port("GRPC")) as sender:
                        sender.send("traces", request("traces", 5))
                    sink.wait_for_items(before + 5)
                    assert_books(weir)
            # A server that nobody vouches for is not sent to.
            stranger = {"ca_file": self.theirs.path("ca.pem"), "cert_file": self.ours.client[0],
                        "key_file": self.ours.client[1]}  # fmt: skip
            config = {"endpoint": f"localhost:{sink.grpc_port}", "tls": stranger,
                      "retry_on_failure": {"enabled": False}, "timeout": "2s"}  # fmt: skip
            before = sink.items.count()
            with weir_with("otlp", flow(config)) as weir, Sender(weir.port("GRPC")) as sender:
                sender.send("traces", request("traces", 5))
                weir.wait_value("otelcol_exporter_send_failed_spans", 5)
                self.assertEqual(before, sink.items.count())
                assert_books(weir, lost=5)


class HttpBodiesTest(unittest.TestCase):
    """Guarantees: the same request in any body encoding arrives as the same items."""

    def test_encodings(self):
        zstd = otlp_sink.zstandard.compress
        encodings = {
            "gzip": gzip.compress,
            "deflate": zlib.compress,
            "zlib": zlib.compress,
            "zstd": zstd,
        }
        with otlp_sink.Sink() as sink, weir_with("otlp", sink_exporter(sink)) as weir:
            sent = items.Items()
            for index, (encoding, compress) in enumerate(encodings.items()):
                for signal in items.SIGNALS:
                    message = request(signal, 50, index * 100)
                    status, _, body = post(weir.port("HTTP"), f"/v1/{signal}", compress(message.SerializeToString()),
                                           {"Content-Encoding": encoding})  # fmt: skip
                    self.assertEqual(200, status, (encoding, body))
                    items.RESPONSES[signal].FromString(body)
                    sent.add(signal, message)
            sink.wait_for_items(sent.count())
            self.assertEqual("", sent.difference(sink.items))
            assert_books(weir)

    def test_gzip_on_grpc(self):
        with otlp_sink.Sink() as sink, weir_with("otlp", sink_exporter(sink)) as weir, Sender(
            weir.port("GRPC")
        ) as sender:
            for signal in items.SIGNALS:
                sender.send(signal, request(signal, 200), compression=grpc.Compression.Gzip)
            sink.wait_for_items(600)
            self.assertEqual("", sender.sent.difference(sink.items))

    def test_json(self):
        with otlp_sink.Sink() as sink, weir_with("otlp", sink_exporter(sink)) as weir:
            sent = items.Items()
            for signal in items.SIGNALS:
                message = request(signal, 20)
                status, headers, body = post(weir.port("HTTP"), f"/v1/{signal}", items.to_json(signal, message),
                                             {"Content-Type": "application/json"})  # fmt: skip
                self.assertEqual(
                    (200, "application/json"), (status, headers["content-type"].split(";")[0]), body
                )
                sent.add(signal, message)
            sink.wait_for_items(sent.count())
            self.assertEqual("", sent.difference(sink.items))

    def test_chunked(self):
        with otlp_sink.Sink() as sink, weir_with("otlp", sink_exporter(sink)) as weir:
            data = request("traces", 300).SerializeToString()
            for size in (1000, 7, len(data)):
                pieces = (data[at : at + size] for at in range(0, len(data), size))
                self.assertEqual(200, post(weir.port("HTTP"), "/v1/traces", pieces)[0])
            sink.wait_for_items(900)

    def test_expect_continue(self):
        with otlp_sink.Sink() as sink, weir_with("otlp", sink_exporter(sink)) as weir:
            body = request("traces", 1).SerializeToString()
            head = (b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\n"
                    b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))  # fmt: skip
            with ports.socket.create_connection(
                ("127.0.0.1", weir.port("HTTP")), timeout=10
            ) as connection:
                connection.sendall(head)
                self.assertIn(b"100", connection.recv(1000).split(b"\r\n")[0])
                connection.sendall(body)
                self.assertIn(b"200", connection.recv(1000).split(b"\r\n")[0])

    def test_pipelined_and_kept_alive(self):
        with otlp_sink.Sink() as sink, weir_with("otlp", sink_exporter(sink)) as weir:
            body = request("traces", 1).SerializeToString()
            one = (b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\n"
                   b"Content-Length: %d\r\n\r\n" % len(body) + body)  # fmt: skip
            answers = raw(weir.port("HTTP"), one * 10)
            self.assertEqual(10, answers.count(b"HTTP/1.1 200"))
            sink.wait_for_items(10)

    def test_cors(self):
        cors = {
            "cors": {
                "allowed_origins": ["https://*.example.com"],
                "allowed_headers": ["X-Shop"],
                "max_age": 60,
            }
        }
        with otlp_sink.Sink() as sink, weir_with(
            "otlp", sink_exporter(sink), http_config=cors
        ) as weir:

            def preflight(origin):
                return raw(weir.port("HTTP"), (
                    f"OPTIONS /v1/traces HTTP/1.1\r\nHost: a\r\nOrigin: {origin}\r\nConnection: close\r\n"
                    "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-shop\r\n\r\n"
                ).encode()).decode().lower()  # fmt: skip

            allowed, refused = preflight("https://shop.example.com"), preflight(
                "https://example.org"
            )
            self.assertRegex(allowed.split("\r\n")[0], " 20[04] ")
            self.assertIn("access-control-allow-origin: https://shop.example.com", allowed)
            self.assertIn("access-control-max-age: 60", allowed)
            self.assertNotIn("access-control-allow-origin", refused)
            body = request("traces", 1).SerializeToString()
            status, headers, _ = post(
                weir.port("HTTP"), "/v1/traces", body, {"Origin": "https://shop.example.com"}
            )
            self.assertEqual(
                (200, "https://shop.example.com"), (status, headers["access-control-allow-origin"])
            )


class ListenersTest(unittest.TestCase):
    def test_unix_socket(self):
        with otlp_sink.Sink() as sink, tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/otlp.sock"
            with weir_with(
                "otlp", sink_exporter(sink), {"endpoint": path, "transport": "unix"}
            ) as weir:
                with Sender(0, target=f"unix:{path}") as sender:
                    sender.send("traces", request("traces", 5))
                sink.wait_for_items(5)
                assert_books(weir)

    def test_connections_that_grow_old(self):
        """max_connection_age asks clients to come again; nothing is lost on the way."""
        age = {
            "keepalive": {
                "server_parameters": {
                    "max_connection_age": "500ms",
                    "max_connection_age_grace": "2s",
                }
            }
        }
        with otlp_sink.Sink() as sink, weir_with("otlp", sink_exporter(sink), age) as weir:
            with Sender(weir.port("GRPC")) as sender:
                end, number = time.monotonic() + 3, 0
                while time.monotonic() < end:
                    sender.send("traces", request("traces", 1, number))
                    number += 1
                    time.sleep(0.005)  # Fewer in all than the queue holds, however slow the sink is.
            sink.wait_for_items(number)
            self.assertEqual("", sender.sent.difference(sink.items))

    def test_message_size_limits(self):
        with otlp_sink.Sink() as sink, weir_with(
            "otlp",
            sink_exporter(sink),
            {"max_recv_msg_size_mib": 1},
            {"max_request_body_size": 100000},
        ) as weir, Sender(weir.port("GRPC")) as sender:
            big = request("traces", 20000)
            self.assertGreater(big.ByteSize(), 1 << 20)
            self.assertEqual(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                sender.send_raw("traces", big.SerializeToString())[0],
            )
            self.assertIn(
                post(weir.port("HTTP"), "/v1/traces", big.SerializeToString())[0], (400, 413)
            )
            sender.send("traces", request("traces", 10))
            sink.wait_for_items(10)
            assert_books(weir)


class AuthenticationTest(unittest.TestCase):
    @only_weir  # The peer is built without these extensions.
    def test_basic_in_and_bearer_out(self):
        extensions = {
            "basicauth/in": {"htpasswd": {"inline": "shop:secret\n"}},
            "bearertokenauth/out": {"token": "letmein"},
        }
        auth = {"auth": {"authenticator": "basicauth/in"}}
        with otlp_sink.Sink() as sink:
            out = sink_exporter(sink, auth={"authenticator": "bearertokenauth/out"})
            with weir_with("otlp", out, auth, auth, extensions) as weir, Sender(
                weir.port("GRPC")
            ) as sender:
                good, wrong = "Basic c2hvcDpzZWNyZXQ=", "Basic c2hvcDpmYWxzZQ=="
                body = request("traces", 1).SerializeToString()
                self.assertEqual(
                    grpc.StatusCode.UNAUTHENTICATED, sender.send_raw("traces", body)[0]
                )
                self.assertEqual(grpc.StatusCode.UNAUTHENTICATED,
                                 sender.send_raw("traces", body, metadata=(("authorization", wrong),))[0])  # fmt: skip
                self.assertEqual(401, post(weir.port("HTTP"), "/v1/traces", body)[0])
                self.assertEqual(
                    401, post(weir.port("HTTP"), "/v1/traces", body, {"Authorization": wrong})[0]
                )
                self.assertEqual(
                    200, post(weir.port("HTTP"), "/v1/traces", body, {"Authorization": good})[0]
                )
                sender.send("traces", request("traces", 1), metadata=(("authorization", good),))
                sink.wait_for_items(2)
                self.assertEqual(
                    {"Bearer letmein"}, {each.headers["authorization"] for each in sink.requests}
                )


class ExportersTest(unittest.TestCase):
    """Guarantees: what leaves is what came, in every form that an exporter can send."""

    def through(self, exporter, settings):
        with otlp_sink.Sink() as sink:
            endpoint = (
                f"127.0.0.1:{sink.grpc_port}"
                if exporter == "otlp"
                else f"http://127.0.0.1:{sink.http_port}"
            )
            config = flow({"endpoint": endpoint, "tls": {"insecure": True}, **settings})
            with weir_with(exporter, config) as weir, Sender(weir.port("GRPC")) as sender:
                for signal in items.SIGNALS:
                    for number in range(5):
                        sender.send(signal, request(signal, 100, number * 100))
                sink.wait_for_items(1500)
                self.assertEqual("", sender.sent.difference(sink.items))
                assert_books(weir)
            return sink.requests

    def test_compression_over_grpc(self):
        sizes = {}
        for compression in ("none", "gzip"):
            with self.subTest(compression):
                self.through("otlp", {"compression": compression})

    def test_compression_over_http(self):
        sizes = {}
        for compression in ("none", "gzip", "zstd"):
            with self.subTest(compression):
                requests = self.through("otlphttp", {"compression": compression})
                sizes[compression] = sum(each.size for each in requests)
                expected = None if compression == "none" else compression
                self.assertEqual(
                    {expected}, {each.headers.get("content-encoding") for each in requests}
                )
        self.assertLess(sizes["gzip"] * 3, sizes["none"])
        self.assertLess(sizes["zstd"] * 3, sizes["none"])

    def test_json_over_http(self):
        requests = self.through("otlphttp", {"encoding": "json"})
        self.assertEqual({"application/json"}, {each.transport for each in requests})

    def test_headers(self):
        headers = {"headers": {"x-tenant": "north", "x-empty": ""}}
        for exporter in ("otlp", "otlphttp"):
            with self.subTest(exporter):
                self.assertEqual(
                    {"north"},
                    {each.headers["x-tenant"] for each in self.through(exporter, headers)},
                )


if __name__ == "__main__":
    unittest.main()
