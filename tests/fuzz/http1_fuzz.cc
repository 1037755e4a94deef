// Bytes as one HTTP/1.1 connection sends them, cut where the input says: the session may not crash,
// hang, keep what it was lent, or answer a request twice.
//
//   input := cut:u8 bytes

#include "net/http1_session.h"
#include "tests/fuzz/session_host.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::net::FuzzSession<weir::net::Http1Session>(data, size);
  return 0;
}
