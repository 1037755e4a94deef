// A blocking HTTP/1.1 request over loopback, for servers under test.

#ifndef WEIR_TESTS_EXTENSIONS_HTTP_GET_H_
#define WEIR_TESTS_EXTENSIONS_HTTP_GET_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace weir::extensions {

struct HttpAnswer {
  int status = 0;  // 0 when nothing could be read.
  std::string head;
  std::string body;
};

inline HttpAnswer HttpRequest(std::uint16_t port, const std::string& method,
                              const std::string& path) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  timeval limit{.tv_sec = 20, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  HttpAnswer answer;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    const std::string request =
        method + " " + path + " HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    std::string text;
    char buffer[4096];
    for (ssize_t count = 0; (count = recv(fd, buffer, sizeof(buffer), 0)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(count));
    }
    const std::size_t end = text.find("\r\n\r\n");
    if (end != std::string::npos && text.starts_with("HTTP/1.1 ")) {
      answer.status = std::atoi(text.c_str() + 9);
      answer.head = text.substr(0, end);
      answer.body = text.substr(end + 4);
    }
  }
  close(fd);
  return answer;
}

inline HttpAnswer HttpGet(std::uint16_t port, const std::string& path) {
  return HttpRequest(port, "GET", path);
}

}  // namespace weir::extensions

#endif  // WEIR_TESTS_EXTENSIONS_HTTP_GET_H_
