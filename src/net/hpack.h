// HPACK at a server: request heads in, the few response heads we send out.
//
// HeadDecoder inflates with nghttp2 and keeps the last heads that came in a form which does not
// touch the dynamic table: such a block means the same until the table changes, so when it comes
// again, as it does from every client that sends one kind of request, nothing is inflated.
//
// ResponseEncoder writes fields as literals without indexing, which needs no table, except the two
// that every gRPC answer carries; those enter the peer's table once and cost a byte from then on.
//
// Threads: one connection's loop.

#ifndef WEIR_NET_HPACK_H_
#define WEIR_NET_HPACK_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/request_head.h"

struct nghttp2_hd_inflater;

namespace weir::net {

// What a header block does to the decoder's table, found by walking it without decoding.
enum class BlockKind : std::uint8_t {
  kPure,      // Indexed fields and literals without indexing: the table stays as it is.
  kChanging,  // Inserts, or resizes the table.
  kBroken,
};
BlockKind ClassifyBlock(std::string_view block);

class HeadDecoder {
 public:
  enum class Fault : std::uint8_t {
    kNone,
    kCompression,  // The connection's table is lost.
    kMalformed,    // Not a request as HTTP/2 wants it.
    kTooLarge,     // The list passes the limit.
  };
  struct Result {
    HeadRef head;  // Set when there is no fault.
    Fault fault = Fault::kNone;
  };

  HeadDecoder(HeadPool& pool, std::size_t list_bytes_max);
  ~HeadDecoder();
  HeadDecoder(const HeadDecoder&) = delete;
  HeadDecoder& operator=(const HeadDecoder&) = delete;

  Result DecodeRequest(std::string_view block);
  // Keeps the table right and forgets the fields. False when the table is lost.
  [[nodiscard]] bool DecodeAndIgnore(std::string_view block);

 private:
  struct Known {
    std::string block;
    HeadRef head;
  };
  struct FieldCheck;

  Result Inflate(std::string_view block);
  void Remember(std::string_view block, const HeadRef& head);

  HeadPool& pool_;
  const std::size_t list_bytes_max_;
  nghttp2_hd_inflater* inflater_ = nullptr;  // Owned.
  std::array<Known, 4> known_;
  std::size_t next_known_ = 0;
};

class ResponseEncoder {
 public:
  // The peer's SETTINGS_HEADER_TABLE_SIZE.
  void SetPeerTableSize(std::uint32_t bytes);

  void AppendStatus(std::string& block, int status);
  void AppendField(std::string& block, std::string_view name, std::string_view value);

  // Status 200 and content type application/grpc.
  void AppendGrpcHead(std::string& block);
  // grpc-status 0.
  void AppendGrpcOkTrailers(std::string& block);
  // True once both of the above are constant, one byte a field: kGrpcHead and kGrpcOkTrailers.
  bool grpc_fields_indexed() const { return head_indexed_ && trailers_indexed_; }
  static constexpr std::string_view kGrpcHead = "\x88\xbf";
  static constexpr std::string_view kGrpcOkTrailers = "\xbe";

 private:
  void AppendPendingSizeUpdate(std::string& block);

  bool may_index_ = true;
  bool size_update_pending_ = false;
  bool head_indexed_ = false;
  bool trailers_indexed_ = false;
};

}  // namespace weir::net

#endif  // WEIR_NET_HPACK_H_
