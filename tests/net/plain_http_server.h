// A small HTTP/1.1 server for tests of clients: one thread, one connection at a time, kept open
// until the peer or the answer ends it; with TLS when given a context.
//
//   PlainHttpServer server([](const PlainHttpServer::Request& request) { return Ok("body"); });

#ifndef WEIR_TESTS_NET_PLAIN_HTTP_SERVER_H_
#define WEIR_TESTS_NET_PLAIN_HTTP_SERVER_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "net/tls.h"
#include "weir/base/check.h"

namespace weir::net {

class PlainHttpServer {
 public:
  struct Request {
    std::string line;                            // "POST /path HTTP/1.1".
    std::map<std::string, std::string> headers;  // Names in lower case.
    std::string body;
    int connection = 0;  // Counted from 1.
  };
  // What is sent, word for word; "" closes the connection instead.
  using Respond = std::function<std::string(const Request&)>;

  explicit PlainHttpServer(Respond respond, std::shared_ptr<TlsContext> tls = nullptr)
      : respond_(std::move(respond)), tls_(std::move(tls)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    WEIR_CHECK(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    WEIR_CHECK(::listen(listener_, 16) == 0);
    socklen_t length = sizeof(address);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Run(); });
  }
  ~PlainHttpServer() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    ::shutdown(connection_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  std::string url(const std::string& path = "/") const {
    return std::string(tls_ == nullptr ? "http" : "https") +
           "://127.0.0.1:" + std::to_string(port_) + path;
  }
  int port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void Run() {
    while (!stopping_) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) {
        return;
      }
      ++connections_;
      connection_ = fd;
      if (stopping_) {
        ::shutdown(fd, SHUT_RDWR);
      }
      stream_ = tls_ == nullptr ? nullptr : tls_->NewServerStream(fd);
      if (stream_ == nullptr || stream_->Handshake() == TlsStatus::kDone) {
        Serve(fd);
      }
      connection_ = -1;
      stream_.reset();
      ::close(fd);
    }
  }

  void Serve(int fd) {
    std::string input;
    while (true) {
      std::size_t end = input.find("\r\n\r\n");
      while (end == std::string::npos) {
        if (!Read(fd, input)) {
          return;
        }
        end = input.find("\r\n\r\n");
      }
      Request request = ParseHead(input.substr(0, end + 2));
      input.erase(0, end + 4);
      const auto length = request.headers.find("content-length");
      const std::size_t size = length == request.headers.end() ? 0 : std::stoul(length->second);
      while (input.size() < size) {
        if (!Read(fd, input)) {
          return;
        }
      }
      request.body = input.substr(0, size);
      input.erase(0, size);
      request.connection = connections_;
      const std::string answer = respond_(request);
      if (answer.empty() || !Write(fd, answer)) {
        return;
      }
    }
  }

  static Request ParseHead(std::string_view head) {
    Request request;
    for (bool first = true; !head.empty(); first = false) {
      const std::size_t end = head.find("\r\n");
      const std::string line(head.substr(0, end));
      head.remove_prefix(end + 2);
      const std::size_t colon = line.find(": ");
      if (first) {
        request.line = line;
      } else if (colon != std::string::npos) {
        std::string name = line.substr(0, colon);
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        request.headers[name] = line.substr(colon + 2);
      }
    }
    return request;
  }

  bool Read(int fd, std::string& input) {
    std::array<char, 65536> chunk;
    ssize_t count = 0;
    if (stream_ != nullptr) {
      count = static_cast<ssize_t>(stream_->Read(chunk).bytes);
    } else {
      count = ::recv(fd, chunk.data(), chunk.size(), 0);
    }
    if (count <= 0) {
      return false;
    }
    input.append(chunk.data(), static_cast<std::size_t>(count));
    return true;
  }

  bool Write(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t count = 0;
      if (stream_ != nullptr) {
        count = static_cast<ssize_t>(stream_->Write(bytes).bytes);
      } else {
        count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      }
      if (count <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  const Respond respond_;
  const std::shared_ptr<TlsContext> tls_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<int> connection_{-1};
  std::atomic<bool> stopping_{false};
  std::unique_ptr<TlsStream> stream_;
  std::thread thread_;
};

inline std::string HttpAnswer(const std::string& status, const std::string& body,
                              const std::string& headers = "") {
  return "HTTP/1.1 " + status + "\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace weir::net

#endif  // WEIR_TESTS_NET_PLAIN_HTTP_SERVER_H_
