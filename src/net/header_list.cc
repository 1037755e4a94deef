#include "net/header_list.h"

#include <algorithm>

#include "net/request_head.h"

namespace weir::net {

bool HasHeader(const HeaderList& headers, std::string_view name) {
  return std::ranges::any_of(
      headers, [&](const auto& header) { return EqualsIgnoringCase(header.first, name); });
}

void SetHeader(HeaderList& headers, std::string_view name, std::string value) {
  RemoveHeader(headers, name);
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  headers.emplace_back(std::move(lower), std::move(value));
}

void RemoveHeader(HeaderList& headers, std::string_view name) {
  std::erase_if(headers,
                [&](const auto& header) { return EqualsIgnoringCase(header.first, name); });
}

}  // namespace weir::net
