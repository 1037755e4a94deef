#include "weir/wire/status_codec.h"

#include <array>
#include <charconv>
#include <cmath>

#include "fmt/format.h"
#include "weir/wire/json.h"
#include "weir/wire/varint.h"
#include "wire/json_reader.h"
#include "wire/json_schema.h"
#include "wire/json_text.h"

namespace weir::wire {
namespace {

constexpr std::string_view kRetryInfoType = "type.googleapis.com/google.rpc.RetryInfo";
constexpr std::string_view kRetryInfoName = "google.rpc.RetryInfo";
constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
// protobuf's Duration ends here, about ten thousand years; nanoseconds in 64 bits end sooner.
constexpr std::int64_t kSecondsMax = 9'000'000'000;
// A server's answer is a sentence; what is larger is not read.
constexpr std::size_t kJsonBytesMax = std::size_t{1} << 20;

// Field numbers.
constexpr std::uint32_t kPartialSuccess = 1;
constexpr std::uint32_t kRejected = 1, kErrorMessage = 2;
constexpr std::uint32_t kCode = 1, kMessage = 2, kDetails = 3;
constexpr std::uint32_t kTypeUrl = 1, kValue = 2;
constexpr std::uint32_t kRetryDelay = 1;
constexpr std::uint32_t kSeconds = 1, kNanos = 2;
// Of the stand-in for an Any of JSON, below.
constexpr std::uint32_t kAnyType = 1, kAnyRetryDelay = 2;

constexpr std::array<std::string_view, kSignalCount> kRejectedKeys = {
    R"("rejectedSpans":)", R"("rejectedDataPoints":)", R"("rejectedLogRecords":)"};

using json::Cardinality;
using json::Field;
using json::Kind;

// JSON is read into the same wire form the protobuf decoders read, by these tables.
constexpr Field kPartialSuccessFields[kSignalCount][2] = {
    {{kRejectedKeys[0], "rejected_spans", kRejected, Kind::kInt64},
     {R"("errorMessage":)", "error_message", kErrorMessage, Kind::kString}},
    {{kRejectedKeys[1], "rejected_data_points", kRejected, Kind::kInt64},
     {R"("errorMessage":)", "error_message", kErrorMessage, Kind::kString}},
    {{kRejectedKeys[2], "rejected_log_records", kRejected, Kind::kInt64},
     {R"("errorMessage":)", "error_message", kErrorMessage, Kind::kString}}};
constexpr json::Message kPartialSuccessMessages[kSignalCount] = {
    {"ExportTracePartialSuccess", 1, false, kPartialSuccessFields[0], {}},
    {"ExportMetricsPartialSuccess", 1, false, kPartialSuccessFields[1], {}},
    {"ExportLogsPartialSuccess", 1, false, kPartialSuccessFields[2], {}}};
constexpr Field MakeResponseField(std::size_t signal) {
  return {R"("partialSuccess":)", "partial_success",      kPartialSuccess,
          Kind::kMessage,         Cardinality::kSingular, &kPartialSuccessMessages[signal]};
}
constexpr Field kResponseFields[kSignalCount][1] = {
    {MakeResponseField(0)}, {MakeResponseField(1)}, {MakeResponseField(2)}};
constexpr json::Message kResponseMessages[kSignalCount] = {
    {"ExportTraceServiceResponse", 1, false, kResponseFields[0], {}},
    {"ExportMetricsServiceResponse", 1, false, kResponseFields[1], {}},
    {"ExportLogsServiceResponse", 1, false, kResponseFields[2], {}}};

// JSON lays an Any's own fields beside its type, so this is no Any but what JSON shows of one.
constexpr Field kJsonAnyFields[] = {
    {R"("@type":)", "@type", kAnyType, Kind::kString},
    {R"("retryDelay":)", "retry_delay", kAnyRetryDelay, Kind::kString}};
constexpr json::Message kJsonAny = {"Any", 1, false, kJsonAnyFields, {}};
constexpr Field kStatusFields[] = {
    {R"("code":)", "code", kCode, Kind::kInt32},
    {R"("message":)", "message", kMessage, Kind::kString},
    {R"("details":)", "details", kDetails, Kind::kMessage, Cardinality::kRepeated, &kJsonAny}};
constexpr json::Message kStatus = {"Status", 1, false, kStatusFields, {}};

void AppendVarintField(std::uint32_t field, std::uint64_t value, std::string& out) {
  std::array<char, kTagBytesMax + kVarintBytesMax> bytes;
  char* end = WriteVarint(bytes.data(), MakeTag(field, WireType::kVarint));
  end = WriteVarint(end, value);
  out.append(bytes.data(), end);
}

void AppendBytesField(std::uint32_t field, std::string_view value, std::string& out) {
  std::array<char, kTagBytesMax + kVarintBytesMax> bytes;
  char* end = WriteVarint(bytes.data(), MakeTag(field, WireType::kLength));
  end = WriteVarint(end, value.size());
  out.append(bytes.data(), end);
  out.append(value);
}

// Calls handle(field, varint) or handle(field, bytes) for each field; false when malformed or when
// a handler says so.
template <typename OnVarint, typename OnBytes>
bool ForEachField(std::string_view bytes, OnVarint on_varint, OnBytes on_bytes) {
  const char* const end = bytes.data() + bytes.size();
  for (const char* p = bytes.data(); p != end;) {
    const Varint32 tag = ReadTag(p, end);
    if (tag.next == nullptr) {
      return false;
    }
    const char* const next = SkipField(tag.next, end, tag.value);
    if (next == nullptr) {
      return false;
    }
    if (TagType(tag.value) == WireType::kVarint) {
      on_varint(TagField(tag.value), ReadVarint(tag.next, end).value);
    } else if (TagType(tag.value) == WireType::kLength) {
      const Varint32 length = ReadLength(tag.next, end);
      if (!on_bytes(TagField(tag.value), std::string_view(length.next, length.value))) {
        return false;
      }
    }
    p = next;
  }
  return true;
}

constexpr auto kIgnoreVarint = [](std::uint32_t, std::uint64_t) {};
constexpr auto kIgnoreBytes = [](std::uint32_t, std::string_view) { return true; };

std::optional<std::chrono::nanoseconds> MakeDelay(std::int64_t seconds, std::int64_t nanos) {
  if (seconds < -kSecondsMax || seconds > kSecondsMax || nanos <= -kNanosPerSecond ||
      nanos >= kNanosPerSecond) {
    return std::nullopt;
  }
  return std::chrono::nanoseconds(seconds * kNanosPerSecond + nanos);
}

// "3s", "1.500s", "-0.1s": protobuf's JSON of a Duration.
std::optional<std::chrono::nanoseconds> ParseDuration(std::string_view text) {
  if (!text.ends_with('s')) {
    return std::nullopt;
  }
  text.remove_suffix(1);
  const bool negative = text.starts_with('-');
  text.remove_prefix(negative ? 1 : 0);
  std::uint64_t seconds = 0;
  const char* const end = text.data() + text.size();
  auto [p, error] = std::from_chars(text.data(), end, seconds);
  if (error != std::errc() || seconds > static_cast<std::uint64_t>(kSecondsMax)) {
    return std::nullopt;
  }
  std::int64_t nanos = 0;
  if (p != end) {
    if (*p++ != '.' || p == end || end - p > 9) {
      return std::nullopt;
    }
    for (std::int64_t unit = kNanosPerSecond / 10; p != end; ++p, unit /= 10) {
      if (*p < '0' || *p > '9') {
        return std::nullopt;
      }
      nanos += (*p - '0') * unit;
    }
  }
  const auto whole = static_cast<std::int64_t>(seconds);
  return negative ? MakeDelay(-whole, -nanos) : MakeDelay(whole, nanos);
}

std::string FormatDuration(std::chrono::nanoseconds delay) {
  const std::int64_t seconds = delay.count() / kNanosPerSecond;
  const std::int64_t nanos = std::abs(delay.count() % kNanosPerSecond);
  const std::string_view sign = delay.count() < 0 ? "-" : "";
  return nanos == 0 ? fmt::format("{}{}s", sign, std::abs(seconds))
                    : fmt::format("{}{}.{:09}s", sign, std::abs(seconds), nanos);
}

// A RetryInfo, or nullopt where it is malformed.
std::optional<std::chrono::nanoseconds> DecodeRetryInfo(std::string_view bytes) {
  std::int64_t seconds = 0;
  std::int64_t nanos = 0;
  const auto on_duration = [&](std::uint32_t field, std::uint64_t value) {
    if (field == kSeconds) {
      seconds = static_cast<std::int64_t>(value);
    } else if (field == kNanos) {
      nanos = static_cast<std::int32_t>(value);
    }
  };
  const bool legal =
      ForEachField(bytes, kIgnoreVarint, [&](std::uint32_t field, std::string_view value) {
        return field != kRetryDelay || ForEachField(value, on_duration, kIgnoreBytes);
      });
  return legal ? MakeDelay(seconds, nanos) : std::nullopt;
}

bool DecodeAny(std::string_view any, RpcStatus& status) {
  std::string_view type;
  std::string_view value;
  if (!ForEachField(any, kIgnoreVarint, [&](std::uint32_t field, std::string_view bytes) {
        if (field == kTypeUrl) {
          type = bytes;
        } else if (field == kValue) {
          value = bytes;
        }
        return true;
      })) {
    return false;
  }
  // The part before the name may be any host.
  if (type.substr(type.rfind('/') + 1) == kRetryInfoName) {
    status.retry_delay = DecodeRetryInfo(value);
    return status.retry_delay.has_value();
  }
  return true;
}

bool DecodeJsonAny(std::string_view any, RpcStatus& status) {
  std::string_view type;
  std::string_view delay = "0s";
  if (!ForEachField(any, kIgnoreVarint, [&](std::uint32_t field, std::string_view bytes) {
        (field == kAnyType ? type : delay) = bytes;
        return true;
      })) {
    return false;
  }
  if (type.substr(type.rfind('/') + 1) == kRetryInfoName) {
    status.retry_delay = ParseDuration(delay);
    return status.retry_delay.has_value();
  }
  return true;
}

// `decode_any` reads one of the details in the form the body came in.
std::optional<RpcStatus> DecodeStatus(std::string_view body,
                                      bool (*decode_any)(std::string_view, RpcStatus&)) {
  RpcStatus status;
  const bool legal = ForEachField(
      body,
      [&](std::uint32_t field, std::uint64_t value) {
        status.code = field == kCode ? static_cast<std::int32_t>(value) : status.code;
      },
      [&](std::uint32_t field, std::string_view bytes) {
        if (field == kMessage) {
          status.message = bytes;
        }
        return field != kDetails || decode_any(bytes, status);
      });
  return legal ? std::optional(std::move(status)) : std::nullopt;
}

std::optional<ExportResponse> DecodeResponse(std::string_view body) {
  ExportResponse response;
  const auto on_number = [&](std::uint32_t field, std::uint64_t value) {
    response.rejected_items =
        field == kRejected ? static_cast<std::int64_t>(value) : response.rejected_items;
  };
  const auto on_text = [&](std::uint32_t field, std::string_view bytes) {
    if (field == kErrorMessage) {
      response.message = bytes;
    }
    return true;
  };
  const bool legal =
      ForEachField(body, kIgnoreVarint, [&](std::uint32_t field, std::string_view partial) {
        return field != kPartialSuccess || ForEachField(partial, on_number, on_text);
      });
  return legal ? std::optional(std::move(response)) : std::nullopt;
}

JsonToProtoResult ReadBody(const json::Message& message, std::string_view body) {
  return json::ReadJson(message, body, {.input_bytes_max = kJsonBytesMax}, nullptr);
}

}  // namespace

std::string EncodeExportResponse(Signal signal, const ExportResponse& response, BodyFormat format) {
  const bool all_accepted = response.rejected_items == 0 && response.message.empty();
  if (format == BodyFormat::kProtobuf) {
    std::string body;
    if (!all_accepted) {
      std::string partial;
      if (response.rejected_items != 0) {
        AppendVarintField(kRejected, static_cast<std::uint64_t>(response.rejected_items), partial);
      }
      if (!response.message.empty()) {
        AppendBytesField(kErrorMessage, response.message, partial);
      }
      AppendBytesField(kPartialSuccess, partial, body);
    }
    return body;
  }
  if (all_accepted) {
    return "{}";
  }
  JsonBuffer out;
  out.Append(R"({"partialSuccess":{)");
  if (response.rejected_items != 0) {
    out.Append(
        fmt::format(R"({}"{}")", kRejectedKeys[SignalIndex(signal)], response.rejected_items));
  }
  if (!response.message.empty()) {
    out.Append(response.rejected_items != 0 ? R"(,"errorMessage":)" : R"("errorMessage":)");
    json::AppendQuoted(response.message, out);
  }
  out.Append("}}");
  return std::string(out.view());
}

std::optional<ExportResponse> DecodeExportResponse(Signal signal, std::string_view body,
                                                   BodyFormat format) {
  if (format == BodyFormat::kProtobuf) {
    return DecodeResponse(body);
  }
  const JsonToProtoResult read = ReadBody(kResponseMessages[SignalIndex(signal)], body);
  return read.ok() ? DecodeResponse(read.bytes.view()) : std::nullopt;
}

std::string EncodeRpcStatus(const RpcStatus& status, BodyFormat format) {
  if (format == BodyFormat::kProtobuf) {
    std::string body;
    if (status.code != 0) {
      AppendVarintField(kCode, static_cast<std::uint64_t>(std::int64_t{status.code}), body);
    }
    if (!status.message.empty()) {
      AppendBytesField(kMessage, status.message, body);
    }
    if (status.retry_delay) {
      const std::int64_t delay = status.retry_delay->count();
      std::string duration;
      AppendVarintField(kSeconds, static_cast<std::uint64_t>(delay / kNanosPerSecond), duration);
      AppendVarintField(kNanos, static_cast<std::uint64_t>(delay % kNanosPerSecond), duration);
      std::string retry_info;
      AppendBytesField(kRetryDelay, duration, retry_info);
      std::string any;
      AppendBytesField(kTypeUrl, kRetryInfoType, any);
      AppendBytesField(kValue, retry_info, any);
      AppendBytesField(kDetails, any, body);
    }
    return body;
  }
  JsonBuffer out;
  out.Append(fmt::format(R"({{"code":{},"message":)", status.code));
  json::AppendQuoted(status.message, out);
  if (status.retry_delay) {
    out.Append(fmt::format(R"(,"details":[{{"@type":"{}","retryDelay":"{}"}}])", kRetryInfoType,
                           FormatDuration(*status.retry_delay)));
  }
  out.Append('}');
  return std::string(out.view());
}

std::optional<RpcStatus> DecodeRpcStatus(std::string_view body, BodyFormat format) {
  if (format == BodyFormat::kProtobuf) {
    return DecodeStatus(body, DecodeAny);
  }
  const JsonToProtoResult read = ReadBody(kStatus, body);
  return read.ok() ? DecodeStatus(read.bytes.view(), DecodeJsonAny) : std::nullopt;
}

}  // namespace weir::wire
