#include "net/server_session.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "fmt/format.h"
#include "net/compression.h"
#include "net/http1_session.h"
#include "net/http2_stream.h"

namespace weir::net {
namespace {

BodyFault Undo(Compression compression, std::size_t bytes_max, MemoryBudget& budget, Slice& body) {
  Decompressed result = Decompress(compression, {&body, 1}, bytes_max, &budget);
  switch (result.fault) {
    case DecompressFault::kNone:
      body = std::move(result.bytes);
      return BodyFault::kNone;
    case DecompressFault::kTooLarge:
      return BodyFault::kTooLarge;
    case DecompressFault::kMalformed:
      break;
  }
  return BodyFault::kBadCompression;
}

}  // namespace

ServerContext::ServerContext(const ServerOptions& server_options, EventLoop& event_loop,
                             IncompleteBytes& bytes)
    : options(server_options), loop(event_loop), incomplete(bytes) {}

ServerContext::~ServerContext() = default;

std::string_view ServerContext::Date() {
  const std::time_t now = std::time(nullptr);
  if (now != date_second_) {
    date_second_ = now;
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    // Spelled out, because strftime's names follow the locale.
    constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    date_ = fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[parts.tm_wday],
                        parts.tm_mday, kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
                        parts.tm_min, parts.tm_sec);
  }
  return date_;
}

BodyFault DecodeContent(const ServerContext& context, const RequestHead& head,
                        std::size_t bytes_max, MemoryBudget& budget, Slice& body) {
  const std::optional<Compression> compression = ParseCompression(head.content_encoding());
  if (!compression.has_value()) {
    return BodyFault::kUnknownEncoding;
  }
  if (*compression == Compression::kNone) {
    return BodyFault::kNone;
  }
  const auto& allowed = context.options.content_encodings;
  if (std::find(allowed.begin(), allowed.end(), *compression) == allowed.end()) {
    return BodyFault::kUnknownEncoding;
  }
  return Undo(*compression, bytes_max, budget, body);
}

BodyFault DecodeMessage(const RequestHead& head, std::size_t bytes_max, MemoryBudget& budget,
                        Slice& message) {
  const std::optional<Compression> compression = ParseCompression(head.grpc_encoding());
  if (!compression.has_value()) {
    return BodyFault::kUnknownEncoding;
  }
  if (*compression == Compression::kNone) {
    return BodyFault::kMalformed;  // Says it is compressed and not how.
  }
  return Undo(*compression, bytes_max, budget, message);
}

bool AnswerPreflight(const ServerContext& context, ServerRequest& request) {
  const RequestHead& head = request.head();
  if (!context.options.cors.has_value() || head.method() != HttpMethod::kOptions ||
      !CorsPolicy::IsPreflight(head)) {
    return false;
  }
  const auto answer = context.options.cors->PreflightFields(head);
  std::vector<HeaderField> fields;
  fields.reserve(answer.size());
  for (const auto& [name, value] : answer) {
    fields.push_back({name, value});
  }
  request.Respond({.status = 204, .content_type = {}, .body = {}, .fields = fields});
  return true;
}

}  // namespace weir::net
