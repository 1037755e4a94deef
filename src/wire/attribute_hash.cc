#include "weir/wire/attribute_hash.h"

#include <cstring>

#include "weir/wire/varint.h"

namespace weir::wire {
namespace {

__extension__ using Product = unsigned __int128;

// Both halves of the product, folded: one multiplication mixes 64 bits well.
std::uint64_t Fold(std::uint64_t a, std::uint64_t b) {
  const Product product = static_cast<Product>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Two independent running hashes. The constants are the fractional digits of pi, made odd.
class Lanes {
 public:
  void Word(std::uint64_t word) {
    first_ = Fold(first_ ^ word, 0x243f6a8885a308d3) + 0x13198a2e03707345;
    second_ = Fold(second_ ^ word, 0xa4093822299f31d1) + 0x082efa98ec4e6c89;
  }
  void Bytes(std::string_view bytes) {
    Word(bytes.size());
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
      Word(LoadFixed64(bytes.data()));
    }
    if (!bytes.empty()) {
      std::uint64_t tail = 0;
      std::memcpy(&tail, bytes.data(), bytes.size());
      Word(tail);
    }
  }
  void Hash(AttributeHash hash) {
    Word(hash.first);
    Word(hash.second);
  }
  AttributeHash Finish() {
    Word(0x452821e638d01377);
    return {first_, second_};
  }

 private:
  std::uint64_t first_ = 0xbe5466cf34e90c6d;
  std::uint64_t second_ = 0xc0ac29b7c97c50dd;
};

void Join(AttributeHash& sum, AttributeHash part) {
  sum.first += part.first;
  sum.second += part.second;
}

// Calls visit(tag, value, scalar) for each field; a length-delimited field has a value, any other a
// scalar (groups neither). Returns what could not be read.
template <typename Visit>
std::string_view ForEachField(std::string_view message, Visit&& visit) {
  const char* p = message.data();
  const char* const end = p + message.size();
  while (p != end) {
    const char* const field = p;
    const std::string_view rest(field, static_cast<std::size_t>(end - field));
    const Varint32 tag = ReadTag(p, end);
    if (tag.next == nullptr) {
      return rest;
    }
    p = SkipField(tag.next, end, tag.value);
    if (p == nullptr) {
      return rest;
    }
    std::uint64_t scalar = 0;
    std::string_view value;
    switch (TagType(tag.value)) {
      case WireType::kVarint:
        scalar = ReadVarint(tag.next, end).value;
        break;
      case WireType::kFixed64:
        scalar = LoadFixed64(tag.next);
        break;
      case WireType::kLength: {
        const Varint32 length = ReadLength(tag.next, end);
        value = {length.next, length.value};
        break;
      }
      default:
        break;
    }
    visit(tag.value, value, scalar);
  }
  return {};
}

AttributeHash HashKeyValue(std::string_view key_value, int nesting_left);

constexpr std::uint32_t kTagString = MakeTag(1, WireType::kLength);
constexpr std::uint32_t kTagBool = MakeTag(2, WireType::kVarint);
constexpr std::uint32_t kTagInt = MakeTag(3, WireType::kVarint);
constexpr std::uint32_t kTagDouble = MakeTag(4, WireType::kFixed64);
constexpr std::uint32_t kTagArray = MakeTag(5, WireType::kLength);
constexpr std::uint32_t kTagMap = MakeTag(6, WireType::kLength);
constexpr std::uint32_t kTagBytes = MakeTag(7, WireType::kLength);
constexpr std::uint32_t kTagValues = MakeTag(1, WireType::kLength);  // Of arrays and maps.

// An AnyValue, which may come in several parts: the last member of its oneof wins, and arrays and
// maps that follow their own kind grow.
class ValueHasher {
 public:
  void Feed(std::string_view value, int nesting_left) {
    if (nesting_left <= 0) {
      lanes_.Bytes(value);
      return;
    }
    const std::string_view unread =
        ForEachField(value, [&](std::uint32_t tag, std::string_view bytes, std::uint64_t scalar) {
          Member(tag, bytes, scalar, nesting_left);
        });
    if (!unread.empty()) {
      lanes_.Bytes(unread);
    }
  }

  AttributeHash Finish() {
    lanes_.Word(member_);
    lanes_.Hash(map_);
    return lanes_.Finish();
  }

 private:
  void Member(std::uint32_t tag, std::string_view bytes, std::uint64_t scalar, int nesting_left) {
    switch (tag) {
      case kTagString:
      case kTagBytes:
        Become(tag);
        lanes_.Bytes(bytes);
        break;
      case kTagBool:
        scalar = scalar == 0 ? 0 : 1;
        [[fallthrough]];
      case kTagInt:
      case kTagDouble:
        Become(tag);
        lanes_.Word(scalar);
        break;
      case kTagArray:
        if (member_ != tag) {
          Become(tag);
        }
        ForEachField(bytes, [&](std::uint32_t inner, std::string_view element, std::uint64_t) {
          if (inner == kTagValues) {
            ValueHasher hasher;
            hasher.Feed(element, nesting_left - 1);
            lanes_.Hash(hasher.Finish());
          }
        });
        break;
      case kTagMap:
        if (member_ != tag) {
          Become(tag);
        }
        ForEachField(bytes, [&](std::uint32_t inner, std::string_view element, std::uint64_t) {
          if (inner == kTagValues) {
            Join(map_, HashKeyValue(element, nesting_left - 1));
          }
        });
        break;
      default:
        break;
    }
  }
  void Become(std::uint32_t member) {
    member_ = member;
    lanes_ = Lanes();
    map_ = AttributeHash();
  }

  std::uint32_t member_ = 0;
  Lanes lanes_;
  AttributeHash map_;
};

AttributeHash HashKeyValue(std::string_view key_value, int nesting_left) {
  std::string_view key;
  ValueHasher value_hasher;
  const std::string_view unread =
      ForEachField(key_value, [&](std::uint32_t tag, std::string_view bytes, std::uint64_t) {
        if (tag == MakeTag(1, WireType::kLength)) {
          key = bytes;
        } else if (tag == MakeTag(2, WireType::kLength)) {
          value_hasher.Feed(bytes, nesting_left);
        }
      });
  Lanes lanes;
  lanes.Bytes(key);
  lanes.Hash(value_hasher.Finish());
  if (!unread.empty()) {
    lanes.Bytes(unread);
  }
  return lanes.Finish();
}

}  // namespace

std::string AttributeHash::Bytes() const {
  std::string bytes(16, '\0');
  WriteFixed64(WriteFixed64(bytes.data(), first), second);
  return bytes;
}

void AttributeHasher::Add(std::string_view key_value) {
  Join(sum_, HashKeyValue(key_value, kNestingMax));
}

void AttributeHasher::AddResource(std::string_view resource) {
  ForEachField(resource, [&](std::uint32_t tag, std::string_view bytes, std::uint64_t) {
    if (tag == MakeTag(1, WireType::kLength)) {
      Add(bytes);
    }
  });
}

}  // namespace weir::wire
