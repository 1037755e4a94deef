// Zpages serves pages about the running service below /debug/: some it makes itself from the ledger
// and the budget, all others come from the service.
//
// Threads: pages are made on the server's own thread.

#ifndef WEIR_EXTENSIONS_ZPAGES_EXTENSION_H_
#define WEIR_EXTENSIONS_ZPAGES_EXTENSION_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "extensions/zpages/config.h"
#include "extensions/zpages/pages.h"
#include "net/page_server.h"
#include "weir/component/extension.h"

namespace weir::extensions::zpages {

class Zpages final : public Extension, public DebugPages {
 public:
  Zpages(Config config, const ComponentContext& context);
  ~Zpages() override;

  absl::Status Start() override;
  absl::Status Shutdown(TimePoint deadline) override;
  void SetDebugPages(Render render) override { render_ = std::move(render); }

  std::uint16_t port() const { return server_ == nullptr ? 0 : server_->port(); }

 private:
  net::Page Answer(std::string_view path);

  const Config config_;
  const Logger logger_;
  const Ledger& ledger_;
  MemoryBudget& budget_;
  Render render_;             // Set before Start; may be empty.
  std::optional<Look> last_;  // The server's thread only.

  std::unique_ptr<net::PageServer> server_;  // Last: stops before what it reads goes away.
};

}  // namespace weir::extensions::zpages

#endif  // WEIR_EXTENSIONS_ZPAGES_EXTENSION_H_
