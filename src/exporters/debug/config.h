// Options of the debug exporter, with the Collector's keys and defaults.

#ifndef WEIR_EXPORTERS_DEBUG_CONFIG_H_
#define WEIR_EXPORTERS_DEBUG_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "weir/component/exporter_settings.h"
#include "weir/config/fields.h"

namespace weir::exporters::debug {

enum class Verbosity : std::uint8_t { kBasic, kNormal, kDetailed };

struct Config {
  Verbosity verbosity = Verbosity::kBasic;
  std::uint32_t sampling_initial = 2;
  std::uint32_t sampling_thereafter = 1;
  bool use_internal_logger = true;
  std::vector<std::string> output_paths;
  // Nothing is far away here, so nothing is queued, and no time is too long.
  ExporterSettings settings = {.sending_queue = {.enabled = false}, .timeout = Duration(0)};

  static void VisitFields(auto& self, auto& visit) {
    visit("verbosity", self.verbosity,
          "`basic`: a line a batch with its counts; `normal`: and a line an item; `detailed`: and "
          "every field.");
    visit("sampling_initial", self.sampling_initial,
          "Batches of a signal that are shown in each second before sampling begins.");
    visit("sampling_thereafter", self.sampling_thereafter,
          "Of the batches after those every so many-th is shown; 1 shows all, 0 none.");
    visit("use_internal_logger", self.use_internal_logger,
          "Whether the counts go to the log and the items to standard error, rather than both to "
          "`output_paths`.");
    visit("output_paths", self.output_paths,
          "Where to write without the internal logger: `stdout`, `stderr` or files; empty means "
          "stdout.");
    visit.Squash(self.settings);
  }
  void Validate(FieldCheck& check) const;
  bool operator==(const Config&) const = default;
};

}  // namespace weir::exporters::debug

namespace weir {

template <>
struct EnumNames<exporters::debug::Verbosity> {
  static constexpr std::pair<std::string_view, exporters::debug::Verbosity> kNames[] = {
      {"basic", exporters::debug::Verbosity::kBasic},
      {"normal", exporters::debug::Verbosity::kNormal},
      {"detailed", exporters::debug::Verbosity::kDetailed}};
  static constexpr bool kIgnoreCase = true;
};

}  // namespace weir

#endif  // WEIR_EXPORTERS_DEBUG_CONFIG_H_
