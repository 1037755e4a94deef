#include "extensions/pprof/extension.h"

#include "extensions/pprof/factory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/extensions/http_get.h"
#include "weir/testkit/harness.h"

namespace weir::extensions::pprof {
namespace {

using ::testing::HasSubstr;
using testkit::Harness;

TEST(PprofTest, ShowsThreadsHeapAndPagesOfTheService) {
  Harness harness;
  Config config;
  config.server.endpoint = "127.0.0.1:0";
  Pprof extension(config, harness.ForExtension("pprof"));
  extension.SetDebugPages([](std::string_view path) {
    return path == "servicez" ? std::string("<p>build</p>") : std::string();
  });
  ASSERT_TRUE(extension.Start().ok());
  const std::uint16_t port = extension.port();
  EXPECT_THAT(HttpGet(port, "/debug/pprof/").body, HasSubstr("perf record"));
  EXPECT_THAT(HttpGet(port, "/debug/pprof/threads").body, HasSubstr("pprof"));
  EXPECT_THAT(HttpGet(port, "/debug/pprof/heap").body, HasSubstr("given out"));
  EXPECT_EQ(HttpGet(port, "/debug/servicez").body, "<p>build</p>");
  EXPECT_EQ(HttpGet(port, "/debug/pprof/profile").status, 404);
  EXPECT_EQ(HttpGet(port, "/").status, 404);
  EXPECT_TRUE(extension.Shutdown(std::chrono::steady_clock::now()).ok());
}

TEST(PprofTest, AcceptsTheCollectorsOptions) {
  Harness harness;
  const auto extension =
      Factory().create(Harness::Yaml("{endpoint: 'localhost:1777', block_profile_fraction: 3, "
                                     "mutex_profile_fraction: 5, save_to_file: /tmp/x}"),
                       "extensions::pprof", harness.ForExtension("pprof"));
  EXPECT_TRUE(extension.ok()) << extension.status();
}

}  // namespace
}  // namespace weir::extensions::pprof
