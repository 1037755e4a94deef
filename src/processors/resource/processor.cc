#include "processors/resource/processor.h"

#include <utility>

#include "weir/component/rewrite_batch.h"

namespace weir::processors::resource {
namespace {

using wire::Verdict;

struct EditResources : wire::RewriteVisitor {
  static constexpr bool kVisitsResources = true;
  static constexpr bool kVisitsItems = false;

  explicit EditResources(AttributeActions& all_actions) : actions(all_actions) {}

  Verdict OnResource(std::string_view resource, wire::Edit& edit) {
    if (!actions.Apply(resource, wire::otlp::kResourceAttributes, edit)) {
      return Verdict::kMalformed;
    }
    return edit.empty() ? Verdict::kSkip : Verdict::kEdit;
  }

  AttributeActions& actions;
};

}  // namespace

ResourceProcessor::ResourceProcessor(const Config& config, const ProcessorContext& context)
    : books_(context.books), actions_(config.attributes), rewriter_(&context.budget) {}

void ResourceProcessor::Process(Batch batch, BatchOutput& next) {
  actions_.BeginBatch(batch.context().get());
  EditResources visitor(actions_);
  RewriteBatch(std::move(batch), rewriter_, visitor, DropReason::kFiltered, books_, next);
}

}  // namespace weir::processors::resource
