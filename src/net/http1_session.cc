#include "net/http1_session.h"

#include <algorithm>
#include <utility>

namespace weir::net {
namespace {

constexpr std::uint64_t kProgressBytesMin = 1024;
// A head longer than this is not worth comparing the next one with.
constexpr std::size_t kKnownHeadBytesMax = 4096;

}  // namespace

Http1Session::Http1Session(SessionHost& host)
    : host_(host),
      context_(host.context),
      since_(context_.loop.Now()),
      request_since_(context_.loop.Now()) {}

void Http1Session::OnBytes(std::span<const char> bytes) {
  parsing_ = true;
  while (!bytes.empty() && state_ != State::kClosing) {
    // What is answered at once could otherwise pile up answers without end.
    const bool unread = host_.out.size() > context_.options.unsent_bytes_max;
    if (state_ == State::kWaiting || (state_ == State::kHead && unread)) {
      backlog_.append(bytes.data(), bytes.size());
      host_.PauseReading(true);
      break;
    }
    Parse(bytes);
  }
  parsing_ = false;
}

void Http1Session::OnFlushed() {
  if (state_ != State::kWaiting && state_ != State::kClosing) {
    Resume();
  }
}

// Goes on with the requests that had to wait.
void Http1Session::Resume() {
  if (!parsing_ && !backlog_.empty()) {
    const std::string bytes = std::exchange(backlog_, {});
    host_.PauseReading(false);
    OnBytes(bytes);
  }
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
        if (skip_ > kSkippedBytesMax) {
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

void Http1Session::Close() {
  state_ = State::kClosing;
  host_.WantFlush();
  host_.CloseAfterFlush();
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
