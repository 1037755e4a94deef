#include "extensions/zpages/extension.h"

#include "extensions/zpages/factory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/extensions/http_get.h"
#include "weir/testkit/harness.h"

namespace weir::extensions::zpages {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testkit::Harness;

TEST(ZpagesTest, ServesItsPagesAndThoseOfTheService) {
  Harness harness;
  const NodeHandle node =
      harness.ledger().Open({"otlp/<b>", NodeKind::kReceiver, Signal::kTraces, ""});
  node->In(5);
  node->Out(3);
  node->Drop(DropReason::kSampled, 2);
  Config config;
  config.server.endpoint = "127.0.0.1:0";
  Zpages extension(config, harness.ForExtension("zpages"));
  extension.SetDebugPages([](std::string_view path) {
    return path == "servicez" ? std::string("<p>build</p>")
           : path == "data"   ? std::string("{\"a\":1}")
                              : std::string();
  });
  ASSERT_TRUE(extension.Start().ok());
  const std::uint16_t port = extension.port();
  EXPECT_THAT(HttpGet(port, "/").body, HasSubstr("/debug/pipelinez"));
  EXPECT_THAT(HttpGet(port, "/debug/").body, HasSubstr("/debug/memoryz"));
  const HttpAnswer pipelines = HttpGet(port, "/debug/pipelinez");
  EXPECT_EQ(pipelines.status, 200);
  EXPECT_THAT(pipelines.body, HasSubstr("receiver otlp/&lt;b&gt;"));
  EXPECT_THAT(pipelines.body, HasSubstr("2 sampled"));
  EXPECT_THAT(HttpGet(port, "/debug/ledger.json").head, HasSubstr("application/json"));
  EXPECT_THAT(HttpGet(port, "/debug/memoryz").body, HasSubstr("peak"));
  EXPECT_EQ(HttpGet(port, "/debug/servicez").body, "<p>build</p>");
  EXPECT_THAT(HttpGet(port, "/debug/data").head, HasSubstr("application/json"));
  EXPECT_EQ(HttpGet(port, "/debug/none").status, 404);
  EXPECT_EQ(HttpGet(port, "/etc/passwd").status, 404);
  EXPECT_TRUE(extension.Shutdown(std::chrono::steady_clock::now()).ok());
  EXPECT_TRUE(extension.Shutdown(std::chrono::steady_clock::now()).ok());
}

TEST(ZpagesTest, WorksWithoutPagesOfTheService) {
  Harness harness;
  Config config;
  config.server.endpoint = "127.0.0.1:0";
  Zpages extension(config, harness.ForExtension("zpages"));
  ASSERT_TRUE(extension.Start().ok());
  EXPECT_EQ(HttpGet(extension.port(), "/debug/servicez").status, 404);
}

TEST(PagesTest, RatesAreThoseSinceTheLookBefore) {
  NodeBooks books;
  books.key = {"otlp", NodeKind::kExporter, Signal::kLogs, ""};
  books.in = 100;
  books.out = 100;
  const std::chrono::steady_clock::time_point begin(std::chrono::hours(1));
  const Look before{begin, {books}};
  EXPECT_THAT(RenderPipelines(std::nullopt, before), Not(HasSubstr("25.0")));
  books.in = 150;
  const Look now{begin + std::chrono::seconds(2), {books}};
  const std::string page = RenderPipelines(before, now);
  EXPECT_THAT(page, HasSubstr("<td>25.0</td><td>0.0</td>"));
  EXPECT_THAT(page, HasSubstr("class=\"bad\">50<"));
}

TEST(ZpagesTest, ConfigOfTheCollector) {
  Harness harness;
  EXPECT_TRUE(Factory()
                  .create(Harness::Yaml("{endpoint: 'localhost:55679', expvar: {enabled: true}}"),
                          "extensions::zpages", harness.ForExtension("zpages"))
                  .ok());
  EXPECT_FALSE(Factory()
                   .create(Harness::Yaml("endpoint: ''"), "extensions::zpages",
                           harness.ForExtension("zpages"))
                   .ok());
}

}  // namespace
}  // namespace weir::extensions::zpages
