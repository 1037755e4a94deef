// Http2Session serves one HTTP/2 connection: RFC 9113's framing, windows and limits, and gRPC's
// unary calls on top of it.
//
// Frames are read in place from what the connection read; DATA goes from there straight to its
// body's one buffer. A stream's window opens at 64 KiB and is raised once its body was admitted;
// the connection's window is always replenished, so one stalled stream blocks no other. The usual
// answer of a gRPC call is 35 constant bytes with the stream's id in three places.
//
// What a peer may cost is bounded: streams, heads, incomplete bodies and unsent bytes by limits,
// frames that move nothing and resets by credits that refill with time.
//
// Threads: the loop's.
// Invariants: what a stream or the connection may still receive is never negative; a stream whose
// handler owes an answer is detached, never freed, when its peer goes.

#ifndef WEIR_NET_HTTP2_SESSION_H_
#define WEIR_NET_HTTP2_SESSION_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/hpack.h"
#include "net/http2_frame.h"
#include "net/http2_stream.h"
#include "net/server_session.h"

namespace weir::net {

// Tokens that are spent by frames and come back with time.
class FrameCredit {
 public:
  FrameCredit(std::uint32_t burst, std::uint32_t per_second)
      : burst_(burst), per_second_(per_second), left_(burst) {}

  [[nodiscard]] bool Spend(TimePoint now);
  void Earn(std::uint32_t tokens) { left_ = left_ + tokens < burst_ ? left_ + tokens : burst_; }

 private:
  const std::uint32_t burst_;
  const std::uint32_t per_second_;
  std::uint32_t left_;
  TimePoint refilled_{};
};

class Http2Session final : public ServerSession {
 public:
  explicit Http2Session(SessionHost& host);
  ~Http2Session() override;

  void OnBytes(std::span<const char> bytes) override;
  std::span<char> Target() override;
  void OnTargetFilled(std::size_t bytes) override;
  void OnReadClosed() override;
  void OnFlushed() override;
  void OnClosed() override;
  void OnTick(TimePoint now) override;
  void StartDrain() override;

  std::size_t streams() const { return streams_.size(); }

 private:
  friend struct Http2Stream;

  enum class Expect : std::uint8_t { kPreface, kFrameHead, kPadLength, kData, kPayload, kSkip };

  // Input: http2_session.cc.
  void SendPreface();
  std::size_t ReadPreface(std::span<const char> bytes);
  std::size_t ReadFrameHead(std::span<const char> bytes);
  std::size_t ReadPayload(std::span<const char> bytes);
  std::size_t ReadData(std::span<const char> bytes);
  std::size_t Skip(std::span<const char> bytes);
  void StartFrame();
  void StartData();
  void StartPayload(std::size_t bytes_max);
  void EndData();
  void OnFrame(std::string_view payload);
  void MaintainWindow(Http2Stream& stream);

  // Heads and bodies: http2_requests.cc.
  void OnHeaders(std::string_view payload);
  void OnContinuation(std::string_view payload);
  void OnHeaderBlock(std::uint32_t id, std::string_view block, bool end_stream);
  void OnTrailers(Http2Stream& stream, std::string_view block, bool end_stream);
  void OnUnknownHead(std::uint32_t id, std::string_view block);
  void OpenStream(std::uint32_t id, HeadRef head, bool end_stream);
  bool Refuse(Http2Stream& stream);
  void FinishBody(Http2Stream& stream);
  void BreakBody(Http2Stream& stream, BodyFault fault);
  void FailBody(Http2Stream& stream, BodyFault fault);

  // Control frames and the connection's life: http2_control.cc.
  void OnPriority(std::string_view payload);
  void OnRstStream(std::string_view payload);
  void OnSettings(std::string_view payload);
  bool ApplySetting(std::uint16_t id, std::uint32_t value);
  void OnPing(std::string_view payload);
  bool PingIsTooMuch();
  void OnGoaway(std::string_view payload);
  void OnWindowUpdate(std::string_view payload);
  void ConnectionError(http2::ErrorCode code, std::string_view message);
  void StreamError(std::uint32_t id, http2::ErrorCode code);
  void SendGoaway(std::uint32_t last_stream, http2::ErrorCode code, std::string_view message);
  void SendRstStream(std::uint32_t id, http2::ErrorCode code);
  void SendWindowUpdate(std::uint32_t id, std::int64_t increment);
  void SendPing(std::string_view payload);
  void ReplenishConnection();
  bool SpendControl();
  void FinishDrain();
  void CloseWhenIdle();
  void CheckKeepalive(TimePoint now);
  void CheckAge(TimePoint now);
  void CheckProgress(TimePoint now);
  bool WasReset(std::uint32_t id) const;

  // Answers: http2_response.cc.
  void Answer(Http2Stream& stream, const HttpResponse& response);
  void AnswerGrpc(Http2Stream& stream, const GrpcStatus& status, std::string_view message);
  void AnswerGrpcOk(Http2Stream& stream, std::string_view message);
  void SendHeaders(std::uint32_t id, std::string_view block, bool end_stream);
  void Pump(Http2Stream& stream);
  void PumpAll();
  void SendAnswerEnd(Http2Stream& stream);
  void EndStream(Http2Stream& stream);
  void Cancel(Http2Stream& stream);
  void Release(Http2Stream& stream);
  void Unlink(Http2Stream& stream);

  TimePoint Now() const { return context_.loop.Now(); }

  SessionHost& host_;
  ServerContext& context_;
  HeadDecoder decoder_;
  ResponseEncoder encoder_;
  Http2StreamTable streams_;
  bool closing_ = false;

  // Input.
  Expect expect_ = Expect::kPreface;
  std::size_t preface_matched_ = 0;
  std::size_t frame_head_size_ = 0;
  std::array<char, http2::kFrameHeadBytes> frame_head_{};
  http2::FrameHead frame_;
  std::size_t remaining_ = 0;  // Of the payload, padding apart.
  std::size_t padding_ = 0;
  std::string payload_;          // Of a frame that came in pieces.
  Http2Stream* data_ = nullptr;  // Whose DATA is being read; null when nobody wants it.
  bool settings_seen_ = false;
  std::string head_block_;         // HEADERS that CONTINUATION frames go on.
  std::uint32_t head_stream_ = 0;  // Not 0: nothing but a CONTINUATION may come.
  bool head_end_stream_ = false;
  std::uint32_t last_stream_ = 0;              // Highest id the peer has used.
  std::array<std::uint32_t, 32> reset_ids_{};  // Lately reset by us; frames may be on their way.
  std::size_t next_reset_id_ = 0;

  // Windows and the peer's settings.
  std::int64_t receive_window_ = http2::kDefaultWindow;
  std::int64_t receive_taken_ = 0;  // Not yet returned to the peer.
  std::int64_t send_window_ = http2::kDefaultWindow;
  std::int64_t peer_initial_window_ = http2::kDefaultWindow;
  std::uint32_t peer_frame_bytes_max_ = http2::kDefaultFrameBytesMax;
  std::vector<std::uint32_t> blocked_;  // Ids of streams that wait to send.
  std::string scratch_;                 // A header block being built.

  // Limits.
  FrameCredit control_credit_;
  FrameCredit reset_credit_;
  int ping_strikes_ = 0;
  TimePoint last_ping_{};
  bool answered_since_ping_ = false;

  // Life.
  const TimePoint opened_;
  const std::int64_t age_limit_ns_;  // 0 is none.
  bool heard_since_tick_ = true;
  TimePoint last_heard_;
  TimePoint idle_since_;
  TimePoint ping_sent_{};  // Zero while no ping is under way.
  bool draining_ = false;
  bool drain_final_ = false;
  TimePoint drain_started_{};
  bool peer_goaway_ = false;
};

}  // namespace weir::net

#endif  // WEIR_NET_HTTP2_SESSION_H_
