#include "weir/component/attribute_actions.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory_resource>

#include "re2/re2.h"
#include "weir/base/check.h"
#include "weir/base/text.h"
#include "weir/component/attribute_values.h"
#include "weir/component/config_value.h"
#include "weir/wire/value_text.h"

namespace weir {

using wire::AnyValueView;
using wire::AttributeView;
using wire::FieldNumber;
using wire::KeyMatcher;

namespace {

constexpr FieldNumber kAttributeFieldMax = 9;

// The address of a peer without its port: "10.1.2.3:80", "[::1]:80", or an address alone.
std::string_view AddressOf(std::string_view peer) {
  if (peer.starts_with('[')) {
    return peer.substr(1, peer.find(']') - 1);
  }
  const std::size_t colon = peer.find(':');
  return colon == peer.rfind(':') ? peer.substr(0, colon) : peer;
}

// All values of `key`, joined as the Collector joins them.
std::optional<std::string> Joined(const std::vector<std::pair<std::string, std::string>>& pairs,
                                  std::string_view key) {
  std::optional<std::string> joined;
  for (const auto& [name, value] : pairs) {
    if (name == key) {
      joined = joined.has_value() ? *joined + ';' + value : value;
    }
  }
  return joined;
}

std::optional<std::string> FromContext(const RequestContext& context, std::string_view source) {
  if (source == "client.address") {
    return std::string(AddressOf(context.peer_address));
  }
  if (source.starts_with("auth.")) {
    return Joined(context.auth, source.substr(5));
  }
  if (source.starts_with("metadata.")) {
    source.remove_prefix(9);
  }
  return Joined(context.metadata, AsciiLower(source));
}

}  // namespace

struct AttributeActions::Action {
  AttributeActionKind kind;
  std::size_t slot = KeyMatcher::kNone;
  std::size_t from_slot = KeyMatcher::kNone;
  std::string from_context;
  std::optional<std::string> value;  // From the options, or what from_context has for this batch.
  ValueTarget target = ValueTarget::kString;
  std::unique_ptr<re2::RE2> pattern;
  std::vector<std::pair<int, std::size_t>> groups;  // Group of the pattern, slot to put it in.
  // A value from the options as a whole attribute, by the number of the field it goes to.
  std::array<std::string, kAttributeFieldMax + 1> encoded;
};

// One attribute while the actions run.
struct AttributeEntry {
  std::string_view key;
  std::string_view value;                // The contents of an AnyValue.
  std::string_view field;                // As it lies in the message; empty where it was not there.
  const std::string* encoded = nullptr;  // The new attribute, where it is one of the options.
  bool present = false;
  bool changed = false;
};

struct AttributeActions::State {
  std::vector<Action> actions;
  std::vector<std::string> keys;  // By slot.
  KeyMatcher matcher;
  bool has_patterns = false;  // All attributes are looked at, not only those of the slots.

  // Of the message at hand. Slots first, then, where there are patterns, all others.
  std::vector<AttributeEntry> entries;
  std::vector<std::pair<std::size_t, std::string_view>> repeats;  // Slot and field.
  bool any_changed = false;
  FieldNumber field = 0;
  std::array<char, 4096> first_block;
  std::pmr::monotonic_buffer_resource memory{first_block.data(), first_block.size()};
  wire::Writer writer{256};
  std::vector<re2::StringPiece> groups;

  std::size_t Slot(const std::string& key);
  void Compile(const AttributeActionConfig& config);
  bool Find(std::string_view message);
  bool Run(const Action& action);
  bool RunOnValue(const Action& action, AttributeEntry& entry);
  bool RunOnMatches(const Action& action);
  bool Extract(const Action& action);
  void Set(AttributeEntry& entry, std::string_view value, const std::string* encoded);
  void Remove(AttributeEntry& entry);
  void SetFrom(const Action& action);
  std::string_view KeepString(std::string_view text);
  void Note(wire::Edit& edit);
};

std::size_t AttributeActions::State::Slot(const std::string& key) {
  const auto known = std::find(keys.begin(), keys.end(), key);
  if (known != keys.end()) {
    return static_cast<std::size_t>(known - keys.begin());
  }
  keys.push_back(key);
  return keys.size() - 1;
}

void AttributeActions::State::Compile(const AttributeActionConfig& config) {
  Action& action = actions.emplace_back();
  action.kind = config.action.value();
  if (!config.key.empty()) {
    action.slot = Slot(config.key);
  }
  if (!config.from_attribute.empty()) {
    action.from_slot = Slot(config.from_attribute);
  }
  action.from_context = config.from_context;
  action.target = ValueTargetOf(config.converted_type);
  if (!config.value.is_null()) {
    action.value = EncodeConfigValue(config.value);
    for (FieldNumber number = 1; number <= kAttributeFieldMax; ++number) {
      writer.Clear();
      writer.AnyAttribute(number, config.key, *action.value);
      action.encoded[number] = writer.view();
    }
    writer.Clear();
  }
  if (config.pattern.empty()) {
    return;
  }
  action.pattern = std::make_unique<re2::RE2>(config.pattern, re2::RE2::Quiet);
  WEIR_CHECK(action.pattern->ok());
  if (action.kind != AttributeActionKind::kExtract) {
    has_patterns = true;
    return;
  }
  for (const auto& [group, name] : action.pattern->CapturingGroupNames()) {
    action.groups.emplace_back(group, Slot(name));
  }
}

bool AttributeActions::State::Find(std::string_view message) {
  entries.resize(keys.size());
  for (AttributeEntry& entry : entries) {
    entry.field = {};
    entry.present = false;
    entry.changed = false;
  }
  repeats.clear();
  any_changed = false;
  const auto found = [this](std::size_t slot, const AttributeView& attribute) {
    AttributeEntry& entry = entries[slot];
    if (entry.present) [[unlikely]] {
      repeats.emplace_back(slot, attribute.field);
      return;
    }
    entry.value = attribute.value;
    entry.field = attribute.field;
    entry.present = true;
  };
  if (!has_patterns) {
    return wire::SearchAttributes(message, field, matcher, found);
  }
  wire::AttributeReader attributes(message, field);
  for (AttributeView attribute; attributes.Next(attribute);) {
    if (const std::size_t slot = matcher.Find(attribute.key); slot != KeyMatcher::kNone) {
      found(slot, attribute);
    } else {
      entries.push_back({.key = attribute.key,
                         .value = attribute.value,
                         .field = attribute.field,
                         .present = true});
    }
  }
  return !attributes.malformed();
}

void AttributeActions::State::Set(AttributeEntry& entry, std::string_view value,
                                  const std::string* encoded) {
  entry.value = value;
  entry.encoded = encoded;
  entry.present = true;
  entry.changed = true;
  any_changed = true;
}

void AttributeActions::State::Remove(AttributeEntry& entry) {
  if (entry.present) {
    entry.present = false;
    entry.changed = true;
    any_changed = true;
  }
}

// The contents of an AnyValue that holds `text`, kept until the next message.
std::string_view AttributeActions::State::KeepString(std::string_view text) {
  const std::size_t size = 1 + wire::VarintSize(text.size()) + text.size();
  char* const begin = static_cast<char*>(memory.allocate(size, 1));
  char* out = begin;
  *out++ = static_cast<char>(wire::MakeTag(wire::otlp::kAnyString, wire::WireType::kLength));
  out = wire::WriteVarint(out, text.size());
  if (!text.empty()) {
    std::memcpy(out, text.data(), text.size());
  }
  return {begin, size};
}

void AttributeActions::State::SetFrom(const Action& action) {
  AttributeEntry& entry = entries[action.slot];
  const AttributeActionKind when =
      entry.present ? AttributeActionKind::kUpdate : AttributeActionKind::kInsert;
  if (action.kind != AttributeActionKind::kUpsert && action.kind != when) {
    return;
  }
  if (action.from_slot != KeyMatcher::kNone) {
    const AttributeEntry& source = entries[action.from_slot];
    if (source.present) {
      Set(entry, source.value, nullptr);
    }
  } else if (action.value.has_value()) {
    Set(entry, *action.value, action.from_context.empty() ? &action.encoded[field] : nullptr);
  }
}

// Hashes or converts. False when the value is malformed.
bool AttributeActions::State::RunOnValue(const Action& action, AttributeEntry& entry) {
  AnyValueView value;
  if (!value.Parse(entry.value)) {
    return false;
  }
  if (action.kind == AttributeActionKind::kHash) {
    Set(entry, KeepString(HashOf(value)), nullptr);
    return true;
  }
  std::string converted;
  const Conversion done = ConvertValue(value, action.target, converted);
  if (done == Conversion::kDone) {
    char* const kept = static_cast<char*>(memory.allocate(converted.size() + 1, 1));
    std::memcpy(kept, converted.data(), converted.size());
    Set(entry, {kept, converted.size()}, nullptr);
  }
  return done != Conversion::kMalformed;
}

// Deletes or hashes every attribute whose key the pattern matches.
bool AttributeActions::State::RunOnMatches(const Action& action) {
  for (AttributeEntry& entry : entries) {
    if (!entry.present ||
        !re2::RE2::PartialMatch(re2::StringPiece(entry.key.data(), entry.key.size()),
                                *action.pattern)) {
      continue;
    }
    if (action.kind == AttributeActionKind::kDelete) {
      Remove(entry);
    } else if (!RunOnValue(action, entry)) {
      return false;
    }
  }
  return true;
}

bool AttributeActions::State::Extract(const Action& action) {
  const AttributeEntry& source = entries[action.slot];
  AnyValueView value;
  if (!source.present) {
    return true;
  }
  if (!value.Parse(source.value)) {
    return false;
  }
  if (value.type() != wire::ValueType::kString) {
    return true;
  }
  const std::string_view text = value.string();
  groups.resize(action.groups.size() + 1);
  if (!action.pattern->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(),
                             re2::RE2::UNANCHORED, groups.data(),
                             static_cast<int>(groups.size()))) {
    return true;
  }
  for (const auto& [group, slot] : action.groups) {
    const re2::StringPiece& part = groups[static_cast<std::size_t>(group)];
    Set(entries[slot], KeepString({part.data(), part.size()}), nullptr);
  }
  return true;
}

bool AttributeActions::State::Run(const Action& action) {
  switch (action.kind) {
    case AttributeActionKind::kInsert:
    case AttributeActionKind::kUpdate:
    case AttributeActionKind::kUpsert:
      SetFrom(action);
      return true;
    case AttributeActionKind::kDelete:
      if (action.slot != KeyMatcher::kNone) {
        Remove(entries[action.slot]);
      }
      return action.pattern == nullptr || RunOnMatches(action);
    case AttributeActionKind::kHash:
      if (action.slot != KeyMatcher::kNone && entries[action.slot].present &&
          !RunOnValue(action, entries[action.slot])) {
        return false;
      }
      return action.pattern == nullptr || RunOnMatches(action);
    case AttributeActionKind::kExtract:
      return Extract(action);
    case AttributeActionKind::kConvert:
      return !entries[action.slot].present || RunOnValue(action, entries[action.slot]);
  }
  return true;
}

void AttributeActions::State::Note(wire::Edit& edit) {
  for (const AttributeEntry& entry : entries) {
    if (!entry.changed) {
      continue;
    }
    if (!entry.present) {
      if (!entry.field.empty()) {
        edit.Cut(entry.field);
      }
    } else if (entry.field.empty()) {
      if (entry.encoded != nullptr) {
        edit.AppendStable(*entry.encoded);
      } else {
        edit.Append().AnyAttribute(field, entry.key, entry.value);
      }
    } else if (entry.encoded != nullptr) {
      edit.Replace(entry.field, *entry.encoded);
    } else {
      writer.Clear();
      writer.AnyAttribute(field, entry.key, entry.value);
      edit.Replace(entry.field, writer.view());
    }
  }
  for (const auto& [slot, repeat] : repeats) {
    if (entries[slot].changed) {
      edit.Cut(repeat);
    }
  }
}

AttributeActions::AttributeActions(const std::vector<AttributeActionConfig>& configs)
    : state_(std::make_unique<State>()) {
  state_->actions.reserve(configs.size());
  for (const AttributeActionConfig& config : configs) {
    state_->Compile(config);
  }
  state_->matcher = KeyMatcher(state_->keys);
  for (const std::string& key : state_->keys) {
    state_->entries.push_back({.key = key, .value = {}, .field = {}});
  }
}

AttributeActions::~AttributeActions() = default;

void AttributeActions::BeginBatch(const RequestContext* context) {
  static const RequestContext kNothing;
  for (Action& action : state_->actions) {
    if (action.from_context.empty()) {
      continue;
    }
    action.value = FromContext(context == nullptr ? kNothing : *context, action.from_context);
    if (action.value.has_value()) {
      state_->writer.Clear();
      state_->writer.String(wire::otlp::kAnyString, *action.value);
      action.value = state_->writer.view();
    }
  }
}

bool AttributeActions::Apply(std::string_view message, FieldNumber field, wire::Edit& edit) {
  WEIR_DCHECK(field <= kAttributeFieldMax);
  state_->memory.release();
  state_->field = field;
  if (!state_->Find(message)) {
    return false;
  }
  for (const Action& action : state_->actions) {
    if (!state_->Run(action)) {
      return false;
    }
  }
  if (state_->any_changed) {
    state_->Note(edit);
  }
  return true;
}

}  // namespace weir
