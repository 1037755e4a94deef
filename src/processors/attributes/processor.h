// AttributesProcessor edits the attributes of spans, log records and data points as bytes: items
// that no action changes are copied in runs, requests in which nothing changes are not copied.
//
// Loss: an item whose attributes are malformed is dropped alone, reason `malformed`.

#ifndef WEIR_PROCESSORS_ATTRIBUTES_PROCESSOR_H_
#define WEIR_PROCESSORS_ATTRIBUTES_PROCESSOR_H_

#include <memory>

#include "absl/status/statusor.h"
#include "processors/attributes/config.h"
#include "weir/component/attribute_actions.h"
#include "weir/component/item_match.h"
#include "weir/component/processor.h"
#include "weir/wire/rewriter.h"

namespace weir::processors::attributes {

class AttributesProcessor final : public Processor {
 public:
  static absl::StatusOr<std::unique_ptr<AttributesProcessor>> Create(
      const Config& config, const ProcessorContext& context);

  AttributesProcessor(const Config& config, const ProcessorContext& context,
                      std::unique_ptr<ItemMatch> match);

  void Process(Batch batch, BatchOutput& next) override;
  bool per_item() const override { return true; }

 private:
  NodeLedger& books_;

  // Under the baton.
  AttributeActions actions_;
  const std::unique_ptr<ItemMatch> match_;
  wire::Rewriter rewriter_;
};

}  // namespace weir::processors::attributes

#endif  // WEIR_PROCESSORS_ATTRIBUTES_PROCESSOR_H_
