#include "tests/wire/random_request.h"

#include <algorithm>
#include <array>
#include <vector>

#include "tests/wire/decoded_request.h"
#include "weir/wire/varint.h"

namespace weir::wire::testing {

using google::protobuf::Message;
using google::protobuf::Reflection;

std::string RandomRequest::Make(Signal signal) {
  const auto request = NewRequest(signal);
  Fill(*request, 4 + static_cast<int>(Below(8)));
  return request->SerializeAsString();
}

std::string RandomRequest::Text() {
  constexpr std::array<std::string_view, 8> kWords = {
      "service.name",
      "GET /api/v1/cart",
      "",
      "größe",
      "値",
      "\U0001F30A",
      "a much longer text that needs more than sixteen bytes to look through",
      "\x7f\x01 control"};
  std::string text(kWords[Below(kWords.size())]);
  if (OneIn(16)) {
    text.append(Below(300), 'x');
  }
  return text;
}

void RandomRequest::Fill(Message& message, int levels_left) {
  const Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const bool is_message = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (is_message ? levels_left == 0 || OneIn(4) : OneIn(3)) {
      continue;
    }
    const std::uint64_t count = field.is_repeated() ? Below(4) : 1;
    for (std::uint64_t n = 0; n < count; ++n) {
      SetField(message, field, levels_left);
    }
  }
}

void RandomRequest::SetField(Message& message, const FieldDescriptor& field, int levels_left) {
  const Reflection& reflection = *message.GetReflection();
  const bool repeated = field.is_repeated();
  const std::uint64_t number = random_() >> Below(64);
  switch (field.cpp_type()) {
#define WEIR_SET(Type, value)                               \
  repeated ? reflection.Add##Type(&message, &field, value)  \
           : reflection.Set##Type(&message, &field, value); \
  break
    case FieldDescriptor::CPPTYPE_INT32:
      WEIR_SET(Int32, static_cast<std::int32_t>(number));
    case FieldDescriptor::CPPTYPE_INT64:
      WEIR_SET(Int64, static_cast<std::int64_t>(number));
    case FieldDescriptor::CPPTYPE_UINT32:
      WEIR_SET(UInt32, static_cast<std::uint32_t>(number));
    case FieldDescriptor::CPPTYPE_UINT64:
      WEIR_SET(UInt64, number);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      WEIR_SET(Double, static_cast<double>(number) / 3);
    case FieldDescriptor::CPPTYPE_BOOL:
      WEIR_SET(Bool, (number & 1) != 0);
    case FieldDescriptor::CPPTYPE_ENUM:
      WEIR_SET(EnumValue, static_cast<int>(number & 7));
    case FieldDescriptor::CPPTYPE_STRING:
      WEIR_SET(String, field.name().ends_with("_id") ? std::string(16, static_cast<char>(Below(4)))
                                                     : Text());
#undef WEIR_SET
    case FieldDescriptor::CPPTYPE_MESSAGE:
      Fill(repeated ? *reflection.AddMessage(&message, &field)
                    : *reflection.MutableMessage(&message, &field),
           levels_left - 1);
      break;
    default:
      break;
  }
}

void RandomRequest::AppendVarint(std::uint64_t value, int bytes_max, std::string& out) {
  const int size = static_cast<int>(VarintSize(value));
  const int extra =
      OneIn(8) ? static_cast<int>(Below(static_cast<std::uint64_t>(bytes_max - size) + 1)) : 0;
  std::array<char, kVarintBytesMax> buffer;
  out.append(buffer.data(), WritePaddedVarint(buffer.data(), value, size + extra));
}

void RandomRequest::AppendUnknown(int levels_left, std::string& out) {
  // Some numbers are known elsewhere, so a known field with another wire type is among them.
  const auto number =
      static_cast<std::uint32_t>(OneIn(4) ? 1 + Below((1U << 29) - 1) : 1 + Below(40));
  constexpr std::array kTypes = {WireType::kVarint, WireType::kFixed64, WireType::kLength,
                                 WireType::kStartGroup, WireType::kFixed32};
  const WireType type = kTypes[Below(levels_left > 0 ? kTypes.size() : 3)];
  AppendVarint(MakeTag(number, type), kTagBytesMax, out);
  switch (type) {
    case WireType::kVarint:
      AppendVarint(random_(), kVarintBytesMax, out);
      break;
    case WireType::kFixed64:
      out.append(8, static_cast<char>(random_()));
      break;
    case WireType::kFixed32:
      out.append(4, static_cast<char>(random_()));
      break;
    case WireType::kLength: {
      const std::string text = Text();
      AppendVarint(text.size(), kLengthBytesMax, out);
      out += text;
      break;
    }
    default:
      for (std::uint64_t n = Below(3); n > 0; --n) {
        AppendUnknown(levels_left - 1, out);
      }
      AppendVarint(MakeTag(number, WireType::kEndGroup), kTagBytesMax, out);
  }
}

std::string RandomRequest::Distort(Signal signal, std::string_view bytes) {
  return DistortMessage(NewRequest(signal)->GetDescriptor(), bytes, kNestingMax);
}

std::string RandomRequest::DistortMessage(const Descriptor* type, std::string_view bytes,
                                          int levels_left) {
  std::string out;
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  while (p != end) {
    const Varint32 tag = ReadTag(p, end);
    p = SkipField(tag.next, end, tag.value);
    const FieldDescriptor* const field = type->FindFieldByNumber(TagField(tag.value));
    if (OneIn(12)) {
      AppendUnknown(std::min(levels_left, 4), out);
    }
    switch (TagType(tag.value)) {
      case WireType::kVarint:
        AppendVarint(tag.value, kTagBytesMax, out);
        AppendVarint(ReadVarint(tag.next, end).value, kVarintBytesMax, out);
        break;
      case WireType::kLength: {
        const Varint32 length = ReadLength(tag.next, end);
        DistortLength(field, tag.value, {length.next, length.value}, levels_left, out);
        break;
      }
      default:
        AppendVarint(tag.value, kTagBytesMax, out);
        out.append(tag.next, p);
    }
  }
  return out;
}

void RandomRequest::DistortLength(const FieldDescriptor* field, std::uint32_t tag,
                                  std::string_view value, int levels_left, std::string& out) {
  std::vector<std::string> parts = {std::string(value)};
  if (field != nullptr && field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    parts = {DistortMessage(field->message_type(), value, levels_left - 1)};
    if (!field->is_repeated() && OneIn(3)) {
      // In two parts, which a decoder merges.
      parts.push_back(DistortMessage(field->message_type(), value, levels_left - 1));
    }
  } else if (field != nullptr && field->is_packable() && value.size() % 8 == 0 && OneIn(2) &&
             field->type() != FieldDescriptor::TYPE_UINT64) {
    // Apart: one field an element.
    for (std::size_t at = 0; at < value.size(); at += 8) {
      AppendVarint(MakeTag(TagField(tag), WireType::kFixed64), kTagBytesMax, out);
      out.append(value, at, 8);
    }
    return;
  }
  if (field != nullptr && field->real_containing_oneof() != nullptr && parts.size() == 1 &&
      field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && OneIn(4)) {
    // Another member of the oneof first, which a decoder then forgets.
    const auto& oneof = *field->real_containing_oneof();
    const auto* const other =
        oneof.field(static_cast<int>(Below(static_cast<std::uint64_t>(oneof.field_count()))));
    AppendVarint(MakeTag(static_cast<std::uint32_t>(other->number()), WireType::kLength),
                 kTagBytesMax, out);
    AppendVarint(parts[0].size(), kLengthBytesMax, out);
    out += parts[0];
  }
  for (const std::string& part : parts) {
    AppendVarint(tag, kTagBytesMax, out);
    AppendVarint(part.size(), kLengthBytesMax, out);
    out += part;
  }
}

std::string RandomRequest::Break(std::string bytes) {
  for (std::uint64_t n = 1 + Below(3); n > 0 && !bytes.empty(); --n) {
    const std::size_t at = Below(bytes.size());
    switch (Below(4)) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        bytes[at] = static_cast<char>(random_());
        break;
      case 2:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << Below(8)));
        break;
      default:
        bytes.insert(at, 1 + Below(3), static_cast<char>(random_()));
    }
  }
  return bytes;
}

}  // namespace weir::wire::testing
