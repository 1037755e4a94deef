#include "weir/component/item_match.h"

#include <algorithm>
#include <array>

#include "re2/re2.h"
#include "weir/base/check.h"
#include "weir/base/status.h"
#include "weir/component/config_value.h"
#include "weir/wire/value_text.h"
#include "weir/wire/view.h"

namespace weir {

using wire::AnyValueView;
using wire::FieldNumber;
using wire::Lookup;
using wire::ValueType;

namespace {

constexpr std::array<std::string_view, 6> kSpanKinds = {
    "SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",      "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"};

std::string_view SpanKindName(std::int32_t kind) {
  return kind >= 0 && kind < static_cast<std::int32_t>(kSpanKinds.size())
             ? kSpanKinds[static_cast<std::size_t>(kind)]
             : std::string_view();
}

enum class Answer : std::uint8_t { kNo, kYes, kMalformed };
Answer Say(bool yes) { return yes ? Answer::kYes : Answer::kNo; }

// A list of texts or expressions, one of which must match.
class TextSet {
 public:
  TextSet() = default;
  TextSet(const std::vector<std::string>& texts, MatchType type) {
    if (type == MatchType::kStrict) {
      texts_ = texts;
      return;
    }
    for (const std::string& text : texts) {
      patterns_.push_back(std::make_unique<re2::RE2>(text, re2::RE2::Quiet));
      WEIR_CHECK(patterns_.back()->ok());
    }
  }

  bool empty() const { return texts_.empty() && patterns_.empty(); }
  bool Matches(std::string_view text) const {
    return std::any_of(texts_.begin(), texts_.end(),
                       [text](const std::string& known) { return known == text; }) ||
           std::any_of(patterns_.begin(), patterns_.end(), [text](const auto& pattern) {
             return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *pattern);
           });
  }

 private:
  std::vector<std::string> texts_;
  std::vector<std::unique_ptr<re2::RE2>> patterns_;
};

// The text that expressions are looked for in; nullopt for values that have none.
std::optional<std::string> TextOf(const AnyValueView& value) {
  std::string text;
  switch (value.type()) {
    case ValueType::kDouble:
      wire::AppendDouble(value.real(), wire::DoubleForm::kFixed, text);
      return text;
    case ValueType::kString:
    case ValueType::kBool:
    case ValueType::kInt:
      wire::AppendValueText(value, text);
      return text;
    default:
      return std::nullopt;
  }
}

class AttributeCondition {
 public:
  AttributeCondition(const MatchedAttribute& config, std::optional<MatchType> type)
      : key_(config.key) {
    if (config.value.is_null()) {
      return;
    }
    if (type == MatchType::kRegexp) {
      pattern_ = TextSet({config.value.scalar()}, MatchType::kRegexp);
    } else {
      contents_ = EncodeConfigValue(config.value);
      WEIR_CHECK(value_.Parse(contents_));
    }
  }
  AttributeCondition(const AttributeCondition&) = delete;
  AttributeCondition& operator=(const AttributeCondition&) = delete;

  Answer Matches(std::string_view message, FieldNumber field) const {
    AnyValueView value;
    switch (wire::FindAttribute(message, field, key_, value)) {
      case Lookup::kAbsent:
        return Answer::kNo;
      case Lookup::kMalformed:
        return Answer::kMalformed;
      case Lookup::kFound:
        break;
    }
    if (!pattern_.empty()) {
      const std::optional<std::string> text = TextOf(value);
      return Say(text.has_value() && pattern_.Matches(*text));
    }
    return contents_.empty() ? Answer::kYes : Equals(value);
  }

 private:
  Answer Equals(const AnyValueView& value) const {
    if (value.type() != value_.type()) {
      return Answer::kNo;
    }
    switch (value.type()) {
      case ValueType::kString:
        return Say(value.string() == value_.string());
      case ValueType::kBool:
        return Say(value.boolean() == value_.boolean());
      case ValueType::kInt:
        return Say(value.integer() == value_.integer());
      case ValueType::kDouble:
        return Say(value.real() == value_.real());
      default: {
        std::string text;
        std::string expected;
        if (!wire::AppendValueText(value, text)) {
          return Answer::kMalformed;
        }
        wire::AppendValueText(value_, expected);
        return Say(text == expected);
      }
    }
  }

  std::string key_;
  TextSet pattern_;
  std::string contents_;  // An AnyValue, which value_ looks at. Empty: any value will do.
  AnyValueView value_;
};

using Conditions = std::vector<std::unique_ptr<AttributeCondition>>;

Conditions Compile(const std::vector<MatchedAttribute>& configs, std::optional<MatchType> type) {
  Conditions conditions;
  for (const MatchedAttribute& config : configs) {
    conditions.push_back(std::make_unique<AttributeCondition>(config, type));
  }
  return conditions;
}

Answer All(const Conditions& conditions, std::string_view message, FieldNumber field) {
  for (const auto& condition : conditions) {
    if (const Answer answer = condition->Matches(message, field); answer != Answer::kYes) {
      return answer;
    }
  }
  return Answer::kYes;
}

// What the Collector refuses when it creates the processor; nullopt when all is well.
std::optional<std::string_view> Misfit(const MatchProperties& properties, Signal signal) {
  const bool any = !properties.attributes.empty() || !properties.libraries.empty() ||
                   !properties.resources.empty();
  const bool spans = !properties.services.empty() || !properties.span_names.empty() ||
                     !properties.span_kinds.empty();
  const bool logs = !properties.log_bodies.empty() || !properties.log_severity_texts.empty() ||
                    properties.log_severity_number.has_value();
  if (signal == Signal::kTraces) {
    if (logs) {
      return "`log_bodies`, `log_severity_texts` and `log_severity_number` do not apply to spans";
    }
    if (!any && !spans) {
      return "needs one of `services`, `span_names`, `span_kinds`, `attributes`, `libraries` and "
             "`resources`";
    }
    const auto known = [](const std::string& kind) {
      return std::find(kSpanKinds.begin() + 1, kSpanKinds.end(), kind) != kSpanKinds.end();
    };
    if (properties.match_type == MatchType::kStrict &&
        !std::all_of(properties.span_kinds.begin(), properties.span_kinds.end(), known)) {
      return "`span_kinds` must be SPAN_KIND_CLIENT, SPAN_KIND_CONSUMER, SPAN_KIND_INTERNAL, "
             "SPAN_KIND_PRODUCER or SPAN_KIND_SERVER";
    }
  }
  if (signal == Signal::kLogs) {
    if (spans) {
      return "`services`, `span_names` and `span_kinds` do not apply to log records";
    }
    if (!any && !logs) {
      return "needs one of `attributes`, `libraries`, `resources`, `log_bodies`, "
             "`log_severity_texts` and `log_severity_number`";
    }
  }
  return std::nullopt;
}

}  // namespace

class ItemMatch::Matcher {
 public:
  Matcher(const MatchProperties& properties, Signal signal)
      : signal_(signal),
        services_(Texts(properties, properties.services)),
        names_(Texts(properties,
                     signal == Signal::kTraces ? properties.span_names : properties.metric_names)),
        kinds_(Texts(properties, properties.span_kinds)),
        bodies_(Texts(properties, properties.log_bodies)),
        severity_texts_(Texts(properties, properties.log_severity_texts)),
        severity_(properties.log_severity_number),
        attributes_(Compile(properties.attributes, properties.match_type)),
        resources_(Compile(properties.resources, properties.match_type)) {
    for (const MatchedLibrary& library : properties.libraries) {
      libraries_.push_back(
          {Texts(properties, {library.name}),
           library.version.has_value() ? Texts(properties, {*library.version}) : TextSet(),
           library.version.has_value()});
    }
  }

  void BeginResource(std::string_view resource) {
    resource_ = resource;
    resource_answer_.reset();
  }
  void BeginScope(std::string_view scope) {
    scope_ = scope;
    scope_answer_.reset();
  }

  Answer Matches(std::string_view item) {
    if (signal_ == Signal::kMetrics) {
      wire::MetricView metric;
      return metric.Parse(item) ? Say(names_.Matches(metric.name)) : Answer::kMalformed;
    }
    if (!resource_answer_.has_value()) {
      resource_answer_ = MatchResource();
    }
    if (*resource_answer_ != Answer::kYes) {
      return *resource_answer_;
    }
    if (!scope_answer_.has_value()) {
      scope_answer_ = MatchScope();
    }
    if (*scope_answer_ != Answer::kYes) {
      return *scope_answer_;
    }
    return signal_ == Signal::kTraces ? MatchSpan(item) : MatchLog(item);
  }

 private:
  struct Library {
    TextSet name;
    TextSet version;
    bool has_version;
  };

  static TextSet Texts(const MatchProperties& properties, const std::vector<std::string>& texts) {
    return {texts, properties.match_type.value_or(MatchType::kStrict)};
  }

  Answer MatchResource() const {
    constexpr FieldNumber kField = wire::otlp::kResourceAttributes;
    if (!services_.empty()) {
      AnyValueView value;
      std::string name;
      switch (wire::FindAttribute(resource_, kField, "service.name", value)) {
        case Lookup::kMalformed:
          return Answer::kMalformed;
        case Lookup::kAbsent:
          name = "<nil-service-name>";  // As the Collector calls it.
          break;
        case Lookup::kFound:
          if (!wire::AppendValueText(value, name)) {
            return Answer::kMalformed;
          }
          break;
      }
      if (!services_.Matches(name)) {
        return Answer::kNo;
      }
    }
    return All(resources_, resource_, kField);
  }

  Answer MatchScope() const {
    if (libraries_.empty()) {
      return Answer::kYes;
    }
    wire::ScopeView scope;
    if (!scope.Parse(scope_)) {
      return Answer::kMalformed;
    }
    return Say(std::all_of(libraries_.begin(), libraries_.end(), [&](const Library& library) {
      return library.name.Matches(scope.name) &&
             (!library.has_version || library.version.Matches(scope.version));
    }));
  }

  Answer MatchSpan(std::string_view item) const {
    wire::SpanView span;
    if (!span.Parse(item)) {
      return Answer::kMalformed;
    }
    if ((!names_.empty() && !names_.Matches(span.name)) ||
        (!kinds_.empty() && !kinds_.Matches(SpanKindName(span.kind)))) {
      return Answer::kNo;
    }
    return All(attributes_, span.attributes, wire::SpanView::kAttributes);
  }

  Answer MatchLog(std::string_view item) const {
    wire::LogView record;
    if (!record.Parse(item)) {
      return Answer::kMalformed;
    }
    if (!bodies_.empty()) {
      AnyValueView body;
      std::string text;
      if (!body.Parse(record.body) || !wire::AppendValueText(body, text)) {
        return Answer::kMalformed;
      }
      if (!bodies_.Matches(text)) {
        return Answer::kNo;
      }
    }
    if (!severity_texts_.empty() && !severity_texts_.Matches(record.severity_text)) {
      return Answer::kNo;
    }
    if (severity_.has_value() &&
        (record.severity_number == 0 ? !severity_->match_undefined
                                     : record.severity_number < severity_->min)) {
      return Answer::kNo;
    }
    return All(attributes_, record.attributes, wire::LogView::kAttributes);
  }

  const Signal signal_;
  const TextSet services_;
  const TextSet names_;
  const TextSet kinds_;
  const TextSet bodies_;
  const TextSet severity_texts_;
  const std::optional<MatchedSeverity> severity_;
  const Conditions attributes_;
  const Conditions resources_;
  std::vector<Library> libraries_;

  std::string_view resource_;
  std::string_view scope_;
  std::optional<Answer> resource_answer_;  // Absent until an item asks.
  std::optional<Answer> scope_answer_;
};

absl::StatusOr<std::unique_ptr<ItemMatch>> ItemMatch::Create(const MatchConfig& config,
                                                             Signal signal) {
  std::unique_ptr<ItemMatch> match(new ItemMatch());  // tidy-allow(new): private constructor
  const auto make = [signal](const std::optional<MatchProperties>& properties,
                             std::string_view name, std::unique_ptr<Matcher>& matcher) {
    if (!properties.has_value()) {
      return absl::OkStatus();
    }
    if (const auto misfit = Misfit(*properties, signal)) {
      return InvalidArgument("{}: {}", name, *misfit);
    }
    // Without names of metrics there is nothing to match metrics by.
    if (signal != Signal::kMetrics || !properties->metric_names.empty()) {
      matcher = std::make_unique<Matcher>(*properties, signal);
    }
    return absl::OkStatus();
  };
  WEIR_RETURN_IF_ERROR(make(config.include, "include", match->include_));
  WEIR_RETURN_IF_ERROR(make(config.exclude, "exclude", match->exclude_));
  return match;
}

ItemMatch::ItemMatch() = default;
ItemMatch::~ItemMatch() = default;

void ItemMatch::BeginResource(std::string_view resource) {
  for (Matcher* matcher : {include_.get(), exclude_.get()}) {
    if (matcher != nullptr) {
      matcher->BeginResource(resource);
    }
  }
}

void ItemMatch::BeginScope(std::string_view scope) {
  for (Matcher* matcher : {include_.get(), exclude_.get()}) {
    if (matcher != nullptr) {
      matcher->BeginScope(scope);
    }
  }
}

ItemMatch::Result ItemMatch::Match(std::string_view item) {
  if (include_ != nullptr) {
    const Answer included = include_->Matches(item);
    if (included != Answer::kYes) {
      return included == Answer::kNo ? Result::kPass : Result::kMalformed;
    }
  }
  if (exclude_ != nullptr) {
    const Answer excluded = exclude_->Matches(item);
    if (excluded != Answer::kNo) {
      return excluded == Answer::kYes ? Result::kPass : Result::kMalformed;
    }
  }
  return Result::kAct;
}

}  // namespace weir
