#include "processors/attributes/processor.h"

#include <utility>

#include "weir/component/rewrite_batch.h"

namespace weir::processors::attributes {
namespace {

using wire::Edit;
using wire::Item;
using wire::Verdict;

struct EditAll : wire::RewriteVisitor {
  explicit EditAll(AttributeActions& all_actions) : actions(all_actions) {}

  Verdict OnItem(const Item& item, Edit& edit) {
    if (!actions.Apply(item.contents, item.attributes_field, edit)) {
      return Verdict::kMalformed;
    }
    return edit.empty() ? Verdict::kKeep : Verdict::kEdit;
  }

  AttributeActions& actions;
};

// Metrics are matched as a whole, spans and log records each by itself.
struct EditMatching : EditAll {
  static constexpr bool kVisitsResources = true;
  static constexpr bool kVisitsScopes = true;
  static constexpr bool kVisitsMetrics = true;

  EditMatching(AttributeActions& all_actions, ItemMatch& item_match)
      : EditAll(all_actions), match(item_match) {}

  Verdict OnResource(std::string_view resource, Edit&) {
    match.BeginResource(resource);
    return Verdict::kKeep;
  }
  Verdict OnScope(std::string_view scope, Edit&) {
    match.BeginScope(scope);
    return Verdict::kKeep;
  }
  Verdict OnMetric(std::string_view metric, Edit&) { return Judge(metric); }
  Verdict OnItem(const Item& item, Edit& edit) {
    const bool is_point = item.data_field != 0;
    const Verdict verdict = is_point ? Verdict::kKeep : Judge(item.contents);
    return verdict == Verdict::kKeep ? EditAll::OnItem(item, edit) : verdict;
  }

  Verdict Judge(std::string_view item) {
    switch (match.Match(item)) {
      case ItemMatch::Result::kAct:
        return Verdict::kKeep;
      case ItemMatch::Result::kPass:
        return Verdict::kSkip;
      case ItemMatch::Result::kMalformed:
        break;
    }
    return Verdict::kMalformed;
  }

  ItemMatch& match;
};

}  // namespace

absl::StatusOr<std::unique_ptr<AttributesProcessor>> AttributesProcessor::Create(
    const Config& config, const ProcessorContext& context) {
  auto match = ItemMatch::Create(config.match, context.signal);
  if (!match.ok()) {
    return std::move(match).status();
  }
  return std::make_unique<AttributesProcessor>(config, context, *std::move(match));
}

AttributesProcessor::AttributesProcessor(const Config& config, const ProcessorContext& context,
                                         std::unique_ptr<ItemMatch> match)
    : books_(context.books),
      actions_(config.actions),
      match_(std::move(match)),
      rewriter_(&context.budget) {}

void AttributesProcessor::Process(Batch batch, BatchOutput& next) {
  actions_.BeginBatch(batch.context().get());
  if (match_->matches_all()) {
    EditAll visitor(actions_);
    RewriteBatch(std::move(batch), rewriter_, visitor, DropReason::kFiltered, books_, next);
  } else {
    EditMatching visitor(actions_, *match_);
    RewriteBatch(std::move(batch), rewriter_, visitor, DropReason::kFiltered, books_, next);
  }
}

}  // namespace weir::processors::attributes
