import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Scope;
import io.opentelemetry.exporter.otlp.http.logs.OtlpHttpLogRecordExporter;
import io.opentelemetry.exporter.otlp.http.metrics.OtlpHttpMetricExporter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.logs.OtlpGrpcLogRecordExporter;
import io.opentelemetry.exporter.otlp.metrics.OtlpGrpcMetricExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.metrics.export.PeriodicMetricReader;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.time.Duration;
import java.util.List;

/** Sends all three signals through the OpenTelemetry SDK: SendAll grpc|http ENDPOINT COUNT [gzip|none]. */
public final class SendAll {
  private static final Resource RESOURCE =
      Resource.getDefault()
          .merge(
              Resource.create(
                  Attributes.builder()
                      .put("service.name", "java-client")
                      .put("ports", 4317L, 4318L)
                      .put("size", "größe, ünïcödé")
                      .build(),
                  "https://opentelemetry.io/schemas/1.24.0"));

  public static void main(String[] args) {
    boolean grpc = args[0].equals("grpc");
    String endpoint = args[1];
    int count = Integer.parseInt(args[2]);
    String compression = args.length > 3 ? args[3] : "none";

    SdkTracerProvider tracing =
        SdkTracerProvider.builder()
            .setResource(RESOURCE)
            .addSpanProcessor(BatchSpanProcessor.builder(spans(grpc, endpoint, compression)).build())
            .build();
    SdkMeterProvider metering =
        SdkMeterProvider.builder()
            .setResource(RESOURCE)
            .registerMetricReader(
                PeriodicMetricReader.builder(metrics(grpc, endpoint, compression))
                    .setInterval(Duration.ofMillis(300))
                    .build())
            .build();
    SdkLoggerProvider logging =
        SdkLoggerProvider.builder()
            .setResource(RESOURCE)
            .addLogRecordProcessor(BatchLogRecordProcessor.builder(logs(grpc, endpoint, compression)).build())
            .build();
    OpenTelemetrySdk sdk =
        OpenTelemetrySdk.builder()
            .setTracerProvider(tracing)
            .setMeterProvider(metering)
            .setLoggerProvider(logging)
            .build();

    record(sdk, count);
    tracing.forceFlush().join(30, java.util.concurrent.TimeUnit.SECONDS);
    metering.forceFlush().join(30, java.util.concurrent.TimeUnit.SECONDS);
    logging.forceFlush().join(30, java.util.concurrent.TimeUnit.SECONDS);
    sdk.close();
    System.exit(0); // Some HTTP clients leave threads behind.
  }

  private static void record(OpenTelemetrySdk sdk, int count) {
    var tracer = sdk.getTracer("java.tracer", "1.2.3");
    var meter = sdk.getMeter("java.meter");
    var logger = sdk.getLogsBridge().loggerBuilder("java.logger").setSchemaUrl("https://example.org/schema").build();
    var counter = meter.counterBuilder("requests").setUnit("{request}").setDescription("Requests").build();
    var levels = meter.upDownCounterBuilder("level").ofDoubles().build();
    var histogram = meter.histogramBuilder("latency").setUnit("ms").build();
    meter.gaugeBuilder("temperature").buildWithCallback(value -> value.record(21.5, Attributes.of(AttributeKey.stringKey("room"), "a")));

    Span link = tracer.spanBuilder("linked").startSpan();
    link.end();
    for (int i = 0; i < count; i++) {
      Span span =
          tracer
              .spanBuilder("operation " + i % 7)
              .setSpanKind(SpanKind.values()[i % SpanKind.values().length])
              .setAttribute("number", (long) i)
              .setAttribute("ratio", i / 3.0)
              .setAttribute("flag", i % 2 == 0)
              .setAttribute(AttributeKey.stringArrayKey("words"), List.of("a", "", "\u0000\uD83D\uDE00"))
              .addLink(link.getSpanContext(), Attributes.of(AttributeKey.longKey("index"), (long) i))
              .startSpan();
      try (Scope ignored = span.makeCurrent()) {
        tracer.spanBuilder("child").startSpan().end();
        span.addEvent("event", Attributes.of(AttributeKey.doubleKey("value"), -1.5e300));
        if (i % 5 == 0) {
          span.setStatus(StatusCode.ERROR, "failed");
          span.recordException(new IllegalStateException("number " + i));
        }
        logger
            .logRecordBuilder()
            .setSeverity(Severity.values()[i % Severity.values().length])
            .setSeverityText("text")
            .setBody("line " + i)
            .setAttribute(AttributeKey.longKey("number"), (long) i)
            .emit();
      }
      span.end();
      counter.add(1, Attributes.of(AttributeKey.longKey("shard"), (long) (i % 10)));
      levels.add(-0.25);
      histogram.record(i * 1.5);
    }
  }

  private static SpanExporter spans(boolean grpc, String endpoint, String compression) {
    return grpc
        ? OtlpGrpcSpanExporter.builder().setEndpoint(endpoint).setCompression(compression).build()
        : OtlpHttpSpanExporter.builder().setEndpoint(endpoint + "/v1/traces").setCompression(compression).build();
  }

  private static MetricExporter metrics(boolean grpc, String endpoint, String compression) {
    return grpc
        ? OtlpGrpcMetricExporter.builder().setEndpoint(endpoint).setCompression(compression).build()
        : OtlpHttpMetricExporter.builder().setEndpoint(endpoint + "/v1/metrics").setCompression(compression).build();
  }

  private static LogRecordExporter logs(boolean grpc, String endpoint, String compression) {
    return grpc
        ? OtlpGrpcLogRecordExporter.builder().setEndpoint(endpoint).setCompression(compression).build()
        : OtlpHttpLogRecordExporter.builder().setEndpoint(endpoint + "/v1/logs").setCompression(compression).build();
  }
}
