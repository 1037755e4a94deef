// AttributeHasher turns a set of attributes into 128 bits that do not depend on their order, nor on
// how they were encoded: equal keys and values give equal hashes.
//
//   AttributeHasher hasher;
//   for (each attribute) hasher.Add(key_value_bytes);
//   const AttributeHash hash = hasher.hash();
//
// The function is the same in every process and version, because partitions of a topic and routes
// to a peer follow from it. It is not meant to withstand forged collisions.
//
// Threads: a hasher belongs to one thread.
// Invariants: arrays count their order, maps nested in values do not. Bytes that are not legal
// protobuf are hashed as they are, from where they stop making sense.

#ifndef WEIR_WIRE_ATTRIBUTE_HASH_H_
#define WEIR_WIRE_ATTRIBUTE_HASH_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::wire {

struct AttributeHash {
  std::uint64_t first = 0;
  std::uint64_t second = 0;

  bool operator==(const AttributeHash&) const = default;

  // The sixteen bytes, for a message key.
  std::string Bytes() const;
};

class AttributeHasher {
 public:
  // `key_value` is the body of one KeyValue message.
  void Add(std::string_view key_value);
  // Adds every attribute of a Resource message. One resource may come in several parts.
  void AddResource(std::string_view resource);

  AttributeHash hash() const { return sum_; }

 private:
  AttributeHash sum_;
};

}  // namespace weir::wire

#endif  // WEIR_WIRE_ATTRIBUTE_HASH_H_
