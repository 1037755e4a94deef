// OTLP as text for people, line by line as the Collector's debug exporter prints it, so that eyes
// and greps that know the one know the other.
//
// Threads: pure functions.
// Loss: an item that is malformed is left out of the text and counted.

#ifndef WEIR_EXPORTERS_DEBUG_TEXT_H_
#define WEIR_EXPORTERS_DEBUG_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "weir/wire/signal.h"

namespace weir::exporters::debug {

struct TextCounts {
  std::uint64_t resources = 0;
  std::uint64_t metrics = 0;    // Metrics only.
  std::uint64_t malformed = 0;  // Items, or whole resources, left out.
};

// Numbers of one batch run on over its requests: `counts` is passed from one to the next.
void AppendNormal(Signal signal, std::string_view request, TextCounts& counts, std::string& out);
void AppendDetailed(Signal signal, std::string_view request, TextCounts& counts, std::string& out);
void CountOnly(Signal signal, std::string_view request, TextCounts& counts);

}  // namespace weir::exporters::debug

#endif  // WEIR_EXPORTERS_DEBUG_TEXT_H_
