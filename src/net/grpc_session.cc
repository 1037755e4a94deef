#include "net/grpc_session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <string>

#include "weir/base/check.h"

namespace weir::net {
namespace {

// Output beyond this waits in nghttp2 as frames not yet made, where flow control and resets reach
// it. Large enough for a system call to be worth its price.
constexpr std::size_t kOutputBytesMax = std::size_t{1} << 20;

std::string_view View(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace

// Static members, so that they reach what the connection keeps to itself.
struct GrpcSessionCallbacks {
  static GrpcConnection& Self(void* user) { return *static_cast<GrpcConnection*>(user); }

  static ssize_t OnSend(nghttp2_session*, const std::uint8_t* data, std::size_t size, int,
                        void* user) {
    GrpcConnection& self = Self(user);
    if (self.state_ == GrpcConnection::State::kClosed) {
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (self.output_.bytes() >= kOutputBytesMax) {
      return NGHTTP2_ERR_WOULDBLOCK;
    }
    self.output_.AppendCopy(View(data, size));
    return static_cast<ssize_t>(size);
  }

  // How much of the body the next frame takes; the bytes stay where they are.
  static ssize_t OnReadBody(nghttp2_session*, std::int32_t id, std::uint8_t*, std::size_t size_max,
                            std::uint32_t* flags, nghttp2_data_source*, void* user) {
    const GrpcStream* const stream = Self(user).FindStream(id);
    if (stream == nullptr) {
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // Cancelled; nghttp2 resets what is left.
    }
    std::size_t size = 0;
    std::size_t piece = stream->piece_;
    std::size_t offset = stream->offset_;
    while (piece < stream->pieces.size() && size < size_max) {
      const std::size_t taken = std::min(stream->pieces[piece].size() - offset, size_max - size);
      size += taken;
      offset += taken;
      if (offset == stream->pieces[piece].size()) {
        ++piece;
        offset = 0;
      }
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (piece == stream->pieces.size()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return static_cast<ssize_t>(size);
  }

  static int OnSendBody(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* header,
                        std::size_t size, nghttp2_data_source*, void* user) {
    constexpr std::size_t kFrameHeaderBytes = 9;
    GrpcConnection& self = Self(user);
    if (self.output_.bytes() >= kOutputBytesMax) {
      return NGHTTP2_ERR_WOULDBLOCK;
    }
    GrpcStream* const stream = self.FindStream(frame->hd.stream_id);
    if (stream == nullptr) {
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    WEIR_DCHECK(frame->data.padlen == 0);  // We never ask for padding.
    self.output_.AppendCopy(View(header, kFrameHeaderBytes));
    while (size > 0) {
      Slice& piece = stream->pieces[stream->piece_];
      const std::size_t taken = std::min(piece.size() - stream->offset_, size);
      self.output_.AppendSlice(piece.Sub(stream->offset_, taken));
      stream->offset_ += taken;
      size -= taken;
      if (stream->offset_ == piece.size()) {
        ++stream->piece_;
        stream->offset_ = 0;
      }
    }
    return 0;
  }

  // Frames as large as the peer and the windows allow: each costs a header and a trip through here.
  static ssize_t OnFrameLength(nghttp2_session*, std::uint8_t, std::int32_t,
                               std::int32_t connection_window, std::int32_t stream_window,
                               std::uint32_t frame_max, void*) {
    return std::min<ssize_t>(std::min(connection_window, stream_window),
                             static_cast<ssize_t>(frame_max));
  }

  static int OnFrameSent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_HEADERS) {
      if (GrpcStream* const stream = Self(user).FindStream(frame->hd.stream_id)) {
        stream->headers_sent_ = true;
      }
    }
    return 0;
  }

  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame,
                      const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value,
                      std::size_t value_size, std::uint8_t, void* user) {
    GrpcStream* const stream = Self(user).FindStream(frame->hd.stream_id);
    if (stream != nullptr &&
        !stream->response.OnHeader(View(name, name_size), View(value, value_size))) {
      End(session, Self(user), frame->hd.stream_id, false);
    }
    return 0;
  }

  static int OnData(nghttp2_session* session, std::uint8_t, std::int32_t id,
                    const std::uint8_t* data, std::size_t size, void* user) {
    GrpcStream* const stream = Self(user).FindStream(id);
    if (stream != nullptr && !stream->response.OnData(View(data, size))) {
      End(session, Self(user), id, false);
    }
    return 0;
  }

  // The answer is complete, or more than we take; what is left of the stream is not wanted. While a
  // frame is at hand, nghttp2 does not know yet that it was the peer's last: `peer_ended`.
  static void End(nghttp2_session* session, GrpcConnection& self, std::int32_t id,
                  bool peer_ended) {
    if (!peer_ended || nghttp2_session_get_stream_local_close(session, id) == 0) {
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
      self.ScheduleFlush();
    }
    self.EndStream(id, GrpcStream::End::kAnswered, 0, "");
  }

  static int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    GrpcConnection& self = Self(user);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
      case NGHTTP2_DATA:
        if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
          End(session, self, frame->hd.stream_id, true);
        }
        break;
      case NGHTTP2_SETTINGS:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
          self.OnSettings();
        }
        break;
      case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
          self.OnPong();
        }
        break;
      case NGHTTP2_GOAWAY:
        self.OnGoAway(frame->goaway.error_code,
                      View(frame->goaway.opaque_data, frame->goaway.opaque_data_len));
        break;
      default:
        break;
    }
    return 0;
  }

  static int OnStreamClose(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
    GrpcConnection& self = Self(user);
    if (const GrpcStream* const stream = self.FindStream(id)) {
      const bool answered = stream->response.has_status();
      self.EndStream(id,
                     answered                          ? GrpcStream::End::kAnswered
                     : error == NGHTTP2_REFUSED_STREAM ? GrpcStream::End::kUnprocessed
                                                       : GrpcStream::End::kReset,
                     error, nghttp2_http2_strerror(error));
    }
    return 0;
  }
};

nghttp2_session* NewGrpcSession(GrpcConnection& connection) {
  nghttp2_session_callbacks* callbacks = nullptr;
  WEIR_CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
  using C = GrpcSessionCallbacks;
  nghttp2_session_callbacks_set_send_callback(callbacks, C::OnSend);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, C::OnSendBody);
  nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks, C::OnFrameLength);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, C::OnFrameSent);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, C::OnHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, C::OnData);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, C::OnFrame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, C::OnStreamClose);
  nghttp2_session* session = nullptr;
  WEIR_CHECK(nghttp2_session_client_new(&session, callbacks, &connection) == 0);
  nghttp2_session_callbacks_del(callbacks);
  const std::array<nghttp2_settings_entry, 2> settings = {
      {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
       {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, GrpcResponseReader::kHeaderBytesMax}}};
  WEIR_CHECK(
      nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) == 0);
  return session;
}

std::int32_t SubmitGrpcRequest(nghttp2_session* session, const GrpcStream::Headers& headers) {
  std::vector<nghttp2_nv> list;
  list.reserve(headers.size());
  for (const auto& [name, value] : headers) {
    // Values that differ each time, and secrets, stay out of the compression's memory.
    const bool indexed = name != "grpc-timeout" && name != "authorization";
    list.push_back({.name = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                    .value = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())),
                    .namelen = name.size(),
                    .valuelen = value.size(),
                    .flags = static_cast<std::uint8_t>(indexed ? NGHTTP2_NV_FLAG_NONE
                                                               : NGHTTP2_NV_FLAG_NO_INDEX)});
  }
  nghttp2_data_provider body{};
  body.read_callback = GrpcSessionCallbacks::OnReadBody;
  return nghttp2_submit_request(session, nullptr, list.data(), list.size(), &body, nullptr);
}

}  // namespace weir::net
