#include "weir/wire/scanner.h"

#include <array>

#include "weir/wire/utf8.h"
#include "weir/wire/varint.h"
#include "wire/message_tables.h"
#include "wire/scanner_walk.h"

namespace weir::wire {

namespace internal {
namespace {

// True when [p, end) is one KeyValue as every encoder writes it: a short key, then a value of one
// short string, integer, boolean or double. False says nothing; the walk decides.
bool IsPlainKeyValue(const char* p, const char* end) {
  constexpr char kTagFirst = 0x0a;      // Field 1 by length: the key, and a string value.
  constexpr char kTagValue = 0x12;      // Field 2 by length.
  constexpr char kTagBool = 0x10;       // Field 2 as varint.
  constexpr char kTagInt = 0x18;        // Field 3 as varint.
  constexpr char kTagDouble = 0x21;     // Field 4, eight bytes.
  constexpr std::ptrdiff_t kShell = 6;  // Two tags and lengths, and a value of two bytes.
  if (end - p < kShell || p[0] != kTagFirst || p[1] < 0) {
    return false;
  }
  const char* const key = p + 2;
  const std::ptrdiff_t key_size = p[1];
  if (end - key < key_size + 4) {
    return false;
  }
  const char* const value = key + key_size + 2;
  if (value[-2] != kTagValue || value[-1] != end - value) {
    return false;
  }
  const std::ptrdiff_t value_size = end - value;
  switch (value[0]) {
    case kTagFirst:
      // Tags and lengths of this form are under 0x80, so one look covers both strings.
      return value[1] == value_size - 2 && IsAscii(p, static_cast<std::size_t>(end - p));
    case kTagBool:
    case kTagInt:
      return ReadVarint(value + 1, end).next == end &&
             IsAscii(key, static_cast<std::size_t>(key_size));
    case kTagDouble:
      return value_size == 9 && IsAscii(key, static_cast<std::size_t>(key_size));
    default:
      return false;
  }
}

class Walk {
 public:
  explicit Walk(const char* begin) : begin_(begin) {}

  // Walks the fields of `message` in [p, end). False when they are refused; see result().
  bool Fields(Message message, const char* p, const char* end, int nesting_left);

  const ScanResult& result() const { return result_; }

 private:
  // The value of a length-delimited field that is not simply skipped.
  bool Value(Entry entry, std::uint32_t tag, std::string_view value, int nesting_left);
  bool SubMessage(Message message, std::string_view value, int nesting_left) {
    return nesting_left > 0
               ? Fields(message, value.data(), value.data() + value.size(), nesting_left - 1)
               : Fail(ScanError::kTooDeep, value.data());
  }
  bool PackedVarints(std::string_view value);

  bool Fail(ScanError error, const char* at) {
    result_.error = error;
    result_.error_offset = static_cast<std::size_t>(at - begin_);
    return false;
  }
  // A varint of at most `bytes_max` bytes at `at` could not be read: it has no end, or the message
  // has.
  bool FailVarint(const char* at, const char* end, int bytes_max) {
    const char* p = at;
    while (p != end && p - at < bytes_max && static_cast<std::uint8_t>(*p) >= 0x80) {
      ++p;
    }
    return Fail(p - at == bytes_max ? ScanError::kBadVarint : ScanError::kTruncated, at);
  }
  bool FailLength(const char* at, const char* end) {
    const Varint64 length = ReadVarint(at, end);
    const bool legal =
        length.next != nullptr && length.next - at <= kLengthBytesMax && length.value <= kLengthMax;
    return legal || length.next == nullptr ? FailVarint(at, end, kLengthBytesMax)
                                           : Fail(ScanError::kBadVarint, at);
  }

  const char* begin_;
  ScanResult result_;
  // Within a metric: which member of its oneof was read last, and the items counted before it. A
  // decoder forgets one member's points when another follows.
  std::uint32_t metric_member_ = 0;
  std::uint64_t metric_items_before_ = 0;
};

bool Walk::Fields(Message message, const char* p, const char* end, int nesting_left) {
  const Table& table = kTables[static_cast<std::size_t>(message)];
  while (p != end) {
    const char* const field = p;
    const Varint32 tag = ReadTag(p, end);
    if (tag.next == nullptr) [[unlikely]] {
      return FailVarint(field, end, kTagBytesMax);
    }
    p = tag.next;
    const Entry entry = tag.value < kTableTags
                            ? table[tag.value]
                            : Entry{kUnknownOps[tag.value & 7], Message::kOpaque};
    switch (entry.op) {
      case Op::kVarint: {
        const char* const next = ReadVarint(p, end).next;
        if (next == nullptr) [[unlikely]] {
          return FailVarint(p, end, kVarintBytesMax);
        }
        p = next;
        break;
      }
      case Op::kFixed64:
        if (end - p < 8) [[unlikely]] {
          return Fail(ScanError::kTruncated, field);
        }
        p += 8;
        break;
      case Op::kFixed32:
        if (end - p < 4) [[unlikely]] {
          return Fail(ScanError::kTruncated, field);
        }
        p += 4;
        break;
      case Op::kGroup: {
        const char* const next = SkipField(p, end, tag.value, nesting_left);
        if (next == nullptr) {
          return Fail(ScanError::kBadGroup, field);
        }
        p = next;
        break;
      }
      case Op::kBadTag:
        return Fail(ScanError::kBadTag, field);
      default: {
        const Varint32 length = ReadLength(p, end);
        if (length.next == nullptr) [[unlikely]] {
          return FailLength(p, end);
        }
        p = length.next + length.value;
        if (entry.op != Op::kBytes &&
            !Value(entry, tag.value, {length.next, length.value}, nesting_left)) [[unlikely]] {
          return false;
        }
      }
    }
  }
  return true;
}

inline bool Walk::Value(Entry entry, std::uint32_t tag, std::string_view value, int nesting_left) {
  switch (entry.op) {
    case Op::kWalkKeyValue:
      // The short cut opens two levels, which must both be allowed.
      return (nesting_left >= 2 && IsPlainKeyValue(value.data(), value.data() + value.size())) ||
             SubMessage(Message::kKeyValue, value, nesting_left);
    case Op::kString:
      return IsValidUtf8(value) || Fail(ScanError::kBadUtf8, value.data());
    case Op::kCountAndWalk:
      ++result_.items;
      return SubMessage(entry.message, value, nesting_left);
    case Op::kCount:
      ++result_.items;
      return true;
    case Op::kWalkMetric:
      metric_member_ = 0;
      metric_items_before_ = result_.items;
      return SubMessage(entry.message, value, nesting_left);
    case Op::kWalkData:
      if (metric_member_ != tag) {
        metric_member_ = tag;
        result_.items = metric_items_before_;
      }
      return SubMessage(entry.message, value, nesting_left);
    case Op::kPackedVarint:
      return PackedVarints(value);
    case Op::kPackedFixed64:
      return value.size() % 8 == 0 || Fail(ScanError::kBadPacked, value.data());
    default:
      return SubMessage(entry.message, value, nesting_left);
  }
}

bool Walk::PackedVarints(std::string_view value) {
  const char* p = value.data();
  const char* const end = p + value.size();
  while (p != end) {
    p = ReadVarint(p, end).next;
    if (p == nullptr) {
      return Fail(ScanError::kBadPacked, value.data());
    }
  }
  return true;
}

}  // namespace

ScanResult WalkMessage(Message message, std::string_view bytes) {
  if (bytes.size() > kLengthMax) {
    return {.error = ScanError::kTooLarge};
  }
  Walk walk(bytes.data());
  walk.Fields(message, bytes.data(), bytes.data() + bytes.size(), kNestingMax);
  return walk.result();
}

}  // namespace internal

std::string_view ScanErrorName(ScanError error) {
  constexpr std::array<std::string_view, kScanErrorCount> kNames = {
      "none",     "truncated", "bad_varint", "bad_tag",  "bad_group",
      "too_deep", "bad_utf8",  "bad_packed", "too_large"};
  return kNames[static_cast<std::size_t>(error)];
}

ScanResult Scan(Signal signal, std::string_view request, ScanDepth depth) {
  using internal::Message;
  constexpr std::array<std::array<Message, 2>, kSignalCount> kRequests = {{
      {Message::kTracesRequestOutline, Message::kTracesRequest},
      {Message::kMetricsRequestOutline, Message::kMetricsRequest},
      {Message::kLogsRequestOutline, Message::kLogsRequest},
  }};
  return internal::WalkMessage(kRequests[SignalIndex(signal)][static_cast<std::size_t>(depth)],
                               request);
}

}  // namespace weir::wire
