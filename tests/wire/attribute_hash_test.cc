#include "weir/wire/attribute_hash.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "opentelemetry/proto/resource/v1/resource.pb.h"
#include "weir/wire/varint.h"

namespace weir::wire {
namespace {

using opentelemetry::proto::common::v1::AnyValue;
using opentelemetry::proto::common::v1::KeyValue;
using opentelemetry::proto::resource::v1::Resource;

AttributeHash HashOf(const Resource& resource) {
  AttributeHasher hasher;
  hasher.AddResource(resource.SerializeAsString());
  return hasher.hash();
}

AttributeHash HashOfRaw(std::string_view key_value) {
  AttributeHasher hasher;
  hasher.Add(key_value);
  return hasher.hash();
}

Resource With(const std::vector<std::pair<std::string, std::string>>& attributes) {
  Resource resource;
  for (const auto& [key, value] : attributes) {
    KeyValue& attribute = *resource.add_attributes();
    attribute.set_key(key);
    attribute.mutable_value()->set_string_value(value);
  }
  return resource;
}

TEST(AttributeHash, IgnoresOrderAndNothingElse) {
  const AttributeHash hash = HashOf(With({{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(hash, HashOf(With({{"b", "2"}, {"a", "1"}})));
  EXPECT_NE(hash, HashOf(With({{"a", "2"}, {"b", "1"}})));
  EXPECT_NE(hash, HashOf(With({{"a", "1"}})));
  EXPECT_NE(hash, HashOf(With({{"a", "1"}, {"b", "2"}, {"b", "2"}})));
  EXPECT_NE(HashOf(With({{"ab", ""}})), HashOf(With({{"a", "b"}})));
  EXPECT_EQ(HashOf(With({})), AttributeHash());
}

TEST(AttributeHash, TellsTypesApart) {
  std::vector<AnyValue> values(8);
  values[1].set_string_value("");
  values[2].set_bytes_value("");
  values[3].set_int_value(0);
  values[4].set_bool_value(false);
  values[5].set_double_value(0);
  values[6].mutable_array_value();
  values[7].mutable_kvlist_value();
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = 0; j < values.size(); ++j) {
      Resource one;
      Resource other;
      *one.add_attributes()->mutable_value() = values[i];
      *other.add_attributes()->mutable_value() = values[j];
      EXPECT_EQ(HashOf(one) == HashOf(other), i == j) << i << " and " << j;
    }
  }
}

TEST(AttributeHash, ArraysHaveAnOrderAndMapsDoNot) {
  const auto hash_of = [](bool as_map, std::vector<std::string> keys) {
    Resource resource;
    AnyValue& value = *resource.add_attributes()->mutable_value();
    for (const std::string& key : keys) {
      if (as_map) {
        value.mutable_kvlist_value()->add_values()->set_key(key);
      } else {
        value.mutable_array_value()->add_values()->set_string_value(key);
      }
    }
    return HashOf(resource);
  };
  EXPECT_EQ(hash_of(true, {"x", "y"}), hash_of(true, {"y", "x"}));
  EXPECT_NE(hash_of(false, {"x", "y"}), hash_of(false, {"y", "x"}));
}

TEST(AttributeHash, IgnoresHowValuesAreEncoded) {
  const AttributeHash hash = HashOfRaw("\x0a\x01k\x12\x02\x18\x05");
  EXPECT_EQ(hash, HashOfRaw("\x12\x02\x18\x05\x0a\x01k")) << "order of fields";
  EXPECT_EQ(hash, HashOfRaw(std::string_view("\x0a\x01k\x12\x03\x18\x85\x00", 8))) << "overlong";
  EXPECT_EQ(hash, HashOfRaw("\x0a\x01k\x12\x03\x0a\x01v\x12\x02\x18\x05")) << "last member wins";
  EXPECT_EQ(hash, HashOfRaw("\x0a\x01k\x12\x02\x18\x05\x48\x01")) << "unknown field";
  EXPECT_EQ(HashOfRaw("\x12\x02\x10\x01"), HashOfRaw("\x12\x02\x10\x02")) << "both are true";
  // One array in two parts.
  EXPECT_EQ(HashOfRaw("\x12\x0c\x2a\x0a\x0a\x03\x0a\x01"
                      "a\x0a\x03\x0a\x01"
                      "b"),
            HashOfRaw("\x12\x07\x2a\x05\x0a\x03\x0a\x01"
                      "a\x12\x07\x2a\x05\x0a\x03\x0a\x01"
                      "b"));
}

// Guarantees: partitions of a topic do not move when the program is rebuilt.
TEST(AttributeHash, NeverChanges) {
  const std::string bytes = HashOf(With({{"service.name", "checkout"}})).Bytes();
  EXPECT_EQ(bytes.size(), 16u);
  EXPECT_EQ(HashOf(With({{"service.name", "checkout"}})).first, 10880677475247111704u);
  EXPECT_EQ(HashOf(With({{"service.name", "checkout"}})).second, 6205763150079519784u);
}

TEST(AttributeHash, SurvivesMalformedAndDeepInput) {
  EXPECT_NE(HashOfRaw("\x0a"), HashOfRaw("\x0a\x05"));
  std::string value = "\x0a\x01v";
  for (int depth = 0; depth < 2000; ++depth) {
    for (const char tag : {'\x0a', '\x2a'}) {
      std::string outer(1 + kVarintBytesMax, tag);
      outer.resize(
          static_cast<std::size_t>(WriteVarint(outer.data() + 1, value.size()) - outer.data()));
      value = outer + value;
    }
  }
  std::string attribute(1 + kVarintBytesMax, '\x12');
  attribute.resize(
      static_cast<std::size_t>(WriteVarint(attribute.data() + 1, value.size()) - attribute.data()));
  value = attribute + value;
  EXPECT_NE(HashOfRaw(value), AttributeHash());
}

}  // namespace
}  // namespace weir::wire
