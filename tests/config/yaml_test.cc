#include "weir/config/yaml.h"

#include <string>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/config/parse.h"
#include "weir/config/render.h"

namespace weir {
namespace {

using ::testing::HasSubstr;

std::string Problems(std::string text) {
  ConfigErrors errors;
  EXPECT_EQ(TryParse(std::move(text), errors), std::nullopt);
  return errors.Render();
}

TEST(YamlTest, MarksEveryKeyAndValue) {
  const ConfigNode root = Parse("a: 1\nb:\n  - x\n  - {c: 'two'}\nd:\ne: |\n  text\n");
  EXPECT_EQ(root.Find("a")->mark().ToString(), "test.yaml:1:4");
  EXPECT_EQ(root.FindEntry("b")->key_mark.ToString(), "test.yaml:2:1");
  EXPECT_EQ(root.Find("b")->items()[1].mark().ToString(), "test.yaml:4:5");
  const ConfigNode* two = root.Find("b")->items()[1].Find("c");
  EXPECT_EQ(two->mark().ToString(), "test.yaml:4:9");
  EXPECT_TRUE(two->quoted());
  EXPECT_FALSE(root.Find("a")->quoted());
  EXPECT_EQ(root.Find("d")->mark().ToString(), "test.yaml:5:1");  // Null: the place of its key.
  EXPECT_EQ(root.Find("e")->scalar(), "text\n");
  EXPECT_TRUE(root.Find("e")->quoted());
}

TEST(YamlTest, EmptyDocumentsAreNull) {
  for (const char* text : {"", "\n\n", "# only a comment\n", "---\n", "~"}) {
    EXPECT_TRUE(Parse(text).is_null()) << text;
  }
}

TEST(YamlTest, AnchorsAliasesAndMergeKeys) {
  const ConfigNode root = Parse(
      "base: &b {x: 1, y: 2}\n"
      "more: &m {y: 3, z: 4}\n"
      "one: {<<: *b, y: 9}\n"
      "two:\n"
      "  x: 0\n"
      "  <<: [*m, *b]\n"
      "same: *b\n"
      "quoted: {'<<': 1}\n");
  EXPECT_EQ(*root.Find("one"), Parse("{x: 1, y: 9}"));
  EXPECT_EQ(*root.Find("two"), Parse("{x: 0, y: 3, z: 4}"));
  EXPECT_EQ(*root.Find("same"), *root.Find("base"));
  EXPECT_EQ(*root.Find("quoted"), Parse("{'<<': 1}"));
}

TEST(YamlTest, Tags) {
  const ConfigNode root = Parse("a: !!str 12\nb: !!int '12'\nc: !mine x\n");
  EXPECT_EQ(root.Find("a")->type(), ConfigNode::Type::kString);
  EXPECT_EQ(root.Find("b")->type(), ConfigNode::Type::kInteger);
  EXPECT_EQ(root.Find("c")->scalar(), "x");
}

TEST(YamlTest, RefusesWithAMark) {
  const struct {
    const char* text;
    const char* problem;
  } cases[] = {
      {"a: 1\nb: 2\na: 3\n",
       "test.yaml:3:1: error: key `a` is given twice; the first is in line 1"},
      {"x:\n  {k: 1, k: 1}\n", "test.yaml:2:10: error: key `k` is given twice"},
      {"a: [1, 2\n", "error: invalid YAML"},
      {"a: b: c\n", "test.yaml:1:5: error: invalid YAML"},
      {"a: 'x\n", "illegal EOF in scalar"},
      {"a: \"x\n\n", "illegal EOF in scalar"},
      {"a: ['x', \"y]", "illegal EOF in scalar"},
      {"a: *nobody\n", "test.yaml:1:4: error: invalid YAML"},
      {"a: &x [*x]\n", "this alias refers to a value that contains it"},
      {"[a]: 1\n", "a key must be text"},
      {"? {b: c}\n: 1\n", "a key must be text"},
      {"~: 1\n", "a key must be text"},
      {"a: {<<: 5}\n", "`<<` takes a map or a list of maps"},
      {"a: {<<: [{x: 1}, 2]}\n", "`<<` takes a map or a list of maps"},
      {"a: !!binary aGk=\n", "`!!binary` is not supported"},
      {"\tb: 1\n", "invalid YAML"},
      {"a: 1\n--- [\n", "invalid YAML"},
  };
  for (const auto& [text, problem] : cases) {
    EXPECT_THAT(Problems(text), HasSubstr(problem)) << text;
  }
}

TEST(YamlTest, ReportsEveryDuplicate) {
  ConfigErrors errors;
  EXPECT_EQ(TryParse("a: 1\na: 2\nb: {c: 1, c: 2}\n", errors), std::nullopt);
  EXPECT_EQ(errors.error_count(), 2u);
}

TEST(YamlTest, SecondDocumentIsAWarning) {
  ConfigErrors errors;
  const std::optional<ConfigNode> root = TryParse("a: 1\n---\na: 2\n", errors);
  ASSERT_TRUE(root.has_value());
  EXPECT_EQ(root->Find("a")->scalar(), "1");
  EXPECT_EQ(errors.warning_count(), 1u);
}

// Scenario: nine levels of nine aliases each, 9^9 values when written out.
// Guarantees: an error, at once and in little memory.
TEST(YamlTest, BillionLaughsAreRefused) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i <= 9; ++i) {
    text += fmt::format(
        "a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i, i - 1);
  }
  EXPECT_THAT(Problems(text), HasSubstr("counting what aliases unfold to"));
}

TEST(YamlTest, MergeBombIsRefused) {
  std::string text = "a: &a {";
  for (int i = 0; i < 1000; ++i) {
    text += fmt::format("k{}: 1, ", i);
  }
  text += "}\nb:\n";
  for (int i = 0; i < 1000; ++i) {
    text += "  - <<: *a\n";
  }
  EXPECT_THAT(Problems(text), HasSubstr("more than 200000 values"));
}

TEST(YamlTest, DepthIsLimited) {
  EXPECT_FALSE(Parse(std::string(100, '[') + std::string(100, ']')).is_null());
  EXPECT_THAT(Problems(std::string(101, '[') + std::string(101, ']')),
              HasSubstr("nested deeper than 100 levels"));
  // Past the parser's own limit.
  EXPECT_THAT(Problems(std::string(100'000, '[')), HasSubstr("error: "));
}

TEST(YamlTest, SizeIsLimited) {
  EXPECT_THAT(Problems(std::string(kConfigBytesMax + 1, '#')),
              HasSubstr("larger than 4194304 bytes"));
}

TEST(YamlTest, RenderedYamlReadsBackEqual) {
  const ConfigNode root = Parse(
      "a: {b: [1, '1', 1.5, true, 'true', null, '', ~], c: {}}\n"
      "'key: with': [[1, [2]], {x: [{y: z}]}, []]\n"
      "text: \"line\\nbreak \\\"q\\\" \\\\ tab\\t # no comment\"\n"
      "multi: |\n  a\n   b\n"
      "url: http://h:1/p?q#f\n"
      "odd: ['- a', '? b', ': c', '[x', 'x]', '{', '#d', '@e', '`f', '%g', 'a: b', 'a #b', '12s',"
      " '*x', '&x', '!x', '|', '>', '=', '<<', 'a:', ' b', 'b ', \"\\x01\", '\u00e9']\n");
  EXPECT_EQ(Parse(RenderYaml(root)), root) << RenderYaml(root);
  EXPECT_EQ(Parse(RenderYaml(root, OriginComments::kShown)), root);
  EXPECT_EQ(Parse(RenderFlow(root)), root) << RenderFlow(root);
  EXPECT_EQ(Parse(RenderJson(root)), root) << RenderJson(root);
}

TEST(YamlTest, JsonWritesNumbersJsonKnows) {
  EXPECT_EQ(RenderJson(Parse("[0x10, 017, 1_0, .5, .inf, True, ~]")),
            "[\n  16,\n  15,\n  10,\n  0.5,\n  \".inf\",\n  true,\n  null\n]\n");
}

}  // namespace
}  // namespace weir
