// Where a gRPC client connects, as the Collector's `endpoint` may spell it:
//
//   host:port   dns:host:port   dns:///host:port   passthrough:///host:port
//   http://host:port   https://host:port           (https asks for TLS)
//   ipv4:1.2.3.4:80,5.6.7.8:80   ipv6:[::1]:80
//   unix:path   unix:///absolute/path   unix-abstract:name
//
// Threads: plain values, pure functions.

#ifndef WEIR_NET_GRPC_TARGET_H_
#define WEIR_NET_GRPC_TARGET_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "net/socket_address.h"

namespace weir::net {

struct GrpcTarget {
  std::vector<HostPort> hosts;  // One, but for ipv4: and ipv6: lists.
  std::string unix_path;        // Set instead of hosts; an abstract name begins with '\0'.
  std::string authority;        // What :authority says unless configured otherwise.
  bool tls = false;             // The scheme asks for it.
};

absl::StatusOr<GrpcTarget> ParseGrpcTarget(std::string_view text);

}  // namespace weir::net

#endif  // WEIR_NET_GRPC_TARGET_H_
