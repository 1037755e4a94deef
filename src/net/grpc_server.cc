#include "net/grpc_server.h"

#include <utility>

#include "weir/base/check.h"

namespace weir::net {

void GrpcRouter::Add(std::string path, RequestHandler& handler) {
  const bool added = methods_.emplace(std::move(path), &handler).second;
  WEIR_CHECK(added);
}

RequestHandler* GrpcRouter::Find(std::string_view path) const {
  const auto found = methods_.find(path);
  return found == methods_.end() ? nullptr : found->second;
}

}  // namespace weir::net
