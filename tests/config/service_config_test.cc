#include "weir/config/service_config.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/config/parse.h"
#include "weir/config/render.h"

namespace weir {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct TestConfig {
  std::string endpoint = "localhost:4317";
  Secret token;

  static void VisitFields(auto& self, auto& visit) {
    visit("endpoint", self.endpoint, "Where.");
    visit("token", self.token, "Who.");
  }
  bool operator==(const TestConfig&) const = default;
};

constexpr PipelineSignals kTracesOnly = {1};
constexpr PipelineSignals kMetricsOnly = {2};

KnownComponents Known() {
  const StructType* config = &StructTypeOf<TestConfig>();
  KnownComponents known;
  const auto add = [&](ComponentSection section, std::string type, std::vector<std::string> aliases,
                       PipelineSignals signals, PipelineSignals outputs = {}) {
    known.Add(section, {std::move(type), std::move(aliases), signals, outputs, config});
  };
  add(ComponentSection::kReceivers, "otlp", {}, kEverySignal);
  add(ComponentSection::kReceivers, "host_metrics", {"hostmetrics"}, kMetricsOnly);
  add(ComponentSection::kProcessors, "batch", {}, kEverySignal);
  add(ComponentSection::kProcessors, "tail_sampling", {}, kTracesOnly);
  add(ComponentSection::kExporters, "debug", {}, kEverySignal);
  add(ComponentSection::kExporters, "otlp_http", {"otlphttp"}, kEverySignal);
  add(ComponentSection::kConnectors, "forward", {}, kEverySignal);
  add(ComponentSection::kConnectors, "span_metrics", {"spanmetrics"}, kTracesOnly, kMetricsOnly);
  add(ComponentSection::kExtensions, "health_check", {}, {});
  return known;
}

constexpr const char* kComponents =
    "receivers: {otlp: , hostmetrics: }\n"
    "processors: {batch: , tail_sampling: }\n"
    "exporters: {debug: , otlphttp/a: {endpoint: x}}\n"
    "connectors: {forward: , forward/2: , spanmetrics: }\n"
    "extensions: {health_check: }\n";

class ServiceConfigTest : public ::testing::Test {
 protected:
  ServiceConfig ParseText(const std::string& text) {
    errors_ = ConfigErrors();
    return ParseServiceConfig(Parse(text), known_, errors_);
  }

  // Errors (without warnings) of the components above with these pipelines.
  std::string PipelineErrors(const std::string& pipelines) {
    ParseText(std::string(kComponents) + "service: {pipelines: {" + pipelines + "}}\n");
    std::string text;
    for (const ConfigProblem& problem : errors_.problems()) {
      if (problem.severity == ConfigProblem::Severity::kError) {
        text += problem.path + ": " + problem.message + "\n";
      }
    }
    return text;
  }

  std::string Errors(const std::string& text) {
    ParseText(text);
    return errors_.Render();
  }

  const KnownComponents known_ = Known();
  ConfigErrors errors_;
};

TEST_F(ServiceConfigTest, ReadsAWholeConfiguration) {
  const ServiceConfig config = ParseText(
      "receivers: {otlp: {endpoint: a}, otlp/2: }\n"
      "processors: {batch: }\n"
      "exporters: {otlphttp/b: {token: t}, debug: }\n"
      "connectors: {spanmetrics: }\n"
      "extensions: {health_check: }\n"
      "service:\n"
      "  extensions: [health_check]\n"
      "  shutdown_timeout: 5s\n"
      "  telemetry: {logs: {level: WARN, encoding: json}}\n"
      "  pipelines:\n"
      "    traces: {receivers: [otlp, otlp/2], processors: [batch], exporters: [spanmetrics,"
      " otlphttp/b], lanes: 4}\n"
      "    metrics/x: {receivers: [spanmetrics], exporters: [debug]}\n");
  EXPECT_THAT(errors_.Render(), IsEmpty());
  ASSERT_EQ(config.pipelines.size(), 2u);
  EXPECT_EQ(config.pipelines[0].ToString(), "traces");
  EXPECT_THAT(config.pipelines[0].receivers,
              ElementsAre(ComponentId{"otlp", ""}, ComponentId{"otlp", "2"}));
  EXPECT_THAT(config.pipelines[0].exporters,
              ElementsAre(ComponentId{"spanmetrics", ""}, ComponentId{"otlphttp", "b"}));
  EXPECT_EQ(config.pipelines[0].lanes, 4u);
  EXPECT_EQ(config.pipelines[1].ToString(), "metrics/x");
  EXPECT_EQ(config.pipelines[1].signal, PipelineSignal::kMetrics);
  EXPECT_EQ(config.pipelines[1].lanes, std::nullopt);
  EXPECT_THAT(config.extensions, ElementsAre(ComponentId{"health_check", ""}));
  EXPECT_EQ(config.shutdown_timeout, std::chrono::seconds(5));
  EXPECT_EQ(config.telemetry.logs.level, LogsLevel::kWarn);
  const ComponentEntry* exporter =
      config.Find(ComponentSection::kExporters, ComponentId{"otlphttp", "b"});
  ASSERT_NE(exporter, nullptr);
  EXPECT_EQ(exporter->type, "otlp_http");
  EXPECT_EQ(exporter->path, "exporters::otlphttp/b");
  EXPECT_EQ(exporter->options, Parse("{token: t}"));
  EXPECT_TRUE(exporter->used);
}

TEST_F(ServiceConfigTest, EitherNameOfATypeIsFound) {
  const ServiceConfig config = ParseText(
      "receivers: {host_metrics: }\nexporters: {otlp_http/a: , otlphttp/b: }\n"
      "service: {pipelines: {metrics: {receivers: [hostmetrics], exporters: [otlphttp/a,"
      " otlp_http/b]}}}\n");
  EXPECT_THAT(errors_.Render(), IsEmpty());
  EXPECT_THAT(config.pipelines[0].receivers, ElementsAre(ComponentId{"host_metrics", ""}));
  EXPECT_THAT(config.pipelines[0].exporters,
              ElementsAre(ComponentId{"otlp_http", "a"}, ComponentId{"otlphttp", "b"}));
}

TEST_F(ServiceConfigTest, BothNamesOfATypeAreTwoComponents) {
  const ServiceConfig config = ParseText(
      "receivers: {otlp: }\nexporters: {otlp_http: , otlphttp: }\n"
      "service: {pipelines: {logs: {receivers: [otlp], exporters: [otlphttp, otlp_http]}}}\n");
  EXPECT_THAT(errors_.Render(), IsEmpty());
  EXPECT_THAT(config.pipelines[0].exporters,
              ElementsAre(ComponentId{"otlphttp", ""}, ComponentId{"otlp_http", ""}));
}

TEST_F(ServiceConfigTest, EverythingWrongIsShownAtOnce) {
  EXPECT_EQ(Errors("recievers: {}\n"
                   "receivers:\n"
                   "  otpl:\n"
                   "  batch:\n"
                   "  /x:\n"
                   "  otlp: {endpiont: a}\n"
                   "exporters: [debug]\n"
                   "service:\n"
                   "  pipeline: {}\n"
                   "  pipelines:\n"
                   "    trace: {}\n"
                   "    traces:\n"
                   "      receivers: [otlp/9]\n"
                   "      exporters: [otlp_http]\n"),
            "test.yaml:1:1: error: unknown section `recievers`, did you mean `receivers`?\n"
            "    recievers:\n"
            "    ^\n"
            "test.yaml:3:3: error: receivers::otpl: unknown receiver `otpl`, did you mean `otlp`?\n"
            "      otpl:\n"
            "      ^\n"
            "test.yaml:3:3: warning: receivers::otpl: is not used by any pipeline\n"
            "      otpl:\n"
            "      ^\n"
            "test.yaml:4:3: error: receivers::batch: unknown receiver `batch`; there is one among "
            "the processors\n"
            "      batch:\n"
            "      ^\n"
            "test.yaml:4:3: warning: receivers::batch: is not used by any pipeline\n"
            "      batch:\n"
            "      ^\n"
            "test.yaml:5:3: error: receivers::/x: is no name of a component: the part before the "
            "slash, the component type, is empty\n"
            "      /x:\n"
            "      ^\n"
            "test.yaml:6:3: warning: receivers::otlp: is not used by any pipeline\n"
            "      otlp:\n"
            "      ^\n"
            "test.yaml:6:10: error: receivers::otlp: unknown option `endpiont`, did you mean "
            "`endpoint`?\n"
            "      otlp: {endpiont:\n"
            "             ^\n"
            "test.yaml:7:12: error: exporters: expected a map of components\n"
            "    exporters: [debug]\n"
            "               ^\n"
            "test.yaml:9:3: error: service: unknown option `pipeline`, did you mean `pipelines`?\n"
            "      pipeline:\n"
            "      ^\n"
            "test.yaml:11:5: error: service::pipelines::trace: a pipeline is named `traces`, "
            "`metrics` or `logs`, with `/name` behind it where there are several, did you mean "
            "`traces`?\n"
            "        trace:\n"
            "        ^\n"
            "test.yaml:13:19: error: service::pipelines::traces::receivers[0]: there is no "
            "receiver `otlp/9` in `receivers`, did you mean `otlp`?\n"
            "          receivers: [otlp/9]\n"
            "                      ^\n"
            "test.yaml:14:19: error: service::pipelines::traces::exporters[0]: there is no "
            "exporter `otlp_http` in `exporters`\n"
            "          exporters: [otlp_http]\n"
            "                      ^\n");
}

TEST_F(ServiceConfigTest, FilesWithoutAService) {
  EXPECT_THAT(Errors(""), HasSubstr("the configuration is empty"));
  EXPECT_THAT(Errors("{}"), HasSubstr("the configuration is empty"));
  EXPECT_THAT(Errors("receivers: {otlp: }"), HasSubstr("service: is missing"));
  EXPECT_THAT(Errors("service:"), HasSubstr("at least one pipeline is needed"));
  EXPECT_THAT(Errors("service: {pipelines: {}}"), HasSubstr("at least one pipeline is needed"));
  EXPECT_THAT(Errors("service: {pipelines: [traces]}"), HasSubstr("expected a map"));
}

TEST_F(ServiceConfigTest, PipelinesThatCannotRun) {
  const struct {
    const char* pipelines;
    const char* problem;
  } cases[] = {
      {"traces: ",
       "service::pipelines::traces: needs at least one receiver\n"
       "service::pipelines::traces: needs at least one exporter\n"},
      {"traces: {receivers: [], exporters: [debug]}", "needs at least one receiver"},
      {"profiles: {receivers: [otlp], exporters: [debug]}", "a pipeline is named"},
      {"traces/: {receivers: [otlp], exporters: [debug]}", "a pipeline is named"},
      {"traces: {receivers: [hostmetrics], exporters: [debug]}",
       "service::pipelines::traces::receivers[0]: the receiver `host_metrics` does not carry "
       "traces, only metrics"},
      {"logs: {receivers: [otlp], processors: [tail_sampling], exporters: [debug]}",
       "the processor `tail_sampling` does not carry logs, only traces"},
      {"logs: {receivers: [otlp], processors: [batch, batch], exporters: [debug]}",
       "processors[1]: `batch` is listed twice"},
      {"logs: {receivers: [otlp], processors: [debug], exporters: [debug]}",
       "there is no processor `debug` in `processors`"},
      {"logs: {receivers: [otlp], exporters: [debg]}",
       "there is no exporter `debg` in `exporters`, did you mean `debug`?"},
      {"logs: {receivers: [/], exporters: [debug]}", "receivers[0]: `/` is no component"},
      {"logs: {receivers: [otlp], exporters: [debug], lanes: 0}", "lanes: must be at least 1"},
      {"logs: {receivers: [otlp], exporters: [debug], lanes: 257}", "must be at most 256"},
      {"logs: {recivers: [otlp], exporters: [debug]}",
       "unknown option `recivers`, did you mean `receivers`?"},
  };
  for (const auto& [pipelines, problem] : cases) {
    EXPECT_THAT(PipelineErrors(pipelines), HasSubstr(problem)) << pipelines;
  }
}

TEST_F(ServiceConfigTest, RepeatedReceiversAndExportersAreWarnings) {
  const ServiceConfig config = ParseText(
      std::string(kComponents) +
      "service: {pipelines: {logs: {receivers: [otlp, otlp], exporters: [debug, debug]}}}\n");
  EXPECT_TRUE(errors_.ok()) << errors_.Render();
  EXPECT_THAT(errors_.Render(), HasSubstr("receivers[1]: `otlp` is listed twice"));
  EXPECT_EQ(config.pipelines[0].receivers.size(), 1u);
  EXPECT_EQ(config.pipelines[0].exporters.size(), 1u);
}

TEST_F(ServiceConfigTest, Connectors) {
  const struct {
    const char* pipelines;
    const char* problem;  // Empty: none.
  } cases[] = {
      {"traces: {receivers: [otlp], exporters: [spanmetrics]}, "
       "metrics: {receivers: [spanmetrics, hostmetrics], exporters: [debug]}",
       ""},
      {"traces: {receivers: [otlp], exporters: [forward]}, "
       "traces/2: {receivers: [forward], exporters: [debug]}, "
       "logs: {receivers: [otlp], exporters: [forward]}, "
       "logs/2: {receivers: [forward], exporters: [debug]}",
       ""},
      {"traces: {receivers: [otlp], exporters: [spanmetrics]}",
       "service::pipelines::traces: ends in the connector `spanmetrics`, which is among the "
       "receivers of no pipeline"},
      {"metrics: {receivers: [spanmetrics], exporters: [debug]}",
       "service::pipelines::metrics: begins with the connector `spanmetrics`, which is among the "
       "exporters of no pipeline"},
      {"traces: {receivers: [otlp], exporters: [forward]}, "
       "logs: {receivers: [forward], exporters: [debug]}",
       "traces: ends in the connector `forward`, which makes of traces nothing that a pipeline "
       "beginning with it takes\n"
       "service::pipelines::logs: begins with the connector `forward`, which makes no logs of what "
       "the pipelines ending in it carry"},
      {"logs: {receivers: [otlp], exporters: [spanmetrics]}, "
       "traces: {receivers: [otlp], exporters: [spanmetrics]}, "
       "metrics: {receivers: [spanmetrics], exporters: [debug]}",
       "service::pipelines::logs: ends in the connector `spanmetrics`, which makes of logs "
       "nothing"},
      {"traces: {receivers: [otlp, forward], exporters: [forward]}",
       "service::pipelines::traces: feeds itself: traces -> forward -> traces\n"},
      {"traces/a: {receivers: [otlp, forward/2], exporters: [forward]}, "
       "traces/b: {receivers: [forward], exporters: [forward/2]}",
       "feeds itself: traces/a -> forward -> traces/b -> forward/2 -> traces/a\n"},
  };
  for (const auto& [pipelines, problem] : cases) {
    const std::string errors = PipelineErrors(pipelines);
    if (*problem == '\0') {
      EXPECT_THAT(errors, IsEmpty()) << pipelines;
    } else {
      EXPECT_THAT(errors, HasSubstr(problem)) << pipelines;
    }
  }
}

TEST_F(ServiceConfigTest, ConnectorsNeedANameOfTheirOwn) {
  EXPECT_THAT(
      Errors("receivers: {forward: , otlp: }\nexporters: {debug: , forward: }\n"
             "connectors: {forward: }\n"),
      HasSubstr("connectors::forward: `forward` is a receiver too; give one of them another "
                "name, such as `forward/connector`"));
}

TEST_F(ServiceConfigTest, Extensions) {
  ParseText(std::string(kComponents) +
            "service: {extensions: [health_chek, health_check, health_check], pipelines: {logs: "
            "{receivers: [otlp], exporters: [debug]}}}\n");
  const std::string shown = errors_.Render();
  EXPECT_THAT(shown, HasSubstr("service::extensions[0]: there is no extension `health_chek` in "
                               "`extensions`, did you mean `health_check`?"));
  EXPECT_THAT(shown, HasSubstr("warning: service::extensions[2]: `health_check` is listed twice"));
  ParseText(std::string(kComponents) +
            "service: {pipelines: {logs: {receivers: [otlp], exporters: [debug]}}}\n");
  EXPECT_THAT(errors_.Render(),
              HasSubstr("warning: extensions::health_check: is not used: `service::extensions` "
                        "does not list it"));
}

TEST_F(ServiceConfigTest, PipelinesAreLimitedInNumber) {
  std::string pipelines;
  for (int i = 0; i <= 1000; ++i) {
    pipelines += "logs/" + std::to_string(i) + ": {receivers: [otlp], exporters: [debug]}, ";
  }
  EXPECT_THAT(PipelineErrors(pipelines), HasSubstr("more than 1000 pipelines"));
}

TEST_F(ServiceConfigTest, Schema) {
  const ConfigNode schema = Parse(RenderSchema(known_));
  EXPECT_EQ(schema.Find("$schema")->scalar(), "https://json-schema.org/draft/2020-12/schema");
  const ConfigNode* exporters = schema.Find("properties")->Find("exporters");
  ASSERT_NE(exporters, nullptr);
  const ConfigNode* pattern =
      exporters->Find("patternProperties")->Find("^(otlp_http|otlphttp)(/.+)?$");
  ASSERT_NE(pattern, nullptr);
  EXPECT_EQ(pattern->Find("$ref")->scalar(), "#/$defs/exporters.otlp_http");
  const ConfigNode* options = schema.Find("$defs")->Find("exporters.otlp_http");
  ASSERT_NE(options, nullptr);
  EXPECT_NE(options->Find("properties")->Find("token"), nullptr);
  EXPECT_NE(schema.Find("properties")->Find("service")->Find("properties")->Find("pipelines"),
            nullptr);
  EXPECT_THAT(RenderServiceTable(), HasSubstr("| `telemetry::logs::level` | `info` |"));
}

TEST_F(ServiceConfigTest, EffectiveConfigurationHidesSecrets) {
  const ConfigNode root = Parse(
      "receivers: {otlp: {token: hunter2, endpoint: e}}\n"
      "exporters: {unknown: {api-key: hunter2, list: [{password: hunter2, user: u}]},"
      " debug: {secrets: {a: hunter2}}}\n"
      "service: {telemetry: {logs: {initial_fields: {token: hunter2}}}}\n");
  EXPECT_EQ(RenderEffective(root, known_),
            "receivers:\n"
            "  otlp:\n"
            "    token: \"[REDACTED]\"  # test.yaml:1:27\n"
            "    endpoint: e  # test.yaml:1:46\n"
            "exporters:\n"
            "  unknown:\n"
            "    api-key: \"[REDACTED]\"  # test.yaml:2:32\n"
            "    list:\n"
            "      - password: \"[REDACTED]\"  # test.yaml:2:59\n"
            "        user: u  # test.yaml:2:74\n"
            "  debug:\n"
            "    secrets: \"[REDACTED]\"  # test.yaml:2:97\n"
            "service:\n"
            "  telemetry:\n"
            "    logs:\n"
            "      initial_fields:\n"
            "        token: \"[REDACTED]\"  # test.yaml:3:54\n");
}

class ServiceTelemetryTest : public ::testing::Test {
 protected:
  ServiceTelemetry Read(const std::string& text) {
    errors_ = ConfigErrors();
    return ReadConfig<ServiceTelemetry>(Parse(text), "t", errors_);
  }
  ConfigErrors errors_;
};

TEST_F(ServiceTelemetryTest, Defaults) {
  const ServiceTelemetry telemetry = Read("");
  EXPECT_EQ(telemetry, ServiceTelemetry());
  EXPECT_THAT(telemetry.metrics.Servers(), ElementsAre(PrometheusReader{}));
  EXPECT_EQ(telemetry.metrics.Servers()[0].port, 8888);
  EXPECT_EQ(telemetry.logs.sampling->thereafter, 100u);
}

TEST_F(ServiceTelemetryTest, OldAndNewFormOfMetrics) {
  EXPECT_THAT(Read("metrics: {address: '0.0.0.0:9'}").metrics.Servers(),
              ElementsAre(PrometheusReader{.host = "0.0.0.0", .port = 9}));
  EXPECT_TRUE(errors_.ok());
  EXPECT_EQ(errors_.warning_count(), 1u);
  EXPECT_THAT(
      Read("metrics: {readers: [{pull: {exporter: {prometheus: {host: '::1', port: 9}}}},"
           " {periodic: {interval: 5}}, {pull: {exporter: {'prometheus/development': {}}}}]}")
          .metrics.Servers(),
      ElementsAre(PrometheusReader{.host = "::1", .port = 9}, PrometheusReader{}));
  EXPECT_TRUE(errors_.ok());
  EXPECT_THAT(errors_.Render(), HasSubstr("periodic: has no effect"));
  EXPECT_THAT(Read("metrics: {readers: []}").metrics.Servers(), IsEmpty());
  EXPECT_THAT(Read("metrics: {level: none}").metrics.Servers(), IsEmpty());
  EXPECT_EQ(Read("metrics: {level: Detailed}").metrics.level, MetricsLevel::kDetailed);
}

TEST_F(ServiceTelemetryTest, RefusesWhatCannotBe) {
  const struct {
    const char* text;
    const char* problem;
  } cases[] = {
      {"metrics: {address: here}", "t::metrics::address: expected `host:port`, found `here`"},
      {"metrics: {address: 'h:70000'}", "expected `host:port`"},
      {"metrics: {address: 'h:1', readers: []}", "given together with `readers`"},
      {"metrics: {level: loud}", "t::metrics::level: expected one of"},
      {"logs: {encoding: xml}", "t::logs::encoding: expected one of `console`, `json`"},
      {"logs: {level: verbose}", "t::logs::level: expected one of"},
      {"logs: {sampling: {tick: 0s}}", "t::logs::sampling::tick: must be at least 1ms"},
      {"resource: [a]", "t::resource: expected a map"},
      {"resource: {a: [1]}", "t::resource::a: expected a string or null"},
      {"resource: {attributes: [{name: a}]}", "each attribute needs a `name` and a `value`"},
  };
  for (const auto& [text, problem] : cases) {
    Read(text);
    EXPECT_FALSE(errors_.ok()) << text;
    EXPECT_THAT(errors_.Render(), HasSubstr(problem)) << text;
  }
}

TEST_F(ServiceTelemetryTest, KeysWithoutMeaningAreWarnings) {
  Read(
      "logs: {development: true, disable_caller: true, processors: [{batch: }],"
      " error_output_paths: [stderr], sampling: {enabled: false}}\n"
      "metrics: {views: []}\ntraces: {processors: []}\n");
  EXPECT_TRUE(errors_.ok()) << errors_.Render();
  EXPECT_EQ(errors_.warning_count(), 6u);
}

TEST_F(ServiceTelemetryTest, ResourceInItsForms) {
  using Attributes = std::map<std::string, std::optional<std::string>>;
  const Attributes expected = {{"service.name", "w"}, {"host", std::nullopt}};
  EXPECT_EQ(Read("resource: {service.name: w, host: }").resource.attributes, expected);
  EXPECT_EQ(Read("resource: {attributes: [{name: service.name, value: w}, {name: host, value: }],"
                 " schema_url: x}")
                .resource.attributes,
            expected);
  EXPECT_EQ(Read("resource: {attributes: {service.name: w, host: }}").resource.attributes,
            expected);
  EXPECT_TRUE(errors_.ok());
}

TEST(SplitHostPortTest, Forms) {
  using Place = std::pair<std::string, std::uint16_t>;
  EXPECT_EQ(SplitHostPort("h:1"), Place("h", 1));
  EXPECT_EQ(SplitHostPort(":65535"), Place("", 65535));
  EXPECT_EQ(SplitHostPort("[::1]:0"), Place("::1", 0));
  for (const char* text : {"", "h", "h:", "h:x", "h:65536", "::1:5", "h:-1", "[::1:5", "h:1 "}) {
    EXPECT_EQ(SplitHostPort(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace weir
