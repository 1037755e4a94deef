#include "net/tls.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/net/certificates.h"
#include "weir/config/fields.h"

namespace weir::net {
namespace {

using testing::HasSubstr;

class TlsTest : public testing::Test {
 protected:
  TlsTest() {
    certificates_.Issue("server", {.common_name = "server"});
    certificates_.Issue("client", {.common_name = "agent"});
    server_.common.cert_file = certificates_.Path("server.pem");
    server_.common.key_file = certificates_.Path("server.key");
    client_.common.ca_file = certificates_.Path("ca.pem");
    OpenSockets();
  }
  ~TlsTest() override { CloseSockets(); }

  void OpenSockets() {
    WEIR_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets_) == 0);
  }
  void CloseSockets() {
    ::close(sockets_[0]);
    ::close(sockets_[1]);
  }

  // Both ends by turns, until neither moves.
  void Connect(const std::string& host = "localhost", std::vector<std::string> client_alpn = {},
               std::vector<std::string> server_alpn = {}) {
    auto client = TlsContext::NewClient(client_, std::move(client_alpn));
    ASSERT_TRUE(client.ok()) << client.status();
    auto server = TlsContext::NewServer(server_, std::move(server_alpn));
    ASSERT_TRUE(server.ok()) << server.status();
    client_context_ = *client;
    server_context_ = *server;
    Handshake(host);
  }

  void Handshake(const std::string& host) {
    CloseSockets();
    OpenSockets();
    client_stream_ = client_context_->NewClientStream(sockets_[0], host);
    server_stream_ = server_context_->NewServerStream(sockets_[1]);
    client_status_ = server_status_ = TlsStatus::kWantRead;
    for (int turn = 0; turn < 10; ++turn) {
      if (client_status_ != TlsStatus::kDone && client_status_ != TlsStatus::kFailed) {
        client_status_ = client_stream_->Handshake();
      }
      if (server_status_ != TlsStatus::kDone && server_status_ != TlsStatus::kFailed) {
        server_status_ = server_stream_->Handshake();
      }
    }
  }

  bool connected() const {
    return client_status_ == TlsStatus::kDone && server_status_ == TlsStatus::kDone;
  }

  TestCertificates certificates_;
  TlsClientConfig client_;
  TlsServerConfig server_;
  int sockets_[2];
  std::shared_ptr<TlsContext> client_context_;
  std::shared_ptr<TlsContext> server_context_;
  std::unique_ptr<TlsStream> client_stream_;
  std::unique_ptr<TlsStream> server_stream_;
  TlsStatus client_status_ = TlsStatus::kWantRead;
  TlsStatus server_status_ = TlsStatus::kWantRead;
};

// Scenario: a megabyte through a socket that takes a part at a time.
// Guarantees: every byte arrives in order; partial writes and several records a read work.
TEST_F(TlsTest, CarriesBytes) {
  Connect();
  ASSERT_TRUE(connected()) << client_stream_->error() << server_stream_->error();
  EXPECT_EQ(client_stream_->version(), "TLSv1.3");
  std::string sent;
  for (int i = 0; sent.size() < 1000000; ++i) {
    sent += std::to_string(i);
  }
  std::string received;
  std::array<char, 50000> chunk;
  for (std::size_t at = 0; received.size() < sent.size();) {
    if (at < sent.size()) {
      const TlsResult written = client_stream_->Write(std::string_view(sent).substr(at));
      ASSERT_NE(written.status, TlsStatus::kFailed);
      at += written.bytes;
    }
    for (TlsResult read{TlsStatus::kDone}; read.status == TlsStatus::kDone;) {
      read = server_stream_->Read(chunk);
      received.append(chunk.data(), read.bytes);
    }
  }
  EXPECT_TRUE(received == sent);
  client_stream_->Shutdown();
  EXPECT_EQ(server_stream_->Read(chunk).status, TlsStatus::kClosed);
}

TEST_F(TlsTest, PeerThatVanishesIsClosed) {
  Connect();
  ASSERT_TRUE(connected());
  ::shutdown(sockets_[0], SHUT_RDWR);
  std::array<char, 100> chunk;
  EXPECT_EQ(server_stream_->Read(chunk).status, TlsStatus::kClosed) << server_stream_->error();
  EXPECT_EQ(server_stream_->Write("x").status, TlsStatus::kFailed);  // And no SIGPIPE.
}

TEST_F(TlsTest, AgreesOnTheServersFavourite) {
  Connect("localhost", {"http/1.1", "h2"}, {"h2", "http/1.1"});
  ASSERT_TRUE(connected());
  EXPECT_EQ(client_stream_->alpn(), "h2");
  EXPECT_EQ(server_stream_->alpn(), "h2");
}

TEST_F(TlsTest, NoCommonProtocolIsLeftToTheSession) {
  Connect("localhost", {"spdy"}, {"h2"});
  ASSERT_TRUE(connected());
  EXPECT_EQ(server_stream_->alpn(), "");
}

TEST_F(TlsTest, VerifiesTheNameAndTheAuthority) {
  Connect("other.example");
  EXPECT_EQ(client_status_, TlsStatus::kFailed);
  EXPECT_THAT(client_stream_->error(), HasSubstr("hostname mismatch"));
}

TEST_F(TlsTest, VerifiesAddresses) {
  Connect("127.0.0.1");
  EXPECT_TRUE(connected()) << client_stream_->error();
}

TEST_F(TlsTest, ServerNameOverrideGoesFirst) {
  client_.server_name_override = "localhost";
  Connect("other.example");
  EXPECT_TRUE(connected());
}

TEST_F(TlsTest, UnknownAuthorityFails) {
  TestCertificates other;
  client_.common.ca_file = other.Path("ca.pem");
  Connect();
  EXPECT_EQ(client_status_, TlsStatus::kFailed);
  EXPECT_NE(server_status_, TlsStatus::kDone);
}

TEST_F(TlsTest, SkipVerifyTakesAnything) {
  TestCertificates other;
  client_.common.ca_file = other.Path("ca.pem");
  client_.insecure_skip_verify = true;
  Connect("other.example");
  EXPECT_TRUE(connected());
}

TEST_F(TlsTest, MutualTls) {
  server_.client_ca_file = certificates_.Path("ca.pem");
  client_.common.cert_pem = Secret(certificates_.Text("client.pem"));
  client_.common.key_pem = Secret(certificates_.Text("client.key"));
  Connect();
  ASSERT_TRUE(connected()) << server_stream_->error();
  EXPECT_EQ(server_stream_->PeerSubject(), "CN=agent");
}

TEST_F(TlsTest, ClientWithoutCertificateIsTurnedAway) {
  server_.client_ca_file = certificates_.Path("ca.pem");
  Connect();
  EXPECT_EQ(server_status_, TlsStatus::kFailed);
  EXPECT_THAT(server_stream_->error(), HasSubstr("peer did not return a certificate"));
}

TEST_F(TlsTest, VersionsAndSuitesAreKept) {
  client_.common.max_version = "1.2";
  client_.common.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"};
  Connect();
  ASSERT_TRUE(connected()) << client_stream_->error();
  EXPECT_EQ(server_stream_->version(), "TLSv1.2");
}

TEST_F(TlsTest, VersionsThatDoNotMeetFail) {
  client_.common.max_version = "1.2";
  server_.common.min_version = "1.3";
  Connect();
  EXPECT_FALSE(connected());
}

// Scenario: the certificate on disk is replaced, then broken.
// Guarantees: new connections get the new one; a broken file keeps the last good one.
TEST_F(TlsTest, Reloads) {
  server_.client_ca_file = certificates_.Path("ca.pem");
  client_.common.cert_file = certificates_.Path("client.pem");
  client_.common.key_file = certificates_.Path("client.key");
  client_.common.reload_interval = std::chrono::nanoseconds(1);
  Connect();
  ASSERT_TRUE(connected());
  EXPECT_EQ(server_stream_->PeerSubject(), "CN=agent");

  certificates_.Issue("client", {.common_name = "agent two"});
  Handshake("localhost");
  ASSERT_TRUE(connected());
  EXPECT_EQ(server_stream_->PeerSubject(), "CN=agent two");

  std::ofstream(certificates_.Path("client.pem")) << "no certificate";
  Handshake("localhost");
  ASSERT_TRUE(connected());
  EXPECT_EQ(server_stream_->PeerSubject(), "CN=agent two");
  EXPECT_THAT(client_context_->last_reload_error(), HasSubstr("client.pem"));
}

TEST_F(TlsTest, NoiseInsteadOfAHandshakeFails) {
  auto server = TlsContext::NewServer(server_, {});
  ASSERT_TRUE(server.ok());
  const std::string noise = "GET / HTTP/1.1\r\n\r\n";
  ASSERT_EQ(::send(sockets_[0], noise.data(), noise.size(), 0), static_cast<ssize_t>(noise.size()));
  const auto stream = (*server)->NewServerStream(sockets_[1]);
  EXPECT_EQ(stream->Handshake(), TlsStatus::kFailed);
  EXPECT_FALSE(stream->error().empty());
}

TEST_F(TlsTest, FilesThatCannotBeUsedAreNamed) {
  server_.common.key_file = certificates_.Path("client.key");
  EXPECT_THAT(std::string(TlsContext::NewServer(server_, {}).status().message()),
              HasSubstr("client.key"));
  server_.common.cert_file = certificates_.Path("absent.pem");
  EXPECT_THAT(std::string(TlsContext::NewServer(server_, {}).status().message()),
              HasSubstr("absent.pem"));
  client_.common.ca_file = certificates_.Path("server.key");
  EXPECT_THAT(std::string(TlsContext::NewClient(client_, {}).status().message()),
              HasSubstr("no certificate in"));
}

template <typename Config>
std::string Problems(const Config& config) {
  ConfigErrors errors;
  static_cast<void>(ReadConfig<Config>(FormatConfig(config, SecretPolicy::kReveal), "tls", errors));
  return errors.Render();
}

TEST_F(TlsTest, ConfigRules) {
  EXPECT_EQ(Problems(client_), "");
  EXPECT_EQ(Problems(server_), "");
  EXPECT_THAT(Problems(TlsServerConfig{}), HasSubstr("cert_file"));
  TlsClientConfig both = client_;
  both.common.ca_pem = Secret("x");
  EXPECT_THAT(Problems(both), HasSubstr("ca_file"));
  TlsClientConfig half = client_;
  half.common.cert_file = "x";
  EXPECT_THAT(Problems(half), HasSubstr("key_file"));
  TlsClientConfig versions = client_;
  versions.common.min_version = "1.3";
  versions.common.max_version = "1.2";
  EXPECT_THAT(Problems(versions), HasSubstr("older"));
  TlsClientConfig version = client_;
  version.common.min_version = "2.0";
  EXPECT_THAT(Problems(version), HasSubstr("min_version"));
  TlsClientConfig suite = client_;
  suite.common.cipher_suites = {"TLS_RSA_WITH_AES_128_CBC_SHA"};
  EXPECT_THAT(Problems(suite), HasSubstr("weak"));
  suite.common.include_insecure_cipher_suites = true;
  EXPECT_EQ(Problems(suite), "");
  suite.common.cipher_suites = {"NO_SUITE"};
  EXPECT_THAT(Problems(suite), HasSubstr("NO_SUITE"));
  TlsClientConfig curve = client_;
  curve.common.curve_preferences = {"P224"};
  EXPECT_THAT(Problems(curve), HasSubstr("P224"));
}

TEST_F(TlsTest, InsecureMeansClearTextUnlessAnAuthorityIsGiven) {
  EXPECT_TRUE(TlsClientConfig{}.UsesTls());
  EXPECT_FALSE((TlsClientConfig{.insecure = true}).UsesTls());
  client_.insecure = true;
  EXPECT_TRUE(client_.UsesTls());
}

}  // namespace
}  // namespace weir::net
