"""A transparent TCP relay that remembers what clients sent, and decodes it afterwards.

It stands between a real client and a port under test and changes no byte. What the client sent is
then taken from the recorded bytes by an independent HTTP/2 or HTTP/1.1 reader and the published
OTLP classes, so that it can be compared with what came out at the other end.

    with tap.Tap(weir.port("GRPC")) as relay:
        run_client(relay.port)
    relay.sent()            # items.Items
"""

import re
import socket
import struct
import threading

import h2.config
import h2.connection
import h2.events
import h2.settings

import items as items_module
import otlp_sink

WINDOW_MAX = 2**31 - 1
PREFACE = b"PRI * HTTP/2.0"


def split_grpc(data, encoding):
    """The messages of a gRPC body: a flag, a length and the bytes each."""
    while data:
        compressed, length = struct.unpack(">BI", data[:5])
        message, data = data[5 : 5 + length], data[5 + length :]
        if len(message) < length:
            raise ValueError("a gRPC message ends early")
        yield otlp_sink.inflate(message, encoding) if compressed else message


def requests_http2(data):
    """(path, headers, body) of every request that ended in an HTTP/2 client's bytes."""
    connection = h2.connection.H2Connection(
        h2.config.H2Configuration(
            client_side=False, validate_inbound_headers=False, header_encoding="utf-8"
        )
    )
    connection.local_settings = h2.settings.Settings(
        client=False,
        initial_values={
            h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: WINDOW_MAX,
            h2.settings.SettingCodes.MAX_FRAME_SIZE: 2**24 - 1,
            h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 2**31 - 1,
        },
    )
    connection.max_inbound_frame_size = 2**24 - 1
    connection.initiate_connection()
    connection.increment_flow_control_window(WINDOW_MAX - 65535)
    streams, finished = {}, []
    for start in range(0, len(data), 65536):
        for event in connection.receive_data(data[start : start + 65536]):
            if isinstance(event, h2.events.RequestReceived):
                streams[event.stream_id] = (dict(event.headers), bytearray())
            elif isinstance(event, h2.events.DataReceived):
                streams[event.stream_id][1].extend(event.data)
                connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                headers, body = streams.pop(event.stream_id)
                finished.append((headers[":path"], headers, bytes(body)))
            elif isinstance(event, h2.events.StreamReset):
                streams.pop(event.stream_id, None)
    return finished


def _chunked(data, at):
    body = b""
    while True:
        end = data.index(b"\r\n", at)
        size = int(data[at:end].split(b";")[0], 16)
        at = end + 2
        if size == 0:
            return body, data.index(b"\r\n", at) + 2
        body += data[at : at + size]
        at += size + 2


def requests_http1(data):
    """(path, headers, body) of every whole request in an HTTP/1.1 client's bytes."""
    at, finished = 0, []
    while at < len(data):
        end = data.find(b"\r\n\r\n", at)
        if end < 0:
            break
        first, *lines = data[at:end].decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)
        }
        at = end + 4
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body, at = _chunked(data, at)
        else:
            length = int(headers.get("content-length", 0))
            body, at = data[at : at + length], at + length
            if len(body) < length:
                break
        finished.append((re.split(r"\s+", first)[1], headers, body))
    return finished


def decode(data):
    """Yields (signal, request message) for each OTLP request in one connection's bytes."""
    if data.startswith(PREFACE):
        found = requests_http2(data)
    else:
        found = requests_http1(data)
    for path, headers, body in found:
        if path in otlp_sink.GRPC_NAMES:
            signal = otlp_sink.GRPC_NAMES[path]
            for message in split_grpc(body, headers.get("grpc-encoding", "identity")):
                yield signal, items_module.REQUESTS[signal].FromString(message)
        elif path in otlp_sink.HTTP_NAMES:
            signal = otlp_sink.HTTP_NAMES[path]
            body = otlp_sink.inflate(body, headers.get("content-encoding", ""))
            if headers.get("content-type", "").startswith("application/json"):
                yield signal, items_module.from_json(signal, body)
            else:
                yield signal, items_module.REQUESTS[signal].FromString(body)


class Tap:
    """Relays connections on `self.port` to `target` (a loopback port) and records the clients' bytes."""

    def __init__(self, target):
        self._target = target
        self._recordings = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            recording = bytearray()
            self._recordings.append(recording)
            threading.Thread(
                target=self._relay, args=(client, server, recording), daemon=True
            ).start()

    def _relay(self, client, server, recording):
        with client, server:
            back = threading.Thread(target=self._pump, args=(server, client, None), daemon=True)
            back.start()
            self._pump(client, server, recording)
            back.join()

    @staticmethod
    def _pump(source, sink, copy):
        try:
            while data := source.recv(1 << 16):
                if copy is not None:
                    copy.extend(data)
                sink.sendall(data)
        except OSError:
            pass
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def sent(self):
        """Every item that the clients sent in requests that they finished."""
        found = items_module.Items()
        for recording in self._recordings:
            for signal, request in decode(bytes(recording)):
                found.add(signal, request)
        return found

    def start(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def close(self):
        # Closing alone does not wake accept().
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()
