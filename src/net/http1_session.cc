#include "net/http1_session.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "weir/base/check.h"

namespace weir::net {
namespace {

// A body that nobody wants is read past so that the connection can go on, up to this size.
constexpr std::uint64_t kSkipBytesMax = 1024 * 1024;
constexpr std::uint64_t kProgressBytesMin = 1024;
// A head longer than this is not worth comparing the next one with.
constexpr std::size_t kKnownHeadBytesMax = 4096;

std::string_view Reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

void AppendNumber(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  out.append(digits, end);
}

void AppendField(std::string& out, std::string_view name, std::string_view value) {
  out.append(name);
  out.append(": ");
  out.append(value);
  out.append("\r\n");
}

}  // namespace

void Http1Request::Respond(const HttpResponse& response) {
  if (session_ == nullptr) {
    Recycle();
    return;
  }
  session_->Answer(*this, response);
}

void Http1Request::RespondGrpc(const GrpcStatus&, std::string_view) {
  WEIR_CHECK(session_ == nullptr && "gRPC is not spoken over HTTP/1");
  Recycle();
}

void Http1Request::RespondGrpcOk() { RespondGrpc({}, {}); }

void Http1Request::Recycle() {
  ServerContext& owner = *context_;
  head_ = HeadRef();
  peer_.reset();
  attachment_.reset();
  cancelled_ = false;
  session_ = nullptr;
  owner.requests.Return(*this);
}

Http1Session::Http1Session(SessionHost& host)
    : host_(host),
      context_(host.context),
      since_(context_.loop.Now()),
      request_since_(context_.loop.Now()) {}

void Http1Session::OnBytes(std::span<const char> bytes) {
  parsing_ = true;
  while (!bytes.empty() && state_ != State::kClosing) {
    if (state_ == State::kWaiting) {
      backlog_.append(bytes.data(), bytes.size());
      host_.PauseReading(true);
      break;
    }
    Parse(bytes);
  }
  parsing_ = false;
}

void Http1Session::Parse(std::span<const char>& bytes) {
  std::size_t used = 0;
  switch (state_) {
    case State::kHead:
      used = ReadHead(bytes);
      break;
    case State::kBody:
      used = ReadBody(bytes);
      break;
    case State::kChunks:
    case State::kSkipChunks:
      used = ReadChunks(bytes);
      break;
    case State::kSkip:
      used = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), skip_));
      skip_ -= used;
      if (skip_ == 0) {
        AfterAnswer();
      }
      break;
    case State::kWaiting:
    case State::kClosing:
      break;
  }
  bytes = bytes.subspan(used);
}

std::size_t Http1Session::ReadHead(std::span<const char> bytes) {
  const std::string_view view(bytes.data(), bytes.size());
  if (head_bytes_.empty()) {
    // Some clients send an empty line behind a body.
    if (view.front() == '\r' || view.front() == '\n') {
      return 1;
    }
    since_ = request_since_ = context_.loop.Now();
    if (known_head_ && view.starts_with(known_raw_)) {
      const std::size_t size = known_raw_.size();
      StartRequest({});
      return size;
    }
    if (!IsToken(view.substr(0, 1))) {
      Reject(400);
      return bytes.size();
    }
    const std::size_t end = FindHttp1HeadEnd(view, 0);
    if (end != std::string_view::npos && end <= context_.options.head_bytes_max) {
      StartRequest(view.substr(0, end));
      return end;
    }
  }
  const std::size_t before = head_bytes_.size();
  head_bytes_.append(view.substr(0, context_.options.head_bytes_max + 1 - before));
  const std::size_t end = FindHttp1HeadEnd(head_bytes_, before < 3 ? 0 : before - 3);
  if (end == std::string_view::npos || end > context_.options.head_bytes_max) {
    if (head_bytes_.size() > context_.options.head_bytes_max) {
      Reject(431);
    }
    return bytes.size();
  }
  const std::string raw = std::exchange(head_bytes_, {}).substr(0, end);
  StartRequest(raw);
  return end - before;
}

// `raw` is empty when the head is the one before.
void Http1Session::StartRequest(std::string_view raw) {
  if (!raw.empty()) {
    std::unique_ptr<RequestHead> head = context_.heads.Take();
    const int status = ParseHttp1Head(raw, context_.options.head_bytes_max, *head);
    if (status != 0) {
      context_.heads.Return(std::move(head));
      Reject(status);
      return;
    }
    known_raw_.assign(raw.size() <= kKnownHeadBytesMax ? raw : std::string_view());
    known_head_ = HeadRef(head.release());
  }
  Http1Request& request = context_.requests.Take();
  request.session_ = this;
  request.context_ = &context_;
  request.head_ = known_head_;
  request.peer_ = host_.peer;
  request.loop_ = &context_.loop;
  request.connection_id_ = host_.connection_id;
  request_ = &request;
  handler_ = nullptr;
  if (known_raw_.empty()) {
    known_head_ = HeadRef();
  }
  const RequestHead& head = request.head();
  // What of a body is still to come when the answer comes first.
  skip_ = head.content_length().value_or(0);
  state_ = State::kWaiting;
  owed_ = true;
  answered_early_ = true;
  if (AnswerPreflight(context_, request)) {
    return;
  }
  if (head.is_grpc() || context_.http == nullptr) {
    Count(context_.counters.requests_refused);
    request.Respond({.status = 415, .content_type = {}, .body = {}, .fields = {}});
    return;
  }
  handler_ = context_.http;
  if (const std::optional<std::size_t> bytes_max = handler_->OnHead(request)) {
    StartBody(*bytes_max);
  }
}

void Http1Session::StartBody(std::size_t bytes_max) {
  answered_early_ = false;
  owed_ = false;
  const RequestHead& head = request_->head();
  const std::uint64_t length = head.content_length().value_or(0);
  received_at_check_ = 0;
  if (length > bytes_max) {
    FailBody(BodyFault::kTooLarge);
    return;
  }
  if (head.chunked()) {
    body_.StartUnknown(bytes_max);
    state_ = State::kChunks;
  } else {
    body_.StartKnown(length, bytes_max);
    state_ = State::kBody;
  }
  if (length == 0 && !head.chunked()) {
    FinishBody();
  } else if (head.expects_continue() && head.version() == HttpVersion::k11) {
    host_.out.append("HTTP/1.1 100 Continue\r\n\r\n");
    host_.WantFlush();
  }
}

std::size_t Http1Session::ReadBody(std::span<const char> bytes) {
  const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), skip_));
  skip_ -= count;
  const BodyFault fault = body_.Append(bytes.first(count), host_.share);
  if (fault != BodyFault::kNone) {
    FailBody(fault);
  } else if (skip_ == 0) {
    FinishBody();
  }
  return count;
}

std::span<char> Http1Session::Target() {
  return state_ == State::kBody ? body_.Target() : std::span<char>();
}

void Http1Session::OnTargetFilled(std::size_t bytes) {
  body_.Filled(bytes);
  skip_ -= bytes;
  if (skip_ == 0) {
    parsing_ = true;
    FinishBody();
    parsing_ = false;
  }
}

std::size_t Http1Session::ReadChunks(std::span<const char> bytes) {
  const ChunkReader::Step step = chunks_.Read(bytes);
  switch (step.event) {
    case ChunkReader::Event::kMore:
      break;
    case ChunkReader::Event::kBad:
      broken_ = true;
      if (state_ == State::kChunks) {
        FailBody(BodyFault::kMalformed);
      } else {
        Close();
      }
      return bytes.size();
    case ChunkReader::Event::kData:
      if (state_ == State::kChunks) {
        const BodyFault fault = body_.Append(step.data, host_.share);
        if (fault != BodyFault::kNone) {
          FailBody(fault);
        }
      } else {
        skip_ += step.data.size();
        if (skip_ > kSkipBytesMax) {
          Close();
        }
      }
      break;
    case ChunkReader::Event::kEnd:
      if (state_ == State::kChunks) {
        FinishBody();
      } else {
        AfterAnswer();
      }
      break;
  }
  return step.used;
}

void Http1Session::FinishBody() {
  const std::size_t bytes_max = body_.bytes_max();
  Slice body = body_.Take(host_.share);
  const RequestHead& head = request_->head();
  if (!head.content_encoding().empty()) {
    const BodyFault fault = DecodeContent(context_, head, bytes_max, host_.share.budget(), body);
    if (fault != BodyFault::kNone) {
      Count(context_.counters.bodies_failed);
      state_ = State::kWaiting;
      owed_ = true;
      handler_->OnBodyFault(*request_, fault);
      return;
    }
  }
  Count(context_.counters.requests);
  state_ = State::kWaiting;
  owed_ = true;
  handler_->OnBody(*request_, std::move(body));
}

void Http1Session::FailBody(BodyFault fault) {
  Count(context_.counters.bodies_failed);
  body_.Clear(host_.share);
  answered_early_ = true;
  state_ = State::kWaiting;
  owed_ = true;
  handler_->OnBodyFault(*request_, fault);
}

// An answer to what is no request, after which nothing on the connection can be understood.
void Http1Session::Reject(int status) {
  Count(context_.counters.connection_errors);
  host_.out.append("HTTP/1.1 ");
  AppendNumber(host_.out, static_cast<std::uint64_t>(status));
  host_.out.append(" ");
  host_.out.append(Reason(status));
  host_.out.append("\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  Close();
}

void Http1Session::Close() {
  state_ = State::kClosing;
  host_.WantFlush();
  host_.CloseAfterFlush();
}

void Http1Session::Answer(Http1Request& request, const HttpResponse& response) {
  WEIR_DCHECK(request_ == &request);
  const RequestHead& head = request.head();
  const bool keep_alive = context_.options.keep_alives_enabled && !draining_ && !read_closed_ &&
                          (head.version() == HttpVersion::k11 ? !head.connection_close()
                                                              : head.connection_keep_alive());
  // A client that waits for "100 Continue" and gets an answer may send its body or not: nobody can
  // know what comes next.
  const bool body_pending = answered_early_ && (skip_ > 0 || head.chunked());
  const bool close = !keep_alive || broken_ ||
                     (body_pending && (skip_ > kSkipBytesMax || head.expects_continue()));
  AppendAnswer(head, response, close);
  const bool chunked = head.chunked();
  request_ = nullptr;
  owed_ = false;
  request.Recycle();
  host_.WantFlush();
  if (close) {
    Close();
    return;
  }
  if (body_pending) {
    state_ = chunked ? State::kSkipChunks : State::kSkip;
    if (chunked) {
      skip_ = 0;
    }
  } else {
    AfterAnswer();
  }
  if (!parsing_ && !backlog_.empty()) {
    const std::string bytes = std::exchange(backlog_, {});
    host_.PauseReading(false);
    OnBytes(bytes);
  }
}

void Http1Session::AfterAnswer() {
  state_ = State::kHead;
  answered_early_ = false;
  chunks_ = ChunkReader();
  since_ = context_.loop.Now();
}

void Http1Session::AppendAnswer(const RequestHead& head, const HttpResponse& response, bool close) {
  std::string& out = host_.out;
  out.append("HTTP/1.1 ");
  AppendNumber(out, static_cast<std::uint64_t>(response.status));
  out.append(" ");
  out.append(Reason(response.status));
  out.append("\r\n");
  if (!response.content_type.empty()) {
    AppendField(out, "content-type", response.content_type);
  }
  const bool bodiless = response.status == 204 || response.status == 304;
  if (!bodiless) {
    out.append("content-length: ");
    AppendNumber(out, response.body.size());
    out.append("\r\n");
  }
  AppendField(out, "date", context_.Date());
  for (const HeaderField& field : response.fields) {
    AppendField(out, field.name, field.value);
  }
  for (const auto& [name, value] : context_.options.response_fields) {
    AppendField(out, name, value);
  }
  if (context_.options.cors.has_value()) {
    context_.options.cors->AddResponseFields(
        head,
        [&](std::string_view name, std::string_view value) { AppendField(out, name, value); });
  }
  if (close) {
    out.append("connection: close\r\n");
  } else if (head.version() == HttpVersion::k10) {
    out.append("connection: keep-alive\r\n");
  }
  out.append("\r\n");
  if (!bodiless && head.method() != HttpMethod::kHead) {
    out.append(response.body.view());
  }
}

void Http1Session::OnReadClosed() {
  read_closed_ = true;
  if (state_ != State::kWaiting) {
    Close();
  }
}

void Http1Session::OnClosed() {
  state_ = State::kClosing;
  body_.Clear(host_.share);
  if (request_ == nullptr) {
    return;
  }
  Http1Request& request = *std::exchange(request_, nullptr);
  Count(context_.counters.requests_cancelled);
  request.cancelled_ = true;
  if (owed_) {
    request.session_ = nullptr;  // The handler still owes an answer, which frees it.
    if (handler_ != nullptr) {
      handler_->OnCancelled(request);
    }
    return;
  }
  handler_->OnCancelled(request);
  request.Recycle();
}

void Http1Session::OnTick(TimePoint now) {
  const ServerOptions& options = context_.options;
  const auto passed = [now](TimePoint since, std::chrono::nanoseconds limit) {
    return limit.count() > 0 && now - since > limit;
  };
  switch (state_) {
    case State::kHead:
      if (head_bytes_.empty()) {
        if (passed(since_, options.idle_timeout)) {
          Close();
        }
      } else if (passed(since_, options.head_timeout)) {
        Reject(408);
      }
      return;
    case State::kBody:
    case State::kChunks: {
      const std::uint64_t received = body_.received();
      if (passed(since_, options.body_progress_window)) {
        if (received - received_at_check_ < kProgressBytesMin) {
          Close();
          return;
        }
        received_at_check_ = received;
        since_ = now;
      }
      if (passed(request_since_, options.read_timeout)) {
        Close();
      }
      return;
    }
    case State::kSkip:
    case State::kSkipChunks:
      if (passed(since_, options.body_progress_window)) {
        Close();
      }
      return;
    case State::kWaiting:
    case State::kClosing:
      return;
  }
}

void Http1Session::StartDrain() {
  draining_ = true;
  if (state_ == State::kHead && head_bytes_.empty()) {
    Close();
  }
}

}  // namespace weir::net
