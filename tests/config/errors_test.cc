#include "weir/config/errors.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace weir {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

SourceMark At(const std::shared_ptr<const ConfigSource>& source, int line, int column) {
  return {source, line, column};
}

std::shared_ptr<const ConfigSource> Source(std::string name, std::string text) {
  return std::make_shared<const ConfigSource>(ConfigSource{std::move(name), std::move(text)});
}

TEST(ErrorsTest, RendersPlaceLineAndCaret) {
  const auto source = Source("a.yaml", "one: 1\n  grcp: \xc3\xa9 x y\r\n");
  ConfigErrors errors;
  errors.Add(At(source, 2, 11), "receivers::otlp", "is wrong");
  EXPECT_EQ(errors.Render(),
            "a.yaml:2:11: error: receivers::otlp: is wrong\n"
            "      grcp: \xc3\xa9 x y\n"
            "             ^\n");
  EXPECT_EQ(errors.ToStatus().message(), "a.yaml:2:11: error: receivers::otlp: is wrong");
}

TEST(ErrorsTest, AllAreShownInTheOrderOfTheFiles) {
  const auto first = Source("a.yaml", "");
  const auto second = Source("b.yaml", "");
  ConfigErrors errors;
  errors.Add(At(first, 9, 1), "", "nine");
  errors.Warn(At(second, 1, 1), "", "other file");
  errors.Add(At(first, 2, 5), "", "two, five");
  errors.Add(At(first, 2, 1), "p", "two, one");
  errors.Add({}, "", "nowhere");
  EXPECT_EQ(errors.Render(),
            "error: nowhere\n"
            "a.yaml:2:1: error: p: two, one\n"
            "a.yaml:2:5: error: two, five\n"
            "a.yaml:9:1: error: nine\n"
            "b.yaml:1:1: warning: other file\n");
  EXPECT_EQ(errors.error_count(), 4u);
  EXPECT_EQ(errors.warning_count(), 1u);
}

TEST(ErrorsTest, WarningsAreNoErrors) {
  ConfigErrors errors;
  errors.Warn({}, "", "hm");
  EXPECT_TRUE(errors.ok());
  EXPECT_TRUE(errors.ToStatus().ok());
}

// Scenario: a key is mistyped, and its value is a secret.
// Guarantees: the error shows the key but not what stands behind it.
TEST(ErrorsTest, ValueBehindABadKeyIsNotShown) {
  const auto source = Source("a.yaml", "  pasword: hunter2");
  ConfigErrors errors;
  errors.Add(At(source, 1, 3), "", "unknown option");
  EXPECT_THAT(errors.Render(), HasSubstr("  pasword:\n"));
  EXPECT_THAT(errors.Render(), Not(HasSubstr("hunter2")));
}

TEST(ErrorsTest, LinesThatNameASecretAreNotShown) {
  const auto source = Source("a.yaml", "o: {Api-Key: hunter2, port: x}");
  ConfigErrors errors;
  errors.Add(At(source, 1, 29), "o::port", "expected an integer");
  EXPECT_EQ(errors.Render(), "a.yaml:1:29: error: o::port: expected an integer\n");
}

TEST(ErrorsTest, ControlCharactersAreMadeVisible) {
  ConfigErrors errors;
  errors.Add(At(Source("a", "x\x1b[2J"), 1, 1), "", "got \x1b[2J\n\x7f");
  const std::string shown = errors.Render();
  EXPECT_THAT(shown, HasSubstr("got \\x1b[2J\\n\\x7f"));
  EXPECT_THAT(shown, Not(HasSubstr("\x1b")));
}

TEST(ErrorsTest, ManyProblemsAreCounted) {
  ConfigErrors errors;
  for (std::size_t i = 0; i < ConfigErrors::kProblemsMax + 3; ++i) {
    errors.Add({}, "", "x");
  }
  EXPECT_EQ(errors.problems().size(), ConfigErrors::kProblemsMax);
  EXPECT_THAT(errors.Render(), HasSubstr("and 3 more\n"));
}

TEST(ErrorsTest, MarksOutsideTheTextShowNoLine) {
  const auto source = Source("a.yaml", "x: 1");
  for (const auto& [line, column] : {std::pair(9, 1), std::pair(1, 99), std::pair(1, 0)}) {
    ConfigErrors errors;
    errors.Add(At(source, line, column), "", "m");
    EXPECT_THAT(errors.Render(), Not(HasSubstr("x: 1")));
  }
}

TEST(ErrorsTest, NearestName) {
  const std::vector<std::string> known = {"endpoint", "timeout", "tls", "send_batch_size", "grpc"};
  EXPECT_EQ(NearestName("endpiont", known), "endpoint");
  EXPECT_EQ(NearestName("Endpoint", known), "endpoint");
  EXPECT_EQ(NearestName("send-batch-size", known), "send_batch_size");
  EXPECT_EQ(NearestName("grcp", known), "grpc");
  EXPECT_EQ(NearestName("tsl", known), "tls");
  EXPECT_EQ(NearestName("xyz", known), "");
  EXPECT_EQ(NearestName("", known), "");
  EXPECT_EQ(NearestName(std::string(1'000'000, 'x'), known), "");
  EXPECT_EQ(Suggestion("grcp", known), ", did you mean `grpc`?");
  EXPECT_EQ(Suggestion("unrelated", known), "");
}

}  // namespace
}  // namespace weir
