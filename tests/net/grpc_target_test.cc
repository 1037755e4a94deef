#include "net/grpc_target.h"

#include <future>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "net/address.h"

namespace weir::net {
namespace {

// "host:port ... | unix path | authority | tls" of a target, or "error".
std::string Parsed(std::string_view text) {
  const absl::StatusOr<GrpcTarget> target = ParseGrpcTarget(text);
  if (!target.ok()) {
    return "error";
  }
  std::string result;
  for (const HostPort& host : target->hosts) {
    result += host.host + ":" + std::to_string(host.port) + " ";
  }
  return result + "| " + target->unix_path + " | " + target->authority +
         (target->tls ? " | tls" : "");
}

TEST(GrpcTarget, Forms) {
  EXPECT_EQ(Parsed("backend:4317"), "backend:4317 |  | backend:4317");
  EXPECT_EQ(Parsed("[::1]:4317"), "::1:4317 |  | [::1]:4317");
  EXPECT_EQ(Parsed(":4317"), "localhost:4317 |  | :4317");
  EXPECT_EQ(Parsed("dns:backend:1"), "backend:1 |  | backend:1");
  EXPECT_EQ(Parsed("dns:///backend:1"), "backend:1 |  | backend:1");
  EXPECT_EQ(Parsed("dns://8.8.8.8/backend:1"), "backend:1 |  | backend:1");
  EXPECT_EQ(Parsed("passthrough:///backend:1"), "backend:1 |  | backend:1");
  EXPECT_EQ(Parsed("http://backend:1"), "backend:1 |  | backend:1");
  EXPECT_EQ(Parsed("https://backend:1/"), "backend:1 |  | backend:1 | tls");
  EXPECT_EQ(Parsed("ipv4:1.2.3.4:5,6.7.8.9:10"), "1.2.3.4:5 6.7.8.9:10 |  | 1.2.3.4");
  EXPECT_EQ(Parsed("ipv6:[::1]:5"), "::1:5 |  | ::1");
  EXPECT_EQ(Parsed("unix:run/weir.sock"), "| run/weir.sock | localhost");
  EXPECT_EQ(Parsed("unix:///run/weir.sock"), "| /run/weir.sock | localhost");
  EXPECT_EQ(ParseGrpcTarget("unix-abstract:weir")->unix_path, std::string("\0weir", 5));
}

TEST(GrpcTarget, Errors) {
  for (const char* text :
       {"", "backend", "backend:", "backend:port", "backend:70000", "backend:-1", "http://backend",
        "http://user@backend:1", "xds:///backend:1", "::1:4317", "[::1]", "unix:", "unix://",
        "ipv4:1.2.3.4:5,", "http://a/b:1"}) {
    EXPECT_EQ(Parsed(text), "error") << text;
  }
}

TEST(UnixAddress, Limits) {
  EXPECT_EQ(UnixAddress("/run/weir.sock")->ToString(), "unix:/run/weir.sock");
  EXPECT_EQ(UnixAddress(std::string("\0weir", 5))->ToString(), "unix:@weir");
  EXPECT_FALSE(UnixAddress("").ok());
  EXPECT_TRUE(UnixAddress(std::string(107, 'x')).ok());
  EXPECT_FALSE(UnixAddress(std::string(108, 'x')).ok());
}

TEST(NameLookup, ResolvesAndFails) {
  LoopThread thread("lookup");
  std::unique_ptr<NameLookup> lookup;
  const auto resolve = [&](HostPort host) {
    std::promise<absl::StatusOr<Addresses>> answer;
    thread.RunAndWait([&] {
      lookup = NameLookup::Begin(thread.loop(), {host}, [&](absl::StatusOr<Addresses> addresses) {
        answer.set_value(std::move(addresses));
      });
    });
    return answer.get_future().get();
  };
  const auto numeric = resolve({"127.0.0.1", 80});
  ASSERT_TRUE(numeric.ok());
  ASSERT_EQ(numeric->size(), 1u);
  EXPECT_EQ(numeric->front().ToString(), "127.0.0.1:80");
  const auto named = resolve({"localhost", 80});
  ASSERT_TRUE(named.ok()) << named.status();
  EXPECT_FALSE(resolve({"name.invalid", 80}).ok());
  thread.RunAndWait([&] { lookup.reset(); });
}

// Scenario: the lookup is dropped before it has answered.
// Guarantees: its answer goes nowhere.
TEST(NameLookup, ForgetsWhenDropped) {
  LoopThread thread("lookup");
  bool called = false;
  thread.RunAndWait([&] {
    for (const char* host : {"127.0.0.1", "localhost"}) {
      NameLookup::Begin(thread.loop(), {{host, 80}}, [&](auto) { called = true; }).reset();
    }
  });
  thread.RunAndWait([] {});
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace weir::net
