// Answers: from a response to frames, as far as the peer's windows let them go.

#include <algorithm>
#include <cstring>
#include <utility>

#include "net/http2_session.h"

namespace weir::net {
namespace {

// A large body is handed to the socket in portions, so that it never lies in memory twice.
constexpr std::size_t kUnsentPauseBytes = 256 * 1024;

// The three frames of a gRPC answer without content: HEADERS(2) DATA(5) HEADERS(1).
constexpr std::size_t kGrpcOkBytes = 3 * http2::kFrameHeadBytes + 2 + 5 + 1;
constexpr std::size_t kDataAt = http2::kFrameHeadBytes + 2;
constexpr std::size_t kTrailersAt = kDataAt + http2::kFrameHeadBytes + 5;

constexpr char kGrpcOkFrames[kGrpcOkBytes + 1] =
    "\0\0\2\1\4\0\0\0\0\x88\xbf"
    "\0\0\5\0\0\0\0\0\0\0\0\0\0\0"
    "\0\0\1\1\5\0\0\0\0\xbe";

}  // namespace

void Http2Stream::Respond(const HttpResponse& response) {
  if (session == nullptr) {
    Recycle();
    return;
  }
  session->Answer(*this, response);
}

void Http2Stream::RespondGrpc(const GrpcStatus& status, std::string_view message) {
  if (session == nullptr) {
    Recycle();
    return;
  }
  session->AnswerGrpc(*this, status, message);
}

void Http2Stream::RespondGrpcOk() {
  if (session == nullptr) {
    Recycle();
    return;
  }
  session->AnswerGrpcOk(*this, {});
}

void Http2Stream::Recycle() {
  ServerContext& owner = *context;
  head_ = HeadRef();
  peer_.reset();
  attachment_.reset();
  cancelled_ = false;
  session = nullptr;
  handler = nullptr;
  grpc_pending = false;
  pending = Slice();
  pending_sent = 0;
  owner.streams.Return(*this);
}

void Http2Session::SendHeaders(std::uint32_t id, std::string_view block, bool end_stream) {
  // A block of ours never passes the smallest frame size there is, large error texts apart.
  std::uint8_t type = http2::kHeaders;
  std::uint8_t flags = end_stream ? http2::kFlagEndStream : 0;
  do {
    const std::string_view part = block.substr(0, http2::kDefaultFrameBytesMax);
    block.remove_prefix(part.size());
    if (block.empty()) {
      flags |= http2::kFlagEndHeaders;
    }
    http2::AppendFrameHead(host_.out, {.length = static_cast<std::uint32_t>(part.size()),
                                       .type = type,
                                       .flags = flags,
                                       .stream = id});
    host_.out.append(part);
    type = http2::kContinuation;
    flags = 0;
  } while (!block.empty());
  answered_since_ping_ = true;
  host_.WantFlush();
}

void Http2Session::AnswerGrpcOk(Http2Stream& stream, std::string_view message) {
  if (message.empty() && encoder_.grpc_fields_indexed() && stream.send_window >= 5 &&
      send_window_ >= 5) [[likely]] {
    send_window_ -= 5;
    char frames[kGrpcOkBytes];
    std::memcpy(frames, kGrpcOkFrames, sizeof(frames));
    http2::WriteU32(frames + 5, stream.id);
    http2::WriteU32(frames + kDataAt + 5, stream.id);
    http2::WriteU32(frames + kTrailersAt + 5, stream.id);
    host_.out.append(frames, sizeof(frames));
    answered_since_ping_ = true;
    host_.WantFlush();
    EndStream(stream);
    return;
  }
  scratch_.clear();
  encoder_.AppendGrpcHead(scratch_);
  SendHeaders(stream.id, scratch_, /*end_stream=*/false);
  MutableBuffer framed = MutableBuffer::Allocate(5 + message.size());
  framed.data()[0] = '\0';
  http2::WriteU32(framed.data() + 1, static_cast<std::uint32_t>(message.size()));
  if (!message.empty()) {
    std::memcpy(framed.data() + 5, message.data(), message.size());
  }
  stream.pending = std::move(framed).Freeze(5 + message.size());
  stream.pending_sent = 0;
  stream.grpc_pending = true;
  stream.state = Http2Stream::State::kSending;
  Pump(stream);
}

void Http2Session::AnswerGrpc(Http2Stream& stream, const GrpcStatus& status,
                              std::string_view message) {
  if (status.code == GrpcCode::kOk) {
    AnswerGrpcOk(stream, message);
    return;
  }
  scratch_.clear();
  encoder_.AppendGrpcHead(scratch_);
  encoder_.AppendField(scratch_, "grpc-status", std::to_string(static_cast<int>(status.code)));
  if (!status.message.empty()) {
    encoder_.AppendField(scratch_, "grpc-message", EncodeGrpcMessage(status.message));
  }
  if (!status.details.empty()) {
    encoder_.AppendField(scratch_, "grpc-status-details-bin", EncodeBase64(status.details));
  }
  SendHeaders(stream.id, scratch_, /*end_stream=*/true);
  EndStream(stream);
}

void Http2Session::Answer(Http2Stream& stream, const HttpResponse& response) {
  const RequestHead& head = stream.head();
  const bool bodiless =
      head.method() == HttpMethod::kHead || response.status == 204 || response.status == 304;
  scratch_.clear();
  encoder_.AppendStatus(scratch_, response.status);
  if (!response.content_type.empty()) {
    encoder_.AppendField(scratch_, "content-type", response.content_type);
  }
  if (response.status != 204 && response.status != 304) {
    encoder_.AppendField(scratch_, "content-length", std::to_string(response.body.size()));
  }
  encoder_.AppendField(scratch_, "date", context_.Date());
  for (const HeaderField& field : response.fields) {
    encoder_.AppendField(scratch_, field.name, field.value);
  }
  for (const auto& [name, value] : context_.options.response_fields) {
    encoder_.AppendField(scratch_, name, value);
  }
  if (context_.options.cors.has_value()) {
    context_.options.cors->AddResponseFields(head,
                                             [&](std::string_view name, std::string_view value) {
                                               encoder_.AppendField(scratch_, name, value);
                                             });
  }
  const bool end = bodiless || response.body.empty();
  SendHeaders(stream.id, scratch_, end);
  if (end) {
    EndStream(stream);
    return;
  }
  stream.pending = response.body;
  stream.pending_sent = 0;
  stream.grpc_pending = false;
  stream.state = Http2Stream::State::kSending;
  Pump(stream);
}

void Http2Session::Pump(Http2Stream& stream) {
  while (true) {
    const std::size_t left = stream.pending.size() - stream.pending_sent;
    const std::int64_t window = std::min(stream.send_window, send_window_);
    if (left != 0 && (window <= 0 || host_.out.size() >= kUnsentPauseBytes)) {
      if (std::find(blocked_.begin(), blocked_.end(), stream.id) == blocked_.end()) {
        blocked_.push_back(stream.id);
      }
      return;
    }
    const std::size_t count =
        std::min({left, static_cast<std::size_t>(std::max<std::int64_t>(window, 0)),
                  static_cast<std::size_t>(peer_frame_bytes_max_), kUnsentPauseBytes});
    const bool last = count == left;
    const std::uint8_t flags = last && !stream.grpc_pending ? http2::kFlagEndStream : 0;
    http2::AppendFrameHead(host_.out, {.length = static_cast<std::uint32_t>(count),
                                       .type = http2::kData,
                                       .flags = flags,
                                       .stream = stream.id});
    host_.out.append(stream.pending.data() + stream.pending_sent, count);
    stream.pending_sent += count;
    stream.send_window -= static_cast<std::int64_t>(count);
    send_window_ -= static_cast<std::int64_t>(count);
    answered_since_ping_ = true;
    host_.WantFlush();
    if (last) {
      SendAnswerEnd(stream);
      return;
    }
  }
}

void Http2Session::SendAnswerEnd(Http2Stream& stream) {
  if (stream.grpc_pending) {
    scratch_.clear();
    encoder_.AppendGrpcOkTrailers(scratch_);
    SendHeaders(stream.id, scratch_, /*end_stream=*/true);
  }
  EndStream(stream);
}

void Http2Session::PumpAll() {
  for (const std::uint32_t id : std::exchange(blocked_, {})) {
    Http2Stream* const stream = streams_.Find(id);
    if (stream != nullptr && stream->state == Http2Stream::State::kSending) {
      Pump(*stream);
    }
  }
}

void Http2Session::OnFlushed() { PumpAll(); }

// The answer is complete. A peer that is still sending is told that nobody reads it.
void Http2Session::EndStream(Http2Stream& stream) {
  if (!stream.remote_closed) {
    SendRstStream(stream.id, http2::ErrorCode::kNoError);
  }
  Release(stream);
  CloseWhenIdle();
}

void Http2Session::Cancel(Http2Stream& stream) {
  using State = Http2Stream::State;
  if (stream.state == State::kSending) {
    Release(stream);
    return;
  }
  Count(context_.counters.requests_cancelled);
  stream.cancelled_ = true;
  RequestHandler* const handler = stream.handler;
  if (stream.state == State::kReceiving) {
    Unlink(stream);
    handler->OnCancelled(stream);
    stream.Recycle();
    return;
  }
  Unlink(stream);
  stream.session = nullptr;  // The handler still owes an answer, which frees it.
  if (handler != nullptr) {
    handler->OnCancelled(stream);
  }
}

void Http2Session::Release(Http2Stream& stream) {
  Unlink(stream);
  stream.Recycle();
}

void Http2Session::Unlink(Http2Stream& stream) {
  if (data_ == &stream) {
    data_ = nullptr;
  }
  stream.body.Clear(host_.share);
  streams_.Remove(stream);
}

}  // namespace weir::net
