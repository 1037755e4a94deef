#include "net/http2_session.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <utility>

#include "weir/base/check.h"

namespace weir::net {
namespace {

using http2::ErrorCode;

// What we tell the peer. Large frames spare both sides frame heads; the memory of a body doesn't
// depend on them.
constexpr std::uint32_t kFrameBytesMax = 1 << 20;
// Frames other than DATA are small, and gathered before they are read.
constexpr std::size_t kControlFrameBytesMax = 16 * 1024;
// The connection's window: what may be under way at once. It is no memory of ours: bytes that come
// go into bodies that were admitted, or are dropped.
constexpr std::int64_t kConnectionWindow = 16 << 20;
// Bodies of unknown length are kept going by a window of this size.
constexpr std::int64_t kUnknownLengthWindow = http2::kDefaultWindow;
// Added when a window is raised, for padding.
constexpr std::int64_t kWindowSlack = 1024;

constexpr std::uint32_t kControlBurst = 10000;
constexpr std::uint32_t kControlPerSecond = 1000;
// As nghttp2 limits rapid resets.
constexpr std::uint32_t kResetBurst = 1000;
constexpr std::uint32_t kResetPerSecond = 33;

// A tenth of jitter either way keeps connections that were opened together from ending together.
std::int64_t JitteredAge(std::chrono::nanoseconds age) {
  if (age.count() <= 0) {
    return 0;
  }
  std::minstd_rand random(std::random_device{}());
  std::uniform_real_distribution<double> factor(0.9, 1.1);
  return static_cast<std::int64_t>(static_cast<double>(age.count()) * factor(random));
}

}  // namespace

bool FrameCredit::Spend(TimePoint now) {
  if (left_ == burst_) {
    refilled_ = now;  // Full credit earns nothing.
  }
  if (left_ == 0) {
    const double earned =
        std::floor(std::chrono::duration<double>(now - refilled_).count() * per_second_);
    if (earned < 1) {
      return false;
    }
    left_ = static_cast<std::uint32_t>(std::min<double>(earned, burst_));
    refilled_ = now;
  }
  --left_;
  return true;
}

void Http2StreamTable::Insert(Http2Stream& stream) {
  Http2Stream*& bucket = buckets_[Bucket(stream.id)];
  stream.next_in_bucket = bucket;
  bucket = &stream;
  ++size_;
}

void Http2StreamTable::Remove(Http2Stream& stream) {
  Http2Stream** at = &buckets_[Bucket(stream.id)];
  while (*at != &stream) {
    at = &(*at)->next_in_bucket;
  }
  *at = stream.next_in_bucket;
  stream.next_in_bucket = nullptr;
  --size_;
}

Http2Stream* Http2StreamTable::Any() const {
  for (Http2Stream* const bucket : buckets_) {
    if (bucket != nullptr) {
      return bucket;
    }
  }
  return nullptr;
}

Http2Session::Http2Session(SessionHost& host)
    : host_(host),
      context_(host.context),
      decoder_(context_.heads, context_.options.head_bytes_max),
      control_credit_(kControlBurst, kControlPerSecond),
      reset_credit_(kResetBurst, kResetPerSecond),
      opened_(Now()),
      age_limit_ns_(JitteredAge(context_.options.keepalive.max_connection_age)),
      last_heard_(opened_),
      idle_since_(opened_) {
  SendPreface();
}

Http2Session::~Http2Session() { WEIR_CHECK(streams_.size() == 0); }

void Http2Session::SendPreface() {
  const std::pair<http2::SettingId, std::uint32_t> settings[] = {
      {http2::kMaxConcurrentStreams, context_.options.max_concurrent_streams},
      {http2::kMaxFrameSize, kFrameBytesMax},
      {http2::kMaxHeaderListSize, static_cast<std::uint32_t>(context_.options.head_bytes_max)},
  };
  http2::AppendFrameHead(host_.out, {.length = std::size(settings) * 6, .type = http2::kSettings});
  for (const auto& [id, value] : settings) {
    host_.out.push_back('\0');
    host_.out.push_back(static_cast<char>(id));
    http2::AppendU32(host_.out, value);
  }
  SendWindowUpdate(0, kConnectionWindow - receive_window_);
  receive_window_ = kConnectionWindow;
  host_.WantFlush();
}

void Http2Session::OnBytes(std::span<const char> bytes) {
  heard_since_tick_ = true;
  while (!bytes.empty() && !closing_) {
    std::size_t used = 0;
    switch (expect_) {
      case Expect::kPreface:
        used = ReadPreface(bytes);
        break;
      case Expect::kFrameHead:
        used = ReadFrameHead(bytes);
        break;
      case Expect::kPadLength:
        used = 1;
        padding_ = static_cast<unsigned char>(bytes.front());
        if (padding_ > remaining_ - 1) {
          ConnectionError(ErrorCode::kProtocolError, "padding is longer than its frame");
          break;
        }
        remaining_ -= 1 + padding_;
        expect_ = Expect::kData;
        if (remaining_ == 0) {
          EndData();
        }
        break;
      case Expect::kData:
        used = ReadData(bytes);
        break;
      case Expect::kPayload:
        used = ReadPayload(bytes);
        break;
      case Expect::kSkip:
        used = Skip(bytes);
        break;
    }
    bytes = bytes.subspan(used);
  }
}

std::size_t Http2Session::ReadPreface(std::span<const char> bytes) {
  const std::string_view wanted = http2::kPreface.substr(preface_matched_);
  const std::size_t count = std::min(wanted.size(), bytes.size());
  if (std::memcmp(wanted.data(), bytes.data(), count) != 0) {
    ConnectionError(ErrorCode::kProtocolError, "this is not HTTP/2");
    return count;
  }
  preface_matched_ += count;
  if (preface_matched_ == http2::kPreface.size()) {
    expect_ = Expect::kFrameHead;
  }
  return count;
}

std::size_t Http2Session::ReadFrameHead(std::span<const char> bytes) {
  if (frame_head_size_ == 0 && bytes.size() >= http2::kFrameHeadBytes) {
    frame_ = http2::ReadFrameHead(bytes.data());
    StartFrame();
    return http2::kFrameHeadBytes;
  }
  const std::size_t count = std::min(bytes.size(), http2::kFrameHeadBytes - frame_head_size_);
  std::memcpy(frame_head_.data() + frame_head_size_, bytes.data(), count);
  frame_head_size_ += count;
  if (frame_head_size_ == http2::kFrameHeadBytes) {
    frame_head_size_ = 0;
    frame_ = http2::ReadFrameHead(frame_head_.data());
    StartFrame();
  }
  return count;
}

void Http2Session::StartFrame() {
  remaining_ = frame_.length;
  padding_ = 0;
  if (frame_.length > kFrameBytesMax) {
    ConnectionError(ErrorCode::kFrameSizeError, "frame is larger than announced");
    return;
  }
  if (head_stream_ != 0 && (frame_.type != http2::kContinuation || frame_.stream != head_stream_)) {
    ConnectionError(ErrorCode::kProtocolError, "a head was interrupted");
    return;
  }
  if (!settings_seen_ && (frame_.type != http2::kSettings || (frame_.flags & http2::kFlagAck))) {
    ConnectionError(ErrorCode::kProtocolError, "the first frame must be SETTINGS");
    return;
  }
  switch (frame_.type) {
    case http2::kData:
      StartData();
      break;
    case http2::kHeaders:
    case http2::kContinuation:
      StartPayload(context_.options.head_bytes_max -
                   std::min(head_block_.size(), context_.options.head_bytes_max));
      break;
    default:
      if (!SpendControl()) {
        return;
      }
      if (frame_.type > http2::kContinuation) {
        expect_ = remaining_ == 0 ? Expect::kFrameHead : Expect::kSkip;
        break;
      }
      StartPayload(kControlFrameBytesMax);
      break;
  }
}

void Http2Session::StartPayload(std::size_t bytes_max) {
  if (remaining_ > bytes_max) {
    ConnectionError(ErrorCode::kEnhanceYourCalm, "frame or head is too large");
    return;
  }
  payload_.clear();
  expect_ = Expect::kPayload;
  if (remaining_ == 0) {
    expect_ = Expect::kFrameHead;
    OnFrame({});
  }
}

std::size_t Http2Session::ReadPayload(std::span<const char> bytes) {
  if (payload_.empty() && bytes.size() >= remaining_) {
    expect_ = Expect::kFrameHead;
    const std::size_t used = remaining_;
    OnFrame({bytes.data(), used});
    return used;
  }
  const std::size_t count = std::min(bytes.size(), remaining_ - payload_.size());
  payload_.append(bytes.data(), count);
  if (payload_.size() == remaining_) {
    expect_ = Expect::kFrameHead;
    OnFrame(payload_);
    payload_.clear();
    payload_.shrink_to_fit();
  }
  return count;
}

std::size_t Http2Session::Skip(std::span<const char> bytes) {
  const std::size_t count = std::min(bytes.size(), remaining_);
  remaining_ -= count;
  if (remaining_ == 0) {
    expect_ = Expect::kFrameHead;
  }
  return count;
}

void Http2Session::StartData() {
  const std::uint32_t id = frame_.stream;
  const std::int64_t length = frame_.length;
  data_ = nullptr;
  if (id == 0 || id > last_stream_ || id % 2 == 0) {
    ConnectionError(ErrorCode::kProtocolError, "DATA on a stream that is not open");
    return;
  }
  if (length > receive_window_) {
    ConnectionError(ErrorCode::kFlowControlError, "the connection's window is exceeded");
    return;
  }
  // An empty frame moves nothing unless it ends its stream.
  if (length == 0 && (frame_.flags & http2::kFlagEndStream) == 0 && !SpendControl()) {
    return;
  }
  receive_window_ -= length;
  receive_taken_ += length;
  if (receive_taken_ >= kConnectionWindow / 4) {
    ReplenishConnection();
  }

  Http2Stream* const stream = streams_.Find(id);
  if (stream == nullptr) {
    if (!WasReset(id)) {
      StreamError(id, ErrorCode::kStreamClosed);
    }
  } else if (stream->remote_closed) {
    StreamError(id, ErrorCode::kStreamClosed);
  } else if (length > stream->receive_window) {
    StreamError(id, ErrorCode::kFlowControlError);
  } else {
    stream->receive_window -= length;
    data_ = stream;
  }
  if (closing_) {
    return;
  }
  if ((frame_.flags & http2::kFlagPadded) != 0) {
    if (length == 0) {
      ConnectionError(ErrorCode::kFrameSizeError, "padded frame without a length of its padding");
      return;
    }
    expect_ = Expect::kPadLength;
    return;
  }
  expect_ = Expect::kData;
  if (length == 0) {
    EndData();
  }
}

std::size_t Http2Session::ReadData(std::span<const char> bytes) {
  const std::size_t count = std::min(bytes.size(), remaining_);
  remaining_ -= count;
  if (data_ != nullptr && data_->state == Http2Stream::State::kReceiving) {
    const BodyFault fault = data_->body.Append(bytes.first(count), host_.share);
    if (fault != BodyFault::kNone) [[unlikely]] {
      BreakBody(*data_, fault);
    }
  }
  if (remaining_ == 0) {
    EndData();
  }
  return count;
}

std::span<char> Http2Session::Target() {
  if (expect_ != Expect::kData || data_ == nullptr ||
      data_->state != Http2Stream::State::kReceiving) {
    return {};
  }
  const std::span<char> target = data_->body.Target();
  return target.first(std::min(target.size(), remaining_));
}

void Http2Session::OnTargetFilled(std::size_t bytes) {
  heard_since_tick_ = true;
  data_->body.Filled(bytes);
  remaining_ -= bytes;
  if (remaining_ == 0) {
    EndData();
  }
}

void Http2Session::EndData() {
  remaining_ = padding_;
  expect_ = padding_ == 0 ? Expect::kFrameHead : Expect::kSkip;
  Http2Stream* const stream = std::exchange(data_, nullptr);
  if (stream == nullptr) {
    return;
  }
  if ((frame_.flags & http2::kFlagEndStream) != 0) {
    stream->remote_closed = true;
    FinishBody(*stream);
  } else if (stream->state == Http2Stream::State::kReceiving) {
    MaintainWindow(*stream);
  }
}

void Http2Session::MaintainWindow(Http2Stream& stream) {
  std::int64_t wanted = static_cast<std::int64_t>(stream.body.missing());
  if (stream.body.unknown_length()) {
    const std::size_t left = stream.body.bytes_max() - stream.body.received();
    wanted = std::min<std::int64_t>(kUnknownLengthWindow, static_cast<std::int64_t>(left) + 1);
    if (stream.receive_window > wanted / 2) {
      return;
    }
  }
  if (wanted > stream.receive_window) {
    const std::int64_t raised = std::min(wanted + kWindowSlack, http2::kWindowMax);
    SendWindowUpdate(stream.id, raised - stream.receive_window);
    stream.receive_window = raised;
  }
}

void Http2Session::OnFrame(std::string_view payload) {
  switch (frame_.type) {
    case http2::kHeaders:
      OnHeaders(payload);
      break;
    case http2::kPriority:
      OnPriority(payload);
      break;
    case http2::kRstStream:
      OnRstStream(payload);
      break;
    case http2::kSettings:
      OnSettings(payload);
      break;
    case http2::kPing:
      OnPing(payload);
      break;
    case http2::kGoaway:
      OnGoaway(payload);
      break;
    case http2::kWindowUpdate:
      OnWindowUpdate(payload);
      break;
    case http2::kContinuation:
      OnContinuation(payload);
      break;
    default:
      ConnectionError(ErrorCode::kProtocolError, "clients do not push");
      break;
  }
}

}  // namespace weir::net
