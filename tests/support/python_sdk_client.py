"""Sends all three signals through the OpenTelemetry Python SDK.

python_sdk_client.py grpc|http ENDPOINT COUNT [gzip|none]
"""

import logging
import sys

from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode


def exporters(transport, endpoint, compression):
    """The three exporters of a transport."""
    if transport == "grpc":
        import grpc
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        options = {
            "endpoint": endpoint,
            "insecure": True,
            "compression": (
                grpc.Compression.Gzip if compression == "gzip" else grpc.Compression.NoCompression
            ),
        }
        return (
            OTLPSpanExporter(**options),
            OTLPMetricExporter(**options),
            OTLPLogExporter(**options),
        )
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    kind = Compression.Gzip if compression == "gzip" else Compression.NoCompression
    return (
        OTLPSpanExporter(endpoint=endpoint + "/v1/traces", compression=kind),
        OTLPMetricExporter(endpoint=endpoint + "/v1/metrics", compression=kind),
        OTLPLogExporter(endpoint=endpoint + "/v1/logs", compression=kind),
    )


def record(tracer, meter, logger, count):
    """Makes `count` of most things, with every kind of attribute value."""
    requests = meter.create_counter("requests", unit="{request}", description="Requests")
    level = meter.create_up_down_counter("level")
    latency = meter.create_histogram("latency", unit="ms")
    size = meter.create_histogram("size", unit="By")
    gauge = meter.create_gauge("temperature")
    with tracer.start_as_current_span("linked") as span:
        link = Link(span.get_span_context(), {"index": 1})
    kinds = list(SpanKind)
    for number in range(count):
        attributes = {
            "number": number,
            "negative": -number - 2**40,
            "ratio": number / 3.0,
            "flag": number % 2 == 0,
            "text": "größe 😀",
            "empty": "",
            "words": ["a", "b"],
            "numbers": [1, -2, 3],
        }
        with tracer.start_as_current_span(
            f"operation {number % 7}",
            kind=kinds[number % len(kinds)],
            attributes=attributes,
            links=[link],
        ) as span:
            span.add_event("event", {"value": -1.5e300})
            if number % 5 == 0:
                span.set_status(Status(StatusCode.ERROR, "failed"))
                span.record_exception(ValueError(f"number {number}"))
            logger.log(
                [10, 20, 30, 40][number % 4],
                "line %d",
                number,
                extra={"number": number, "text": "é"},
            )
            with tracer.start_as_current_span("child"):
                pass
        requests.add(1, {"shard": number % 10})
        level.add(-0.25)
        latency.record(number * 1.5, {"route": "/a"})
        size.record(number * 7.25)
        gauge.set(20 + number % 3, {"room": "a"})


def main():
    transport, endpoint, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    compression = sys.argv[4] if len(sys.argv) > 4 else "none"
    spans, metrics, logs = exporters(transport, endpoint, compression)
    resource = Resource.create(
        {"service.name": "python-client", "ports": [4317, 4318], "größe": "ünïcödé"},
        schema_url="https://opentelemetry.io/schemas/1.24.0",
    )
    tracing = TracerProvider(resource=resource)
    tracing.add_span_processor(BatchSpanProcessor(spans))
    view = View(instrument_name="size", aggregation=ExponentialBucketHistogramAggregation())
    metering = MeterProvider(
        resource=resource,
        views=[view],
        metric_readers=[PeriodicExportingMetricReader(metrics, export_interval_millis=300)],
    )
    logging_provider = LoggerProvider(resource=resource)
    logging_provider.add_log_record_processor(BatchLogRecordProcessor(logs))
    logger = logging.getLogger("python.logger")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(LoggingHandler(logger_provider=logging_provider))
    trace.set_tracer_provider(tracing)
    record(
        tracing.get_tracer("python.tracer", "1.2.3", schema_url="https://example.org/schema"),
        metering.get_meter("python.meter"),
        logger,
        count,
    )
    for provider in (tracing, metering, logging_provider):
        if provider.force_flush() is False:
            sys.exit("force_flush failed")
        provider.shutdown()


if __name__ == "__main__":
    main()
