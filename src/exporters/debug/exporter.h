// DebugExporter shows batches to people: a line with counts, a line an item, or every field.
//
// Threads: Send runs on the exporter's loop and writes before it returns.
// Ownership: owns the files it opened; standard output and error are never closed.
// Loss: none is counted for what sampling does not show. Malformed items are rejected and counted.

#ifndef WEIR_EXPORTERS_DEBUG_EXPORTER_H_
#define WEIR_EXPORTERS_DEBUG_EXPORTER_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "exporters/debug/config.h"
#include "exporters/debug/text.h"
#include "weir/component/exporter.h"

namespace weir::exporters::debug {

// The first `initial` of each second, then every `thereafter`-th.
class Sampler {
 public:
  Sampler(std::uint32_t initial, std::uint32_t thereafter)
      : initial_(initial), thereafter_(thereafter) {}

  bool Take(TimePoint now);

 private:
  const std::uint32_t initial_;
  const std::uint32_t thereafter_;
  TimePoint second_began_{};
  std::uint64_t seen_ = 0;
};

class DebugExporter final : public Exporter {
 public:
  DebugExporter(Config config, const ExporterContext& context);
  ~DebugExporter() override;

  absl::Status Start() override;
  absl::Status Shutdown(TimePoint deadline) override;
  void Send(const Batch& batch, TimePoint deadline, SendDone done) override;

 private:
  void Show(const Batch& batch, const TextCounts& counts, const std::string& text);
  absl::Status Write(const std::string& text);

  const Config config_;
  const ExporterContext context_;

  // Loop thread only, between Start and Shutdown.
  std::array<Sampler, kSignalCount> samplers_;
  std::vector<int> outputs_;
  bool write_failed_ = false;  // Logged once, until a write succeeds again.
};

}  // namespace weir::exporters::debug

#endif  // WEIR_EXPORTERS_DEBUG_EXPORTER_H_
