"""What every end-to-end test starts with: the support modules, requests by number, and raw senders."""

import http.client
import json
import os
import pathlib
import socket
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # Before gRPC is loaded.

import grpc  # noqa: E402

import cache  # noqa: E402
import clients  # noqa: E402,F401
import daemon  # noqa: E402
import items  # noqa: E402
import kafka  # noqa: E402,F401
import otlp_sink  # noqa: E402
import ports  # noqa: E402
import tap  # noqa: E402,F401

# With the Collector in weir's place (WEIR_BINARY, WEIR_TEST_PEER=1) these tests check themselves:
# what is asked of both must hold for it, what only weir promises is left out.
PEER = bool(os.environ.get("WEIR_TEST_PEER"))
only_weir = unittest.skipIf(PEER, "weir only")


def assert_books(weir, **expected):
    """The ledger closes, where there is one."""
    if not PEER:
        weir.assert_ledger_closes(**expected)


def request(signal, count, first=0, name="item"):
    """`count` numbered items of a signal, all different from those of other numbers."""
    made = items.REQUESTS[signal]()
    if signal == "traces":
        resource = made.resource_spans.add()
        scope = resource.scope_spans.add()
    elif signal == "metrics":
        resource = made.resource_metrics.add()
        scope = resource.scope_metrics.add()
        metric = scope.metrics.add(name=name, unit="1")
        metric.sum.is_monotonic, metric.sum.aggregation_temporality = True, 2
    else:
        resource = made.resource_logs.add()
        scope = resource.scope_logs.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "integration"
    scope.scope.name = "harness"
    for number in range(first, first + count):
        if signal == "traces":
            item = scope.spans.add(
                name=f"{name} {number}",
                trace_id=number.to_bytes(15, "big") + b"\x01",
                span_id=number.to_bytes(7, "big") + b"\x01",
                start_time_unix_nano=10**18 + number,
                end_time_unix_nano=10**18 + number + 1000,
            )
            item.status.code = 1  # The Collector adds an empty status where there is none.
        elif signal == "metrics":
            item = metric.sum.data_points.add(as_int=number, time_unix_nano=10**18 + number)
        else:
            item = scope.log_records.add(time_unix_nano=10**18 + number)
            item.body.string_value = f"{name} {number}"
        item.attributes.add(key="number").value.int_value = number
    return made


class Sender:
    """Sends over one gRPC channel; `sent` has every item that was answered with success."""

    def __init__(self, port, credentials=None, options=(), target=None):
        target = target or f"127.0.0.1:{port}"
        options = (("grpc.max_send_message_length", -1), *options)
        if credentials:
            self._channel = grpc.secure_channel(target, credentials, options)
        else:
            self._channel = grpc.insecure_channel(target, options)
        self.sent = items.Items()

    def send(self, signal, message, seconds=30, **call):
        """Sends one request; raises grpc.RpcError when it is refused."""
        method = self._channel.unary_unary(
            items.GRPC_METHODS[signal], response_deserializer=items.RESPONSES[signal].FromString
        )
        response = method(message.SerializeToString(), timeout=seconds, **call)
        self.sent.add(signal, message)
        return response

    def send_raw(self, signal, data, seconds=30, **call):
        """Sends bytes as one message; returns the status code, OK included, and its text."""
        method = self._channel.unary_unary(items.GRPC_METHODS.get(signal, signal))
        try:
            method(data, timeout=seconds, **call)
        except grpc.RpcError as failed:
            return failed.code(), failed.details()
        return grpc.StatusCode.OK, ""

    def close(self):
        self._channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def post(port, path, body, headers=None, seconds=30, context=None):
    """One HTTP/1.1 POST; returns (status, headers with lower-case names, body)."""
    if context:
        connection = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=seconds, context=context
        )
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        headers = {"Content-Type": "application/x-protobuf", **(headers or {})}
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, answer.read()
    finally:
        connection.close()


def raw(port, data, seconds=10):
    """Sends bytes on a new connection and returns all that comes back until it is closed or quiet."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        received = b""
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(1 << 16):
                received += piece
        except OSError:
            pass
        return received


def refusals(weir):
    """How many requests or items were turned away so far, by any counter that says so."""
    total = 0
    for sample in weir.metrics():
        outcome = sample.labels.get("outcome", "")
        if sample.name.startswith("otelcol_receiver_requests") and outcome not in ("", "success"):
            total += sample.value
        elif "reason" in sample.labels and sample.name.startswith("weir_"):
            total += sample.value
    return total


cache_tool = cache.tool


def flow(value):
    """A Python value as YAML (flow style is JSON)."""
    return json.dumps(value)


def sink_exporter(sink, **settings):
    """An `otlp` exporter to the sink, quick to retry."""
    return flow(
        {
            "endpoint": f"127.0.0.1:{sink.grpc_port}",
            "tls": {"insecure": True},
            "retry_on_failure": {"initial_interval": "50ms", "max_interval": "200ms"},
            **settings,
        }
    )
