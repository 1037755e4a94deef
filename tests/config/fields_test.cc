#include "weir/config/fields.h"

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/config/render.h"

namespace weir {

enum class Speed { kSlow, kFast };

template <>
struct EnumNames<Speed> {
  static constexpr std::pair<std::string_view, Speed> kNames[] = {{"slow", Speed::kSlow},
                                                                  {"fast", Speed::kFast}};
};

enum class Level { kDebug, kInfo };

template <>
struct EnumNames<Level> {
  static constexpr std::pair<std::string_view, Level> kNames[] = {{"debug", Level::kDebug},
                                                                  {"info", Level::kInfo}};
  static constexpr bool kIgnoreCase = true;
};

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Queue {
  std::uint32_t queue_size = 1000;
  bool block_on_overflow = false;

  static void VisitFields(auto& self, auto& visit) {
    visit("queue_size", self.queue_size, "Requests held.", AtLeast(1));
    visit("block_on_overflow", self.block_on_overflow, "Wait instead of refusing.");
  }
  bool operator==(const Queue&) const = default;
};

struct Tls {
  std::string cert_file;
  std::string key_file;

  static void VisitFields(auto& self, auto& visit) {
    visit("cert_file", self.cert_file, "Certificate.");
    visit("key_file", self.key_file, "Key of the certificate.");
  }
  void Validate(FieldCheck& check) const {
    if (cert_file.empty() != key_file.empty()) {
      check.Error(cert_file.empty() ? "cert_file" : "key_file", "must be given too");
    }
  }
  bool operator==(const Tls&) const = default;
};

struct Action {
  std::string key;
  Speed speed = Speed::kFast;

  static void VisitFields(auto& self, auto& visit) {
    visit("key", self.key, "Attribute.");
    visit("speed", self.speed, "How fast.");
  }
  bool operator==(const Action&) const = default;
};

// A field with two forms: a map, or a list of pairs.
struct Pairs {
  std::vector<std::pair<std::string, std::string>> pairs;

  static Pairs ReadField(const ConfigNode& node, const std::string& path, ConfigErrors& errors) {
    Pairs read;
    if (!node.is_map()) {
      errors.Add(node.mark(), path, "expected pairs");
    }
    for (const ConfigNode::Entry& entry : node.entries()) {
      read.pairs.emplace_back(entry.key, entry.value.scalar());
    }
    return read;
  }
  ConfigNode FormatField(SecretPolicy) const {
    std::vector<ConfigNode::Entry> entries;
    for (const auto& [key, value] : pairs) {
      entries.push_back({key, {}, ConfigNode::String(value)});
    }
    return ConfigNode::Map(std::move(entries));
  }
  static ConfigNode FieldSchema() { return ConfigNode::Map({}); }
  static std::string FieldTypeName() { return "pairs"; }
  static ConfigNode RedactField(const ConfigNode& node) { return node; }
  bool operator==(const Pairs&) const = default;
};

struct Config {
  std::string endpoint = "localhost:4317";
  bool insecure = true;
  std::int32_t level = 3;
  std::uint16_t port = 4317;
  std::int64_t offset = -1;
  double ratio = 0.5;
  Duration timeout = std::chrono::seconds(5);
  ByteSize max_size{4 << 20};
  Secret token;
  Speed speed = Speed::kSlow;
  Level log_level = Level::kInfo;
  std::optional<Queue> sending_queue = Queue{};
  std::optional<Queue> spare_queue;
  std::optional<double> sampling;
  std::vector<std::string> topics = {"spans"};
  std::vector<Action> actions;
  std::map<std::string, std::string> labels = {{"team", "core"}};
  std::map<std::string, Secret> headers;
  std::optional<ComponentId> storage;
  ConfigNode raw;
  Pairs pairs;
  Tls tls;

  static void VisitFields(auto& self, auto& visit) {
    visit("endpoint", self.endpoint, "Where to send.");
    visit("insecure", self.insecure, "Without TLS.");
    visit("level", self.level, "Level.", Between(-5, 10));
    visit("port", self.port, "Port.");
    visit("offset", self.offset, "Offset.");
    visit("ratio", self.ratio, "Share.", Between(0, 1));
    visit("timeout", self.timeout, "Longest wait.", AtLeast(std::chrono::milliseconds(1)));
    visit("max_size", self.max_size, "Largest message.", AtLeast(1024));
    visit("token", self.token, "Bearer token.");
    visit("speed", self.speed, "Speed.");
    visit("log_level", self.log_level, "Log level.");
    visit("sending_queue", self.sending_queue, "Queue.");
    visit("spare_queue", self.spare_queue, "Another queue.");
    visit("sampling", self.sampling, "Share to keep.");
    visit("topics", self.topics, "Topics.");
    visit("actions", self.actions, "Actions.");
    visit("labels", self.labels, "Labels | more.");
    visit("headers", self.headers, "Headers.");
    visit("storage", self.storage, "Storage extension.");
    visit("raw", self.raw, "Anything.");
    visit("pairs", self.pairs, "Pairs.");
    visit.Alias("target", "endpoint");
    visit.Ignored("balancer", "there is one connection only");
    visit.Squash(self.tls);
  }
  void Validate(FieldCheck& check) const {
    if (speed == Speed::kFast && level < 0) {
      check.Error("level", "must not be negative when `speed` is `{}`", "fast");
    }
    if (check.IsGiven("endpoint") && endpoint.empty()) {
      check.Warning("endpoint", "is empty");
    }
  }
  bool operator==(const Config&) const = default;
};

static_assert(ComponentConfig<Config>);

using Entries = std::vector<ConfigNode::Entry>;

ConfigNode One(std::string_view key, ConfigNode value) {
  return ConfigNode::Map({{std::string(key), {}, std::move(value)}});
}

// The config read from one key, which must be without errors.
Config ReadOk(std::string_view key, ConfigNode value) {
  ConfigErrors errors;
  const Config config = ReadConfig<Config>(One(key, std::move(value)), "c", errors);
  EXPECT_TRUE(errors.ok()) << errors.Render();
  return config;
}

std::string ReadProblems(const ConfigNode& node) {
  ConfigErrors errors;
  static_cast<void>(ReadConfig<Config>(node, "c", errors));
  return errors.Render();
}

TEST(FieldsTest, NothingGivenIsTheDefaults) {
  ConfigErrors errors;
  EXPECT_EQ(ReadConfig<Config>(ConfigNode(), "c", errors), Config());
  EXPECT_EQ(ReadConfig<Config>(ConfigNode::Map({}), "c", errors), Config());
  EXPECT_TRUE(errors.ok());
}

TEST(FieldsTest, NullKeepsTheDefault) {
  for (const char* key : {"endpoint", "insecure", "level", "ratio", "timeout", "max_size", "token",
                          "speed", "topics", "labels", "pairs", "sending_queue"}) {
    EXPECT_EQ(ReadOk(key, ConfigNode()), Config()) << key;
  }
}

TEST(FieldsTest, ReadsScalars) {
  EXPECT_EQ(ReadOk("endpoint", ConfigNode::String("a:1")).endpoint, "a:1");
  EXPECT_EQ(ReadOk("endpoint", ConfigNode::Plain("0123")).endpoint, "0123");
  EXPECT_EQ(ReadOk("endpoint", ConfigNode::String("")).endpoint, "");
  EXPECT_FALSE(ReadOk("insecure", ConfigNode::Plain("False")).insecure);
  EXPECT_EQ(ReadOk("level", ConfigNode::Plain("-5")).level, -5);
  EXPECT_EQ(ReadOk("level", ConfigNode::Plain("1e1")).level, 10);
  EXPECT_EQ(ReadOk("port", ConfigNode::Plain("0x10")).port, 16);
  EXPECT_EQ(ReadOk("port", ConfigNode::Plain("65535")).port, 65535);
  EXPECT_EQ(ReadOk("offset", ConfigNode::Plain("-9223372036854775808")).offset,
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(ReadOk("ratio", ConfigNode::Plain("1")).ratio, 1.0);
  EXPECT_EQ(ReadOk("ratio", ConfigNode::Plain("2.5e-1")).ratio, 0.25);
  EXPECT_EQ(ReadOk("timeout", ConfigNode::Plain("1m0.5s")).timeout,
            std::chrono::milliseconds(60'500));
  EXPECT_EQ(ReadOk("max_size", ConfigNode::Plain("2048")).max_size.bytes, 2048u);
  EXPECT_EQ(ReadOk("max_size", ConfigNode::Plain("10MiB")).max_size.bytes, 10u << 20);
  EXPECT_EQ(ReadOk("token", ConfigNode::String("s")).token.reveal(), "s");
  EXPECT_EQ(ReadOk("speed", ConfigNode::Plain("fast")).speed, Speed::kFast);
  EXPECT_EQ(ReadOk("log_level", ConfigNode::Plain("DEBUG")).log_level, Level::kDebug);
  EXPECT_EQ(ReadOk("storage", ConfigNode::Plain("file_storage/a")).storage,
            (ComponentId{"file_storage", "a"}));
  EXPECT_EQ(ReadOk("sampling", ConfigNode::Plain("0.1")).sampling, 0.1);
}

struct BadValue {
  const char* key;
  ConfigNode value;
  const char* problem;
};

TEST(FieldsTest, RefusesWrongScalars) {
  const ConfigNode map = One("a", ConfigNode::Plain("1"));
  const BadValue cases[] = {
      {"endpoint", map, "c::endpoint: expected a string, found a map"},
      {"insecure", ConfigNode::String("true"), "expected true or false, found the string \"true\""},
      {"insecure", ConfigNode::Plain("yes"), "expected true or false, found the string \"yes\""},
      {"insecure", ConfigNode::Plain("1"), "expected true or false, found `1`"},
      {"level", ConfigNode::String("5"), "expected an integer, found the string \"5\""},
      {"level", ConfigNode::Plain("1.5"), "expected an integer, found `1.5`"},
      {"level", ConfigNode::Plain(".nan"), "expected an integer"},
      {"level", ConfigNode::Plain("11"), "must be at most 10, is 11"},
      {"level", ConfigNode::Plain("-6"), "must be at least -5, is -6"},
      {"port", ConfigNode::Plain("65536"), "must be between 0 and 65535, is 65536"},
      {"port", ConfigNode::Plain("-1"), "must be between 0 and 65535, is -1"},
      {"offset", ConfigNode::Plain("9223372036854775808"), "must be between"},
      {"offset", ConfigNode::Plain("99999999999999999999"), "expected an integer"},
      {"ratio", ConfigNode::Plain("1.01"), "must be at most 1, is 1.01"},
      {"ratio", ConfigNode::Plain(".nan"), "must be at least 0"},
      {"ratio", ConfigNode::Plain("half"), "expected a number"},
      {"timeout", ConfigNode::Plain("5 s"), "expected a duration"},
      {"timeout", ConfigNode::Plain("1us"), "must be at least 1ms, is 1us"},
      {"max_size", ConfigNode::Plain("10 apples"), "expected a size"},
      {"max_size", ConfigNode::Plain("-1"), "expected a size"},
      {"max_size", ConfigNode::Plain("1kb"), "must be at least 1KiB, is 1kb"},
      {"token", map, "c::token: expected a string"},
      {"speed", ConfigNode::Plain("fats"),
       "expected one of `slow`, `fast`, found the string \"fats\", did you mean `fast`?"},
      {"speed", ConfigNode::Plain("FAST"), "expected one of"},
      {"storage", ConfigNode::Plain("/2"), "`/2` is no component"},
      {"topics", map, "expected a list, found a map"},
      {"actions", ConfigNode::Plain("a"), "expected a list, found a value"},
      {"labels", ConfigNode::Sequence({}), "expected a map, found a list"},
      {"sending_queue", ConfigNode::Plain("on"), "expected a map of options, found a value"},
      {"pairs", ConfigNode::Plain("x"), "c::pairs: expected pairs"},
  };
  for (const BadValue& bad : cases) {
    EXPECT_THAT(ReadProblems(One(bad.key, bad.value)), HasSubstr(bad.problem)) << bad.key;
  }
}

TEST(FieldsTest, BareIntegerIsNanosecondsWithAWarning) {
  ConfigErrors errors;
  const Config config =
      ReadConfig<Config>(One("timeout", ConfigNode::Plain("5000000")), "c", errors);
  EXPECT_EQ(config.timeout, std::chrono::milliseconds(5));
  EXPECT_TRUE(errors.ok());
  EXPECT_EQ(errors.warning_count(), 1u);
}

TEST(FieldsTest, ListsReplaceTheDefaultAndSplitAtCommas) {
  EXPECT_THAT(ReadOk("topics", ConfigNode::Sequence({ConfigNode::Plain("a")})).topics,
              ElementsAre("a"));
  EXPECT_THAT(ReadOk("topics", ConfigNode::Sequence({})).topics, IsEmpty());
  EXPECT_THAT(ReadOk("topics", ConfigNode::Plain("a,b,,c")).topics, ElementsAre("a", "b", "", "c"));
  const Config config = ReadOk(
      "actions", ConfigNode::Sequence({One("key", ConfigNode::Plain("k")), ConfigNode::Map({})}));
  EXPECT_THAT(config.actions, ElementsAre(Action{"k", Speed::kFast}, Action{}));
}

TEST(FieldsTest, MapsAreLaidOverTheDefault) {
  const Config config = ReadOk("labels", One("env", ConfigNode::Plain("prod")));
  EXPECT_EQ(config.labels, (std::map<std::string, std::string>{{"env", "prod"}, {"team", "core"}}));
}

TEST(FieldsTest, OptionalSections) {
  EXPECT_FALSE(ReadOk("level", ConfigNode()).spare_queue.has_value());
  EXPECT_EQ(ReadOk("spare_queue", ConfigNode()).spare_queue, Queue{});
  EXPECT_EQ(
      ReadOk("spare_queue", One("queue_size", ConfigNode::Plain("7"))).spare_queue->queue_size, 7u);
  EXPECT_FALSE(ReadOk("sending_queue", One("enabled", ConfigNode::Plain("false")))
                   .sending_queue.has_value());
  EXPECT_TRUE(
      ReadOk("sending_queue", One("enabled", ConfigNode::Plain("true"))).sending_queue.has_value());
}

// Scenario: a section is switched off but holds a mistake.
// Guarantees: the mistake is reported all the same.
TEST(FieldsTest, DisabledSectionIsStillChecked) {
  const ConfigNode section = ConfigNode::Map(
      {{"enabled", {}, ConfigNode::Plain("false")}, {"queue_sise", {}, ConfigNode::Plain("1")}});
  EXPECT_THAT(ReadProblems(One("sending_queue", section)),
              HasSubstr("c::sending_queue: unknown option `queue_sise`, did you mean "
                        "`queue_size`?"));
}

TEST(FieldsTest, ReportsEverythingAtOnce) {
  const ConfigNode node = ConfigNode::Map({
      {"endpiont", {}, ConfigNode::Plain("x")},
      {"zzz", {}, ConfigNode::Plain("x")},
      {"level", {}, ConfigNode::Plain("x")},
      {"actions", {}, ConfigNode::Sequence({One("keys", ConfigNode::Plain("x"))})},
      {"balancer", {}, ConfigNode::Plain("x")},
  });
  EXPECT_EQ(ReadProblems(node),
            "error: c: unknown option `endpiont`, did you mean `endpoint`?\n"
            "error: c: unknown option `zzz`\n"
            "error: c::level: expected an integer, found the string \"x\"\n"
            "error: c::actions[0]: unknown option `keys`, did you mean `key`?\n"
            "warning: c::balancer: has no effect: there is one connection only\n");
}

TEST(FieldsTest, AliasesAreReadWithAWarning) {
  ConfigErrors errors;
  const Config config = ReadConfig<Config>(One("target", ConfigNode::Plain("b")), "c", errors);
  EXPECT_EQ(config.endpoint, "b");
  EXPECT_EQ(errors.Render(), "warning: c::target: is now called `endpoint`\n");
  EXPECT_THAT(ReadProblems(ConfigNode::Map({{"target", {}, ConfigNode::Plain("b")},
                                            {"endpoint", {}, ConfigNode::Plain("b")}})),
              HasSubstr("error: c::target: given twice, here and as `endpoint`"));
}

TEST(FieldsTest, ValidateRunsForStructsAndSquashedOnes) {
  EXPECT_EQ(ReadProblems(One("cert_file", ConfigNode::Plain("a.pem"))),
            "error: c::key_file: must be given too\n");
  EXPECT_EQ(ReadProblems(ConfigNode::Map({{"speed", {}, ConfigNode::Plain("fast")},
                                          {"level", {}, ConfigNode::Plain("-1")}})),
            "error: c::level: must not be negative when `speed` is `fast`\n");
  EXPECT_EQ(ReadProblems(One("endpoint", ConfigNode::String(""))),
            "warning: c::endpoint: is empty\n");
}

TEST(FieldsTest, ExpandedTextGoesToStringsAsItWas) {
  const ConfigNode list =
      ConfigNode::Sequence({ConfigNode::Plain("x")}).WithExpansion("env:PW", "[x]", {});
  EXPECT_EQ(ReadOk("token", list).token.reveal(), "[x]");
  EXPECT_EQ(ReadOk("endpoint", ConfigNode().WithExpansion("env:PW", "", {})).endpoint, "");
  EXPECT_THAT(
      ReadProblems(One("level", ConfigNode::Plain("abc").WithExpansion("env:L", "abc", {}))),
      HasSubstr("found the string \"abc\" (from `env:L`)"));
}

TEST(FieldsTest, FormattedConfigReadsBackEqual) {
  Config config;
  config.endpoint = "true";  // A string that looks like something else.
  config.timeout = std::chrono::microseconds(61'000'001);
  config.token = Secret("hunter2");
  config.sending_queue.reset();
  config.sampling = 0.25;
  config.actions = {{"a", Speed::kSlow}, {"b", Speed::kFast}};
  config.headers = {{"authorization", Secret("abc")}};
  config.storage = ComponentId{"file_storage", "x"};
  config.raw = One("deep", ConfigNode::Sequence({ConfigNode::Plain("1"), ConfigNode::String("1")}));
  config.pairs.pairs = {{"z", "1"}, {"a", "2"}};
  config.tls = {"c", "k"};
  ConfigErrors errors;
  EXPECT_EQ(ReadConfig<Config>(FormatConfig(config, SecretPolicy::kReveal), "c", errors), config);
  EXPECT_EQ(ReadConfig<Config>(FormatConfig(Config(), SecretPolicy::kReveal), "c", errors),
            Config());
  EXPECT_THAT(errors.Render(), IsEmpty());
}

TEST(FieldsTest, SecretsAreNeverShown) {
  Config config;
  config.token = Secret("hunter2");
  config.headers = {{"authorization", Secret("hunter2")}, {"empty", Secret()}};
  const std::string shown = RenderYaml(FormatConfig(config));
  EXPECT_THAT(shown, ::testing::Not(HasSubstr("hunter2")));
  EXPECT_THAT(shown, HasSubstr("token: \"[REDACTED]\""));
  EXPECT_THAT(shown, HasSubstr("empty: \"\""));
  const ConfigNode written = FormatConfig(config, SecretPolicy::kReveal);
  EXPECT_THAT(RenderYaml(written), HasSubstr("hunter2"));
  EXPECT_THAT(RenderYaml(RedactSecrets(written, StructTypeOf<Config>())),
              ::testing::Not(HasSubstr("hunter2")));
  EXPECT_THAT(ReadProblems(One("token", ConfigNode::Sequence({ConfigNode::Plain("hunter2")}))),
              ::testing::Not(HasSubstr("hunter2")));
}

TEST(FieldsTest, OptionTable) {
  const std::string table = RenderFieldTable<Config>();
  EXPECT_THAT(table, HasSubstr("| `endpoint` | `localhost:4317` | Where to send. |\n"));
  EXPECT_THAT(table, HasSubstr("| `level` | `3` | Level. Between -5 and 10. |\n"));
  EXPECT_THAT(table, HasSubstr("| `timeout` | `5s` | Longest wait. At least 1ms. |\n"));
  EXPECT_THAT(table, HasSubstr("| `max_size` | `4MiB` | Largest message. At least 1KiB. |\n"));
  EXPECT_THAT(table, HasSubstr("| `sending_queue` |  | Queue. |\n"));
  EXPECT_THAT(table,
              HasSubstr("| `sending_queue::queue_size` | `1000` | Requests held. At least 1. |\n"));
  EXPECT_THAT(table, HasSubstr("| `topics` | `[spans]` | Topics. |\n"));
  EXPECT_THAT(table, HasSubstr("| `actions[]::speed` | `fast` | How fast. |\n"));
  EXPECT_THAT(table, HasSubstr("Labels \\| more."));
  EXPECT_THAT(table, HasSubstr("| `cert_file` | `\"\"` | Certificate. |\n"));
}

TEST(FieldsTest, SchemaNamesEveryFieldAndItsLimits) {
  const ConfigNode schema = FieldSchema(StructTypeOf<Config>());
  const ConfigNode* properties = schema.Find("properties");
  ASSERT_NE(properties, nullptr);
  EXPECT_EQ(properties->size(), 21u + 2u + 2u);  // Own, squashed, alias and ignored.
  const ConfigNode* level = properties->Find("level");
  ASSERT_NE(level, nullptr);
  EXPECT_EQ(level->Find("default")->scalar(), "3");
  EXPECT_EQ(level->Find("anyOf")->items()[0].Find("minimum")->scalar(), "-5");
  EXPECT_EQ(schema.Find("additionalProperties")->scalar(), "false");
  EXPECT_THAT(RenderJson(schema), HasSubstr("\"enum\": ["));
}

}  // namespace
}  // namespace weir
