"""Realistic OTLP requests for the benchmark, deterministic: about 520 bytes a span, 265 a log record, 88 a data point."""

import gzip
import random
import struct

from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2

START_NS = 1732400000000000000
RESOURCE = {
    "service.name": "checkout",
    "service.namespace": "shop",
    "service.instance.id": "627cc493-f310-47de-96bd-71410b7dec09",
    "host.name": "node-17.eu-west-1.compute.internal",
    "k8s.pod.name": "checkout-6c9f7b7d9b-x2x8l",
    "k8s.namespace.name": "shop-prod",
    "deployment.environment": "production",
    "telemetry.sdk.language": "java",
    "telemetry.sdk.name": "opentelemetry",
    "telemetry.sdk.version": "1.43.0",
}


def attributes(values):
    for key, value in values.items():
        pair = common_pb2.KeyValue(key=key)
        if isinstance(value, int):
            pair.value.int_value = value
        else:
            pair.value.string_value = value
        yield pair


def traces(count, dice):
    request = trace_service_pb2.ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.extend(attributes(RESOURCE))
    scope = resource.scope_spans.add()
    scope.scope.name, scope.scope.version = "io.opentelemetry.tomcat-10.0", "2.9.0"
    for number in range(count):
        span = scope.spans.add(
            trace_id=dice.randbytes(16),
            span_id=dice.randbytes(8),
            parent_span_id=dice.randbytes(8),
            name="GET /api/v1/cart/{id}",
            kind=2,
            start_time_unix_nano=START_NS + number,
            end_time_unix_nano=START_NS + number + dice.randint(1000, 9999999),
        )
        span.attributes.extend(
            attributes(
                {
                    "http.request.method": "GET",
                    "url.path": f"/api/v1/cart/{dice.randint(1, 99999)}",
                    "url.scheme": "https",
                    "http.response.status_code": 200,
                    "http.route": "/api/v1/cart/{id}",
                    "server.address": "checkout.shop.svc.cluster.local",
                    "server.port": 8443,
                    "client.address": f"10.4.{dice.randint(0, 255)}.{dice.randint(0, 255)}",
                    "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
                    "network.protocol.version": "1.1",
                    "thread.id": dice.randint(1, 300),
                    "thread.name": f"http-nio-8443-exec-{dice.randint(1, 200)}",
                }
            )
        )
    return request


def logs(count, dice):
    request = logs_service_pb2.ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    resource.resource.attributes.extend(attributes(RESOURCE))
    scope = resource.scope_logs.add()
    scope.scope.name = "com.shop.checkout"
    for number in range(count):
        record = scope.log_records.add(
            time_unix_nano=START_NS + number,
            observed_time_unix_nano=START_NS + number,
            severity_number=9,
            severity_text="INFO",
            trace_id=dice.randbytes(16),
            span_id=dice.randbytes(8),
        )
        record.body.string_value = (
            f"order {dice.randint(1, 9999999)} accepted for customer {dice.randint(1, 999999)} in "
            f"{dice.randint(1, 900)} ms, total={dice.randint(1, 999)}.{dice.randint(0, 99):02d} EUR"
        )
        record.attributes.extend(
            attributes(
                {
                    "thread.name": f"exec-{dice.randint(1, 99)}",
                    "code.function": "accept",
                    "http.request.id": f"{dice.getrandbits(128):032x}",
                    "customer.tier": "gold",
                }
            )
        )
    return request


def metrics(count, dice):
    request = metrics_service_pb2.ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.extend(attributes(RESOURCE))
    scope = resource.scope_metrics.add()
    scope.scope.name = "io.micrometer"
    for left in range(count, 0, -10):
        metric = scope.metrics.add(
            name=f"http.server.requests.{left}", unit="1", description="requests"
        )
        metric.sum.aggregation_temporality, metric.sum.is_monotonic = 2, True
        for number in range(min(10, left)):
            point = metric.sum.data_points.add(
                time_unix_nano=START_NS,
                start_time_unix_nano=START_NS - 10**14,
                as_int=dice.randint(0, 10**6),
            )
            point.attributes.extend(
                attributes(
                    {
                        "method": dice.choice(["GET", "POST"]),
                        "status": str(dice.choice([200, 404, 500])),
                        "route": f"/r/{number}",
                    }
                )
            )
    return request


def write(folder, signal, count, framing, compression):
    """Writes one request body for h2load and returns its path: with gRPC's 5-byte prefix, or bare for HTTP."""
    path = folder / f"{signal}{count}.{framing}.{compression}"
    if not path.exists():
        make = {"traces": traces, "logs": logs, "metrics": metrics}[signal]
        body = make(count, random.Random(7)).SerializeToString()
        if compression == "gzip":
            body = gzip.compress(body, compresslevel=6, mtime=0)
        if framing == "grpc":
            body = struct.pack(">BI", compression == "gzip", len(body)) + body
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return path
