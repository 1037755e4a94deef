// OtlpHttpExporter posts batches as OTLP/HTTP export requests, in protobuf (the parts of a batch
// laid end to end) or JSON.
//
// Threads: as every exporter (weir/component/exporter.h).
// Loss: items that JSON cannot hold because they are malformed are rejected and counted; otherwise
// none of its own, see result.h for what an answer means.

#ifndef WEIR_EXPORTERS_OTLPHTTP_EXPORTER_H_
#define WEIR_EXPORTERS_OTLPHTTP_EXPORTER_H_

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "exporters/otlphttp/config.h"
#include "net/http_client.h"
#include "weir/component/exporter.h"
#include "weir/component/extension.h"
#include "weir/wire/json_buffer.h"

namespace weir::exporters::otlphttp {

class OtlpHttpExporter final : public Exporter {
 public:
  OtlpHttpExporter(Config config, const ExporterContext& context);
  ~OtlpHttpExporter() override;

  absl::Status Start() override;
  absl::Status Shutdown(TimePoint deadline) override;
  void Send(const Batch& batch, TimePoint deadline, SendDone done) override;

 private:
  // The body before compression; false when the batch is malformed. Adds what JSON can't hold to
  // `rejected`.
  bool MakeBody(const Batch& batch, std::vector<Slice>& body, std::uint64_t& rejected);

  const Config config_;
  MemoryBudget& budget_;
  Host& host_;
  EventLoop& loop_;
  std::array<std::string, kSignalCount> urls_;
  const ClientAuthenticator* authenticator_ = nullptr;
  HeaderList headers_;  // Of every request.

  // Loop thread only.
  std::unique_ptr<net::HttpClient> client_;
  wire::JsonBuffer json_;
};

}  // namespace weir::exporters::otlphttp

#endif  // WEIR_EXPORTERS_OTLPHTTP_EXPORTER_H_
