#include "weir/config/loader.h"

#include <cstdio>
#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/config/parse.h"
#include "weir/base/status.h"
#include "weir/config/fields.h"
#include "weir/config/render.h"

namespace weir {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class LoaderTest : public ::testing::Test {
 protected:
  ConfigWorld World() {
    return {
        .variable =
            [this](const std::string& name) {
              const auto found = variables_.find(name);
              return found == variables_.end() ? std::nullopt : std::optional(found->second);
            },
        .read_file = [this](const std::string& path) { return Lookup(files_, path); },
        .fetch = [this](const std::string& url) { return Lookup(urls_, url); },
    };
  }

  static absl::StatusOr<std::string> Lookup(const std::map<std::string, std::string>& texts,
                                            const std::string& name) {
    const auto found = texts.find(name);
    return found == texts.end() ? absl::StatusOr<std::string>(InvalidArgument("not there"))
                                : found->second;
  }

  ConfigNode Load(std::vector<std::string> locations, std::vector<std::string> overrides = {}) {
    errors_ = ConfigErrors();
    loaded_ = LoadConfig({std::move(locations), std::move(overrides)}, World(), errors_);
    return loaded_.root;
  }

  // The value of `v` after expansion; the load must have no errors.
  ConfigNode Expand(const std::string& value) {
    const ConfigNode root = Load({"yaml:v: " + value});
    EXPECT_TRUE(errors_.ok()) << errors_.Render();
    const ConfigNode* found = root.Find("v");
    return found == nullptr ? ConfigNode::String("(missing)") : *found;
  }

  std::string ExpandError(const std::string& value) {
    EXPECT_TRUE(Load({"yaml:v: " + value}).is_null());
    EXPECT_FALSE(errors_.ok());
    return errors_.Render();
  }

  std::map<std::string, std::string> variables_;
  std::map<std::string, std::string> files_;
  std::map<std::string, std::string> urls_;
  ConfigErrors errors_;
  LoadedConfig loaded_;
};

TEST_F(LoaderTest, LocationsAreMergedInOrder) {
  files_["a.yaml"] = "x: {one: 1, two: 2, list: [1, 2]}\ny: 1\n";
  files_["b.yaml"] = "x: {two: 3, list: [9]}\nz: new\n";
  variables_["CONF"] = "y: {from: env}";
  urls_["http://h/c"] = "u: 1";
  urls_["https://h/c"] = "u: 2";
  const ConfigNode root =
      Load({"a.yaml", "file:b.yaml", "env:CONF", "http://h/c", "https://h/c", "yaml:x::three: 4"});
  EXPECT_EQ(root, Parse("{x: {one: 1, two: 3, three: 4, list: [9]}, y: {from: env}, z: new, u: 2}"))
      << errors_.Render() << RenderYaml(root);
  EXPECT_THAT(loaded_.files, ElementsAre("a.yaml", "b.yaml"));
  EXPECT_EQ(root.Find("x")->Find("two")->mark().ToString(), "b.yaml:1:10");
  EXPECT_EQ(root.Find("x")->Find("one")->mark().ToString(), "a.yaml:1:10");
  EXPECT_EQ(root.Find("y")->Find("from")->mark().ToString(), "env:CONF:1:11");
}

TEST_F(LoaderTest, NullReplacesAMap) {
  EXPECT_EQ(Load({"yaml:a: {b: 1}", "yaml:a:"}), Parse("a:"));
  EXPECT_EQ(Load({"yaml:a:", "yaml:a: {b: 1}"}), Parse("a: {b: 1}"));
}

TEST_F(LoaderTest, EmptyLocationsAddNothing) {
  files_["empty.yaml"] = "";
  EXPECT_EQ(Load({"empty.yaml", "yaml:a: 1", "env:NOT_SET"}), Parse("a: 1"));
  EXPECT_THAT(errors_.Render(),
              HasSubstr("env:NOT_SET: warning: this environment variable is not set"));
}

TEST_F(LoaderTest, OverridesWin) {
  const ConfigNode root =
      Load({"yaml:processors: {batch: {timeout: 1s, sizes: [1, 2]}}"},
           {"processors.batch.timeout=2s", "processors.batch.sizes=[3]", "processors::x/2::k= v ",
            "processors.empty=", "exporters.otlp.headers={a: b}", "n=5", "eq=a=b"});
  EXPECT_EQ(root, Parse("{processors: {batch: {timeout: 2s, sizes: [3]}, x/2: {k: v}, empty: },"
                        " exporters: {otlp: {headers: {a: b}}}, n: 5, eq: a=b}"))
      << RenderYaml(root);
  EXPECT_EQ(root.Find("processors")->Find("batch")->Find("timeout")->mark().ToString(),
            "--set processors.batch.timeout");
}

TEST_F(LoaderTest, BadLocationsAndOverridesAreAllReported) {
  files_["list.yaml"] = "[1]";
  files_["bad.yaml"] = "a: [";
  EXPECT_TRUE(Load({"missing.yaml", "s3:bucket", "list.yaml", "bad.yaml", "http://nowhere"},
                   {"novalue", "=1", "a..b=1", "k=[", ".=1"})
                  .is_null());
  const std::string shown = errors_.Render();
  EXPECT_THAT(shown, HasSubstr("missing.yaml: error: cannot be read: not there"));
  EXPECT_THAT(shown, HasSubstr("`s3:bucket` is no location"));
  EXPECT_THAT(shown, HasSubstr("list.yaml:1:1: error: a configuration must be a map"));
  EXPECT_THAT(shown, HasSubstr("bad.yaml:"));
  EXPECT_THAT(shown, HasSubstr("http://nowhere: error: cannot be read"));
  EXPECT_THAT(shown, HasSubstr("--set novalue: error: needs the form `key=value`"));
  EXPECT_THAT(shown, HasSubstr("--set a..b: error: has an empty part in its key"));
  EXPECT_THAT(shown, HasSubstr("--set k:"));
  EXPECT_EQ(errors_.error_count(), 10u) << shown;
}

TEST_F(LoaderTest, NoLocationIsAnError) {
  Load({});
  EXPECT_FALSE(errors_.ok());
}

TEST_F(LoaderTest, MissingCapabilitiesAreErrors) {
  LoadConfig({{"http://h/x", "file.yaml", "env:X", "yaml:a: ${https://h/y}"}, {}}, ConfigWorld(),
             errors_);
  EXPECT_THAT(errors_.Render(), HasSubstr("`http` locations are not available here"));
  EXPECT_THAT(errors_.Render(), HasSubstr("files are not available here"));
}

TEST_F(LoaderTest, WholeReferencesTakeTheTypeOfTheirText) {
  variables_ = {{"INT", "12"},      {"BOOL", "true"},     {"TEXT", "plain"},    {"QUOTED", "\"q\""},
                {"LIST", "[1, a]"}, {"MAP", "{k: v}"},    {"EMPTY", ""},        {"BAD", "[x"},
                {"OCTAL", "0123"},  {"COLON", "a: b: c"}, {"URL", "http://h:1"}};
  EXPECT_EQ(Expand("${env:INT}"), ConfigNode::Plain("12"));
  EXPECT_EQ(Expand("${INT}"), ConfigNode::Plain("12"));
  EXPECT_EQ(Expand("\"${INT}\""), ConfigNode::Plain("12"));  // The Collector forgets quotes.
  EXPECT_EQ(Expand("${env:BOOL}"), ConfigNode::Plain("true"));
  EXPECT_EQ(Expand("${env:TEXT}"), ConfigNode::String("plain"));
  EXPECT_EQ(Expand("${env:QUOTED}"), ConfigNode::String("\"q\""));
  EXPECT_EQ(Expand("${env:LIST}"), Parse("[1, a]"));
  EXPECT_EQ(Expand("${env:MAP}"), Parse("{k: v}"));
  EXPECT_EQ(Expand("${env:EMPTY}"), ConfigNode());
  EXPECT_EQ(Expand("${env:BAD}"), ConfigNode::String("[x"));
  EXPECT_EQ(Expand("${env:COLON}"), ConfigNode::String("a: b: c"));
  EXPECT_EQ(Expand("${env:URL}"), ConfigNode::String("http://h:1"));
  EXPECT_EQ(Expand("${env:OCTAL}").expanded_text(), "0123");
  EXPECT_EQ(Expand("${env:LIST}").expanded_text(), "[1, a]");
  EXPECT_EQ(Expand("${env:MAP}").expanded_text(), "{k: v}");
}

TEST_F(LoaderTest, InsideATextReferencesAreText) {
  variables_ = {{"HOST", "h"}, {"PORT", "4317"}, {"LIST", "[1, a]"}, {"ONE", "1"}};
  EXPECT_EQ(Expand("${HOST}:${env:PORT}"), ConfigNode::String("h:4317"));
  EXPECT_EQ(Expand("x${LIST}"), ConfigNode::String("x[1, a]"));
  EXPECT_EQ(Expand("${ONE}${ONE}"), ConfigNode::String("11"));  // A string, as in the Collector.
  EXPECT_EQ(Expand("[a, \"${ONE}-\", {k: \"${HOST}\"}]"), Parse("[a, '1-', {k: h}]"));
}

TEST_F(LoaderTest, Defaults) {
  variables_ = {{"SET", "s"}, {"EMPTY", ""}};
  EXPECT_EQ(Expand("${env:SET:-d}"), ConfigNode::String("s"));
  EXPECT_EQ(Expand("${env:NONE:-d}"), ConfigNode::String("d"));
  EXPECT_EQ(Expand("${env:NONE:-12}"), ConfigNode::Plain("12"));
  EXPECT_EQ(Expand("${env:NONE:-}"), ConfigNode::String(""));
  EXPECT_EQ(Expand("${env:EMPTY:-d}"), ConfigNode());  // Set, though empty.
  EXPECT_EQ(Expand("${NONE:-d}"), ConfigNode::String("d"));
  EXPECT_EQ(Expand("${env:NONE:-a:-b}"), ConfigNode::String("a:-b"));
  EXPECT_EQ(errors_.warning_count(), 0u);
}

TEST_F(LoaderTest, DollarSigns) {
  variables_ = {{"A", "a"}, {"DOLLAR", "pa$$word$1"}};
  EXPECT_EQ(Expand("$$"), ConfigNode::String("$"));
  EXPECT_EQ(Expand("$$$$"), ConfigNode::String("$$"));
  EXPECT_EQ(Expand("a $1 $x $"), ConfigNode::String("a $1 $x $"));
  EXPECT_EQ(Expand("$${A}"), ConfigNode::String("${A}"));
  EXPECT_EQ(Expand("$$${A}"), ConfigNode::String("$a"));
  EXPECT_EQ(Expand("$$$${A}"), ConfigNode::String("$${A}"));
  EXPECT_EQ(Expand("$${A} ${A}"), ConfigNode::String("${A} a"));
  EXPECT_EQ(Expand("'${A'"), ConfigNode::String("${A"));
  EXPECT_EQ(Expand("'A} ${A}'"), ConfigNode::String("A} a"));
  EXPECT_EQ(Expand("${DOLLAR}"), ConfigNode::String("pa$word$1"));
}

TEST_F(LoaderTest, ReferencesNestAndAreFollowed) {
  variables_ = {
      {"NAME", "INNER"}, {"INNER", "7"}, {"CHAIN", "${NAME}-${INNER}"}, {"GO", "${INNER}"}};
  files_["part.yaml"] = "a: ${INNER}\nb::c: [\"${NAME}\"]\n";
  EXPECT_EQ(Expand("${env:${NAME}}"), ConfigNode::Plain("7"));
  EXPECT_EQ(Expand("${CHAIN}"), ConfigNode::String("INNER-7"));
  EXPECT_EQ(Expand("${GO}"), ConfigNode::Plain("7"));
  EXPECT_EQ(Expand("${file:part.yaml}"), Parse("{a: 7, b: {c: [INNER]}}"));
  EXPECT_EQ(Expand("${yaml:[1, 2]}"), Parse("[1, 2]"));
  EXPECT_EQ(Expand("${env:NONE:-${NAME}}"), ConfigNode::String("INNER"));
  EXPECT_THAT(loaded_.files, IsEmpty());
}

TEST_F(LoaderTest, ValuesKnowTheirOrigin) {
  variables_ = {{"PORT", "1"}};
  files_["a.yaml"] = "p: ${env:PORT}\nq: x${PORT}\nr: ${file:b.yaml}\ns: ${PORT:-4}\n";
  files_["b.yaml"] = "in: side\n";
  const ConfigNode root = Load({"a.yaml"});
  EXPECT_EQ(RenderYaml(root, OriginComments::kShown),
            "p: 1  # env:PORT at a.yaml:1:4\n"
            "q: x1  # env:PORT at a.yaml:2:4\n"
            "r:\n"
            "  in: side  # file:b.yaml:1:5\n"
            "s: 1  # env:PORT at a.yaml:4:4\n");
  EXPECT_THAT(loaded_.files, ElementsAre("a.yaml", "b.yaml"));
}

TEST_F(LoaderTest, UnsetVariablesWarnOnce) {
  EXPECT_EQ(Load({"yaml:{a: \"${env:NONE}\", b: \"x${NONE}\", c: \"${OTHER}\"}"}),
            Parse("{a: , b: x, c: }"));
  EXPECT_TRUE(errors_.ok());
  EXPECT_EQ(errors_.warning_count(), 2u);
  EXPECT_THAT(errors_.Render(), HasSubstr("warning: a: environment variable `NONE` is not set"));
}

TEST_F(LoaderTest, BadReferencesAreErrors) {
  const struct {
    const char* value;
    const char* problem;
  } cases[] = {
      {"${1}", "`1` is no name of an environment variable; write `$${` for a literal `${`"},
      {"${env:a-b}", "`a-b` is no name"},
      {"${}", "`` is no name"},
      {"${s3:x}", "`s3` is no known scheme"},
      {"${file:none}", "cannot read `file:none`: not there"},
      {"'${env:$A}'", "has a `$` in it"},
      {"'x ${file:none} y'", "cannot read `file:none`"},
  };
  for (const auto& [value, problem] : cases) {
    EXPECT_THAT(ExpandError(value), HasSubstr(problem)) << value;
  }
  EXPECT_TRUE(Load({"yaml:{a: '${1}', b: {c: ['${2}']}}"}).is_null());
  EXPECT_THAT(errors_.Render(), HasSubstr("error: b::c[0]: `2` is no name"));
  EXPECT_EQ(errors_.error_count(), 2u);
}

// Scenario: references that lead back to themselves, in every form.
// Guarantees: an error instead of an endless or ever growing load.
TEST_F(LoaderTest, EndlessReferencesAreErrors) {
  variables_ = {{"SELF", "${SELF}"},
                {"TWICE", "x${TWICE}${TWICE}"},
                {"LIST", "[\"${LIST}\", \"${LIST}\"]"},
                {"LONG", std::string(20'000, 'x') + "${LONG}"}};
  files_["self.yaml"] = "a: ${file:self.yaml}\nb: ${file:self.yaml}\n";
  EXPECT_THAT(ExpandError("${SELF}"), HasSubstr("more than 2000 references"));
  EXPECT_THAT(ExpandError("${TWICE}"), HasSubstr("error"));
  EXPECT_THAT(ExpandError("${LIST}"), HasSubstr("never end"));
  EXPECT_THAT(ExpandError("${LONG}"), HasSubstr("expands to more than"));
  EXPECT_THAT(ExpandError("${file:self.yaml}"), HasSubstr("never end"));
  EXPECT_LE(errors_.problems().size(), ConfigErrors::kProblemsMax);
}

TEST_F(LoaderTest, DoubleColonKeysNest) {
  EXPECT_EQ(Load({"yaml:{a::b: 1, a::c::d: 2, a: {e: 3}, 'x::': 4, '::y': 5}"}),
            Parse("{a: {b: 1, c: {d: 2}, e: 3}, 'x::': 4, '::y': 5}"));
  std::string deep = "a";
  for (int i = 0; i < 100'000; ++i) {
    deep += "::a";
  }
  Load({"yaml:\"" + deep + "\": 1"});
  EXPECT_FALSE(errors_.ok());
}

TEST_F(LoaderTest, SecretsOfOverridesAreNotRepeated) {
  Load({"yaml:a: 1"}, {"a.token=[hunter2"});
  EXPECT_FALSE(errors_.ok());
  EXPECT_THAT(errors_.Render(), Not(HasSubstr("hunter2")));
}

TEST(ReadConfigFileTest, ReadsAndRefuses) {
  const std::string path = ::testing::TempDir() + "weir_loader_test.yaml";
  std::FILE* file = std::fopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  ASSERT_GE(std::fputs("a: 1\n", file), 0);
  ASSERT_EQ(std::fclose(file), 0);
  EXPECT_EQ(ReadConfigFile(path).value_or("(error)"), "a: 1\n");
  EXPECT_FALSE(ReadConfigFile(path + ".none").ok());
  EXPECT_FALSE(ReadConfigFile(::testing::TempDir()).ok());
  EXPECT_FALSE(ReadConfigFile("/dev/zero").ok());
  std::remove(path.c_str());
}

}  // namespace
}  // namespace weir
