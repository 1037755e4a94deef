// AttributeSearch finds the few attributes a stage cares about among the many an item has, in one
// pass over the item's fields and without looking at the rest.
//
//   KeyMatcher keys({"env", "user_agent.original"});
//   const bool well_formed = SearchAttributes(span, otlp::kSpanAttributes, keys,
//       [&](std::size_t key, const AttributeView& attribute) { ... });
//
// A key is told apart first by its length (one bit test), then by its first eight bytes, then by
// the rest, so that an attribute of no interest costs a few nanoseconds.
//
// Threads: a matcher is constant after construction and may be shared.
// Ownership: a matcher keeps copies of its keys.

#ifndef WEIR_WIRE_ATTRIBUTE_SEARCH_H_
#define WEIR_WIRE_ATTRIBUTE_SEARCH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "weir/wire/view.h"

namespace weir::wire {

class KeyMatcher {
 public:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  KeyMatcher() : KeyMatcher(std::vector<std::string>{}) {}
  // REQUIRES: the keys are distinct and fewer than 65536. Find answers with their index.
  explicit KeyMatcher(const std::vector<std::string>& keys);

  // False when no key has this length.
  bool MayHaveLength(std::size_t length) const { return (lengths_ >> Bucket(length) & 1) != 0; }

  // The index of `key`, or kNone.
  std::size_t Find(std::string_view key) const {
    if (!MayHaveLength(key.size())) [[likely]] {
      return kNone;
    }
    const std::uint64_t head = Head(key.data(), key.size());
    const std::size_t bucket = Bucket(key.size());
    for (std::size_t i = bucket_begin_[bucket]; i < bucket_begin_[bucket + 1]; ++i) {
      const Entry& entry = entries_[i];
      if (entry.head == head && entry.key == key) {
        return entry.index;
      }
    }
    return kNone;
  }

 private:
  struct Entry {
    std::uint64_t head;
    std::string key;
    std::size_t index;
  };
  static constexpr std::size_t kBuckets = 64;  // The last one holds all longer keys.

  static std::size_t Bucket(std::size_t length) {
    return length < kBuckets - 1 ? length : kBuckets - 1;
  }

  // The first eight bytes, or all of a shorter key in an order of its own. Nothing past it is read.
  static std::uint64_t Head(const char* p, std::size_t size) {
    if (size >= 8) {
      return LoadFixed64(p);
    }
    if (size >= 4) {
      return LoadFixed32(p) | static_cast<std::uint64_t>(LoadFixed32(p + size - 4)) << 32;
    }
    std::uint64_t head = 0;
    for (std::size_t i = 0; i < size; ++i) {
      head = head << 8 | static_cast<std::uint8_t>(p[i]);
    }
    return head;
  }

  std::uint64_t lengths_ = 0;  // Bit n: some key is in bucket n.
  std::array<std::uint16_t, kBuckets + 1> bucket_begin_{};
  std::vector<Entry> entries_;  // By bucket.
};

namespace internal {

// The key of a KeyValue in the form everybody writes: key, then value, short lengths, nothing else.
// Null data when it has another form, which AttributeView::Parse reads.
inline std::string_view PlainKey(const char* p, std::size_t size) {
  constexpr char kKeyTag = MakeTag(otlp::kKeyValueKey, WireType::kLength);
  constexpr char kValueTag = MakeTag(otlp::kKeyValueValue, WireType::kLength);
  if (size < 4 || p[0] != kKeyTag) [[unlikely]] {
    return {};
  }
  const std::size_t key_size = static_cast<std::uint8_t>(p[1]);
  if (key_size >= 0x80 || key_size + 4 > size) [[unlikely]] {
    return {};
  }
  const std::size_t value_size = size - key_size - 4;
  const char* value = p + 2 + key_size;
  if (value[0] != kValueTag || static_cast<std::uint8_t>(value[1]) != value_size ||
      value_size >= 0x80) [[unlikely]] {
    return {};
  }
  return {p + 2, key_size};
}

}  // namespace internal

// Calls on_match(index, attribute) for each attribute at `field` whose key `keys` has, in the order
// they lie. False when the message, or an attribute in it, is malformed.
template <typename OnMatch>
bool SearchAttributes(std::string_view message, FieldNumber field, const KeyMatcher& keys,
                      OnMatch&& on_match) {
  const std::uint32_t attribute_tag = MakeTag(field, WireType::kLength);
  const char* const end = message.data() + message.size();
  for (const char* p = message.data(); p != end;) {
    const char* const begin = p;
    const Varint32 tag = ReadTag(p, end);
    if (tag.next == nullptr) [[unlikely]] {
      return false;
    }
    if (TagType(tag.value) != WireType::kLength || TagField(tag.value) == 0) {
      const bool is_fixed64 = TagType(tag.value) == WireType::kFixed64;
      if (is_fixed64 && end - tag.next >= 8 && TagField(tag.value) != 0) {
        p = tag.next + 8;  // Times, which every item has, are worth no call.
        continue;
      }
      p = SkipField(tag.next, end, tag.value);
      if (p == nullptr) [[unlikely]] {
        return false;
      }
      continue;
    }
    const Varint32 length = ReadLength(tag.next, end);
    if (length.next == nullptr) [[unlikely]] {
      return false;
    }
    p = length.next + length.value;
    if (tag.value != attribute_tag) {
      continue;
    }
    AttributeView attribute;
    attribute.key = internal::PlainKey(length.next, length.value);
    if (attribute.key.data() != nullptr) [[likely]] {
      const std::size_t key = keys.Find(attribute.key);
      if (key == KeyMatcher::kNone) [[likely]] {
        continue;
      }
      const char* value = attribute.key.data() + attribute.key.size() + 2;
      attribute.value = {value, static_cast<std::size_t>(p - value)};
      attribute.field = {begin, static_cast<std::size_t>(p - begin)};
      on_match(key, attribute);
      continue;
    }
    if (!attribute.Parse({length.next, length.value})) {
      return false;
    }
    if (const std::size_t key = keys.Find(attribute.key); key != KeyMatcher::kNone) {
      attribute.field = {begin, static_cast<std::size_t>(p - begin)};
      on_match(key, attribute);
    }
  }
  return true;
}

}  // namespace weir::wire

#endif  // WEIR_WIRE_ATTRIBUTE_SEARCH_H_
