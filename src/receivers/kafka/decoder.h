// Decoder turns a message into OTLP bytes that a pipeline may rely on: copied once, scanned, with
// headers put into its resources where that is asked for.
//
// Threads: one at a time.
// Ownership: the result's bytes are charged to the budget.

#ifndef WEIR_RECEIVERS_KAFKA_DECODER_H_
#define WEIR_RECEIVERS_KAFKA_DECODER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kafka/client_config.h"
#include "weir/base/budget.h"
#include "weir/base/slice.h"
#include "weir/wire/rewriter.h"
#include "weir/wire/scanner.h"

namespace weir::receivers::kafka {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Decoded {
  enum class Kind : std::uint8_t { kOk, kNoMemory, kMalformed };
  Kind kind = Kind::kOk;
  Slice payload;
  std::uint64_t items = 0;
  std::uint64_t items_malformed = 0;  // Left out where headers were put in.
  std::string error;                  // With kMalformed.
};

class Decoder {
 public:
  Decoder(wire::ScanDepth depth, std::vector<std::string> extracted_headers, MemoryBudget& budget)
      : depth_(depth),
        extracted_(std::move(extracted_headers)),
        budget_(budget),
        rewriter_(&budget) {}

  Decoded Decode(Signal signal, weir::kafka::Encoding encoding, std::string_view message,
                 const Headers& headers);

 private:
  void AddHeaders(Signal signal, const Headers& headers, Slice& payload);

  const wire::ScanDepth depth_;
  const std::vector<std::string> extracted_;
  MemoryBudget& budget_;
  wire::Rewriter rewriter_;
};

}  // namespace weir::receivers::kafka

#endif  // WEIR_RECEIVERS_KAFKA_DECODER_H_
