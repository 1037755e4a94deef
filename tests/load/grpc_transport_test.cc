#include "load/grpc_transport.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "load/load_run.h"
#include "net/grpc_status.h"
#include "tests/load/otlp_items.h"
#include "weir/wire/scanner.h"
#include "weir/wire/status_codec.h"

namespace weir::load {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using namespace std::chrono_literals;

struct Reply {
  grpc::Status status = grpc::Status::OK;
  std::string message;
};
// What the server says to the request of a method; called on any of its threads.
using Respond = std::function<Reply(Signal signal, const std::string& request)>;

Signal SignalOf(const std::string& method) {
  return method.find(".TraceService/") != std::string::npos     ? Signal::kTraces
         : method.find(".MetricsService/") != std::string::npos ? Signal::kMetrics
                                                                : Signal::kLogs;
}

class Reactor final : public grpc::ServerGenericBidiReactor {
 public:
  Reactor(std::string method, const Respond& respond)
      : method_(std::move(method)), respond_(respond) {
    StartRead(&in_);
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) {
      Finish(grpc::Status(grpc::StatusCode::INTERNAL, "no message"));
      return;
    }
    std::vector<grpc::Slice> slices;
    static_cast<void>(in_.Dump(&slices));
    std::string request;
    for (const grpc::Slice& slice : slices) {
      request.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    const Reply reply = respond_(SignalOf(method_), request);
    if (!reply.status.ok()) {
      Finish(reply.status);
      return;
    }
    grpc::Slice slice(reply.message);
    out_ = grpc::ByteBuffer(&slice, 1);
    StartWriteAndFinish(&out_, grpc::WriteOptions(), grpc::Status::OK);
  }
  void OnDone() override { delete this; }

  const std::string method_;
  const Respond& respond_;
  grpc::ByteBuffer in_;
  grpc::ByteBuffer out_;
};

class Server final : public grpc::CallbackGenericService {
 public:
  explicit Server(Respond respond) : respond_(std::move(respond)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(this);
    server_ = builder.BuildAndStart();
    WEIR_CHECK(server_ != nullptr);
  }
  ~Server() override { server_->Shutdown(std::chrono::system_clock::now() + 100ms); }

  std::string target() const { return "127.0.0.1:" + std::to_string(port_); }
  std::multimap<std::string, std::string> last_metadata() {
    const std::lock_guard lock(mutex_);
    return last_metadata_;
  }

 private:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    const std::lock_guard lock(mutex_);
    last_metadata_.clear();
    for (const auto& [key, value] : context->client_metadata()) {
      last_metadata_.emplace(std::string(key.data(), key.size()),
                             std::string(value.data(), value.size()));
    }
    return new Reactor(context->method(), respond_);
  }

  const Respond respond_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::mutex mutex_;
  std::multimap<std::string, std::string> last_metadata_;
};

// Keeps the numbers of what arrived, and whether all of it was legal OTLP.
class Arrivals {
 public:
  void Take(Signal signal, const std::string& request) {
    const bool legal = wire::Scan(signal, request, wire::ScanDepth::kFull).ok();
    const std::vector<Item> items = ItemsOf(signal, request);
    const std::lock_guard lock(mutex_);
    malformed_ += legal ? 0 : 1;
    by_signal_[signal] += items.size();
    for (const Item& item : items) {
      ++numbers_[item.sequence.value()];
    }
  }
  std::map<std::uint64_t, int> numbers() {
    const std::lock_guard lock(mutex_);
    return numbers_;
  }
  std::size_t items(Signal signal) {
    const std::lock_guard lock(mutex_);
    return by_signal_[signal];
  }
  int malformed() {
    const std::lock_guard lock(mutex_);
    return malformed_;
  }

 private:
  std::mutex mutex_;
  std::map<std::uint64_t, int> numbers_;
  std::map<Signal, std::size_t> by_signal_;
  int malformed_ = 0;
};

// A whole run on this thread.
Statistics RunLoad(const LoadOptions& options) {
  WEIR_CHECK(options.Validate().ok());
  const std::unique_ptr<EventLoop> loop = NewEpollLoop();
  auto transports = MakeTransports(*loop, options);
  WEIR_CHECK(transports.ok());
  Statistics statistics;
  LoadRun run(*loop, options, *std::move(transports), statistics, [&loop] { loop->Stop(); });
  loop->Post([&run] { run.Start(); });
  loop->Run();
  return statistics;
}

LoadOptions Numbered(const Server& server, std::uint64_t count) {
  LoadOptions options;
  options.endpoint = server.target();
  options.count = count;
  options.items_per_request = 50;
  options.numbered = true;
  return options;
}

// Scenario: all three signals over several connections, many requests in flight, a count that is
// no multiple of the request.
// Guarantees: every number arrives, each once, in legal OTLP, and all are acknowledged.
TEST(GrpcLoad, EveryNumberArrivesOnce) {
  Arrivals arrivals;
  Server server([&](Signal signal, const std::string& request) {
    arrivals.Take(signal, request);
    return Reply{};
  });
  LoadOptions options = Numbered(server, 20017);
  options.signals = {kSignals.begin(), kSignals.end()};
  options.connections = 3;
  options.headers = {{"X-Tenant", "blue"}};
  const Statistics statistics = RunLoad(options);
  EXPECT_EQ(statistics.acknowledged, 20017u);
  EXPECT_TRUE(statistics.all_acknowledged());
  EXPECT_THAT(statistics.errors, IsEmpty());
  EXPECT_EQ(statistics.latency.count(), 401u);
  EXPECT_GT(statistics.latency.Quantile(0.5), 0ns);

  const std::map<std::uint64_t, int> numbers = arrivals.numbers();
  EXPECT_EQ(numbers.size(), 20017u);
  EXPECT_EQ(numbers.rbegin()->first, 20016u);
  for (const auto& [number, times] : numbers) {
    ASSERT_EQ(times, 1) << number;
  }
  EXPECT_EQ(arrivals.malformed(), 0);
  for (const Signal signal : kSignals) {
    EXPECT_GT(arrivals.items(signal), 6000u);
  }
  EXPECT_EQ(server.last_metadata().count("x-tenant"), 1u);
}

TEST(GrpcLoad, GzipArrives) {
  Arrivals arrivals;
  Server server([&](Signal signal, const std::string& request) {
    arrivals.Take(signal, request);
    return Reply{};
  });
  LoadOptions options = Numbered(server, 500);
  options.compression = net::Compression::kGzip;
  const Statistics statistics = RunLoad(options);
  EXPECT_TRUE(statistics.all_acknowledged()) << statistics.last_error;
  EXPECT_EQ(arrivals.numbers().size(), 500u);
  EXPECT_LT(statistics.bytes, 500u * 200);
}

// Scenario: a server that pushes every second request back, some with a time to come back in.
// Guarantees: what was pushed back is sent again, and in the end all is acknowledged.
TEST(GrpcLoad, PushBackIsHonoured) {
  Arrivals arrivals;
  std::atomic<int> calls{0};
  Server server([&](Signal signal, const std::string& request) {
    const int call = calls++;
    if (call % 4 == 1) {
      return Reply{.status = {grpc::StatusCode::UNAVAILABLE, "busy"}};
    }
    if (call % 4 == 3) {
      const net::GrpcStatus status = net::WithRetryInfo(
          {.code = net::GrpcCode::kResourceExhausted, .message = "over budget"}, 10ms);
      return Reply{
          .status = {grpc::StatusCode::RESOURCE_EXHAUSTED, status.message, status.details}};
    }
    arrivals.Take(signal, request);
    return Reply{};
  });
  LoadOptions options = Numbered(server, 1000);
  options.retries_max = 20;
  const Statistics statistics = RunLoad(options);
  EXPECT_TRUE(statistics.all_acknowledged()) << statistics.last_error;
  EXPECT_EQ(arrivals.numbers().size(), 1000u);
  EXPECT_GT(statistics.retries, 0u);
  EXPECT_EQ(statistics.tries, statistics.requests + statistics.retries);
  EXPECT_TRUE(statistics.errors.contains("RESOURCE_EXHAUSTED"));
  EXPECT_TRUE(statistics.errors.contains("UNAVAILABLE"));
}

TEST(GrpcLoad, RefusedAndRejectedItemsAreCounted) {
  std::atomic<int> calls{0};
  Server server([&](Signal signal, const std::string&) {
    switch (calls++) {
      case 0:
        return Reply{.status = {grpc::StatusCode::INVALID_ARGUMENT, "bad"}};
      case 1:
        return Reply{.status = {grpc::StatusCode::RESOURCE_EXHAUSTED, "too large"}};
      case 2:
        return Reply{
            .message = wire::EncodeExportResponse(
                signal, {.rejected_items = 20, .message = "too old"}, wire::BodyFormat::kProtobuf)};
      case 3:
        return Reply{.message = "\xff no protobuf"};
      default:
        return Reply{};
    }
  });
  LoadOptions options = Numbered(server, 300);
  options.concurrency = 1;  // So that numbers and answers go together.
  const Statistics statistics = RunLoad(options);
  EXPECT_EQ(statistics.sent, 300u);
  EXPECT_EQ(statistics.acknowledged, 130u);
  EXPECT_EQ(statistics.rejected, 20u);
  EXPECT_THAT(statistics.failed,
              ElementsAre(Pair("INVALID_ARGUMENT", 50), Pair("RESOURCE_EXHAUSTED", 50),
                          Pair("malformed_response", 50)));
  EXPECT_THAT(statistics.unacknowledged.List(), ElementsAre(Pair(0, 199)));
  EXPECT_EQ(statistics.retries, 0u);
}

TEST(GrpcLoad, NobodyThereFailsAfterItsRetries) {
  LoadOptions options;
  options.endpoint = "127.0.0.1:1";
  options.count = 100;
  options.retries_max = 1;
  const Statistics statistics = RunLoad(options);
  EXPECT_EQ(statistics.acknowledged, 0u);
  EXPECT_THAT(statistics.failed, ElementsAre(Pair("UNAVAILABLE", 100)));
  EXPECT_EQ(statistics.retries, 1u);
  EXPECT_THAT(statistics.last_error, testing::HasSubstr("127.0.0.1:1"));
}

TEST(GrpcLoad, EndpointsAndFilesThatDoNotWorkAreErrors) {
  const std::unique_ptr<EventLoop> loop = NewEpollLoop();
  LoadOptions options;
  options.endpoint = "no port:";
  EXPECT_FALSE(MakeTransports(*loop, options).ok());
  options.endpoint = "https://127.0.0.1:4317";
  options.tls.common.ca_file = "/nonexistent/ca.pem";
  const auto made = MakeTransports(*loop, options);
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(std::string(made.status().message()), testing::HasSubstr("/nonexistent/ca.pem"));
}

}  // namespace
}  // namespace weir::load
