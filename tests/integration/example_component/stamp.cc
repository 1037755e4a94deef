#include "stamp.h"

#include <utility>

#include "weir/component/rewrite_batch.h"

namespace stamp {
namespace {

struct Config {
  std::string key;
  std::string value;

  static void VisitFields(auto& self, auto& visit) {
    visit("key", self.key, "The attribute to add. Required.");
    visit("value", self.value, "Its value.");
  }
  void Validate(weir::FieldCheck& check) const {
    if (key.empty()) {
      check.Error("key", "must be given");
    }
  }
  bool operator==(const Config&) const = default;
};

struct AddAttribute : weir::wire::RewriteVisitor {
  explicit AddAttribute(const Config& options) : config(options) {}

  weir::wire::Verdict OnItem(const weir::wire::Item& item, weir::wire::Edit& edit) {
    edit.Append().StringAttribute(item.attributes_field, config.key, config.value);
    return weir::wire::Verdict::kEdit;
  }

  const Config& config;
};

// Loss: none.
class Stamp final : public weir::Processor {
 public:
  Stamp(Config config, const weir::ProcessorContext& context)
      : config_(std::move(config)), books_(context.books), rewriter_(&context.budget) {}

  void Process(weir::Batch batch, weir::BatchOutput& next) override {
    AddAttribute visitor(config_);
    weir::RewriteBatch(std::move(batch), rewriter_, visitor, weir::DropReason::kFiltered, books_,
                       next);
  }
  bool per_item() const override { return true; }

 private:
  const Config config_;
  weir::NodeLedger& books_;
  weir::wire::Rewriter rewriter_;
};

}  // namespace

weir::ProcessorFactory Factory() {
  return weir::MakeProcessorFactory<Config, Stamp>(
      {.type = "stamp", .signals = weir::kAllSignals, .stability = weir::Stability::kAlpha});
}

}  // namespace stamp
