#include "exporters/nop/factory.h"
#include "gtest/gtest.h"
#include "weir/testkit/harness.h"
#include "weir/testkit/recording.h"

namespace weir::exporters::nop {
namespace {

TEST(NopExporter, DeliversEverything) {
  testkit::Harness harness;
  auto created = Factory().create(harness.Yaml("{}"), "exporters::nop", harness.ForExporter("nop"));
  ASSERT_TRUE(created.ok()) << created.status();
  Exporter& exporter = **created;
  ASSERT_TRUE(exporter.Start().ok());
  Batch batch = testkit::MakeBatch(Signal::kLogs, "anything", 3);
  int answers = 0;
  exporter.Send(batch, TimePoint::max(), [&](SendResult result) {
    EXPECT_EQ(result.kind, SendResult::Kind::kDelivered);
    EXPECT_EQ(result.items_rejected, 0u);
    ++answers;
  });
  EXPECT_EQ(answers, 1);
  batch.Settle(Outcome::kDelivered);
  EXPECT_TRUE(exporter.Shutdown(TimePoint::max()).ok());
  EXPECT_TRUE(exporter.Shutdown(TimePoint::max()).ok());
}

TEST(NopExporter, QueuesOnlyWhenAsked) {
  const auto settings = Factory().settings(testkit::Harness::Yaml("{}"), "exporters::nop");
  ASSERT_TRUE(settings.ok());
  EXPECT_FALSE(settings->sending_queue.enabled);
  EXPECT_FALSE(Factory().settings(testkit::Harness::Yaml("{x: 1}"), "exporters::nop").ok());
}

}  // namespace
}  // namespace weir::exporters::nop
