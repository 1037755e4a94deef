// ServiceFixture runs a service of fake components from YAML, reloads it, and checks at the end
// that the books close and no token was forgotten.

#ifndef WEIR_TESTS_SERVICE_SERVICE_FIXTURE_H_
#define WEIR_TESTS_SERVICE_SERVICE_FIXTURE_H_

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "service/service.h"
#include "tests/config/parse.h"
#include "tests/service/fake_components.h"
#include "weir/config/loader.h"

namespace weir::service {

struct ParsedConfig {
  ConfigNode root;
  ServiceConfig config;
};

// `text` without `service::telemetry`: it is added, so that nothing is served or logged.
inline ParsedConfig ParseFakes(const std::string& text) {
  ParsedConfig parsed;
  parsed.root = MergeConfig(
      Parse(text), Parse("service: {telemetry: {metrics: {level: none}, logs: {level: fatal}}}"));
  ConfigErrors errors;
  parsed.config = ParseServiceConfig(parsed.root, DescribeComponents(FakeRegistry()), errors);
  EXPECT_TRUE(errors.ok()) << errors.Render();
  return parsed;
}

class ServiceFixture : public ::testing::Test {
 protected:
  void SetUp() override { World::Get().Reset(); }

  void Start(const std::string& text) {
    ParsedConfig parsed = ParseFakes(text);
    auto created = Service::Create({.config = std::move(parsed.config),
                                    .root = std::move(parsed.root),
                                    .registry = &FakeRegistry(),
                                    .version = "test",
                                    .revision = "test",
                                    .on_fatal = nullptr});
    ASSERT_TRUE(created.ok()) << created.status();
    service_ = *std::move(created);
    const absl::Status status = service_->Start();
    ASSERT_TRUE(status.ok()) << status;
  }

  absl::StatusOr<ConfigDiff> Reload(const std::string& text) {
    ParsedConfig parsed = ParseFakes(text);
    return service_->Reload(std::move(parsed.config), std::move(parsed.root));
  }

  void MustReload(const std::string& text) {
    const auto diff = Reload(text);
    ASSERT_TRUE(diff.ok()) << diff.status();
  }

  // Offers one batch of one item; how it was answered.
  Admission Offer(std::string_view payload, Signal signal = Signal::kTraces,
                  const std::string& receiver = "fake", DeliveryTracker* tracker = nullptr) {
    Batch batch = testkit::MakeBatch(signal, payload, 1, tracker);
    const Admission admission = World::Get().receiver(receiver)->Offer(signal, batch);
    if (admission == Admission::kBusy) {
      batch.Settle(Outcome::kRetry);
    }
    return admission;
  }

  void TearDown() override {
    if (service_ == nullptr) {
      return;
    }
    EXPECT_EQ(service_->Shutdown(), 0U);
    EXPECT_TRUE(service_->fatal().ok()) << service_->fatal();
    for (const NodeBooks& books : service_->ledger().Snapshot()) {
      EXPECT_TRUE(books.closes()) << books.key.node << " misses " << books.missing();
      EXPECT_EQ(books.held, 0) << books.key.node;
      EXPECT_EQ(books.dropped(), 0U) << books.key.node;
      EXPECT_EQ(books.refused, 0U) << books.key.node;
    }
    service_.reset();
    EXPECT_EQ(UnsettledTokens(), unsettled_before_);
  }

  const std::uint64_t unsettled_before_ = UnsettledTokens();
  std::unique_ptr<Service> service_;
};

// Offers numbered items from threads of its own until it is stopped, as fast as they are taken,
// with fewer under way than any ring or queue holds.
class Producers {
 public:
  explicit Producers(std::string receiver, int threads = 2) {
    for (int i = 0; i < threads; ++i) {
      threads_.emplace_back([this, receiver, i](const std::stop_token& stop) {
        for (int number = 0; !stop.stop_requested(); ++number) {
          while (under_way.load(std::memory_order_relaxed) > kUnderWayMax &&
                 !stop.stop_requested()) {
            std::this_thread::yield();
          }
          OfferOne(*World::Get().receiver(receiver), fmt::format("{}.{}", i, number),
                   static_cast<std::uint64_t>(i));
        }
      });
    }
  }

  // Returns once `count` more items were accepted.
  void WaitForMore(std::uint64_t count) {
    const std::uint64_t wanted = sent.load(std::memory_order_relaxed) + count;
    while (sent.load(std::memory_order_relaxed) < wanted) {
      std::this_thread::yield();
    }
  }

  void Stop() { threads_.clear(); }

  std::atomic<std::uint64_t> sent{0};
  std::atomic<std::uint64_t> refused{0};  // At the door or later.
  std::atomic<std::int64_t> under_way{0};
  std::atomic<std::int64_t> slowest_ns{0};

 private:
  static constexpr std::int64_t kUnderWayMax = 400;

  class Tracker final : public DeliveryTracker {
   public:
    explicit Tracker(Producers& producers)
        : DeliveryTracker(Interest::kDelivered), producers_(producers) {}

   private:
    void OnSecured(const Settlement&) override {}
    void OnDelivered(const Settlement& settlement) override {
      if (!settlement.ok()) {
        producers_.refused.fetch_add(1, std::memory_order_relaxed);
      }
      producers_.under_way.fetch_sub(1, std::memory_order_relaxed);
      delete this;  // tidy-allow(new): it belongs to its token.
    }
    Producers& producers_;
  };

  void OfferOne(FakeReceiver& door, const std::string& payload, std::uint64_t affinity) {
    under_way.fetch_add(1, std::memory_order_relaxed);
    // tidy-allow(new): it belongs to its token.
    Batch batch = testkit::MakeBatch(Signal::kTraces, payload, 1, new Tracker(*this));
    const auto began = std::chrono::steady_clock::now();
    if (door.Offer(Signal::kTraces, batch, affinity) == Admission::kBusy) {
      batch.Settle(Outcome::kRetry);
    }
    const auto took = (std::chrono::steady_clock::now() - began).count();
    sent.fetch_add(1, std::memory_order_relaxed);
    if (took > slowest_ns.load(std::memory_order_relaxed)) {
      slowest_ns.store(took, std::memory_order_relaxed);
    }
  }

  std::vector<std::jthread> threads_;
};

}  // namespace weir::service

#endif  // WEIR_TESTS_SERVICE_SERVICE_FIXTURE_H_
