#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

#include "weir/base/status.h"

namespace weir::net {
namespace {

absl::StatusOr<Addresses> Resolve(const std::vector<HostPort>& hosts, int flags) {
  Addresses addresses;
  for (const HostPort& host : hosts) {
    addrinfo hints{};
    hints.ai_flags = flags | AI_NUMERICSERV;
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const int error =
        ::getaddrinfo(host.host.c_str(), std::to_string(host.port).c_str(), &hints, &list);
    if (error != 0) {
      return absl::UnavailableError(
          fmt::format("can't resolve {}: {}", host.host, ::gai_strerror(error)));
    }
    for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
      SocketAddress address;
      std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
      address.length = entry->ai_addrlen;
      addresses.push_back(address);
    }
    ::freeaddrinfo(list);
  }
  return addresses;
}

}  // namespace

std::string SocketAddress::ToString() const {
  if (family() == AF_UNIX) {
    const auto& unix_address = reinterpret_cast<const sockaddr_un&>(storage);
    std::string path(unix_address.sun_path, length - offsetof(sockaddr_un, sun_path));
    if (!path.empty() && path.front() == '\0') {
      path.front() = '@';
    }
    return "unix:" + path;
  }
  std::array<char, NI_MAXHOST> host;
  std::array<char, NI_MAXSERV> port;
  if (::getnameinfo(get(), length, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "unknown";
  }
  return family() == AF_INET6 ? fmt::format("[{}]:{}", host.data(), port.data())
                              : fmt::format("{}:{}", host.data(), port.data());
}

bool SocketAddress::operator==(const SocketAddress& other) const {
  return length == other.length && std::memcmp(&storage, &other.storage, length) == 0;
}

absl::StatusOr<SocketAddress> UnixAddress(const std::string& path) {
  SocketAddress address;
  auto& unix_address = reinterpret_cast<sockaddr_un&>(address.storage);
  // One byte is left for the end that pathname sockets have.
  if (path.empty() || path.size() >= sizeof(unix_address.sun_path)) {
    return InvalidArgument("unix socket path has {} bytes, {} is the most", path.size(),
                           sizeof(unix_address.sun_path) - 1);
  }
  unix_address.sun_family = AF_UNIX;
  std::memcpy(unix_address.sun_path, path.data(), path.size());
  address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  return address;
}

// The thread can't be stopped inside the system's resolver, so it is let go: what it shares with us
// says whether anybody still listens.
struct NameLookup::Shared {
  std::mutex mutex;
  EventLoop* loop = nullptr;  // Null once the lookup is gone.
  Done done;                  // Loop thread only.
};

std::unique_ptr<NameLookup> NameLookup::Begin(EventLoop& loop, std::vector<HostPort> hosts,
                                              Done done) {
  auto shared = std::make_shared<Shared>();
  shared->loop = &loop;
  shared->done = std::move(done);
  const auto deliver = [](const std::shared_ptr<Shared>& to, absl::StatusOr<Addresses> addresses) {
    const std::lock_guard lock(to->mutex);
    if (to->loop != nullptr) {
      to->loop->Post([to, addresses = std::move(addresses)]() mutable {
        if (to->done) {
          std::exchange(to->done, nullptr)(std::move(addresses));
        }
      });
    }
  };
  if (absl::StatusOr<Addresses> numeric = Resolve(hosts, AI_NUMERICHOST); numeric.ok()) {
    deliver(shared, std::move(numeric));
  } else {
    std::thread([shared, hosts = std::move(hosts), deliver] {
      deliver(shared, Resolve(hosts, AI_ADDRCONFIG));
    }).detach();
  }
  return std::unique_ptr<NameLookup>(new NameLookup(std::move(shared)));
}

NameLookup::~NameLookup() {
  const std::lock_guard lock(shared_->mutex);
  shared_->loop = nullptr;
  shared_->done = nullptr;
}

}  // namespace weir::net
