// Clients that are not ours: gRPC C++, and OpenSSL with certificates.

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "tests/net/certificates.h"
#include "tests/net/test_server.h"

namespace weir::net {
namespace {

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string ToString(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  EXPECT_TRUE(buffer.Dump(&slices).ok());
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

class GrpcClient {
 public:
  explicit GrpcClient(std::uint16_t port)
      : stub_(grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                  grpc::InsecureChannelCredentials())) {}

  struct Result {
    grpc::Status status;
    std::string message;
  };
  // All at once; results in the order of the messages.
  std::vector<Result> CallAll(const std::vector<std::string>& messages, const std::string& path,
                              grpc_compression_algorithm compression = GRPC_COMPRESS_NONE) {
    std::vector<Result> results(messages.size());
    std::vector<std::unique_ptr<Call>> calls;
    std::mutex mutex;
    std::condition_variable done;
    std::size_t left = messages.size();
    for (std::size_t i = 0; i < messages.size(); ++i) {
      calls.push_back(std::make_unique<Call>());
      Call& call = *calls.back();
      call.context.set_compression_algorithm(compression);
      call.context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
      call.request = ToBuffer(messages[i]);
      stub_.UnaryCall(&call.context, path, {}, &call.request, &call.response,
                      [&, i](grpc::Status status) {
                        const std::lock_guard lock(mutex);
                        results[i].status = std::move(status);
                        --left;
                        done.notify_all();
                      });
    }
    std::unique_lock lock(mutex);
    done.wait(lock, [&] { return left == 0; });
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (results[i].status.ok()) {
        results[i].message = ToString(calls[i]->response);
      }
    }
    return results;
  }

 private:
  struct Call {
    grpc::ClientContext context;
    grpc::ByteBuffer request;
    grpc::ByteBuffer response;
  };
  grpc::GenericStub stub_;
};

TEST(GrpcCppClientTest, EchoesMessagesOfEverySize) {
  TestServer server;
  server.handler.body_bytes_max = 8 << 20;
  GrpcClient client(server.server->port());
  std::vector<std::string> messages;
  for (const std::size_t size : {0, 1, 5, 1000, 16384, 65535, 65536, 100000, 1000000, 4000000}) {
    messages.push_back(std::string(size, static_cast<char>('a' + size % 26)));
  }
  for (const grpc_compression_algorithm compression :
       {GRPC_COMPRESS_NONE, GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    const auto results = client.CallAll(messages, TestServer::kGrpcPath, compression);
    for (std::size_t i = 0; i < messages.size(); ++i) {
      ASSERT_TRUE(results[i].status.ok()) << results[i].status.error_message();
      EXPECT_EQ(results[i].message, messages[i]) << messages[i].size();
    }
  }
  server.OnLoop([] {});
  EXPECT_EQ(server.budget.used(), 0u);
}

TEST(GrpcCppClientTest, SeesStatusesMessagesAndDetails) {
  TestServer server;
  server.handler.on_body = [](ServerRequest& request, Slice body) {
    request.RespondGrpc(WithRetryInfo({GrpcCode::kUnavailable, std::string(body.view()), {}},
                                      std::chrono::milliseconds(100)));
  };
  GrpcClient client(server.server->port());
  const auto busy = client.CallAll({"n\xc3\xb6 room, 100 %\n"}, TestServer::kGrpcPath)[0];
  EXPECT_EQ(busy.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(busy.status.error_message(), "n\xc3\xb6 room, 100 %\n");
  EXPECT_NE(busy.status.error_details().find("google.rpc.RetryInfo"), std::string::npos);
  const auto unknown = client.CallAll({""}, "/no.Such/Method")[0];
  EXPECT_EQ(unknown.status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  server.handler.body_bytes_max = 10;
  const auto large = client.CallAll({std::string(200000, 'x')}, TestServer::kGrpcPath)[0];
  EXPECT_EQ(large.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

// Scenario: many calls at once, while the server's connections grow old and are replaced.
// Guarantees: what the server took it answers. The client itself fails calls that it had not sent
// when it heard GOAWAY; those never were in.
TEST(GrpcCppClientTest, AnswersEveryCallItTookWhenConnectionsAge) {
  ServerOptions options;
  options.keepalive.max_connection_age = std::chrono::milliseconds(50);
  TestServer server(options);
  GrpcClient client(server.server->port());
  const std::vector<std::string> messages(200, std::string(2000, 'm'));
  std::size_t answered = 0;
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
  while (std::chrono::steady_clock::now() < until) {
    for (const auto& result : client.CallAll(messages, TestServer::kGrpcPath)) {
      if (result.status.ok()) {
        ++answered;
      } else {
        EXPECT_EQ(result.status.error_message(), "GOAWAY received");
      }
    }
  }
  EXPECT_EQ(server.handler.bodies().size(), answered);
  EXPECT_GT(server.server->stats().connections_accepted, 1u);
}

// TLS --------------------------------------------------------------------------------------------

class TlsServerTest : public ::testing::Test {
 protected:
  TlsServerTest() {
    certificates_.Issue("server", {});
    certificates_.Issue("client", {.names = {}, .addresses = {}, .common_name = "agent"});
    options_.tls.emplace();
    options_.tls->common.cert_file = certificates_.Path("server.pem");
    options_.tls->common.key_file = certificates_.Path("server.key");
  }

  TlsClientConfig ClientConfig() {
    TlsClientConfig config;
    config.common.ca_file = certificates_.Path("ca.pem");
    return config;
  }

  // Sends one request; what came back, or "" when the handshake or the connection failed.
  std::string Ask(std::uint16_t port, const TlsClientConfig& config, const std::string& alpn,
                  const std::string& request) {
    auto context = TlsContext::NewClient(config, {alpn});
    EXPECT_TRUE(context.ok()) << context.status();
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    std::string answer;
    {
      const std::unique_ptr<TlsStream> stream = (*context)->NewClientStream(fd, "localhost");
      if (stream->Handshake() == TlsStatus::kDone) {
        EXPECT_EQ(stream->alpn(), alpn);
        for (std::string_view left = request; !left.empty();) {
          const TlsResult written = stream->Write(left);
          EXPECT_EQ(written.status, TlsStatus::kDone) << stream->error();
          if (written.status != TlsStatus::kDone) {
            break;
          }
          left.remove_prefix(written.bytes);
        }
        char bytes[4096];
        for (TlsResult read = stream->Read(bytes); read.status == TlsStatus::kDone;
             read = stream->Read(bytes)) {
          answer.append(bytes, read.bytes);
        }
      }
    }
    ::close(fd);
    return answer;
  }

  TestCertificates certificates_;
  ServerOptions options_;
};

const char* const kRequest =
    "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 6\r\n\r\nsecret";

TEST_F(TlsServerTest, AgreesOnAProtocol) {
  TestServer server(options_);
  EXPECT_TRUE(Ask(server.server->port(), ClientConfig(), "http/1.1", kRequest).ends_with("secret"));
  std::string frames(http2::kPreface);
  frames += RawHttp2::Encode(http2::kSettings, 0, 0, "");
  frames += RawHttp2::Encode(http2::kGoaway, 0, 0, std::string(8, '\0'));
  const std::string answer = Ask(server.server->port(), ClientConfig(), "h2", frames);
  ASSERT_GT(answer.size(), http2::kFrameHeadBytes);
  EXPECT_EQ(http2::ReadFrameHead(answer.data()).type, http2::kSettings);
}

TEST_F(TlsServerTest, CarriesLargeBodiesBothWays) {
  TestServer server(options_);
  server.handler.body_bytes_max = 4 << 20;
  const std::string body(3 << 20, 'b');
  const std::string answer =
      Ask(server.server->port(), ClientConfig(), "http/1.1",
          "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_TRUE(answer.ends_with(body));
}

TEST_F(TlsServerTest, AsksForCertificatesAndSaysWhoCame) {
  options_.tls->client_ca_file = certificates_.Path("ca.pem");
  TestServer server(options_);
  std::string subject;
  server.handler.on_body = [&](ServerRequest& request, Slice) {
    subject = request.peer()->tls_subject;
    request.Respond({});
  };
  TlsClientConfig config = ClientConfig();
  EXPECT_EQ(Ask(server.server->port(), config, "http/1.1", kRequest), "");
  config.common.cert_file = certificates_.Path("client.pem");
  config.common.key_file = certificates_.Path("client.key");
  EXPECT_TRUE(
      Ask(server.server->port(), config, "http/1.1", kRequest).starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(subject, "CN=agent");
}

TEST_F(TlsServerTest, ClearTextGetsNoAnswer) {
  TestServer server(options_);
  RawClient client(server.server->port());
  client.Send(kRequest);
  EXPECT_EQ(client.ReceiveAll().find("HTTP/"), std::string::npos);
  EXPECT_EQ(server.handler.heads().size(), 0u);
}

}  // namespace
}  // namespace weir::net
