"""OTLP requests taken apart into single items, so that what was sent and what arrived can be compared.

An item is a span, a log record or a data point together with everything above it: resource, scope,
schema URLs and, for a data point, the metric. How a sender or a collector groups items is not part
of the comparison; every field of every item is.
"""

import base64
import collections
import json

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2

SIGNALS = ("traces", "metrics", "logs")
REQUESTS = {
    "traces": trace_service_pb2.ExportTraceServiceRequest,
    "metrics": metrics_service_pb2.ExportMetricsServiceRequest,
    "logs": logs_service_pb2.ExportLogsServiceRequest,
}
RESPONSES = {
    "traces": trace_service_pb2.ExportTraceServiceResponse,
    "metrics": metrics_service_pb2.ExportMetricsServiceResponse,
    "logs": logs_service_pb2.ExportLogsServiceResponse,
}
GRPC_METHODS = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
HTTP_PATHS = {signal: f"/v1/{signal}" for signal in SIGNALS}
HEX_KEYS = ("traceId", "spanId", "parentSpanId")


def _bytes(message):
    return message.SerializeToString(deterministic=True)


def _metric_head(metric):
    """The metric without its points: name, unit, type, temporality, monotonicity."""
    head = metrics_pb2.Metric()
    head.CopyFrom(metric)
    kind = head.WhichOneof("data")
    if kind:
        getattr(head, kind).ClearField("data_points")
    return head


def flatten(signal, request):
    """Yields one tuple of bytes an item; equal tuples are equal items."""
    for resource in getattr(
        request,
        {"traces": "resource_spans", "metrics": "resource_metrics", "logs": "resource_logs"}[
            signal
        ],
    ):
        above = (_bytes(resource.resource), resource.schema_url)
        for scope in getattr(
            resource,
            {"traces": "scope_spans", "metrics": "scope_metrics", "logs": "scope_logs"}[signal],
        ):
            path = above + (_bytes(scope.scope), scope.schema_url)
            if signal == "traces":
                yield from (path + (_bytes(span),) for span in scope.spans)
            elif signal == "logs":
                yield from (path + (_bytes(record),) for record in scope.log_records)
            else:
                for metric in scope.metrics:
                    head = _bytes(_metric_head(metric))
                    kind = metric.WhichOneof("data")
                    points = getattr(metric, kind).data_points if kind else ()
                    yield from (path + (head, kind, _bytes(point)) for point in points)


def count(signal, request):
    return sum(1 for _ in flatten(signal, request))


def text(signal, item):
    """One item as readable text, for the message of a failed comparison."""
    from opentelemetry.proto.common.v1 import common_pb2
    from opentelemetry.proto.logs.v1 import logs_pb2
    from opentelemetry.proto.resource.v1 import resource_pb2
    from opentelemetry.proto.trace.v1 import trace_pb2

    parts = [
        ("resource", resource_pb2.Resource, item[0]),
        ("scope", common_pb2.InstrumentationScope, item[2]),
    ]
    if signal == "traces":
        parts.append(("span", trace_pb2.Span, item[4]))
    elif signal == "logs":
        parts.append(("record", logs_pb2.LogRecord, item[4]))
    else:
        point = {
            "gauge": metrics_pb2.NumberDataPoint,
            "sum": metrics_pb2.NumberDataPoint,
            "histogram": metrics_pb2.HistogramDataPoint,
            "summary": metrics_pb2.SummaryDataPoint,
            "exponential_histogram": metrics_pb2.ExponentialHistogramDataPoint,
        }[item[5]]
        parts += [("metric", metrics_pb2.Metric, item[4]), ("point", point, item[6])]
    lines = [f"schema URLs: {item[1]!r} {item[3]!r}"]
    for name, kind, data in parts:
        lines.append(
            f"{name}: {json.dumps(json_format.MessageToDict(kind.FromString(data)), sort_keys=True)}"
        )
    return "\n  ".join(lines)


class Items:
    """A multiset of items a signal, and the difference of two of them."""

    def __init__(self):
        self.by_signal = {signal: collections.Counter() for signal in SIGNALS}

    def add(self, signal, request):
        added = collections.Counter(flatten(signal, request))
        self.by_signal[signal].update(added)
        return added.total()

    def count(self, signal=None):
        if signal:
            return self.by_signal[signal].total()
        return sum(counter.total() for counter in self.by_signal.values())

    def missing_from(self, other):
        """What is here and not there, as {signal: Counter}."""
        return {signal: self.by_signal[signal] - other.by_signal[signal] for signal in SIGNALS}

    def difference(self, got, duplicates_allowed=False):
        """A text of what differs between this (what was sent) and `got`, or "" when nothing does."""
        lines = []
        for signal in SIGNALS:
            sent, arrived = self.by_signal[signal], got.by_signal[signal]
            missing, extra = sent - arrived, arrived - sent
            if duplicates_allowed:
                extra = collections.Counter(
                    {item: n for item, n in extra.items() if item not in sent}
                )
            if missing or extra:
                lines.append(
                    f"{signal}: sent {sent.total()}, arrived {arrived.total()}, "
                    f"missing {missing.total()}, not sent {extra.total()}"
                )
                lines += [f"missing: {text(signal, item)}" for item in list(missing)[:2]]
                lines += [f"not sent: {text(signal, item)}" for item in list(extra)[:2]]
        return "\n".join(lines)


def _swap_ids(value, convert):
    if isinstance(value, dict):
        return {
            key: (
                convert(inner)
                if key in HEX_KEYS and isinstance(inner, str)
                else _swap_ids(inner, convert)
            )
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_swap_ids(inner, convert) for inner in value]
    return value


def from_json(signal, data):
    """OTLP/JSON (hexadecimal ids) to the request message."""
    value = _swap_ids(json.loads(data), lambda text: base64.b64encode(bytes.fromhex(text)).decode())
    return json_format.ParseDict(value, REQUESTS[signal](), ignore_unknown_fields=True)


def to_json(signal, request):
    """The request message to OTLP/JSON: hexadecimal ids, enumerations as numbers."""
    del signal
    value = json_format.MessageToDict(request, use_integers_for_enums=True)
    return json.dumps(_swap_ids(value, lambda text: base64.b64decode(text).hex())).encode()
