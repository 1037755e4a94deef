#include "receivers/kafka/decoder.h"

#include <cstring>
#include <optional>

#include "weir/wire/attribute_search.h"
#include "weir/wire/json.h"
#include "weir/wire/otlp.h"

namespace weir::receivers::kafka {
namespace {

constexpr std::string_view kAttributePrefix = "kafka.header.";

// Gives every resource the same attributes, in the place of those of the same name.
struct AttributeAdder : wire::RewriteVisitor {
  static constexpr bool kVisitsResources = true;
  static constexpr bool kVisitsItems = false;

  explicit AttributeAdder(const Headers& added) : attributes(added), keys(Keys(added)) {}

  static std::vector<std::string> Keys(const Headers& added) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : added) {
      keys.push_back(key);
    }
    return keys;
  }

  wire::Verdict OnResource(std::string_view resource, wire::Edit& edit) {
    const bool well_formed = wire::SearchAttributes(
        resource, wire::otlp::kResourceAttributes, keys,
        [&edit](std::size_t, const wire::AttributeView& found) { edit.Cut(found.field); });
    if (!well_formed) {
      return wire::Verdict::kMalformed;
    }
    for (const auto& [key, value] : attributes) {
      edit.Append().StringAttribute(wire::otlp::kResourceAttributes, key, value);
    }
    return wire::Verdict::kEdit;
  }

  const Headers& attributes;
  const wire::KeyMatcher keys;
};

}  // namespace

Decoded Decoder::Decode(Signal signal, weir::kafka::Encoding encoding, std::string_view message,
                        const Headers& headers) {
  Decoded decoded;
  if (encoding == weir::kafka::Encoding::kOtlpJson) {
    // A door asks before it takes; what the conversion then charges is about as much.
    if (!budget_.TryCharge(message.size())) {
      decoded.kind = Decoded::Kind::kNoMemory;
      return decoded;
    }
    wire::JsonToProtoResult converted = wire::JsonToProto(signal, message, {}, &budget_);
    budget_.Release(message.size());
    if (!converted.ok()) {
      decoded.kind = Decoded::Kind::kMalformed;
      decoded.error = std::move(converted.message);
      return decoded;
    }
    decoded.payload = std::move(converted.bytes);
  } else {
    std::optional<MutableBuffer> buffer = MutableBuffer::TryAllocate(message.size(), budget_);
    if (!buffer.has_value()) {
      decoded.kind = Decoded::Kind::kNoMemory;
      return decoded;
    }
    if (!message.empty()) {
      std::memcpy(buffer->data(), message.data(), message.size());
    }
    decoded.payload = std::move(*buffer).Freeze(message.size());
  }
  const wire::ScanResult scan = wire::Scan(signal, decoded.payload.view(), depth_);
  if (!scan.ok()) {
    decoded.kind = Decoded::Kind::kMalformed;
    decoded.error = wire::ScanErrorName(scan.error);
    return decoded;
  }
  decoded.items = scan.items;
  if (!extracted_.empty() && decoded.items > 0) {
    AddHeaders(signal, headers, decoded.payload);
    decoded.items = wire::Scan(signal, decoded.payload.view(), wire::ScanDepth::kStructure).items;
    decoded.items_malformed = scan.items - decoded.items;
  }
  return decoded;
}

void Decoder::AddHeaders(Signal signal, const Headers& headers, Slice& payload) {
  Headers added;
  for (const std::string& name : extracted_) {
    for (const auto& [key, value] : headers) {
      if (key == name) {
        added.emplace_back(std::string(kAttributePrefix) + name, value);
        break;
      }
    }
  }
  if (!added.empty()) {
    AttributeAdder adder(added);
    payload = rewriter_.Rewrite(signal, payload, adder).payload;
  }
}

}  // namespace weir::receivers::kafka
