// Components for tests of the service, and World, where a test meets their instances.
//
//   receivers   `fake`: offers what the test gives it; `port` is held exclusively from Start to
//               Shutdown, as a socket would be
//   processors  `keep`: takes custody of every batch until it has `size` of them, or is flushed;
//               `pass`: passes on, and says how often it was made
//   exporters   `fake`: notes what it is given; held back while the test says so
//   connectors  `over`: offers what it consumes
//   extensions  `auth`: a server authenticator; `page`: holds a `port`
//
// Every kind refuses to start with `fail: true`.
//
// Threads: World is thread-safe.

#ifndef WEIR_TESTS_SERVICE_FAKE_COMPONENTS_H_
#define WEIR_TESTS_SERVICE_FAKE_COMPONENTS_H_

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "weir/base/status.h"
#include "weir/component/extension.h"
#include "weir/component/registry.h"
#include "weir/config/fields.h"
#include "weir/testkit/recording.h"

namespace weir::service {

class FakeReceiver;

class World {
 public:
  static World& Get() {
    static World world;
    return world;
  }

  // Forgets everything; no service may run.
  void Reset() {
    const std::lock_guard lock(mutex_);
    receivers_.clear();
    delivered_.clear();
    made_.clear();
    ports_.clear();
    held_back_ = false;
  }

  absl::Status TakePort(std::uint32_t port) {
    const std::lock_guard lock(mutex_);
    if (port != 0 && !ports_.insert(port).second) {
      return absl::UnavailableError(fmt::format("port {} is in use", port));
    }
    return absl::OkStatus();
  }
  void FreePort(std::uint32_t port) {
    const std::lock_guard lock(mutex_);
    ports_.erase(port);
  }

  void Made(const std::string& id) {
    const std::lock_guard lock(mutex_);
    ++made_[id];
  }
  // Instances that there have been.
  int made(const std::string& id) {
    const std::lock_guard lock(mutex_);
    return made_[id];
  }

  void Serves(const std::string& id, FakeReceiver* receiver) {
    const std::lock_guard lock(mutex_);
    receivers_[id] = receiver;
  }
  // The one that runs now; null when none does.
  FakeReceiver* receiver(const std::string& id) {
    const std::lock_guard lock(mutex_);
    const auto found = receivers_.find(id);
    return found == receivers_.end() ? nullptr : found->second;
  }

  void Deliver(const std::string& exporter, const Batch& batch) {
    const std::lock_guard lock(mutex_);
    for (const Part& part : batch.parts()) {
      delivered_[exporter].emplace_back(part.payload.view());
    }
    changed_.notify_all();
  }
  std::vector<std::string> delivered(const std::string& exporter) {
    const std::lock_guard lock(mutex_);
    return delivered_[exporter];
  }
  bool WaitForDelivered(const std::string& exporter, std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20),
                             [&] { return delivered_[exporter].size() >= count; });
  }

  // While true exporters answer nothing but kRetry.
  void HoldBack(bool held) {
    const std::lock_guard lock(mutex_);
    held_back_ = held;
  }
  bool held_back() {
    const std::lock_guard lock(mutex_);
    return held_back_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, FakeReceiver*> receivers_;
  std::map<std::string, std::vector<std::string>> delivered_;
  std::map<std::string, int> made_;
  std::set<std::uint32_t> ports_;
  bool held_back_ = false;
};

struct FakeConfig {
  std::uint32_t port = 0;
  std::uint32_t size = 1;
  std::string label;
  std::string authenticator;
  bool fail = false;

  static void VisitFields(auto& self, auto& visit) {
    visit("port", self.port, "Held while it runs.");
    visit("size", self.size, "Batches kept.");
    visit("label", self.label, "Makes a difference.");
    visit.Alias("old_label", "label");
    visit("authenticator", self.authenticator, "An extension.");
    visit("fail", self.fail, "Refuse to start.");
  }
  void Validate(FieldCheck&) const {}
  bool operator==(const FakeConfig&) const = default;

  absl::Status Start(const std::string& id) const {
    return fail ? absl::UnavailableError(id + " was told to fail") : World::Get().TakePort(port);
  }
};

struct FakeExporterConfig : FakeConfig {
  ExporterSettings settings;

  static void VisitFields(auto& self, auto& visit) {
    FakeConfig::VisitFields(self, visit);
    visit.Squash(self.settings);
  }
  bool operator==(const FakeExporterConfig&) const = default;
};

class FakeReceiver final : public Receiver {
 public:
  FakeReceiver(FakeConfig config, const ReceiverContext& context)
      : config_(std::move(config)), context_(context) {
    World::Get().Made("receiver " + context.id.ToString());
  }

  absl::Status Start() override {
    WEIR_RETURN_IF_ERROR(config_.Start(context_.id.ToString()));
    started_ = true;
    if (!config_.authenticator.empty()) {
      const auto id = ParseComponentId(config_.authenticator);
      if (context_.host.FindExtension(*id) == nullptr) {
        return InvalidArgument("no extension {}", config_.authenticator);
      }
    }
    World::Get().Serves(context_.id.ToString(), this);
    return absl::OkStatus();
  }
  absl::Status Shutdown(TimePoint) override {
    if (std::exchange(started_, false)) {
      World::Get().Serves(context_.id.ToString(), nullptr);
      World::Get().FreePort(config_.port);
    }
    return absl::OkStatus();
  }
  bool idle() const override { return true; }

  Admission Offer(Signal signal, Batch& batch, std::uint64_t affinity = 0) {
    return context_.sink(signal)->Offer(batch, affinity);
  }
  const std::string& label() const { return config_.label; }

 private:
  const FakeConfig config_;
  const ReceiverContext context_;
  bool started_ = false;
};

class KeepProcessor final : public Processor {
 public:
  KeepProcessor(FakeConfig config, const ProcessorContext& context)
      : config_(std::move(config)), books_(context.books), id_(context.id.ToString()) {
    World::Get().Made("processor " + id_);
  }
  absl::Status Start() override { return config_.Start(id_); }
  void Process(Batch batch, BatchOutput& next) override {
    batch.Secure();
    books_.Hold(static_cast<std::int64_t>(batch.items()));
    kept_.push_back(std::move(batch));
    if (kept_.size() >= config_.size) {
      Flush(next);
    }
  }
  void Flush(BatchOutput& next) override {
    for (Batch& batch : std::exchange(kept_, {})) {
      books_.Hold(-static_cast<std::int64_t>(batch.items()));
      next.Emit(std::move(batch));
    }
  }

 private:
  const FakeConfig config_;
  NodeLedger& books_;
  const std::string id_;
  std::vector<Batch> kept_;
};

// Passes on, and posts to its lane with every batch, as a processor with timers does.
class PassProcessor final : public Processor {
 public:
  PassProcessor(FakeConfig config, const ProcessorContext& context)
      : config_(std::move(config)), lane_(context.lane), id_(context.id.ToString()) {
    World::Get().Made("processor " + id_);
  }
  absl::Status Start() override { return config_.Start(id_); }
  void Process(Batch batch, BatchOutput& next) override {
    lane_.PostAfter(std::chrono::microseconds(100), [this] { ++ticks_; });
    next.Emit(std::move(batch));
  }
  bool per_item() const override { return true; }

 private:
  const FakeConfig config_;
  LaneScheduler& lane_;
  const std::string id_;
  std::uint64_t ticks_ = 0;  // Under the baton; a task that outlives this is an error to ASan.
};

class BatchingProcessor final : public Processor {
 public:
  BatchingProcessor(FakeConfig config, const ProcessorContext&) : config_(std::move(config)) {}
  void Process(Batch batch, BatchOutput& next) override { next.Emit(std::move(batch)); }
  std::optional<BatcherSettings> batcher_settings() const override {
    return BatcherSettings{.items_min = config_.size, .timeout = std::chrono::milliseconds(5)};
  }

 private:
  const FakeConfig config_;
};

class FakeExporter final : public Exporter {
 public:
  FakeExporter(FakeExporterConfig config, const ExporterContext& context)
      : config_(std::move(config)), id_(context.id.ToString()) {
    World::Get().Made("exporter " + id_);
  }
  absl::Status Start() override { return config_.Start(id_); }
  absl::Status Shutdown(TimePoint) override {
    World::Get().FreePort(config_.port);
    return absl::OkStatus();
  }
  void Send(const Batch& batch, TimePoint, SendDone done) override {
    if (World::Get().held_back()) {
      done({.kind = SendResult::Kind::kRetry, .message = "held back"});
      return;
    }
    World::Get().Deliver(config_.label.empty() ? id_ : config_.label, batch);
    done(SendResult{});
  }

 private:
  const FakeExporterConfig config_;
  const std::string id_;
};

class OverConnector final : public Connector {
 public:
  OverConnector(FakeConfig config, const ConnectorContext& context)
      : config_(std::move(config)), id_(context.id.ToString()), context_(context) {
    World::Get().Made("connector " + id_);
    for (const Signal signal : kSignals) {
      books_[SignalIndex(signal)] = context.ledger.Open(
          {.node = id_, .kind = NodeKind::kConnector, .signal = signal, .pipeline = ""});
    }
  }
  absl::Status Start() override { return config_.Start(id_); }
  absl::Status Shutdown(TimePoint) override { return absl::OkStatus(); }
  void Consume(Batch batch) override {
    const Signal signal = batch.signal();
    const std::uint64_t items = batch.items();
    if (context_.sinks[SignalIndex(signal)]->Offer(batch, 0) == Admission::kBusy) {
      books_[SignalIndex(signal)]->Drop(DropReason::kQueueFull, items);
      batch.Settle(Outcome::kRetry);
      return;
    }
    books_[SignalIndex(signal)]->Out(items);
  }

 private:
  const FakeConfig config_;
  const std::string id_;
  const ConnectorContext context_;
  std::array<NodeHandle, kSignalCount> books_;
};

class FakeExtension : public Extension {
 public:
  FakeExtension(FakeConfig config, const ComponentContext& context)
      : config_(std::move(config)), id_(context.id.ToString()) {
    World::Get().Made("extension " + id_);
  }
  absl::Status Start() override {
    WEIR_RETURN_IF_ERROR(config_.Start(id_));
    started_ = true;
    return absl::OkStatus();
  }
  absl::Status Shutdown(TimePoint) override {
    if (std::exchange(started_, false)) {
      World::Get().FreePort(config_.port);
    }
    return absl::OkStatus();
  }

 private:
  const FakeConfig config_;
  const std::string id_;
  bool started_ = false;
};

class FakeAuth final : public FakeExtension, public ServerAuthenticator {
 public:
  using FakeExtension::FakeExtension;
  absl::StatusOr<HeaderList> Authenticate(const HeaderLookup&) const override {
    return HeaderList();
  }
};

inline const Registry& FakeRegistry() {
  static const Registry* const registry = [] {
    auto made = std::make_unique<Registry>();
    made->Add(
        MakeReceiverFactory<FakeConfig, FakeReceiver>({.type = "fake", .signals = kAllSignals}));
    made->Add(
        MakeProcessorFactory<FakeConfig, KeepProcessor>({.type = "keep", .signals = kAllSignals}));
    made->Add(
        MakeProcessorFactory<FakeConfig, PassProcessor>({.type = "pass", .signals = kAllSignals}));
    made->Add(MakeProcessorFactory<FakeConfig, BatchingProcessor>(
        {.type = "merge", .signals = kAllSignals}));
    made->Add(MakeExporterFactory<FakeExporterConfig, FakeExporter>(
        {.type = "fake", .signals = kAllSignals}));
    made->Add(
        MakeConnectorFactory<FakeConfig, OverConnector>({.type = "over", .signals = kAllSignals}));
    made->Add(MakeExtensionFactory<FakeConfig, FakeAuth>({.type = "auth"}));
    made->Add(MakeExtensionFactory<FakeConfig, FakeExtension>({.type = "page"}));
    return made.release();
  }();
  return *registry;
}

}  // namespace weir::service

#endif  // WEIR_TESTS_SERVICE_FAKE_COMPONENTS_H_
