// An extension adds a capability to the service. Others find it by its id and ask for the
// capability by dynamic_cast; a null answer is a configuration error that names both.
//
// Extensions start before and stop after everything else, in the order service::extensions lists.

#ifndef WEIR_COMPONENT_EXTENSION_H_
#define WEIR_COMPONENT_EXTENSION_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/component/component.h"
#include "weir/component/context.h"

namespace weir {

// How the service is doing, as far as extensions show it.
enum class ServiceState : std::uint8_t { kStarting, kReady, kStopping };

class Extension : public Component {
 public:
  // Called on the service thread when the state changes.
  virtual void OnServiceState(ServiceState /*state*/) {}
};

// Looks a header (or a gRPC metadata key, in lower case) up in the request at hand; empty when it
// is not there.
using HeaderLookup = std::function<std::string_view(std::string_view key)>;
using HeaderList = std::vector<std::pair<std::string, std::string>>;

// Capability: checks who calls a receiver.
class ServerAuthenticator {
 public:
  virtual ~ServerAuthenticator() = default;
  // The attributes of the caller ("username", "subject", ...), or Unauthenticated with a message
  // that is safe to send back. Threads: any. Must not block.
  virtual absl::StatusOr<HeaderList> Authenticate(const HeaderLookup& headers) const = 0;
};

// Capability: adds headers to what an exporter sends.
class ClientAuthenticator {
 public:
  virtual ~ClientAuthenticator() = default;
  // `context` is that of the batch that is sent, or null. Threads: any. Must not block.
  virtual absl::Status AddHeaders(const RequestContext* context, HeaderList& headers) const = 0;
  // True when the result depends on the context, so that batches of different callers stay apart.
  virtual bool uses_context() const { return false; }
};

// The running extension `id` as what an exporter's `auth::authenticator` asks for.
// InvalidArgument when it does not run or adds no credentials.
absl::StatusOr<const ClientAuthenticator*> FindClientAuthenticator(const Host& host,
                                                                   const ComponentId& id);

struct StorageSettings {
  enum class Fsync : std::uint8_t { kAlways, kInterval, kNever };

  std::string directory;  // Exists, and belongs to this process, once the extension has started.
  Fsync fsync = Fsync::kAlways;
  std::chrono::nanoseconds fsync_interval = std::chrono::seconds(1);
  std::uint64_t max_size_bytes = 0;  // Of each queue on disk; 0 sets no limit.
};

// Capability: a folder for durable state.
class StorageProvider {
 public:
  virtual ~StorageProvider() = default;
  virtual StorageSettings settings() const = 0;
};

// Capability: shows pages of the service's own state. The service calls it before Start.
class DebugPages {
 public:
  virtual ~DebugPages() = default;
  // `render` answers a path below /debug/ with HTML or JSON; empty means not found. Threads: any.
  using Render = std::function<std::string(std::string_view path)>;
  virtual void SetDebugPages(Render render) = 0;
};

}  // namespace weir

#endif  // WEIR_COMPONENT_EXTENSION_H_
