// The first byte picks the signal, the rest is a request. An edit of it as bytes must decode to
// what protobuf's own classes give for the same edit, wherever they accept the request; what they
// refuse must not be read past its end, and must keep its books.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "google/protobuf/stubs/logging.h"
#include "tests/wire/rewrite_oracle.h"
#include "weir/base/check.h"
#include "weir/wire/scanner.h"

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  google::protobuf::SetLogHandler(nullptr);  // It has something to say about every bad byte.
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using weir::wire::ScanDepth;
  if (size == 0) {
    return 0;
  }
  const weir::Signal signal = weir::kSignals[data[0] % weir::kSignalCount];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const weir::Slice request = weir::Slice::Copy(bytes);

  weir::wire::Rewriter rewriter;
  weir::wire::testing::OracleVisitor visitor(signal);
  const weir::wire::RewriteResult result = rewriter.Rewrite(signal, request, visitor);

  const weir::wire::ScanResult before = weir::wire::Scan(signal, bytes, ScanDepth::kStructure);
  if (before.ok()) {
    const auto after = weir::wire::Scan(signal, result.payload.view(), ScanDepth::kStructure);
    WEIR_CHECK(after.ok());
    WEIR_CHECK(before.items == after.items + result.dropped + result.malformed);
  }
  const auto expected = weir::wire::testing::RewriteByDecoding(signal, bytes);
  if (expected.has_value()) {
    WEIR_CHECK(result.malformed == 0);
    WEIR_CHECK(result.dropped == expected->dropped);
    WEIR_CHECK(weir::wire::testing::Reencoded(signal, result.payload.view()) == expected->bytes);
  }
  return 0;
}
