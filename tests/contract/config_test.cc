// Every component's options: read, written back, refused with a hint, described, and told in its
// README in the same words.

#include <gtest/gtest.h>

#include <algorithm>

#include "fmt/format.h"
#include "tests/contract/readme.h"
#include "tests/contract/subject.h"
#include "weir/config/fields.h"
#include "weir/config/render.h"
#include "weir/config/yaml.h"

namespace weir::contract {
namespace {

class ConfigTest : public ::testing::TestWithParam<const FactoryInfo*> {
 protected:
  // What `options` make of a default configuration, written back with every option.
  ConfigNode RoundTrip(const ConfigNode& options, ConfigErrors& errors) const {
    const std::shared_ptr<void> config = type_.MakeDefault();
    type_.Read(options, {.path = ConfigPath(info_), .errors = errors}, config.get());
    return type_.Format(config.get(), SecretPolicy::kReveal);
  }

  // `options` without what is at its default: an option may be refused where it is named (as one
  // that another switches off), and absent ones are never written down.
  ConfigNode WithoutDefaults(const ConfigNode& options) const {
    const std::shared_ptr<void> config = type_.MakeDefault();
    const ConfigNode defaults = type_.Format(config.get(), SecretPolicy::kReveal);
    std::vector<ConfigNode::Entry> given;
    for (const ConfigNode::Entry& entry : options.entries()) {
      if (entry.value != *defaults.Find(entry.key)) {
        given.push_back(entry);
      }
    }
    return ConfigNode::Map(std::move(given));
  }

  const FactoryInfo& info_ = *GetParam();
  const StructType& type_ = *info_.config;
};

TEST_P(ConfigTest, ExamplesAreValid) {
  ConfigErrors errors;
  const std::vector<Example> examples = Examples(info_, errors);
  EXPECT_FALSE(examples.empty()) << "no example configures " << ConfigPath(info_);
  for (const Example& example : examples) {
    static_cast<void>(RoundTrip(example.options, errors));
  }
  EXPECT_TRUE(errors.ok()) << errors.Render();
}

TEST_P(ConfigTest, WhatIsWrittenReadsAsTheSame) {
  ConfigErrors errors;
  std::vector<Example> examples = Examples(info_, errors);
  for (const Example& example : examples) {
    const ConfigNode once = RoundTrip(example.options, errors);
    const ConfigNode written = WithoutDefaults(once);
    EXPECT_EQ(once, RoundTrip(written, errors)) << RenderYaml(once);

    // The same by way of text, as `weir print-config` shows it.
    const std::optional<ConfigNode> parsed = ParseYaml(
        std::make_shared<const ConfigSource>(ConfigSource{"written.yaml", RenderYaml(written)}),
        errors);
    ASSERT_TRUE(parsed.has_value()) << errors.Render();
    EXPECT_EQ(once, RoundTrip(*parsed, errors)) << RenderYaml(once);
  }
  EXPECT_TRUE(errors.ok()) << errors.Render();
}

TEST_P(ConfigTest, AnUnknownOptionIsAnErrorWithASuggestion) {
  const std::vector<FieldRow> rows = FieldRows(type_);
  // The longest name, so that a slip of the pen has one nearest neighbour.
  std::string known;
  for (const FieldRow& row : rows) {
    if (row.option.find("::") == std::string::npos && row.option.find('[') == std::string::npos &&
        row.option.size() > known.size()) {
      known = row.option;
    }
  }
  const std::string slip = known.empty() ? "nonsense" : known + known.back();
  ConfigErrors errors;
  static_cast<void>(
      RoundTrip(ConfigNode::Map({{.key = slip, .key_mark = {}, .value = {}}}), errors));
  EXPECT_EQ(1U, errors.error_count());
  const std::string text = errors.Render();
  EXPECT_NE(std::string::npos, text.find(fmt::format("unknown option `{}`", slip))) << text;
  if (!known.empty()) {
    EXPECT_NE(std::string::npos, text.find(fmt::format("did you mean `{}`?", known))) << text;
  }
}

TEST_P(ConfigTest, OptionsThatAreNoMapAreAnError) {
  for (const ConfigNode& wrong :
       {ConfigNode::String("text"), ConfigNode::Sequence({ConfigNode::Plain("1")})}) {
    ConfigErrors errors;
    static_cast<void>(RoundTrip(wrong, errors));
    EXPECT_FALSE(errors.ok());
  }
}

TEST_P(ConfigTest, EveryOptionSaysWhatItMeans) {
  for (const FieldRow& row : FieldRows(type_)) {
    EXPECT_FALSE(row.meaning.empty()) << row.option;
    EXPECT_TRUE(row.meaning.ends_with('.')) << row.option << ": " << row.meaning;
  }
}

TEST_P(ConfigTest, TheReadmeHasTheOptionTable) {
  const Readme readme(info_);
  const std::string table = RenderFieldTable(type_);
  if (UpdateDocs() && readme.OptionTable() != table) {
    const std::string text = readme.WithOptionTable(table);
    ASSERT_FALSE(text.empty()) << readme.path() << " has no section Options";
    WriteSource(readme.path(), text);
    return;
  }
  EXPECT_EQ(table, readme.OptionTable())
      << readme.path() << " differs from config.h; WEIR_UPDATE_DOCS=1 writes the table anew";
}

INSTANTIATE_TEST_SUITE_P(Every, ConfigTest, ::testing::ValuesIn(AllComponents()), TestName);

}  // namespace
}  // namespace weir::contract
