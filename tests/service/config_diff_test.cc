#include "service/config_diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/service/service_fixture.h"

namespace weir::service {
namespace {

constexpr char kBase[] = R"(
receivers: {fake: {port: 1, authenticator: auth}, fake/2: {port: 2}, fake/unused: {}}
processors: {pass: {label: a}, keep: {size: 3}}
exporters: {fake: {label: x}}
extensions: {auth: {label: secret}, page: {}}
service:
  extensions: [auth, page]
  pipelines:
    traces: {receivers: [fake], processors: [pass, keep], exporters: [fake]}
    logs: {receivers: [fake/2], processors: [pass], exporters: [fake]}
)";

std::string With(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string Diff(const std::string& before, const std::string& after) {
  return DiffConfigs(ParseFakes(before).config, ParseFakes(after).config, FakeRegistry()).ToText();
}

TEST(ConfigDiffTest, TheSameMeaningIsNoDifference) {
  EXPECT_EQ(Diff(kBase, kBase), "");
  EXPECT_EQ(Diff(kBase, With(kBase, "{size: 3}", "{size: 3, fail: false, port: 0}")), "");
  EXPECT_EQ(Diff(kBase, With(kBase, "{label: a}", "{old_label: a}")), "");
  EXPECT_EQ(Diff(kBase, With(kBase, "{label: a}", "{label: \"a\"}")), "");
  EXPECT_EQ(Diff(kBase, With(kBase, "fake/unused: {}", "fake/unused: {port: 9}")), "");
}

struct Case {
  const char* from;
  const char* to;
  const char* text;
};

TEST(ConfigDiffTest, NamesWhatDiffersAndWhy) {
  const Case cases[] = {
      {"{size: 3}", "{size: 4}", "~ processors::keep: size\n"},
      {"{port: 2}", "{port: 2, label: b, fail: true, size: 8, authenticator: z}",
       "~ receivers::fake/2: size, label, authenticator and 1 more\n"},
      {"{label: secret}", "{label: other}",
       "~ receivers::fake: extension auth\n~ extensions::auth: label\n"},
      {"{label: x}", "{label: x, sending_queue: {queue_size: 7}}",
       "~ exporters::fake: sending_queue::queue_size\n"},
      {"extensions: [auth, page]", "extensions: [auth]", "- extensions::page\n"},
      {"extensions: [auth, page]", "extensions: [page, auth]", "~ service::extensions\n"},
      {"processors: [pass, keep]", "processors: [keep, pass]",
       "~ service::pipelines::traces: processors [pass, keep] -> [keep, pass]\n"},
      {"receivers: [fake/2]", "receivers: [fake/2, fake/unused]",
       "+ receivers::fake/unused\n"
       "~ service::pipelines::logs: receivers [fake/2] -> [fake/2, fake/unused]\n"},
      {"receivers: [fake/2]", "receivers: [fake/2, fake]",
       "~ receivers::fake: its signals\n"
       "~ service::pipelines::logs: receivers [fake/2] -> [fake/2, fake]\n"},
      {"logs:", "logs/b:", "- service::pipelines::logs\n+ service::pipelines::logs/b\n"},
      {"processors: [pass, keep]", "lanes: 2, processors: [pass, keep]",
       "~ service::pipelines::traces: lanes\n"},
      {"  extensions: [auth, page]", "  shutdown_timeout: 7s\n  extensions: [auth, page]",
       "~ service::shutdown_timeout\n"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(Diff(kBase, With(kBase, each.from, each.to)), each.text) << each.to;
  }
}

TEST(ConfigDiffTest, AsJsonAndInOneLine) {
  const ConfigDiff diff =
      DiffConfigs(ParseFakes(kBase).config,
                  ParseFakes(With(kBase, "{size: 3}", "{size: 4}")).config, FakeRegistry());
  EXPECT_EQ(diff.ToJson(),
            "{\"changes\":[{\"path\":\"processors::keep\",\"change\":\"changed\","
            "\"reason\":\"size\"}]}\n");
  EXPECT_EQ(diff.Summary(), "processors::keep changed (size)");
  EXPECT_EQ(ConfigDiff().ToJson(), "{\"changes\":[]}\n");
  EXPECT_EQ(ConfigDiff().Summary(), "nothing");
}

TEST(ConfigDiffTest, TheHashTellsConfigurationsApart) {
  const KnownComponents known = DescribeComponents(FakeRegistry());
  const std::string hash = HashConfig(ParseFakes(kBase).root, known);
  EXPECT_EQ(hash.size(), 16U);
  EXPECT_EQ(hash, HashConfig(ParseFakes(kBase).root, known));
  EXPECT_NE(hash, HashConfig(ParseFakes(With(kBase, "{size: 3}", "{size: 4}")).root, known));
}

}  // namespace
}  // namespace weir::service
