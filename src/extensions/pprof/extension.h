// Pprof stands where Go's profiler would: it serves what there is to know about the process, its
// threads with their CPU time and its memory, and the service's own pages, below /debug/.
//
// Threads: pages are made on the server's own thread.

#ifndef WEIR_EXTENSIONS_PPROF_EXTENSION_H_
#define WEIR_EXTENSIONS_PPROF_EXTENSION_H_

#include <cstdint>
#include <memory>

#include "extensions/pprof/config.h"
#include "net/page_server.h"
#include "weir/component/extension.h"

namespace weir::extensions::pprof {

class Pprof final : public Extension, public DebugPages {
 public:
  Pprof(Config config, const ComponentContext& context);
  ~Pprof() override;

  absl::Status Start() override;
  absl::Status Shutdown(TimePoint deadline) override;
  void SetDebugPages(Render render) override { render_ = std::move(render); }

  std::uint16_t port() const { return server_ == nullptr ? 0 : server_->port(); }

 private:
  net::Page Answer(std::string_view path) const;

  const Config config_;
  const Logger logger_;
  MemoryBudget& budget_;
  Render render_;  // Set before Start; may be empty.

  std::unique_ptr<net::PageServer> server_;  // Last: stops before what it reads goes away.
};

// Every thread of this process with the CPU time it has used: "name user_seconds system_seconds".
std::string RenderThreads();
// What the allocator has, and has given out, in bytes.
std::string RenderHeap();

}  // namespace weir::extensions::pprof

#endif  // WEIR_EXTENSIONS_PPROF_EXTENSION_H_
