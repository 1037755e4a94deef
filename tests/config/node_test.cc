#include "weir/config/node.h"

#include <cmath>

#include "gtest/gtest.h"

namespace weir {
namespace {

TEST(NodeTest, PlainScalarsHaveTheTypesOfYamlV3) {
  using Type = ConfigNode::Type;
  const struct {
    const char* text;
    Type type;
  } cases[] = {
      {"", Type::kNull},        {"~", Type::kNull},         {"null", Type::kNull},
      {"NULL", Type::kNull},    {"nul", Type::kString},     {"true", Type::kBool},
      {"False", Type::kBool},   {"TRUE", Type::kBool},      {"tRUE", Type::kString},
      {"yes", Type::kString},   {"no", Type::kString},      {"on", Type::kString},
      {"Off", Type::kString},   {"y", Type::kString},       {"0", Type::kInteger},
      {"-12", Type::kInteger},  {"+12", Type::kInteger},    {"1_000", Type::kInteger},
      {"0x1F", Type::kInteger}, {"0o17", Type::kInteger},   {"0b101", Type::kInteger},
      {"017", Type::kInteger},  {"089", Type::kFloat},      {"0x", Type::kString},
      {"--1", Type::kString},   {"1.5", Type::kFloat},      {".5", Type::kFloat},
      {"5.", Type::kFloat},     {"1e3", Type::kFloat},      {"1.5E-3", Type::kFloat},
      {".inf", Type::kFloat},   {"-.Inf", Type::kFloat},    {".NaN", Type::kFloat},
      {".", Type::kString},     {"1e", Type::kString},      {"e3", Type::kString},
      {"inf", Type::kString},   {"nan", Type::kString},     {"1.2.3", Type::kString},
      {"5s", Type::kString},    {"0.0.0.0", Type::kString}, {"-", Type::kString},
      {"12:34", Type::kString}, {"_", Type::kString},       {"0_1", Type::kInteger},
      {"- 1", Type::kString},   {"+", Type::kString},       {"0xg", Type::kString},
      {"+-1", Type::kString},
  };
  for (const auto& [text, type] : cases) {
    EXPECT_EQ(ConfigNode::Plain(text).type(), type) << text;
    EXPECT_EQ(ConfigNode::String(text).type(), Type::kString) << text;
  }
}

TEST(NodeTest, Integers) {
  EXPECT_EQ(ParseYamlInteger("0x1f")->magnitude, 31u);
  EXPECT_EQ(ParseYamlInteger("0o17")->magnitude, 15u);
  EXPECT_EQ(ParseYamlInteger("017")->magnitude, 15u);
  EXPECT_EQ(ParseYamlInteger("0b11")->magnitude, 3u);
  EXPECT_EQ(ParseYamlInteger("18446744073709551615")->magnitude, 18446744073709551615u);
  EXPECT_TRUE(ParseYamlInteger("-9223372036854775808")->negative);
  EXPECT_FALSE(ParseYamlInteger("18446744073709551616").has_value());
  EXPECT_FALSE(ParseYamlInteger("").has_value());
  EXPECT_FALSE(ParseYamlInteger("1.0").has_value());
}

TEST(NodeTest, Floats) {
  EXPECT_EQ(ParseYamlFloat("-2"), -2.0);
  EXPECT_EQ(ParseYamlFloat("+1.25"), 1.25);
  EXPECT_EQ(ParseYamlFloat("-.inf"), -HUGE_VAL);
  EXPECT_TRUE(std::isnan(*ParseYamlFloat(".nan")));
  EXPECT_FALSE(ParseYamlFloat("0x1p3").has_value());
  EXPECT_FALSE(ParseYamlFloat("1e999").has_value());
}

TEST(NodeTest, EqualityIsOfValues) {
  const ConfigNode one = ConfigNode::Map(
      {{"a", {}, ConfigNode::Plain("1")}, {"b", {}, ConfigNode::Sequence({ConfigNode()})}});
  const ConfigNode other = ConfigNode::Map(
      {{"b", {}, ConfigNode::Sequence({ConfigNode()})}, {"a", {}, ConfigNode::Plain("1")}},
      SourceMark{nullptr, 3, 4});
  EXPECT_EQ(one, other);
  EXPECT_NE(ConfigNode::Plain("1"), ConfigNode::String("1"));
  EXPECT_NE(one, ConfigNode::Map({{"a", {}, ConfigNode::Plain("1")}}));
  EXPECT_NE(ConfigNode::Map({}), ConfigNode::Sequence({}));
}

TEST(NodeTest, AccessorsOfTheWrongKindAreEmpty) {
  const ConfigNode null;
  EXPECT_EQ(null.Find("a"), nullptr);
  EXPECT_TRUE(null.items().empty());
  EXPECT_EQ(null.scalar(), "");
  EXPECT_EQ(ConfigNode::Plain("x").size(), 0u);
}

}  // namespace
}  // namespace weir
