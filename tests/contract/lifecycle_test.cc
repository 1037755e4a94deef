// Every component's life: made from its README's examples, started or not, stopped once or twice.

#include <gtest/gtest.h>

#include <map>

#include "fmt/format.h"
#include "tests/contract/subject.h"
#include "weir/component/delivery.h"
#include "weir/testkit/recording.h"

namespace weir::contract {
namespace {

using testkit::Harness;
using testkit::RecordingSink;

TimePoint Soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(10); }

class LifecycleTest : public ::testing::TestWithParam<const FactoryInfo*> {
 protected:
  // One instance with a service of its own, stopped in the order of the service: the component,
  // then the loop it may use, then it is destroyed.
  class Life {
   public:
    Life(const FactoryInfo& info, const Example& example) {
      for (const Signal signal : kSignals) {
        harness_.SetSink(signal, &sinks_[signal]);
      }
      absl::StatusOr<std::unique_ptr<Component>> created = Create(info, example, harness_);
      EXPECT_TRUE(created.ok()) << example.id << ": " << created.status();
      if (created.ok()) {
        component_ = *std::move(created);
      }
    }
    ~Life() { harness_.loop_thread().StopAndJoin(); }

    bool made() const { return component_ != nullptr; }
    Component& component() { return *component_; }
    Harness& harness() { return harness_; }
    void Destroy() {
      harness_.loop_thread().StopAndJoin();
      component_.reset();
    }

   private:
    std::map<Signal, RecordingSink> sinks_;
    Harness harness_;
    std::unique_ptr<Component> component_;
  };

  LifecycleTest() {
    ConfigErrors errors;
    examples_ = Examples(info_, errors);
    EXPECT_TRUE(errors.ok()) << errors.Render();
    for (Example& example : examples_) {
      example.options = Relocate(info_, example.options, nobody_.address());
    }
  }

  const FactoryInfo& info_ = *GetParam();
  WorkingFolder folder_;
  UnreachablePort nobody_;
  std::vector<Example> examples_;
};

TEST_P(LifecycleTest, IsMadeFromEveryExampleAndDestroyed) {
  ASSERT_FALSE(examples_.empty());
  for (const Example& example : examples_) {
    Life life(info_, example);
    life.Destroy();
    EXPECT_EQ(0U, life.harness().budget().used());
  }
}

TEST_P(LifecycleTest, IsMadeFromDefaultsWhereTheyAreValid) {
  ConfigErrors errors;
  const std::shared_ptr<void> config = info_.config->MakeDefault();
  info_.config->Read(ConfigNode(), {.path = ConfigPath(info_), .errors = errors}, config.get());
  Harness harness;
  const auto component = Create(info_, {.id = std::string(info_.type), .options = {}}, harness);
  EXPECT_EQ(errors.ok(), component.ok()) << errors.Render() << component.status();
}

TEST_P(LifecycleTest, ShutdownWithoutStartTwice) {
  for (const Example& example : examples_) {
    Life life(info_, example);
    ASSERT_TRUE(life.made());
    EXPECT_TRUE(life.component().Shutdown(Soon()).ok());
    EXPECT_TRUE(life.component().Shutdown(Soon()).ok());
    life.Destroy();
  }
}

// Guarantees: Start works from the first example, or says why it does not; either way what follows
// works, and leaves no token and no memory behind.
TEST_P(LifecycleTest, StartAndShutdownTwice) {
  const std::uint64_t unsettled = UnsettledTokens();
  bool first = true;
  for (const Example& example : examples_) {
    Life life(info_, example);
    ASSERT_TRUE(life.made());
    const absl::Status started = life.component().Start();
    if (first && !NamesAbsolutePath(example.options)) {
      EXPECT_TRUE(started.ok()) << example.id << ": " << started;
    } else if (!started.ok()) {
      EXPECT_FALSE(started.message().empty());
    }
    EXPECT_TRUE(life.component().Shutdown(Soon()).ok());
    EXPECT_TRUE(life.component().Shutdown(Soon()).ok());
    EXPECT_TRUE(life.harness().fatal().ok()) << life.harness().fatal();
    life.Destroy();
    EXPECT_EQ(0U, life.harness().budget().used());
    first = false;
  }
  EXPECT_EQ(unsettled, UnsettledTokens());
}

INSTANTIATE_TEST_SUITE_P(Every, LifecycleTest, ::testing::ValuesIn(AllComponents()), TestName);

}  // namespace
}  // namespace weir::contract
