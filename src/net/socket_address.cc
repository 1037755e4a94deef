#include "net/socket_address.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include "weir/base/status.h"

namespace weir::net {
namespace {

constexpr int kBacklog = 1024;

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

absl::StatusOr<AddressList> Resolve(const HostPort& where, Transport transport) {
  addrinfo hints{};
  hints.ai_family = transport == Transport::kTcp4   ? AF_INET
                    : transport == Transport::kTcp6 ? AF_INET6
                                                    : AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(where.port);
  const int error = ::getaddrinfo(where.host.empty() ? nullptr : where.host.c_str(), port.c_str(),
                                  &hints, &found);
  if (error != 0) {
    return InvalidArgument("can't resolve {}: {}", where.host, ::gai_strerror(error));
  }
  return AddressList(found, ::freeaddrinfo);
}

// Every address is best served by one IPv6 socket that takes IPv4 too; a name by IPv4.
const addrinfo* Choose(const addrinfo* list, bool any_address) {
  const int wanted = any_address ? AF_INET6 : AF_INET;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    if (at->ai_family == wanted) {
      return at;
    }
  }
  return list;
}

bool BindAndListen(int fd, const addrinfo& address, bool shared, bool dual) {
  const int on = 1;
  const int off = 0;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (shared) {
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  }
  if (address.ai_family == AF_INET6) {
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, dual ? &off : &on, sizeof(on));
  }
  return ::bind(fd, address.ai_addr, address.ai_addrlen) == 0 && ::listen(fd, kBacklog) == 0;
}

bool NobodyListens(const sockaddr_un& address) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool refused =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 &&
      errno == ECONNREFUSED;
  ::close(fd);
  return refused;
}

}  // namespace

absl::StatusOr<HostPort> ParseHostPort(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) {
    return InvalidArgument("missing port in address {}", address);
  }
  std::string_view host = address.substr(0, colon);
  const std::string_view port = address.substr(colon + 1);
  if (!host.empty() && host.front() == '[') {
    if (host.back() != ']') {
      return InvalidArgument("missing ']' in address {}", address);
    }
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return InvalidArgument("too many colons in address {}; an IPv6 one stands in brackets",
                           address);
  }
  HostPort result{.host = std::string(host)};
  const auto [at, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (port.empty() || error != std::errc() || at != port.data() + port.size()) {
    return InvalidArgument("invalid port \"{}\" in address {}", port, address);
  }
  return result;
}

std::string FormatSocketAddress(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text;
  if (address->sa_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(address);
    ::inet_ntop(AF_INET, &in->sin_addr, text.data(), text.size());
    return fmt::format("{}:{}", text.data(), ntohs(in->sin_port));
  }
  if (address->sa_family == AF_INET6) {
    const auto* in = reinterpret_cast<const sockaddr_in6*>(address);
    if (IN6_IS_ADDR_V4MAPPED(&in->sin6_addr)) {
      ::inet_ntop(AF_INET, &in->sin6_addr.s6_addr[12], text.data(), text.size());
      return fmt::format("{}:{}", text.data(), ntohs(in->sin6_port));
    }
    ::inet_ntop(AF_INET6, &in->sin6_addr, text.data(), text.size());
    return fmt::format("[{}]:{}", text.data(), ntohs(in->sin6_port));
  }
  return {};
}

absl::StatusOr<ListenSocket> ListenSocket::Open(const Endpoint& endpoint, bool shared) {
  if (endpoint.transport == Transport::kUnix) {
    return OpenUnix(endpoint.address);
  }
  WEIR_ASSIGN_OR_RETURN(const HostPort where, ParseHostPort(endpoint.address));
  WEIR_ASSIGN_OR_RETURN(const AddressList list, Resolve(where, endpoint.transport));
  const addrinfo* const address = Choose(list.get(), where.host.empty());
  const int fd =
      ::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
  if (fd < 0) {
    // A machine without IPv6 still has every IPv4 address.
    if (where.host.empty() && address->ai_family == AF_INET6 &&
        endpoint.transport == Transport::kTcp) {
      return Open({endpoint.address, Transport::kTcp4}, shared);
    }
    return FromErrno(errno, "can't open a socket for {}", endpoint.address);
  }
  ListenSocket socket(fd, {});
  const bool dual = where.host.empty() && endpoint.transport == Transport::kTcp;
  if (!BindAndListen(fd, *address, shared, dual)) {
    return FromErrno(errno, "can't listen on {}", endpoint.address);
  }
  return socket;
}

absl::StatusOr<ListenSocket> ListenSocket::OpenUnix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return InvalidArgument("a Unix socket's path has 1 to {} bytes: {}",
                           sizeof(address.sun_path) - 1, path);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  // What a killed process left behind would keep its successor from starting.
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode) && NobodyListens(address)) {
    ::unlink(path.c_str());
  }
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    return FromErrno(errno, "can't open a socket for {}", path);
  }
  ListenSocket socket(fd, {});
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(fd, kBacklog) != 0) {
    return FromErrno(errno, "can't listen on {}", path);
  }
  socket.unix_path_ = path;
  return socket;
}

absl::StatusOr<ListenSocket> ListenSocket::Duplicate() const {
  const int fd = ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) {
    return FromErrno(errno, "can't duplicate a listening socket");
  }
  return ListenSocket(fd, {});
}

std::uint16_t ListenSocket::port() const {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return 0;
  }
  if (address.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  }
  if (address.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  }
  return 0;
}

void ListenSocket::Close() {
  if (fd_ >= 0) {
    ::close(std::exchange(fd_, -1));
  }
  if (!unix_path_.empty()) {
    ::unlink(std::exchange(unix_path_, {}).c_str());
  }
}

}  // namespace weir::net
