"""HTTP/2 by single frames, for clients that no library would be: endless resets, streams that never end."""

import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = (
    0,
    1,
    3,
    4,
    6,
    7,
    8,
    9,
)
END_STREAM, END_HEADERS, ACK = 1, 4, 1


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name, value):
    """A header field as HPACK's plainest form: never indexed, no Huffman code. Short strings only."""
    return b"\x10" + bytes([len(name)]) + name + bytes([len(value)]) + value


def grpc_headers(path="/opentelemetry.proto.collector.trace.v1.TraceService/Export", extra=b""):
    fields = ((b":method", b"POST"), (b":scheme", b"http"), (b":path", path.encode()), (b":authority", b"test"),
              (b"content-type", b"application/grpc"), (b"te", b"trailers"))  # fmt: skip
    return b"".join(literal(*field) for field in fields) + extra


class Connection:
    """One connection; reads only when asked to."""

    def __init__(self, port, settings=b"", timeout=10):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        self.send(PREFACE + frame(SETTINGS, payload=settings))

    def send(self, data):
        self.socket.sendall(data)

    def frames(self, until=None):
        """Yields (kind, flags, stream, payload) until the peer closes, goes quiet, or `until` is seen."""
        while True:
            while len(self._received) >= 9:
                length = int.from_bytes(self._received[:3], "big")
                if len(self._received) < 9 + length:
                    break
                kind, flags, stream = struct.unpack(">BBI", self._received[3:9])
                payload = self._received[9 : 9 + length]
                self._received = self._received[9 + length :]
                yield kind, flags, stream & 0x7FFFFFFF, payload
                if kind == until:
                    return
            try:
                piece = self.socket.recv(1 << 16)
            except OSError:
                return
            if not piece:
                return
            self._received += piece

    def server_settings(self):
        """The peer's SETTINGS as {identifier: value}."""
        for kind, flags, _, payload in self.frames():
            if kind == SETTINGS and not flags & ACK:
                return dict(struct.iter_unpack(">HI", payload))
        return {}

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
