// From a head to a request in its handler's hands.

#include <utility>

#include "net/http2_session.h"

namespace weir::net {

using http2::ErrorCode;

void Http2Session::OnHeaders(std::string_view payload) {
  if (frame_.stream == 0) {
    ConnectionError(ErrorCode::kProtocolError, "HEADERS without a stream");
    return;
  }
  std::size_t padding = 0;
  if ((frame_.flags & http2::kFlagPadded) != 0) {
    if (payload.empty()) {
      ConnectionError(ErrorCode::kFrameSizeError, "padded frame without a length of its padding");
      return;
    }
    padding = static_cast<unsigned char>(payload.front());
    payload.remove_prefix(1);
  }
  if ((frame_.flags & http2::kFlagPriority) != 0) {
    if (payload.size() < 5) {
      ConnectionError(ErrorCode::kFrameSizeError, "HEADERS too short for its priority");
      return;
    }
    if ((http2::ReadU32(payload.data()) & 0x7fffffff) == frame_.stream) {
      ConnectionError(ErrorCode::kProtocolError, "a stream depends on itself");
      return;
    }
    payload.remove_prefix(5);
  }
  if (padding > payload.size()) {
    ConnectionError(ErrorCode::kProtocolError, "padding is longer than its frame");
    return;
  }
  payload.remove_suffix(padding);
  const bool end_stream = (frame_.flags & http2::kFlagEndStream) != 0;
  if ((frame_.flags & http2::kFlagEndHeaders) != 0) {
    OnHeaderBlock(frame_.stream, payload, end_stream);
    return;
  }
  head_block_.assign(payload);
  head_stream_ = frame_.stream;
  head_end_stream_ = end_stream;
}

void Http2Session::OnContinuation(std::string_view payload) {
  if (head_stream_ == 0) {
    ConnectionError(ErrorCode::kProtocolError, "CONTINUATION of nothing");
    return;
  }
  // The block is bounded by its size; the frames, which may be empty, by their number.
  if (!SpendControl()) {
    return;
  }
  head_block_.append(payload);
  if ((frame_.flags & http2::kFlagEndHeaders) != 0) {
    const std::string block = std::exchange(head_block_, {});
    OnHeaderBlock(std::exchange(head_stream_, 0), block, head_end_stream_);
  }
}

void Http2Session::OnHeaderBlock(std::uint32_t id, std::string_view block, bool end_stream) {
  if (Http2Stream* const stream = streams_.Find(id)) {
    OnTrailers(*stream, block, end_stream);
    return;
  }
  if (id % 2 == 0 || id <= last_stream_) {
    OnUnknownHead(id, block);
    return;
  }
  last_stream_ = id;
  const bool too_many = streams_.size() >= context_.options.max_concurrent_streams;
  HeadDecoder::Result result = decoder_.DecodeRequest(block);
  switch (result.fault) {
    case HeadDecoder::Fault::kCompression:
      ConnectionError(ErrorCode::kCompressionError, "head does not decompress");
      return;
    case HeadDecoder::Fault::kMalformed:
      StreamError(id, ErrorCode::kProtocolError);
      return;
    case HeadDecoder::Fault::kTooLarge:
      Count(context_.counters.requests_refused);
      scratch_.clear();
      encoder_.AppendStatus(scratch_, 431);
      SendHeaders(id, scratch_, /*end_stream=*/true);
      if (!end_stream) {
        StreamError(id, ErrorCode::kNoError);
      }
      return;
    case HeadDecoder::Fault::kNone:
      break;
  }
  if (drain_final_ || too_many) {
    Count(context_.counters.requests_refused);
    StreamError(id, ErrorCode::kRefusedStream);
    return;
  }
  OpenStream(id, std::move(result.head), end_stream);
}

void Http2Session::OnTrailers(Http2Stream& stream, std::string_view block, bool end_stream) {
  if (!decoder_.DecodeAndIgnore(block)) {
    ConnectionError(ErrorCode::kCompressionError, "trailers do not decompress");
    return;
  }
  if (stream.remote_closed) {
    StreamError(stream.id, ErrorCode::kStreamClosed);
    return;
  }
  if (!end_stream) {
    StreamError(stream.id, ErrorCode::kProtocolError);
    return;
  }
  stream.remote_closed = true;
  FinishBody(stream);
}

void Http2Session::OnUnknownHead(std::uint32_t id, std::string_view block) {
  if (id % 2 == 0 || !WasReset(id)) {
    ConnectionError(id % 2 == 0 ? ErrorCode::kProtocolError : ErrorCode::kStreamClosed,
                    "HEADERS on a stream that can't be opened");
    return;
  }
  if (!decoder_.DecodeAndIgnore(block)) {
    ConnectionError(ErrorCode::kCompressionError, "trailers do not decompress");
  }
}

void Http2Session::OpenStream(std::uint32_t id, HeadRef head, bool end_stream) {
  Http2Stream& stream = context_.streams.Take();
  stream.session = this;
  stream.context = &context_;
  stream.id = id;
  stream.head_ = std::move(head);
  stream.peer_ = host_.peer;
  stream.loop_ = &context_.loop;
  stream.connection_id_ = host_.connection_id;
  stream.remote_closed = end_stream;
  stream.receive_window = http2::kDefaultWindow;
  stream.send_window = peer_initial_window_;
  stream.state = Http2Stream::State::kOwed;
  streams_.Insert(stream);
  if (Refuse(stream)) {
    Count(context_.counters.requests_refused);
    return;
  }
  const RequestHead& request = stream.head();
  const std::optional<std::size_t> bytes_max = stream.handler->OnHead(stream);
  if (!bytes_max.has_value()) {
    return;  // Answered, or going to be; the stream may be gone already.
  }
  stream.state = Http2Stream::State::kReceiving;
  stream.checked_at = Now();
  stream.received_at_check = 0;
  if (request.is_grpc()) {
    stream.body.StartGrpc(*bytes_max);
  } else if (request.content_length().has_value()) {
    if (*request.content_length() > *bytes_max) {
      FailBody(stream, BodyFault::kTooLarge);
      return;
    }
    stream.body.StartKnown(*request.content_length(), *bytes_max);
  } else if (!end_stream) {
    stream.body.StartUnknown(*bytes_max);
  }
  if (end_stream) {
    FinishBody(stream);
  } else if (request.expects_continue()) {
    scratch_.clear();
    encoder_.AppendStatus(scratch_, 100);
    SendHeaders(id, scratch_, /*end_stream=*/false);
  }
}

// Finds the handler; answers by itself where there is none.
bool Http2Session::Refuse(Http2Stream& stream) {
  const RequestHead& head = stream.head();
  if (head.handler() != nullptr) {
    stream.handler = head.handler();
    return false;
  }
  if (AnswerPreflight(context_, stream)) {
    return true;
  }
  if (head.is_grpc()) {
    if (context_.grpc == nullptr) {
      Answer(stream, {.status = 415, .content_type = {}, .body = {}, .fields = {}});
      return true;
    }
    if (head.method() != HttpMethod::kPost) {
      Answer(stream, {.status = 405, .content_type = {}, .body = {}, .fields = {}});
      return true;
    }
    stream.handler = context_.grpc->Find(head.path());
    if (stream.handler == nullptr) {
      AnswerGrpc(stream,
                 {GrpcCode::kUnimplemented, "unknown method " + std::string(head.path()), {}}, {});
      return true;
    }
  } else if (context_.http != nullptr) {
    stream.handler = context_.http;
  } else {
    Answer(stream, {.status = 415, .content_type = {}, .body = {}, .fields = {}});
    return true;
  }
  head.set_handler(stream.handler);
  return false;
}

void Http2Session::FinishBody(Http2Stream& stream) {
  if (stream.state != Http2Stream::State::kReceiving) {
    return;
  }
  const RequestHead& head = stream.head();
  if (!stream.body.complete()) {
    BreakBody(stream, BodyFault::kMalformed);
    return;
  }
  const std::size_t bytes_max = stream.body.bytes_max();
  const bool compressed = stream.body.compressed();
  Slice body = stream.body.Take(host_.share);
  BodyFault fault = BodyFault::kNone;
  if (compressed) {
    fault = DecodeMessage(head, bytes_max, host_.share.budget(), body);
  } else if (!head.is_grpc() && !head.content_encoding().empty()) {
    fault = DecodeContent(context_, head, bytes_max, host_.share.budget(), body);
  }
  if (fault != BodyFault::kNone) {
    FailBody(stream, fault);
    return;
  }
  control_credit_.Earn(4);
  Count(context_.counters.requests);
  stream.state = Http2Stream::State::kOwed;
  stream.handler->OnBody(stream, std::move(body));
}

// A plain body that is not of the length it declared breaks HTTP/2 itself, a message of gRPC only
// its own framing.
void Http2Session::BreakBody(Http2Stream& stream, BodyFault fault) {
  if (fault == BodyFault::kMalformed && !stream.head().is_grpc()) {
    StreamError(stream.id, ErrorCode::kProtocolError);
  } else {
    FailBody(stream, fault);
  }
}

void Http2Session::FailBody(Http2Stream& stream, BodyFault fault) {
  Count(context_.counters.bodies_failed);
  stream.body.Clear(host_.share);
  stream.state = Http2Stream::State::kOwed;
  stream.handler->OnBodyFault(stream, fault);
}

}  // namespace weir::net
