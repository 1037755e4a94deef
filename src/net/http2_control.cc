// The frames that carry no request, what a peer may do with them, and how a connection ends.

#include <algorithm>
#include <cstring>
#include <utility>

#include "net/http2_session.h"

namespace weir::net {
namespace {

using http2::ErrorCode;

constexpr std::string_view kKeepalivePing = "weirping";
constexpr std::string_view kDrainPing = "weirdone";
// How long a peer may take to see that we are going before requests it sends are turned away.
constexpr auto kDrainNotice = std::chrono::seconds(2);
// A body that gained less than this in a progress window has stalled.
constexpr std::uint64_t kProgressBytesMin = 1024;
// As grpc-go counts: the third ping that came too soon ends the connection.
constexpr int kPingStrikesMax = 2;
constexpr auto kIdlePingTime = std::chrono::hours(2);

}  // namespace

bool Http2Session::SpendControl() {
  if (control_credit_.Spend(Now())) {
    return true;
  }
  ConnectionError(ErrorCode::kEnhanceYourCalm, "too many control frames");
  return false;
}

void Http2Session::OnPriority(std::string_view payload) {
  if (frame_.stream == 0) {
    ConnectionError(ErrorCode::kProtocolError, "PRIORITY without a stream");
  } else if (payload.size() != 5) {
    StreamError(frame_.stream, ErrorCode::kFrameSizeError);
  } else if ((http2::ReadU32(payload.data()) & 0x7fffffff) == frame_.stream) {
    StreamError(frame_.stream, ErrorCode::kProtocolError);
  }
}

void Http2Session::OnRstStream(std::string_view payload) {
  if (payload.size() != 4) {
    ConnectionError(ErrorCode::kFrameSizeError, "RST_STREAM of a wrong size");
    return;
  }
  if (frame_.stream == 0 || frame_.stream > last_stream_) {
    ConnectionError(ErrorCode::kProtocolError, "RST_STREAM on a stream that is not open");
    return;
  }
  if (!reset_credit_.Spend(Now())) {
    ConnectionError(ErrorCode::kEnhanceYourCalm, "too many resets");
    return;
  }
  if (Http2Stream* const stream = streams_.Find(frame_.stream)) {
    Cancel(*stream);
    CloseWhenIdle();
  }
}

void Http2Session::OnSettings(std::string_view payload) {
  if (frame_.stream != 0) {
    ConnectionError(ErrorCode::kProtocolError, "SETTINGS on a stream");
    return;
  }
  if ((frame_.flags & http2::kFlagAck) != 0) {
    if (!payload.empty()) {
      ConnectionError(ErrorCode::kFrameSizeError, "SETTINGS that acknowledges and sets");
    }
    return;
  }
  if (payload.size() % 6 != 0) {
    ConnectionError(ErrorCode::kFrameSizeError, "SETTINGS of a wrong size");
    return;
  }
  for (; !payload.empty(); payload.remove_prefix(6)) {
    const auto id = static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8 |
                                               static_cast<unsigned char>(payload[1]));
    if (!ApplySetting(id, http2::ReadU32(payload.data() + 2))) {
      return;
    }
  }
  settings_seen_ = true;
  http2::AppendFrameHead(host_.out, {.type = http2::kSettings, .flags = http2::kFlagAck});
  host_.WantFlush();
  PumpAll();
}

bool Http2Session::ApplySetting(std::uint16_t id, std::uint32_t value) {
  switch (id) {
    case http2::kHeaderTableSize:
      encoder_.SetPeerTableSize(value);
      return true;
    case http2::kEnablePush:
      if (value > 1) {
        ConnectionError(ErrorCode::kProtocolError, "ENABLE_PUSH is neither 0 nor 1");
        return false;
      }
      return true;
    case http2::kInitialWindowSize: {
      if (value > http2::kWindowMax) {
        ConnectionError(ErrorCode::kFlowControlError, "INITIAL_WINDOW_SIZE is too large");
        return false;
      }
      const std::int64_t change = value - peer_initial_window_;
      bool overflow = false;
      streams_.ForEach([&](Http2Stream& stream) {
        stream.send_window += change;
        overflow = overflow || stream.send_window > http2::kWindowMax;
      });
      peer_initial_window_ = value;
      if (overflow) {
        ConnectionError(ErrorCode::kFlowControlError, "a stream's window overflows");
      }
      return !overflow;
    }
    case http2::kMaxFrameSize:
      if (value < http2::kDefaultFrameBytesMax || value > 0xffffff) {
        ConnectionError(ErrorCode::kProtocolError, "MAX_FRAME_SIZE is out of range");
        return false;
      }
      peer_frame_bytes_max_ = value;
      return true;
    default:
      return true;
  }
}

void Http2Session::OnPing(std::string_view payload) {
  if (frame_.stream != 0) {
    ConnectionError(ErrorCode::kProtocolError, "PING on a stream");
    return;
  }
  if (payload.size() != 8) {
    ConnectionError(ErrorCode::kFrameSizeError, "PING of a wrong size");
    return;
  }
  if ((frame_.flags & http2::kFlagAck) != 0) {
    ping_sent_ = {};
    if (payload == kDrainPing && draining_) {
      FinishDrain();
    }
    return;
  }
  if (PingIsTooMuch()) {
    ConnectionError(ErrorCode::kEnhanceYourCalm, "too_many_pings");
    return;
  }
  http2::AppendFrameHead(host_.out, {.length = 8, .type = http2::kPing, .flags = http2::kFlagAck});
  host_.out.append(payload);
  host_.WantFlush();
}

bool Http2Session::PingIsTooMuch() {
  const ServerKeepalive& keepalive = context_.options.keepalive;
  if (keepalive.min_time.count() == 0) {
    return false;
  }
  const TimePoint now = Now();
  const TimePoint before = std::exchange(last_ping_, now);
  if (std::exchange(answered_since_ping_, false)) {
    ping_strikes_ = 0;
    return false;
  }
  const bool idle = streams_.size() == 0 && !keepalive.permit_without_stream;
  const std::chrono::nanoseconds wait = idle ? kIdlePingTime : keepalive.min_time;
  if (before != TimePoint{} && now - before < wait) {
    ++ping_strikes_;
  }
  return ping_strikes_ > kPingStrikesMax;
}

void Http2Session::OnGoaway(std::string_view payload) {
  if (frame_.stream != 0) {
    ConnectionError(ErrorCode::kProtocolError, "GOAWAY on a stream");
  } else if (payload.size() < 8) {
    ConnectionError(ErrorCode::kFrameSizeError, "GOAWAY is too short");
  } else {
    peer_goaway_ = true;
    CloseWhenIdle();
  }
}

void Http2Session::OnWindowUpdate(std::string_view payload) {
  if (payload.size() != 4) {
    ConnectionError(ErrorCode::kFrameSizeError, "WINDOW_UPDATE of a wrong size");
    return;
  }
  const std::int64_t increment = http2::ReadU32(payload.data()) & 0x7fffffff;
  if (frame_.stream == 0) {
    send_window_ += increment;
    if (increment == 0 || send_window_ > http2::kWindowMax) {
      ConnectionError(increment == 0 ? ErrorCode::kProtocolError : ErrorCode::kFlowControlError,
                      "WINDOW_UPDATE of the connection is out of range");
      return;
    }
    PumpAll();
    return;
  }
  if (frame_.stream > last_stream_) {
    ConnectionError(ErrorCode::kProtocolError, "WINDOW_UPDATE on a stream that is not open");
    return;
  }
  Http2Stream* const stream = streams_.Find(frame_.stream);
  if (stream == nullptr) {
    return;  // It may have been on its way when the stream ended.
  }
  stream->send_window += increment;
  if (increment == 0 || stream->send_window > http2::kWindowMax) {
    StreamError(stream->id,
                increment == 0 ? ErrorCode::kProtocolError : ErrorCode::kFlowControlError);
  } else if (stream->state == Http2Stream::State::kSending) {
    Pump(*stream);
  }
}

void Http2Session::ConnectionError(ErrorCode code, std::string_view message) {
  if (closing_) {
    return;
  }
  Count(context_.counters.connection_errors);
  SendGoaway(last_stream_, code, message);
  closing_ = true;
  host_.CloseAfterFlush();
}

// Resets the stream, whether or not we still know it. What a peer makes us reset is counted with
// its own resets, or it would have a way round that limit.
void Http2Session::StreamError(std::uint32_t id, ErrorCode code) {
  SendRstStream(id, code);
  if (Http2Stream* const stream = streams_.Find(id)) {
    Cancel(*stream);
    CloseWhenIdle();
  }
  if (code != ErrorCode::kNoError && !reset_credit_.Spend(Now())) {
    ConnectionError(ErrorCode::kEnhanceYourCalm, "too many broken streams");
  }
}

void Http2Session::SendGoaway(std::uint32_t last_stream, ErrorCode code, std::string_view message) {
  http2::AppendFrameHead(host_.out, {.length = static_cast<std::uint32_t>(8 + message.size()),
                                     .type = http2::kGoaway});
  http2::AppendU32(host_.out, last_stream);
  http2::AppendU32(host_.out, static_cast<std::uint32_t>(code));
  host_.out.append(message);
  host_.WantFlush();
}

void Http2Session::SendRstStream(std::uint32_t id, ErrorCode code) {
  reset_ids_[next_reset_id_] = id;
  next_reset_id_ = (next_reset_id_ + 1) % reset_ids_.size();
  http2::AppendFrameHead(host_.out, {.length = 4, .type = http2::kRstStream, .stream = id});
  http2::AppendU32(host_.out, static_cast<std::uint32_t>(code));
  host_.WantFlush();
}

bool Http2Session::WasReset(std::uint32_t id) const {
  return std::find(reset_ids_.begin(), reset_ids_.end(), id) != reset_ids_.end();
}

void Http2Session::SendWindowUpdate(std::uint32_t id, std::int64_t increment) {
  http2::AppendFrameHead(host_.out, {.length = 4, .type = http2::kWindowUpdate, .stream = id});
  http2::AppendU32(host_.out, static_cast<std::uint32_t>(increment));
  host_.WantFlush();
}

void Http2Session::ReplenishConnection() {
  SendWindowUpdate(0, receive_taken_);
  receive_window_ += std::exchange(receive_taken_, 0);
}

void Http2Session::SendPing(std::string_view payload) {
  http2::AppendFrameHead(host_.out, {.length = 8, .type = http2::kPing});
  host_.out.append(payload);
  ping_sent_ = Now();
  host_.WantFlush();
}

// A peer learns that we are going, and gets the time of a round trip to stop sending requests, so
// that none of them has to be turned away.
void Http2Session::StartDrain() {
  if (draining_ || closing_) {
    return;
  }
  draining_ = true;
  drain_started_ = Now();
  SendGoaway(static_cast<std::uint32_t>(http2::kWindowMax), ErrorCode::kNoError, {});
  SendPing(kDrainPing);
}

void Http2Session::FinishDrain() {
  if (drain_final_) {
    return;
  }
  drain_final_ = true;
  SendGoaway(last_stream_, ErrorCode::kNoError, {});
  CloseWhenIdle();
}

void Http2Session::CloseWhenIdle() {
  if ((drain_final_ || peer_goaway_) && streams_.size() == 0 && !closing_) {
    closing_ = true;
    host_.CloseAfterFlush();
  }
}

void Http2Session::OnReadClosed() {
  // Answers need the peer's acknowledgements of our windows: without them there is no going on.
  closing_ = true;
  host_.CloseAfterFlush();
}

void Http2Session::OnClosed() {
  closing_ = true;
  data_ = nullptr;
  while (Http2Stream* const stream = streams_.Any()) {
    Cancel(*stream);
  }
}

void Http2Session::OnTick(TimePoint now) {
  if (closing_) {
    return;
  }
  if (std::exchange(heard_since_tick_, false)) {
    last_heard_ = now;
  }
  if (draining_ && !drain_final_ && now - drain_started_ > kDrainNotice) {
    FinishDrain();
  }
  const bool between = expect_ == Expect::kFrameHead && frame_head_size_ == 0 && head_stream_ == 0;
  const auto head_timeout = context_.options.head_timeout;
  if ((!settings_seen_ || !between) && head_timeout.count() > 0 &&
      now - last_heard_ > head_timeout) {
    ConnectionError(ErrorCode::kProtocolError, "a frame was not finished in time");
    return;
  }
  CheckProgress(now);
  CheckKeepalive(now);
  CheckAge(now);
}

void Http2Session::CheckKeepalive(TimePoint now) {
  const ServerKeepalive& keepalive = context_.options.keepalive;
  if (ping_sent_ != TimePoint{}) {
    if (now - std::max(ping_sent_, last_heard_) > keepalive.timeout) {
      closing_ = true;
      host_.CloseAfterFlush();
    }
  } else if (keepalive.time.count() > 0 && now - last_heard_ >= keepalive.time) {
    SendPing(kKeepalivePing);
  }
}

void Http2Session::CheckAge(TimePoint now) {
  const ServerKeepalive& keepalive = context_.options.keepalive;
  if (streams_.size() != 0) {
    idle_since_ = now;
  } else if (keepalive.max_connection_idle.count() > 0 &&
             now - idle_since_ >= keepalive.max_connection_idle) {
    StartDrain();
  }
  if (age_limit_ns_ == 0) {
    return;
  }
  const auto age = now - opened_;
  if (age >= std::chrono::nanoseconds(age_limit_ns_)) {
    StartDrain();
    const auto grace = keepalive.max_connection_age_grace;
    if (grace.count() > 0 && age >= std::chrono::nanoseconds(age_limit_ns_) + grace) {
      closing_ = true;
      host_.CloseAfterFlush();
    }
  }
}

void Http2Session::CheckProgress(TimePoint now) {
  const auto window = context_.options.body_progress_window;
  streams_.ForEach([&](Http2Stream& stream) {
    if (stream.state != Http2Stream::State::kReceiving || now - stream.checked_at < window) {
      return;
    }
    const std::uint64_t received = stream.body.received();
    if (received - stream.received_at_check < kProgressBytesMin) {
      StreamError(stream.id, ErrorCode::kCancel);
      return;
    }
    stream.received_at_check = received;
    stream.checked_at = now;
  });
}

}  // namespace weir::net
