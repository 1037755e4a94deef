// What the documentation says of components is what the registry knows of them.

#include <gtest/gtest.h>

#include <algorithm>

#include "fmt/format.h"
#include "tests/contract/readme.h"
#include "tests/contract/subject.h"

namespace weir::contract {
namespace {

std::string Signals(SignalSet signals) {
  std::string text;
  for (const Signal signal : kSignals) {
    if (signals.Has(signal)) {
      text += text.empty() ? "" : ", ";
      text += SignalName(signal);
    }
  }
  return text;
}

std::string SignalsOfComponent(const FactoryInfo& info) {
  const std::string in = Signals(info.signals);
  return info.outputs == SignalSet() ? in : fmt::format("{} to {}", in, Signals(info.outputs));
}

// The index of components, with links that work from a document in `folder` ("" or "docs").
std::string Index(const std::string& folder) {
  const std::string up = folder.empty() ? "" : "../";
  std::string text =
      "| component | signals | stability | also called |\n| --- | --- | --- | --- |\n";
  for (const FactoryInfo* info : AllComponents()) {
    std::string aliases;
    for (const std::string_view alias : info->aliases) {
      aliases += fmt::format("{}`{}`", aliases.empty() ? "" : ", ", alias);
    }
    text += fmt::format("| [`{}` {}]({}{}) | {} | {} | {} |\n", info->type,
                        ComponentKindName(info->kind), up, Readme(*info).path(),
                        SignalsOfComponent(*info), StabilityName(info->stability), aliases);
  }
  return text;
}

class ReadmeTest : public ::testing::TestWithParam<const FactoryInfo*> {
 protected:
  const FactoryInfo& info_ = *GetParam();
  const Readme readme_{info_};
};

TEST_P(ReadmeTest, HasTheSectionsOfTheHouse) {
  ASSERT_FALSE(readme_.text().empty()) << readme_.path();
  EXPECT_EQ(fmt::format("{} {}", info_.type, ComponentKindName(info_.kind)), readme_.Title());
  EXPECT_FALSE(readme_.Overview().empty()) << readme_.path() << " does not say what it is for";

  // In this order; sections of its own may stand between them.
  const std::vector<std::string> sections = readme_.Sections();
  auto at = sections.begin();
  for (const char* const heading : {"Getting started", "Options", "Own metrics", "Limits"}) {
    at = std::find(at, sections.end(), heading);
    ASSERT_NE(sections.end(), at) << readme_.path() << " lacks, or has too early: " << heading;
    EXPECT_GT(readme_.Section(heading).size(), 1U) << heading << " is empty";
  }
}

TEST_P(ReadmeTest, ItsFactsAreTheFactorys) {
  const std::vector<std::string> facts = readme_.Facts();
  ASSERT_EQ(4U, facts.size()) << readme_.path() << ": | Type | Signals | Stability | Loss |";
  EXPECT_EQ(fmt::format("`{}s: {}`", ComponentKindName(info_.kind), info_.type), facts[0]);
  if (info_.kind != ComponentKind::kExtension) {
    EXPECT_EQ(SignalsOfComponent(info_), facts[1]);
  }
  EXPECT_EQ(StabilityName(info_.stability), facts[2]);
  EXPECT_FALSE(facts[3].empty()) << "what can be lost here?";
}

TEST_P(ReadmeTest, NamesItsOtherNames) {
  for (const std::string_view alias : info_.aliases) {
    EXPECT_NE(std::string::npos, readme_.text().find(fmt::format("`{}`", alias)))
        << readme_.path() << " does not mention " << alias;
  }
}

INSTANTIATE_TEST_SUITE_P(Every, ReadmeTest, ::testing::ValuesIn(AllComponents()), TestName);

class IndexTest : public ::testing::TestWithParam<const char*> {};

TEST_P(IndexTest, ListsWhatIsRegistered) {
  const std::string path = GetParam();
  const std::string text = ReadSource(path);
  const std::string folder =
      path.substr(0, path.find('/') == std::string::npos ? 0 : path.find('/'));
  const std::string wanted = ReplaceGenerated(text, "components", Index(folder));
  ASSERT_FALSE(wanted.empty()) << path
                               << " has no lines <!-- components --> and <!-- end components -->";
  if (UpdateDocs()) {
    WriteSource(path, wanted);
    return;
  }
  EXPECT_EQ(wanted, text) << "WEIR_UPDATE_DOCS=1 writes the index anew";
}

std::string DocumentName(const ::testing::TestParamInfo<const char*>& document) {
  return document.index == 0 ? "Readme" : "Docs";
}

INSTANTIATE_TEST_SUITE_P(Documents, IndexTest, ::testing::Values("README.md", "docs/components.md"),
                         DocumentName);

}  // namespace
}  // namespace weir::contract
