// A list of headers that is being built: names are compared without regard to case and written in
// lower case, as HTTP/2 and gRPC want them.
//
// Threads: pure functions.

#ifndef WEIR_NET_HEADER_LIST_H_
#define WEIR_NET_HEADER_LIST_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::net {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

bool HasHeader(const HeaderList& headers, std::string_view name);
// The only one of this name afterwards.
void SetHeader(HeaderList& headers, std::string_view name, std::string value);
void RemoveHeader(HeaderList& headers, std::string_view name);

}  // namespace weir::net

#endif  // WEIR_NET_HEADER_LIST_H_
