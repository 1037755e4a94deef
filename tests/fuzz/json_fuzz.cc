// OTLP/JSON both ways. The first byte chooses the signal and the direction.
//
// From JSON: what is accepted scans clean in full depth, writes as JSON again, and reads back as
// the same bytes. From protobuf: what is written is JSON that our reader accepts; and where the
// request scans clean in full depth and JSON can hold it, reading it back and writing it once more
// gives the same text.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "weir/base/check.h"
#include "weir/wire/json.h"
#include "weir/wire/scanner.h"

namespace weir::wire {
namespace {

void FromJson(Signal signal, std::string_view json) {
  MemoryBudget budget;
  {
    const JsonToProtoResult read = JsonToProto(signal, json, {}, &budget);
    WEIR_CHECK(read.offset <= json.size());
    WEIR_CHECK(read.ok() == read.message.empty());
    if (read.ok()) {
      WEIR_CHECK(Scan(signal, read.bytes.view(), ScanDepth::kFull).ok());
      JsonBuffer text;
      const ProtoToJsonResult written = ProtoToJson(signal, read.bytes.view(), text);
      WEIR_CHECK(written.ok());
      WEIR_CHECK(written.unknown_fields + written.replaced_strings + written.dropped_items == 0);
      const JsonToProtoResult again = JsonToProto(signal, text.view());
      WEIR_CHECK(again.ok());
      JsonBuffer text_again;
      WEIR_CHECK(ProtoToJson(signal, again.bytes.view(), text_again).ok());
      WEIR_CHECK(text.view() == text_again.view());
    }
  }
  WEIR_CHECK(budget.used() == 0);
}

void FromProto(Signal signal, std::string_view bytes) {
  JsonBuffer text;
  const ProtoToJsonResult written = ProtoToJson(signal, bytes, text);
  if (!written.ok()) {
    WEIR_CHECK(text.size() == 0);
    WEIR_CHECK(!Scan(signal, bytes, ScanDepth::kFull).ok());
    return;
  }
  const JsonToProtoResult read = JsonToProto(signal, text.view());
  WEIR_CHECK(read.ok());
  const ScanResult scan = Scan(signal, bytes, ScanDepth::kFull);
  if (scan.ok()) {
    WEIR_CHECK(written.replaced_strings == 0);
    const ScanResult reread = Scan(signal, read.bytes.view(), ScanDepth::kFull);
    WEIR_CHECK(reread.ok());
    WEIR_CHECK(reread.items + written.dropped_items == scan.items);
  }
}

}  // namespace
}  // namespace weir::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const auto signal = weir::kSignals[data[0] % weir::kSignalCount];
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  if ((data[0] & 0x80) == 0) {
    weir::wire::FromJson(signal, input);
  } else {
    weir::wire::FromProto(signal, input);
  }
  return 0;
}
