// ResourceProcessor edits the attributes of resources as bytes; what belongs to a resource is
// copied whole, and a request in which nothing changes is not copied.
//
// Loss: where the attributes of a resource are malformed, its items are dropped, reason
// `malformed`.

#ifndef WEIR_PROCESSORS_RESOURCE_PROCESSOR_H_
#define WEIR_PROCESSORS_RESOURCE_PROCESSOR_H_

#include "processors/resource/config.h"
#include "weir/component/attribute_actions.h"
#include "weir/component/processor.h"
#include "weir/wire/rewriter.h"

namespace weir::processors::resource {

class ResourceProcessor final : public Processor {
 public:
  ResourceProcessor(const Config& config, const ProcessorContext& context);

  void Process(Batch batch, BatchOutput& next) override;
  bool per_item() const override { return true; }

 private:
  NodeLedger& books_;

  // Under the baton.
  AttributeActions actions_;
  wire::Rewriter rewriter_;
};

}  // namespace weir::processors::resource

#endif  // WEIR_PROCESSORS_RESOURCE_PROCESSOR_H_
