#include "stamp.h"

#include <gtest/gtest.h>

#include "weir/testkit/harness.h"
#include "weir/testkit/recording.h"
#include "weir/wire/writer.h"

namespace stamp {
namespace {

namespace otlp = weir::wire::otlp;

std::string RequestWithOneLog() {
  weir::wire::Writer writer;
  {
    auto resource = writer.Open(otlp::kRequestResources);
    auto scope = writer.Open(otlp::kResourceScopes);
    auto item = writer.Open(otlp::kScopeItems);
    writer.String(otlp::kLogSeverityText, "INFO");
  }
  return std::string(writer.view());
}

TEST(StampTest, AddsTheAttribute) {
  weir::testkit::Harness harness;
  weir::testkit::RecordingOutput output;
  const auto processor =
      Factory().create(weir::testkit::Harness::Yaml("{key: team, value: payments}"), "processors",
                       harness.ForProcessor("stamp", weir::Signal::kLogs));
  ASSERT_TRUE(processor.ok()) << processor.status();

  (*processor)
      ->Process(weir::testkit::MakeBatch(weir::Signal::kLogs, RequestWithOneLog(), 1), output);

  EXPECT_EQ(1U, output.items());
  EXPECT_NE(std::string::npos, output.payload().find("payments"));
}

TEST(StampTest, WantsAKey) {
  weir::testkit::Harness harness;
  const auto processor = Factory().create(weir::testkit::Harness::Yaml("{}"), "processors::stamp",
                                          harness.ForProcessor("stamp", weir::Signal::kLogs));
  ASSERT_FALSE(processor.ok());
  EXPECT_NE(std::string::npos, processor.status().message().find("processors::stamp::key"));
}

}  // namespace
}  // namespace stamp
