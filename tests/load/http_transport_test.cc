#include "load/http_transport.h"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "load/load_run.h"
#include "net/server.h"
#include "tests/load/otlp_items.h"
#include "weir/wire/scanner.h"
#include "weir/wire/status_codec.h"

namespace weir::load {
namespace {

using testing::ElementsAre;
using testing::Pair;
using namespace std::chrono_literals;

struct Reply {
  int status = 200;
  std::string body;
  std::string retry_after;
};

class Handler final : public net::RequestHandler {
 public:
  std::function<Reply(int call, Signal signal)> reply = [](int, Signal) { return Reply{}; };

  std::optional<std::size_t> OnHead(net::ServerRequest&) override { return std::size_t{8} << 20; }
  void OnBody(net::ServerRequest& request, Slice body) override {
    const std::string_view path = request.head().path();
    const Signal signal = path.ends_with("/v1/traces")    ? Signal::kTraces
                          : path.ends_with("/v1/metrics") ? Signal::kMetrics
                                                          : Signal::kLogs;
    const Reply answer = reply(calls_++, signal);
    if (answer.status == 200) {
      Take(signal, body.view());
      paths.insert(std::string(path));
    }
    const std::string retry_after = answer.retry_after;
    const net::HeaderField field{"retry-after", retry_after};
    request.Respond({.status = answer.status,
                     .content_type = "application/x-protobuf",
                     .body = Slice::Copy(answer.body),
                     .fields = {&field, retry_after.empty() ? 0u : 1u}});
  }

  // Read once the run is over.
  std::map<std::uint64_t, int> numbers;
  std::set<std::string> paths;
  int malformed = 0;

 private:
  void Take(Signal signal, std::string_view request) {
    malformed += wire::Scan(signal, request, wire::ScanDepth::kFull).ok() ? 0 : 1;
    for (const Item& item : ItemsOf(signal, request)) {
      ++numbers[item.sequence.value()];
    }
  }

  int calls_ = 0;
};

class HttpLoadTest : public testing::Test {
 protected:
  HttpLoadTest() {
    net::ServerOptions server;
    server.endpoint.address = "127.0.0.1:0";
    auto opened = net::Server::Open(std::move(server), {.http = &handler_}, budget_, 1);
    WEIR_CHECK(opened.ok());
    server_ = *std::move(opened);
    EventLoop* const loop = &thread_.loop();
    server_->Start({&loop, 1});
    options_.protocol = Protocol::kHttp;
    options_.endpoint = "127.0.0.1:" + std::to_string(server_->port());
    options_.items_per_request = 50;
    options_.numbered = true;
  }
  ~HttpLoadTest() override { server_.reset(); }

  Statistics Run() {
    WEIR_CHECK(options_.Validate().ok());
    const std::unique_ptr<EventLoop> loop = NewEpollLoop();
    auto transports = MakeTransports(*loop, options_);
    WEIR_CHECK(transports.ok());
    Statistics statistics;
    {
      LoadRun run(*loop, options_, *std::move(transports), statistics, [&loop] { loop->Stop(); });
      loop->Post([&run] { run.Start(); });
      loop->Run();
    }
    return statistics;
  }

  MemoryBudget budget_{MemoryBudget::kUnlimited};
  Handler handler_;
  LoopThread thread_{"server"};
  std::unique_ptr<net::Server> server_;
  LoadOptions options_;
};

TEST_F(HttpLoadTest, EveryNumberArrivesOnce) {
  options_.signals = {kSignals.begin(), kSignals.end()};
  options_.count = 10017;
  options_.connections = 2;
  options_.endpoint = "http://" + options_.endpoint + "/prefix/";
  const Statistics statistics = Run();
  EXPECT_TRUE(statistics.all_acknowledged()) << statistics.last_error;
  EXPECT_EQ(handler_.numbers.size(), 10017u);
  EXPECT_EQ(handler_.numbers.rbegin()->first, 10016u);
  for (const auto& [number, times] : handler_.numbers) {
    ASSERT_EQ(times, 1) << number;
  }
  EXPECT_EQ(handler_.malformed, 0);
  EXPECT_THAT(handler_.paths,
              ElementsAre("/prefix/v1/logs", "/prefix/v1/metrics", "/prefix/v1/traces"));
}

TEST_F(HttpLoadTest, CompressedBodiesAreRead) {
  options_.count = 200;
  for (const net::Compression compression :
       {net::Compression::kGzip, net::Compression::kZstd, net::Compression::kSnappy}) {
    handler_.numbers.clear();
    options_.compression = compression;
    const Statistics statistics = Run();
    EXPECT_TRUE(statistics.all_acknowledged()) << statistics.last_error;
    EXPECT_EQ(handler_.numbers.size(), 200u) << net::CompressionName(compression);
  }
}

// Guarantees: what is pushed back arrives in the end, and a Retry-After is waited for.
TEST_F(HttpLoadTest, PushBackIsHonoured) {
  handler_.reply = [](int call, Signal) {
    return call == 0   ? Reply{.status = 503, .retry_after = "1"}
           : call == 1 ? Reply{.status = 429}
                       : Reply{};
  };
  options_.count = 100;
  const auto began = std::chrono::steady_clock::now();
  const Statistics statistics = Run();
  EXPECT_GE(std::chrono::steady_clock::now() - began, 1s);
  EXPECT_TRUE(statistics.all_acknowledged()) << statistics.last_error;
  EXPECT_EQ(statistics.retries, 2u);
  EXPECT_THAT(statistics.errors, ElementsAre(Pair("429", 1), Pair("503", 1)));
  EXPECT_EQ(handler_.numbers.size(), 100u);
}

TEST_F(HttpLoadTest, RefusedAndRejectedItemsAreCounted) {
  handler_.reply = [](int call, Signal signal) {
    return call == 0   ? Reply{.status = 400,
                               .body = wire::EncodeRpcStatus({.code = 3, .message = "not this"},
                                                             wire::BodyFormat::kProtobuf)}
           : call == 1 ? Reply{.body = wire::EncodeExportResponse(signal, {.rejected_items = 20},
                                                                  wire::BodyFormat::kProtobuf)}
                       : Reply{};
  };
  options_.count = 150;
  options_.concurrency = 1;
  const Statistics statistics = Run();
  EXPECT_EQ(statistics.acknowledged, 80u);
  EXPECT_EQ(statistics.rejected, 20u);
  EXPECT_THAT(statistics.failed, ElementsAre(Pair("400", 50)));
  EXPECT_THAT(statistics.unacknowledged.List(), ElementsAre(Pair(0, 99)));
}

TEST_F(HttpLoadTest, NobodyThereFailsAfterItsRetries) {
  options_.endpoint = "127.0.0.1:1";
  options_.count = 50;
  options_.retries_max = 1;
  const Statistics statistics = Run();
  EXPECT_THAT(statistics.failed, ElementsAre(Pair("unreachable", 50)));
  EXPECT_EQ(statistics.retries, 1u);
}

TEST(HttpTransport, EndpointsThatDoNotWorkAreErrors) {
  const std::unique_ptr<EventLoop> loop = NewEpollLoop();
  LoadOptions options;
  options.endpoint = "ftp://127.0.0.1:4318";
  EXPECT_FALSE(MakeHttpTransports(*loop, options).ok());
  options.endpoint = "https://127.0.0.1:4318";
  options.tls.common.ca_file = "/nonexistent/ca.pem";
  EXPECT_FALSE(MakeHttpTransports(*loop, options).ok());
}

}  // namespace
}  // namespace weir::load
