// Frames as one HTTP/2 connection sends them, cut where the input says. The preface is put in
// front.
//
//   input := cut:u8 bytes

#include "net/http2_session.h"
#include "tests/fuzz/session_host.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::net::FuzzSession<weir::net::Http2Session>(data, size, weir::net::http2::kPreface);
  return 0;
}
