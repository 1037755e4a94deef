#include "net/client_config.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/net/certificates.h"
#include "weir/config/fields.h"

namespace weir::net {
namespace {

using testing::HasSubstr;
using Entry = ConfigNode::Entry;

Entry Pair(const std::string& key, ConfigNode value) {
  return {.key = key, .key_mark = {}, .value = std::move(value)};
}
Entry Pair(const std::string& key, const char* value) {
  return Pair(key, ConfigNode::Plain(value));
}

template <typename Config>
std::string Problems(std::vector<Entry> entries, Config* config = nullptr) {
  ConfigErrors errors;
  const Config read =
      ReadConfig<Config>(ConfigNode::Map(std::move(entries)), "exporters::x", errors);
  if (config != nullptr) {
    *config = read;
  }
  return errors.Render();
}

TEST(GrpcClientConfig, DefaultsAreTheCollectors) {
  const GrpcClientConfig config;
  EXPECT_EQ(config.balancer_name, GrpcBalancer::kRoundRobin);
  EXPECT_FALSE(config.keepalive.has_value());
  EXPECT_TRUE(config.tls.UsesTls());
  const KeepaliveClientConfig keepalive;
  EXPECT_EQ(keepalive.time, std::chrono::seconds(10));
  EXPECT_EQ(keepalive.timeout, std::chrono::seconds(10));
}

TEST(GrpcClientConfig, ReadsAndChecks) {
  GrpcClientConfig config;
  EXPECT_EQ(Problems<GrpcClientConfig>(
                {Pair("endpoint", "dns:///backend:4317"), Pair("compression", "zstd"),
                 Pair("balancer_name", "pick_first"), Pair("wait_for_ready", "true"),
                 Pair("headers", ConfigNode::Map({Pair("X-Key", ConfigNode::String("v"))})),
                 Pair("keepalive", ConfigNode::Map({Pair("time", "30s")}))},
                &config),
            "");
  EXPECT_EQ(config.compression, Compression::kZstd);
  EXPECT_EQ(config.keepalive->time, std::chrono::seconds(30));
  EXPECT_THAT(config.headers.entries, testing::ElementsAre(std::pair("X-Key", "v")));

  EXPECT_THAT(Problems<GrpcClientConfig>({Pair("endpoint", "backend")}), HasSubstr("endpoint"));
  EXPECT_THAT(Problems<GrpcClientConfig>({Pair("compression", "lz4")}), HasSubstr("compression"));
  EXPECT_THAT(Problems<GrpcClientConfig>({Pair("balancer_name", "grpclb")}),
              HasSubstr("balancer_name"));
  EXPECT_THAT(Problems<GrpcClientConfig>({Pair("auth", ConfigNode::Map({}))}),
              HasSubstr("authenticator"));
}

TEST(GrpcClientConfig, MakesOptions) {
  GrpcClientConfig config;
  config.endpoint = "localhost:4317";
  config.tls.insecure = true;
  config.keepalive = KeepaliveClientConfig{.time = std::chrono::seconds(1), .timeout = Duration{0}};
  auto options = MakeGrpcClientOptions(config, "weir/1");
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->tls, nullptr);
  EXPECT_EQ(options->user_agent, "weir/1");
  EXPECT_EQ(options->keepalive->time, std::chrono::seconds(10));  // The floor.
  EXPECT_EQ(options->keepalive->timeout, std::chrono::seconds(20));

  config.endpoint = "https://localhost:4317";  // Wins over insecure, as in the Collector.
  config.tls.server_name_override = "backend";
  options = MakeGrpcClientOptions(config, "weir/1");
  ASSERT_TRUE(options.ok());
  EXPECT_NE(options->tls, nullptr);
  EXPECT_EQ(options->authority, "backend");

  config.tls.common.ca_file = "/nonexistent/ca.pem";
  EXPECT_THAT(std::string(MakeGrpcClientOptions(config, "").status().message()),
              HasSubstr("/nonexistent/ca.pem"));
}

TEST(HttpClientConfig, ReadsAndChecks) {
  HttpClientConfig config;
  EXPECT_EQ(Problems<HttpClientConfig>(
                {Pair("endpoint", "https://backend:4318"), Pair("compression", "zstd"),
                 Pair("compression_params", ConfigNode::Map({Pair("level", "3")})),
                 Pair("cookies", ConfigNode::Map({}))},
                &config),
            "");
  EXPECT_EQ(config.compression_level(), 3);
  EXPECT_TRUE(config.cookies.has_value());
  EXPECT_EQ(config.max_idle_conns, 100u);
  EXPECT_EQ(HttpClientConfig().compression_level(), kDefaultCompressionLevel);

  EXPECT_THAT(Problems<HttpClientConfig>({Pair("endpoint", "backend:4318")}), HasSubstr("http://"));
  EXPECT_THAT(Problems<HttpClientConfig>({Pair("endpoint", "http://")}), HasSubstr("endpoint"));
  EXPECT_THAT(Problems<HttpClientConfig>(
                  {Pair("compression", "gzip"),
                   Pair("compression_params", ConfigNode::Map({Pair("level", "10")}))}),
              HasSubstr("level"));
  EXPECT_THAT(Problems<HttpClientConfig>({Pair("proxy_url", "proxy:3128")}),
              HasSubstr("proxy_url"));
}

TEST(HttpClientConfig, FilesThatCannotBeReadFailAtStart) {
  HttpClientConfig config;
  config.tls.common.ca_file = "/nonexistent/ca.pem";
  EXPECT_FALSE(MakeHttpClientOptions(config).ok());
  EXPECT_TRUE(MakeHttpClientOptions(HttpClientConfig{}).ok());
}

TEST(HeaderMap, TakesAMapOrAList) {
  HttpClientConfig config;
  const auto item = [](const char* name, const char* value) {
    return ConfigNode::Map(
        {Pair("name", ConfigNode::String(name)), Pair("value", ConfigNode::String(value))});
  };
  EXPECT_EQ(Problems<HttpClientConfig>(
                {Pair("headers", ConfigNode::Sequence({item("b", "1"), item("a", "2")}))}, &config),
            "");
  EXPECT_THAT(config.headers.entries,
              testing::ElementsAre(std::pair("b", "1"), std::pair("a", "2")));
  EXPECT_THAT(Problems<HttpClientConfig>(
                  {Pair("headers", ConfigNode::Sequence({item("a", "1"), item("A", "2")}))}),
              HasSubstr("twice"));
  EXPECT_THAT(Problems<HttpClientConfig>({Pair("headers", "text")}), HasSubstr("map"));
  EXPECT_THAT(Problems<HttpClientConfig>(
                  {Pair("headers", ConfigNode::Map({Pair("a b", ConfigNode::String("1"))}))}),
              HasSubstr("name"));
  EXPECT_THAT(Problems<HttpClientConfig>(
                  {Pair("headers", ConfigNode::Map({Pair("a", ConfigNode::String("1\n2"))}))}),
              HasSubstr("characters"));
  EXPECT_THAT(Problems<HttpClientConfig>(
                  {Pair("headers", ConfigNode::Map({Pair("a", ConfigNode::Map({}))}))}),
              HasSubstr("text"));
}

TEST(HeaderMap, ValuesAreNotShown) {
  HttpClientConfig config;
  config.headers.entries = {{"Authorization", "Bearer hush"}};
  EXPECT_EQ(config.headers.FormatField(SecretPolicy::kRedact).Find("Authorization")->scalar(),
            Secret::kRedacted);
  EXPECT_EQ(config.headers.FormatField(SecretPolicy::kReveal).Find("Authorization")->scalar(),
            "Bearer hush");
  const ConfigNode list = ConfigNode::Sequence({ConfigNode::Map(
      {Pair("name", ConfigNode::String("a")), Pair("value", ConfigNode::String("hush"))})});
  EXPECT_EQ(HeaderMap::RedactField(list).items()[0].Find("value")->scalar(), Secret::kRedacted);
  EXPECT_EQ(HeaderMap::RedactField(list).items()[0].Find("name")->scalar(), "a");
}

}  // namespace
}  // namespace weir::net
