// JSON to protobuf in one forward pass: simdjson's on-demand parser walks the text, the schema
// table says what each key means, and wire bytes are appended as values come by. The length in
// front of a message is reserved at its usual width and the body moved when that was wrong.

#include "wire/json_reader.h"

#include <algorithm>
#include <cstring>

#include "fmt/format.h"
#include "simdjson.h"
#include "weir/wire/varint.h"
#include "wire/json_text.h"
#include "wire/json_values.h"

namespace weir::wire {
namespace json {
namespace {

namespace ondemand = simdjson::ondemand;

// What one call needs besides its result; kept by the thread, see kScratchKeptBytes.
struct Scratch {
  ondemand::parser parser;
  JsonBuffer input;   // The text, padded as simdjson wants it.
  JsonBuffer output;  // Wire bytes until their final size is known.
  JsonBuffer text;    // One unescaped string.
};
constexpr std::size_t kScratchKeptBytes = std::size_t{256} << 10;
// simdjson's index takes four bytes for each of the input's, its string buffer one and two thirds.
constexpr std::size_t kParserBytesPerInputByte = 6;

class Reader {
 public:
  Reader(Scratch& scratch, std::string_view json, const JsonLimits& limits)
      : scratch_(scratch), json_(json), limits_(limits), out_(scratch.output) {}

  // False after Fail.
  bool Read(const Message& request);

  JsonError error() const { return error_; }
  std::size_t offset() const { return offset_; }
  std::string& message() { return message_; }

 private:
  bool ReadMessage(const Message& message, ondemand::object object, int depth);
  bool ReadField(const Field& field, ondemand::value value, std::uint32_t& seen, std::uint32_t bit,
                 int depth);
  bool ReadSubmessage(const Field& field, ondemand::value value, int depth);
  bool ReadRepeated(const Field& field, ondemand::value value, int depth);
  bool ReadPacked(const Field& field, ondemand::array array);
  bool Skip(ondemand::value value, int depth);

  bool ReadScalar(const Field& field, ondemand::value value, std::uint32_t& seen,
                  std::uint32_t bit);
  const Field* FindField(const Message& message, std::size_t& cursor, const char* key);
  bool IsNull(ondemand::value& value, bool& null);
  std::string_view Token(ondemand::value& value) { return value.raw_json_token(); }

  bool Fail(JsonError error, const char* where, std::string_view what);
  bool FailValue(const Field& field, std::string_view token, const ValueResult& result) {
    return Fail(result.error, token.data(), fmt::format("{} {}", field.json_name(), result.what));
  }
  bool FailSyntax(simdjson::error_code code);

  Scratch& scratch_;
  const std::string_view json_;  // The padded copy.
  const JsonLimits& limits_;
  JsonBuffer& out_;
  ondemand::document document_;
  JsonError error_ = JsonError::kNone;
  std::size_t offset_ = 0;
  std::string message_;
};

bool Reader::Fail(JsonError error, const char* where, std::string_view what) {
  if (error_ == JsonError::kNone) {
    error_ = error;
    offset_ = std::min(static_cast<std::size_t>(where - json_.data()), json_.size());
    message_ = fmt::format("{} at byte {}", what, offset_);
  }
  return false;
}

bool Reader::FailSyntax(simdjson::error_code code) {
  if (code == simdjson::UTF8_ERROR) {
    const std::size_t at = FindInvalidUtf8(json_);
    return Fail(JsonError::kNotUtf8,
                json_.data() + (at == std::string_view::npos ? json_.size() : at), "not UTF-8");
  }
  const char* where = json_.data();
  if (document_.is_alive()) {
    if (document_.current_location().get(where) != simdjson::SUCCESS) {
      where = json_.data() + json_.size();
    }
  }
  if (code == simdjson::DEPTH_ERROR) {
    return Fail(JsonError::kTooDeep, where, "nested too deep");
  }
  if (code == simdjson::INCORRECT_TYPE) {
    return Fail(JsonError::kWrongType, where, "wrong type");
  }
  return Fail(JsonError::kSyntax, where,
              fmt::format("not valid JSON ({})", simdjson::error_message(code)));
}

bool Reader::Read(const Message& request) {
  simdjson::error_code code =
      scratch_.parser.iterate(json_.data(), json_.size(), json_.size() + simdjson::SIMDJSON_PADDING)
          .get(document_);
  if (code != simdjson::SUCCESS) {
    return FailSyntax(code);
  }
  ondemand::object root;
  code = document_.get_object().get(root);
  if (code != simdjson::SUCCESS) {
    return FailSyntax(code);
  }
  if (!ReadMessage(request, root, 1)) {
    return false;
  }
  const char* behind = nullptr;
  if (document_.current_location().get(behind) == simdjson::SUCCESS) {
    return FailSyntax(simdjson::TRAILING_CONTENT);
  }
  return true;
}

// Keys mostly come in one order, so the search begins behind the last one found.
const Field* Reader::FindField(const Message& message, std::size_t& cursor, const char* key) {
  const std::size_t count = message.fields.size();
  // Reading past the key stays inside the text or its padding, which is longer than any name.
  const auto matches = [&key](std::string_view name) {
    return key[name.size()] == '"' && std::memcmp(key, name.data(), name.size()) == 0;
  };
  for (std::size_t i = 0; i < count; ++i) {
    const Field& field = message.fields[cursor];
    cursor = cursor + 1 == count ? 0 : cursor + 1;
    // Both spellings begin alike, which tells most fields apart without a call.
    if (key[0] == field.snake_name[0] &&
        (matches(field.json_name()) || matches(field.snake_name))) {
      return &field;
    }
  }
  return nullptr;
}

bool Reader::ReadMessage(const Message& message, ondemand::object object, int depth) {
  std::uint32_t seen = 0;  // Bit i: field i was written, so a later default counts.
  std::size_t cursor = 0;
  for (auto result : object) {
    ondemand::field member;
    if (const auto code = std::move(result).get(member); code != simdjson::SUCCESS) {
      return FailSyntax(code);
    }
    const Field* field = FindField(message, cursor, member.key().raw());
    if (field == nullptr && std::memchr(member.key().raw(), '\\', 64) != nullptr) [[unlikely]] {
      // Maybe an escaped spelling of a known key.
      std::string_view key;
      if (const auto code = member.unescaped_key().get(key); code != simdjson::SUCCESS) {
        return FailSyntax(code);
      }
      for (const Field& candidate : message.fields) {
        if (key == candidate.json_name() || key == candidate.snake_name) {
          field = &candidate;
        }
      }
    }
    if (field == nullptr) {
      if (!Skip(member.value(), depth)) {
        return false;
      }
      continue;
    }
    const auto bit = std::uint32_t{1} << (field - message.fields.data());
    if (!ReadField(*field, member.value(), seen, bit, depth)) {
      return false;
    }
  }
  return true;
}

bool Reader::IsNull(ondemand::value& value, bool& null) {
  null = false;
  const std::string_view token = Token(value);
  if (token.front() != 'n') [[likely]] {
    return true;
  }
  null = TrimRight(token) == "null";
  return null || Fail(JsonError::kSyntax, token.data(), "not valid JSON");
}

bool Reader::ReadField(const Field& field, ondemand::value value, std::uint32_t& seen,
                       std::uint32_t bit, int depth) {
  bool null = false;
  if (!IsNull(value, null)) {
    return false;
  }
  if (null) {
    return true;
  }
  if (field.repeated()) {
    return ReadRepeated(field, value, depth);
  }
  if (field.kind == Kind::kMessage) {
    return ReadSubmessage(field, value, depth);
  }
  return ReadScalar(field, value, seen, bit);
}

bool Reader::ReadSubmessage(const Field& field, ondemand::value value, int depth) {
  const std::string_view token = Token(value);
  if (depth >= limits_.depth_max) {
    return Fail(JsonError::kTooDeep, token.data(), "nested too deep");
  }
  ondemand::object object;
  if (const auto code = value.get_object().get(object); code != simdjson::SUCCESS) {
    return code == simdjson::INCORRECT_TYPE
               ? Fail(JsonError::kWrongType, token.data(),
                      fmt::format("{} is not an object", field.json_name()))
               : FailSyntax(code);
  }
  const std::size_t width = field.message->length_width;
  char* to = WriteVarint(out_.Reserve(kTagBytesMax + width), field.tag());
  const std::size_t length_at = static_cast<std::size_t>(to - out_.data());
  out_.Advance(to + width);
  if (!ReadMessage(*field.message, object, depth + 1)) {
    return false;
  }
  const std::size_t body = out_.size() - length_at - width;
  if (body > kLengthMax) {
    return Fail(JsonError::kTooLarge, token.data(), "too large");
  }
  const std::size_t needed = VarintSize(body);
  if (needed != width) {
    out_.Reserve(kVarintBytesMax);
    std::memmove(out_.data() + length_at + needed, out_.data() + length_at + width, body);
    out_.Advance(out_.data() + length_at + needed + body);
  }
  WriteVarint(out_.data() + length_at, body);
  return true;
}

bool Reader::ReadRepeated(const Field& field, ondemand::value value, int depth) {
  const std::string_view token = Token(value);
  ondemand::array array;
  if (const auto code = value.get_array().get(array); code != simdjson::SUCCESS) {
    return code == simdjson::INCORRECT_TYPE
               ? Fail(JsonError::kWrongType, token.data(),
                      fmt::format("{} is not an array", field.json_name()))
               : FailSyntax(code);
  }
  if (field.kind != Kind::kMessage && field.kind != Kind::kString) {
    return ReadPacked(field, array);
  }
  for (auto result : array) {
    ondemand::value element;
    if (const auto code = std::move(result).get(element); code != simdjson::SUCCESS) {
      return FailSyntax(code);
    }
    bool null = false;
    if (!IsNull(element, null)) {
      return false;
    }
    if (null) {
      // A null among attribute values is a value, the empty one; elsewhere it is nothing.
      if (field.message == &AnyValueMessage()) {
        out_.Append(static_cast<char>(field.tag()));
        out_.Append('\0');
      }
      continue;
    }
    std::uint32_t always = 1;
    if (field.kind == Kind::kMessage ? !ReadSubmessage(field, element, depth)
                                     : !ReadScalar(field, element, always, always)) {
      return false;
    }
  }
  return true;
}

// `seen` has `bit` when the field was written before, so that a default value must be written too.
bool Reader::ReadScalar(const Field& field, ondemand::value value, std::uint32_t& seen,
                        std::uint32_t bit) {
  const std::string_view token = Token(value);
  const bool keep_default = field.has_presence() || (seen & bit) != 0;
  const ValueResult result = AppendScalar(field, token, keep_default, scratch_.text, out_);
  seen |= result.wrote ? bit : 0;
  return result.ok() || FailValue(field, token, result);
}

bool Reader::ReadPacked(const Field& field, ondemand::array array) {
  const std::size_t start = out_.size();
  for (auto result : array) {
    ondemand::value element;
    if (const auto code = std::move(result).get(element); code != simdjson::SUCCESS) {
      return FailSyntax(code);
    }
    bool null = false;
    std::uint64_t bits = 0;
    if (!IsNull(element, null)) {
      return false;
    }
    if (!null) {
      const std::string_view token = Token(element);
      if (const ValueResult read = ReadBits(field, token, bits); !read.ok()) {
        return FailValue(field, token, read);
      }
      char* to = out_.Reserve(kVarintBytesMax);
      out_.Advance(field.wire_type == WireType::kFixed64 ? WriteFixed64(to, bits)
                                                         : WriteVarint(to, bits));
    }
  }
  const std::size_t body = out_.size() - start;
  if (body == 0) {
    return true;
  }
  const std::size_t prefix = 1 + VarintSize(body);
  out_.Reserve(prefix);
  char* at = out_.data() + start;
  std::memmove(at + prefix, at, body);
  at = WriteVarint(at, MakeTag(field.number, WireType::kLength));
  at = WriteVarint(at, body);
  out_.Advance(at + body);
  return true;
}

// What is not used is still checked: whoever sent it would take silence for success.
bool Reader::Skip(ondemand::value value, int depth) {
  const std::string_view token = Token(value);
  if (depth >= limits_.depth_max) {
    return Fail(JsonError::kTooDeep, token.data(), "nested too deep");
  }
  const std::string_view text = TrimRight(token);
  switch (token.front()) {
    case '{': {
      ondemand::object object;
      if (const auto code = value.get_object().get(object); code != simdjson::SUCCESS) {
        return FailSyntax(code);
      }
      for (auto result : object) {
        ondemand::field member;
        if (const auto code = std::move(result).get(member); code != simdjson::SUCCESS) {
          return FailSyntax(code);
        }
        if (!Skip(member.value(), depth + 1)) {
          return false;
        }
      }
      return true;
    }
    case '[': {
      ondemand::array array;
      if (const auto code = value.get_array().get(array); code != simdjson::SUCCESS) {
        return FailSyntax(code);
      }
      for (auto result : array) {
        ondemand::value element;
        if (const auto code = std::move(result).get(element); code != simdjson::SUCCESS) {
          return FailSyntax(code);
        }
        if (!Skip(element, depth + 1)) {
          return false;
        }
      }
      return true;
    }
    default: {
      const bool legal = StringBody(token) || text == "true" || text == "false" || text == "null" ||
                         IsNumber(text);
      return legal || Fail(JsonError::kSyntax, token.data(), "not valid JSON");
    }
  }
}

}  // namespace

JsonToProtoResult ReadJson(const Message& message, std::string_view json, const JsonLimits& limits,
                           MemoryBudget* budget) {
  JsonToProtoResult result;
  if (json.size() > limits.input_bytes_max) {
    result.error = JsonError::kTooLarge;
    result.offset = limits.input_bytes_max;
    result.message = fmt::format("larger than {} bytes", limits.input_bytes_max);
    return result;
  }
  thread_local Scratch scratch;
  // The parser's share and the padded copy; the output is about as large as the input.
  const std::size_t transient = json.size() * (kParserBytesPerInputByte + 2);
  if (budget != nullptr) {
    budget->Charge(transient);
  }
  scratch.input.Clear();
  char* padded = scratch.input.Reserve(json.size() + simdjson::SIMDJSON_PADDING);
  std::memcpy(padded, json.data(), json.size());
  std::memset(padded + json.size(), ' ', simdjson::SIMDJSON_PADDING);
  scratch.output.Clear();
  Reader reader(scratch, {padded, json.size()}, limits);
  if (reader.Read(message)) {
    result.bytes = Slice::Copy(scratch.output.view(), budget);
  } else {
    result.error = reader.error();
    result.offset = reader.offset();
    result.message = std::move(reader.message());
  }
  scratch.input.ClearAndKeepAtMost(kScratchKeptBytes);
  scratch.output.ClearAndKeepAtMost(kScratchKeptBytes);
  scratch.text.ClearAndKeepAtMost(kScratchKeptBytes);
  if (scratch.parser.capacity() * kParserBytesPerInputByte > 2 * kScratchKeptBytes) {
    scratch.parser = simdjson::ondemand::parser();
  }
  if (budget != nullptr) {
    budget->Release(transient);
  }
  return result;
}

}  // namespace json

std::string_view JsonErrorName(JsonError error) {
  switch (error) {
    case JsonError::kNone:
      return "none";
    case JsonError::kSyntax:
      return "syntax";
    case JsonError::kNotUtf8:
      return "not_utf8";
    case JsonError::kTooLarge:
      return "too_large";
    case JsonError::kTooDeep:
      return "too_deep";
    case JsonError::kWrongType:
      return "wrong_type";
    case JsonError::kBadNumber:
      return "bad_number";
    case JsonError::kBadHex:
      return "bad_hex";
    case JsonError::kBadBase64:
      return "bad_base64";
    case JsonError::kBadEnum:
      return "bad_enum";
    case JsonError::kMalformed:
      return "malformed";
  }
  return "unknown";
}

JsonToProtoResult JsonToProto(Signal signal, std::string_view json, const JsonLimits& limits,
                              MemoryBudget* budget) {
  return json::ReadJson(json::RequestMessage(signal), json, limits, budget);
}

}  // namespace weir::wire
