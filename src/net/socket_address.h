// Where a server listens: a TCP address or the path of a Unix socket, and the sockets for it.
//
// Threads: pure values and functions.
// Ownership: ListenSocket closes its descriptor, and removes the file of a Unix socket it made.

#ifndef WEIR_NET_SOCKET_ADDRESS_H_
#define WEIR_NET_SOCKET_ADDRESS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

struct sockaddr;

namespace weir::net {

enum class Transport : std::uint8_t { kTcp, kTcp4, kTcp6, kUnix };

struct Endpoint {
  // "host:port", ":port" (every address of the machine), "[::1]:port"; the path of a Unix socket.
  std::string address;
  Transport transport = Transport::kTcp;

  bool operator==(const Endpoint&) const = default;
};

struct HostPort {
  std::string host;  // Without brackets; empty is every address.
  std::uint16_t port = 0;
};
absl::StatusOr<HostPort> ParseHostPort(std::string_view address);

// As humans write it: "10.1.2.3:4567", "[::1]:4567"; empty for anything that is not IP.
std::string FormatSocketAddress(const sockaddr* address);

class ListenSocket {
 public:
  ListenSocket() = default;
  ListenSocket(ListenSocket&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), unix_path_(std::exchange(other.unix_path_, {})) {}
  ListenSocket& operator=(ListenSocket&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(unix_path_, other.unix_path_);
    return *this;
  }
  ~ListenSocket() { Close(); }

  // Bound and listening, not blocking. `shared` lets further sockets bind to the same TCP address,
  // between which the kernel then spreads connections. A host name is bound to its first address,
  // an IPv4 one where it has one, as Go does.
  static absl::StatusOr<ListenSocket> Open(const Endpoint& endpoint, bool shared);
  // Another descriptor of the same socket, for a further thread to accept from.
  absl::StatusOr<ListenSocket> Duplicate() const;

  int fd() const { return fd_; }
  std::uint16_t port() const;  // 0 for Unix sockets.
  void Close();

 private:
  ListenSocket(int fd, std::string unix_path) : fd_(fd), unix_path_(std::move(unix_path)) {}
  static absl::StatusOr<ListenSocket> OpenUnix(const std::string& path);

  int fd_ = -1;
  std::string unix_path_;
};

}  // namespace weir::net

#endif  // WEIR_NET_SOCKET_ADDRESS_H_
