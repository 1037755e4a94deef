"""An OTLP server (gRPC and HTTP) that decodes with the published classes and records every item.

    with otlp_sink.Sink() as sink:
        ... send to sink.grpc_port or sink.http_port ...
        sink.wait_for_items(1000)
        sink.items                          # items.Items: all that was answered with success

A test changes the answers by `sink.behave = function(signal, request) -> Answer or None`.
"""

import dataclasses
import gzip
import http.server
import ssl
import threading
import time
import zlib
from concurrent import futures

import grpc
import zstandard
from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

import items as items_module
import ports

GRPC_NAMES = {method: signal for signal, method in items_module.GRPC_METHODS.items()}
HTTP_NAMES = {path: signal for signal, path in items_module.HTTP_PATHS.items()}


@dataclasses.dataclass
class Answer:
    """How one request is answered. The default is success."""

    code: grpc.StatusCode = grpc.StatusCode.OK
    http_status: int = 200
    message: str = ""
    delay_s: float = 0.0
    retry_after_s: float = 0.0
    rejected: int = 0  # Partial success: this many items are said to be rejected.

    @property
    def success(self):
        return self.code == grpc.StatusCode.OK and self.http_status == 200


UNAVAILABLE = Answer(code=grpc.StatusCode.UNAVAILABLE, http_status=503, message="not now")
REFUSED = Answer(code=grpc.StatusCode.INVALID_ARGUMENT, http_status=400, message="never")


@dataclasses.dataclass
class Request:
    """One request as it came, kept for tests that look at headers or sizes."""

    signal: str
    transport: str
    headers: dict
    size: int
    items: int
    at: float
    success: bool


def _partial(signal, answer):
    response = items_module.RESPONSES[signal]()
    if answer.rejected or (answer.success and answer.message):
        field = {
            "traces": "rejected_spans",
            "metrics": "rejected_data_points",
            "logs": "rejected_log_records",
        }
        setattr(response.partial_success, field[signal], answer.rejected)
        response.partial_success.error_message = answer.message
    return response


def inflate(data, encoding):
    """A request body by its Content-Encoding."""
    if encoding in ("", "identity"):
        return data
    if encoding == "gzip":
        return gzip.decompress(data)
    if encoding in ("deflate", "zlib"):
        return zlib.decompress(data)
    if encoding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    raise ValueError(f"content-encoding {encoding!r}")


class _Service(grpc.GenericRpcHandler):
    def __init__(self, sink):
        self._sink = sink

    def service(self, handler_call_details):
        signal = GRPC_NAMES.get(handler_call_details.method)
        if signal is None:
            return None
        return grpc.unary_unary_rpc_method_handler(
            lambda data, context: self._export(signal, data, context)
        )

    def _export(self, signal, data, context):
        try:
            request = items_module.REQUESTS[signal].FromString(data)
        except DecodeError as error:
            self._sink.undecodable += 1
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        answer = self._sink.take(
            signal, request, "grpc", dict(context.invocation_metadata()), len(data)
        )
        if not answer.success:
            if answer.retry_after_s:
                status = status_pb2.Status(code=answer.code.value[0], message=answer.message)
                nanos = int(answer.retry_after_s * 1e9)
                status.details.add().Pack(
                    error_details_pb2.RetryInfo(
                        retry_delay=Duration(seconds=nanos // 10**9, nanos=nanos % 10**9)
                    )
                )
                context.set_trailing_metadata(
                    (("grpc-status-details-bin", status.SerializeToString()),)
                )
            context.abort(answer.code, answer.message)
        return _partial(signal, answer).SerializeToString()


class _HttpHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    sink = None

    def log_message(self, *_):  # The default writes every request to stderr.
        pass

    def _body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        data = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return data

    def do_POST(self):  # noqa: N802  (the name http.server calls)
        raw = self._body()
        signal = HTTP_NAMES.get(self.path)
        if signal is None:
            return self._reply(404, b"", "text/plain")
        body = inflate(raw, self.headers.get("Content-Encoding", ""))
        kind = self.headers.get("Content-Type", "").split(";")[0]
        try:
            if kind == "application/json":
                request = items_module.from_json(signal, body)
            else:
                request = items_module.REQUESTS[signal].FromString(body)
        except (DecodeError, ValueError, json_format.ParseError):
            self.sink.undecodable += 1
            return self._reply(400, b"", kind)
        headers = {key.lower(): value for key, value in self.headers.items()}
        answer = self.sink.take(signal, request, kind, headers, len(raw))
        if answer.success:
            message = _partial(signal, answer)
        else:
            message = status_pb2.Status(code=answer.code.value[0], message=answer.message)
        data = (
            json_format.MessageToJson(message).encode()
            if kind == "application/json"
            else message.SerializeToString()
        )
        return self._reply(answer.http_status, data, kind, answer.retry_after_s)

    def _reply(self, status, data, kind, retry_after_s=0.0):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if retry_after_s:
            self.send_header("Retry-After", str(max(1, round(retry_after_s))))
        self.end_headers()
        self.wfile.write(data)


class _HttpServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):  # A client that goes away is no news.
        pass


class Sink:
    """Starts on construction when used by `with`. `record` is a path for raw requests, or None."""

    def __init__(self, record=None, tls=None, grpc_port=0, http_port=0, workers=16):
        self.items = items_module.Items()
        self.requests = []
        self.undecodable = 0  # Requests that the published classes could not read.
        self.behave = lambda signal, request: None
        self.grpc_port = grpc_port
        self.http_port = http_port
        self._lock = threading.Lock()
        self._record = open(record, "ab") if record else None
        self._tls = tls  # (certificate file, key file, CA file of clients or None)
        self._workers = workers

    def take(self, signal, request, transport, headers, size):
        """Decides on the answer; what is answered with success is recorded."""
        answer = self.behave(signal, request) or Answer()
        if answer.delay_s:
            time.sleep(answer.delay_s)
        with self._lock:
            if answer.success:
                count = self.items.add(signal, request)
                if self._record:
                    data = request.SerializeToString()
                    self._record.write(f"{signal} {len(data)}\n".encode() + data)
                    self._record.flush()
            else:
                count = items_module.count(signal, request)
            self.requests.append(
                Request(signal, transport, headers, size, count, time.monotonic(), answer.success)
            )
        return answer

    def wait_for_items(self, count, signal=None, seconds=30.0):
        """Waits until at least `count` items arrived (of one signal, or of all)."""
        ports.wait_for(
            lambda: self.items.count(signal) >= count,
            lambda: f"{self.items.count(signal)} of {count} items arrived",
            seconds,
        )

    def start(self):
        self._grpc = grpc.server(
            futures.ThreadPoolExecutor(self._workers),
            handlers=(_Service(self),),
            options=(("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)),
        )
        address = f"127.0.0.1:{self.grpc_port}"
        handler = type("Handler", (_HttpHandler,), {"sink": self})
        self._http = _HttpServer(("127.0.0.1", self.http_port), handler)
        if self._tls:
            certificate, key, client_ca = self._tls
            roots = open(client_ca, "rb").read() if client_ca else None
            credentials = grpc.ssl_server_credentials(
                [(open(key, "rb").read(), open(certificate, "rb").read())],
                roots,
                client_ca is not None,
            )
            self.grpc_port = self._grpc.add_secure_port(address, credentials)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            if client_ca:
                context.load_verify_locations(client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
            self._http.socket = context.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
        else:
            self.grpc_port = self._grpc.add_insecure_port(address)
        self._grpc.start()
        self.http_port = self._http.server_address[1]
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()
        return self

    def stop(self):
        """Stops both listeners; the recorded items stay. start() listens on the same ports again."""
        self._grpc.stop(0).wait()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        if self._record:
            self._record.close()
