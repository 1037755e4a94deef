#include "otlp_count.h"

#include <libdeflate.h>

#include <algorithm>
#include <cstddef>

namespace {

constexpr std::size_t kInflatedBytesMax = 256u << 20;

bool ReadVarint(const char*& at, const char* end, std::uint64_t& value) {
  value = 0;
  for (int shift = 0; at < end && shift < 64; shift += 7) {
    const auto byte = static_cast<std::uint8_t>(*at++);
    value |= static_cast<std::uint64_t>(byte & 127) << shift;
    if ((byte & 128) == 0) {
      return true;
    }
  }
  return false;
}

// Which fields lead from a request to its items: request > resource > scope > item, and for metrics
// further > kind (gauge, sum, histogram, exponential histogram, summary) > data point.
bool LeadsDown(int depth, std::uint64_t field) {
  switch (depth) {
    case 0:
      return field == 1;
    case 3:
      return field == 5 || field == 7 || field == 9 || field == 10 || field == 11;
    case 4:
      return field == 1;
    default:
      return field == 2;
  }
}

bool Count(const char* at, const char* end, int depth, int last_depth, std::uint64_t& items) {
  while (at < end) {
    std::uint64_t tag = 0;
    std::uint64_t length = 0;
    if (!ReadVarint(at, end, tag)) {
      return false;
    }
    switch (tag & 7) {
      case 0:
        if (!ReadVarint(at, end, length)) {
          return false;
        }
        break;
      case 1:
        at += 8;
        break;
      case 5:
        at += 4;
        break;
      case 2:
        if (!ReadVarint(at, end, length) || length > static_cast<std::uint64_t>(end - at)) {
          return false;
        }
        if (LeadsDown(depth, tag >> 3)) {
          if (depth == last_depth) {
            ++items;
          } else if (!Count(at, at + length, depth + 1, last_depth, items)) {
            return false;
          }
        }
        at += length;
        break;
      default:
        return false;
    }
  }
  return at == end;
}

}  // namespace

bool CountItems(std::string_view message, bool metrics, std::uint64_t& items) {
  return Count(message.data(), message.data() + message.size(), 0, metrics ? 4 : 2, items);
}

bool Gunzip(std::string_view data, std::string& out) {
  static libdeflate_decompressor* const decompressor = libdeflate_alloc_decompressor();
  out.clear();
  std::size_t room = std::max<std::size_t>(data.size() * 8, 4096);
  while (!data.empty()) {
    const std::size_t start = out.size();
    out.resize(start + room);
    std::size_t used = 0;
    std::size_t written = 0;
    const libdeflate_result result = libdeflate_gzip_decompress_ex(
        decompressor, data.data(), data.size(), out.data() + start, room, &used, &written);
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE && room < kInflatedBytesMax) {
      out.resize(start);
      room *= 2;
      continue;
    }
    if (result != LIBDEFLATE_SUCCESS) {
      return false;
    }
    out.resize(start + written);
    data.remove_prefix(used);
  }
  return true;
}
