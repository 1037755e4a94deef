// The grammar of HTTP/1.1 messages as a server reads them (RFC 9112), strictly: what two parsers
// could read differently is refused, because that is how requests are smuggled past a proxy.
//
//   head    := request-line CRLF *( name ":" OWS value OWS CRLF ) CRLF
//   request-line := method SP target SP "HTTP/1." ( "0" / "1" )
//   chunked := *( size-in-hex [ ";" anything ] CRLF data CRLF ) "0" [ ";" anything ] CRLF
//              *( trailer CRLF ) CRLF
//
// Threads: ParseHttp1Head is pure; a ChunkReader belongs to one connection.

#ifndef WEIR_NET_HTTP1_PARSER_H_
#define WEIR_NET_HTTP1_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "net/request_head.h"

namespace weir::net {

// Behind the empty line that ends a head; npos when it has not come. `from`: where to look first.
std::size_t FindHttp1HeadEnd(std::string_view bytes, std::size_t from);

// `text` is one whole head with its empty line. 0 when it is well formed and `head` was finished;
// otherwise the status to answer with.
int ParseHttp1Head(std::string_view text, std::size_t list_bytes_max, RequestHead& head);

// Takes the framing off a chunked body.
class ChunkReader {
 public:
  enum class Event : std::uint8_t {
    kMore,  // All bytes were used; the body goes on.
    kData,  // `data` is a part of the body; call again with the rest.
    kEnd,   // The body ended; the rest is the next message's.
    kBad,
  };
  struct Step {
    Event event;
    std::size_t used;
    std::span<const char> data;
  };

  Step Read(std::span<const char> bytes);

 private:
  enum class State : std::uint8_t {
    kSize,
    kExtension,
    kSizeLineFeed,
    kData,
    kDataReturn,
    kDataLineFeed,
    kTrailerStart,
    kTrailer,
    kTrailerLineFeed,
    kEndLineFeed,
  };

  bool ReadFraming(char c);
  bool ReadSizeDigit(char c);

  State state_ = State::kSize;
  std::uint8_t digits_ = 0;
  std::uint64_t left_ = 0;           // Of this chunk's data.
  std::uint32_t framing_bytes_ = 0;  // Extensions and trailers, which are worth nothing to us.
  bool ended_ = false;
};

}  // namespace weir::net

#endif  // WEIR_NET_HTTP1_PARSER_H_
