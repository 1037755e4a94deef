// Socket addresses, and names turned into them without holding up the event loop.
//
// Threads: SocketAddress is a plain value. A NameLookup belongs to the loop's thread; the work is
// done on a thread of its own that ends with it.

#ifndef WEIR_NET_ADDRESS_H_
#define WEIR_NET_ADDRESS_H_

#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "net/grpc_target.h"
#include "weir/base/event_loop.h"

namespace weir::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  std::string ToString() const;  // "127.0.0.1:4317", "[::1]:4317", "unix:/run/x".
  bool operator==(const SocketAddress& other) const;
};

// InvalidArgument when the path doesn't fit.
absl::StatusOr<SocketAddress> UnixAddress(const std::string& path);

using Addresses = std::vector<SocketAddress>;

// One lookup; destroying it forgets the answer.
class NameLookup {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<Addresses>)>;

  // Calls `done` on the loop, later. Numeric addresses need no thread.
  static std::unique_ptr<NameLookup> Begin(EventLoop& loop, std::vector<HostPort> hosts, Done done);
  ~NameLookup();

 private:
  struct Shared;
  explicit NameLookup(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  std::shared_ptr<Shared> shared_;
};

}  // namespace weir::net

#endif  // WEIR_NET_ADDRESS_H_
