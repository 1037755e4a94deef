#include "weir/config/service_config.h"

#include <algorithm>
#include <set>
#include <utility>

#include "config/service_fields.h"
#include "config/service_graph.h"
#include "fmt/format.h"
#include "weir/base/check.h"

namespace weir {

namespace {

constexpr std::size_t kPipelinesMax = 1000;

constexpr std::array kSections = {ComponentSection::kReceivers, ComponentSection::kProcessors,
                                  ComponentSection::kExporters, ComponentSection::kConnectors,
                                  ComponentSection::kExtensions};
constexpr std::array kSignals = {PipelineSignal::kTraces, PipelineSignal::kMetrics,
                                 PipelineSignal::kLogs};

std::string SignalNames(PipelineSignals signals) {
  std::string text;
  for (const PipelineSignal signal : kSignals) {
    if (signals.Has(signal)) {
      text += fmt::format("{}{}", text.empty() ? "" : ", ", PipelineSignalName(signal));
    }
  }
  return text.empty() ? "nothing" : text;
}

class ServiceParser {
 public:
  ServiceParser(const ConfigNode& root, const KnownComponents& known, ConfigErrors& errors)
      : root_(root), known_(known), errors_(errors) {}

  ServiceConfig Parse() {
    if (!root_.is_map() || root_.size() == 0) {
      errors_.Add(root_.mark(), "", "the configuration is empty");
      return std::move(config_);
    }
    CheckTopLevel();
    for (const ComponentSection section : kSections) {
      if (const ConfigNode* node = root_.Find(SectionName(section)); node != nullptr) {
        ParseSection(section, *node);
      }
    }
    CheckAmbiguousConnectors();
    ParseService();
    WarnUnused();
    return std::move(config_);
  }

 private:
  std::vector<ComponentEntry>& Of(ComponentSection section) {
    return config_.components[static_cast<std::size_t>(section)];
  }

  void CheckTopLevel() {
    std::vector<std::string> names = {"service"};
    for (const ComponentSection section : kSections) {
      names.emplace_back(SectionName(section));
    }
    for (const ConfigNode::Entry& entry : root_.entries()) {
      if (std::ranges::find(names, entry.key) == names.end()) {
        errors_.Add(entry.key_mark, "",
                    fmt::format("unknown section `{}`{}", entry.key, Suggestion(entry.key, names)));
      }
    }
  }

  void ParseSection(ComponentSection section, const ConfigNode& node) {
    if (!node.is_map()) {
      if (!node.is_null()) {
        errors_.Add(node.mark(), SectionName(section), "expected a map of components");
      }
      return;
    }
    std::set<ComponentId> ids;
    for (const ConfigNode::Entry& entry : node.entries()) {
      const std::string path = JoinPath(SectionName(section), entry.key);
      std::string why;
      const std::optional<ComponentId> id = ParseComponentId(entry.key, &why);
      if (!id.has_value()) {
        errors_.Add(entry.key_mark, path, fmt::format("is no name of a component: {}", why));
      } else if (!ids.insert(*id).second) {
        errors_.Add(entry.key_mark, path, fmt::format("`{}` is given twice", id->ToString()));
      } else {
        AddComponent(section, *id, entry, path);
      }
    }
  }

  void AddComponent(ComponentSection section, const ComponentId& id, const ConfigNode::Entry& entry,
                    const std::string& path) {
    const KnownComponent* type = known_.Find(section, id.type);
    Of(section).push_back({.id = id,
                           .type = type == nullptr ? id.type : type->type,
                           .options = entry.value,
                           .mark = entry.key_mark,
                           .path = path});
    if (type == nullptr) {
      errors_.Add(entry.key_mark, path,
                  fmt::format("unknown {} `{}`{}", SectionMember(section), id.type,
                              TypeHint(section, id.type)));
    } else if (type->config != nullptr) {
      // Read to be checked: what is wrong in any component shows now, also in those unused.
      const std::shared_ptr<void> options = type->config->MakeDefault();
      type->config->Read(entry.value, {.path = path, .errors = errors_}, options.get());
    }
  }

  std::string TypeHint(ComponentSection section, const std::string& type) const {
    for (const ComponentSection other : kSections) {
      if (other != section && known_.Find(other, type) != nullptr) {
        return fmt::format("; there is one among the {}", SectionName(other));
      }
    }
    return Suggestion(type, known_.Names(section));
  }

  void CheckAmbiguousConnectors() {
    for (const ComponentEntry& connector : Of(ComponentSection::kConnectors)) {
      for (const ComponentSection other :
           {ComponentSection::kReceivers, ComponentSection::kExporters}) {
        if (config_.Find(other, connector.id) != nullptr) {
          errors_.Add(
              connector.mark, connector.path,
              fmt::format("`{0}` is {1} too; give one of them another name, such as "
                          "`{0}/connector`",
                          connector.id.ToString(),
                          other == ComponentSection::kReceivers ? "a receiver" : "an exporter"));
        }
      }
    }
  }

  void ParseService() {
    const ConfigNode* service = root_.Find("service");
    if (service == nullptr) {
      errors_.Add(root_.mark(), "service", "is missing: it names the pipelines");
      return;
    }
    ServiceFields fields = ReadConfig<ServiceFields>(*service, "service", errors_);
    config_.telemetry = std::move(fields.telemetry);
    config_.shutdown_timeout = fields.shutdown_timeout;
    const ConfigNode* extensions = service->Find("extensions");
    config_.extensions =
        Resolve(fields.extensions, extensions, "service::extensions",
                {ComponentSection::kExtensions, ComponentSection::kExtensions}, std::nullopt);
    const ConfigNode* pipelines = service->Find("pipelines");
    if (pipelines == nullptr || !pipelines->is_map() || pipelines->size() == 0) {
      errors_.Add(service->mark(), "service::pipelines", "at least one pipeline is needed");
      return;
    }
    if (pipelines->size() > kPipelinesMax) {
      errors_.Add(pipelines->mark(), "service::pipelines",
                  fmt::format("more than {} pipelines", kPipelinesMax));
      return;
    }
    for (const ConfigNode::Entry& entry : pipelines->entries()) {
      ParsePipeline(entry, fields.pipelines[entry.key]);
    }
    CheckConnectors(config_, known_, errors_);
  }

  void ParsePipeline(const ConfigNode::Entry& entry, const PipelineFields& fields) {
    const std::string path = JoinPath("service::pipelines", entry.key);
    const std::optional<ComponentId> id = ParseComponentId(entry.key);
    const auto signal = std::ranges::find(kSignals, id.value_or(ComponentId()).type,
                                          [](PipelineSignal s) { return PipelineSignalName(s); });
    if (signal == kSignals.end()) {
      const std::vector<std::string> names = {"traces", "metrics", "logs"};
      errors_.Add(entry.key_mark, path,
                  fmt::format("a pipeline is named `traces`, `metrics` or `logs`, with `/name` "
                              "behind it where there are several{}",
                              id.has_value() ? Suggestion(id->type, names) : ""));
      return;
    }
    PipelineConfig pipeline = {
        .signal = *signal, .name = id->name, .lanes = fields.lanes, .mark = entry.key_mark};
    const auto resolve = [&](const std::vector<ComponentId>& ids, std::string_view key,
                             ComponentSection section, ComponentSection other) {
      return Resolve(ids, entry.value.Find(key), JoinPath(path, key), {section, other}, *signal);
    };
    pipeline.receivers = resolve(fields.receivers, "receivers", ComponentSection::kReceivers,
                                 ComponentSection::kConnectors);
    pipeline.processors = resolve(fields.processors, "processors", ComponentSection::kProcessors,
                                  ComponentSection::kProcessors);
    pipeline.exporters = resolve(fields.exporters, "exporters", ComponentSection::kExporters,
                                 ComponentSection::kConnectors);
    for (const auto& [ids, name] :
         {std::pair(&fields.receivers, "receiver"), std::pair(&fields.exporters, "exporter")}) {
      if (ids->empty()) {
        errors_.Add(entry.key_mark, path, fmt::format("needs at least one {}", name));
      }
    }
    config_.pipelines.push_back(std::move(pipeline));
  }

  using SectionPair = std::pair<ComponentSection, ComponentSection>;

  // The ids as their sections write them; those that cannot be used are reported and left out.
  std::vector<ComponentId> Resolve(const std::vector<ComponentId>& ids, const ConfigNode* list,
                                   const std::string& path, SectionPair sections,
                                   std::optional<PipelineSignal> signal) {
    std::vector<ComponentId> resolved;
    std::set<ComponentId> seen;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (ids[i].type.empty()) {
        continue;  // Could not be read, which has been reported.
      }
      const bool own_mark = list != nullptr && i < list->items().size();
      const SourceMark mark = own_mark          ? list->items()[i].mark()
                              : list != nullptr ? list->mark()
                                                : SourceMark();
      const std::string place = fmt::format("{}[{}]", path, i);
      ComponentEntry* entry = FindEntry(sections, ids[i]);
      if (entry == nullptr) {
        ReportDangling(ids[i], sections, mark, place);
        continue;
      }
      entry->used = true;
      if (!seen.insert(entry->id).second) {
        ReportRepeated(ids[i], sections.first, mark, place);
      } else if (!signal.has_value() || CarriesSignal(*entry, sections, *signal, mark, place)) {
        resolved.push_back(entry->id);
      }
    }
    return resolved;
  }

  // By the very name first, then by another name of the same type.
  ComponentEntry* FindEntry(SectionPair sections, const ComponentId& id) {
    for (const ComponentSection section : {sections.first, sections.second}) {
      const auto found = std::ranges::find(Of(section), id, &ComponentEntry::id);
      if (found != Of(section).end()) {
        return &*found;
      }
    }
    for (const ComponentSection section : {sections.first, sections.second}) {
      const KnownComponent* type = known_.Find(section, id.type);
      for (ComponentEntry& entry : Of(section)) {
        if (type != nullptr && entry.type == type->type && entry.id.name == id.name) {
          return &entry;
        }
      }
    }
    return nullptr;
  }

  void ReportDangling(const ComponentId& id, SectionPair sections, const SourceMark& mark,
                      const std::string& path) {
    std::vector<std::string> names;
    for (const ComponentSection section : {sections.first, sections.second}) {
      for (const ComponentEntry& entry : Of(section)) {
        names.push_back(entry.id.ToString());
      }
    }
    errors_.Add(
        mark, path,
        fmt::format("there is no {} `{}` in `{}`{}", SectionMember(sections.first), id.ToString(),
                    SectionName(sections.first), Suggestion(id.ToString(), names)));
  }

  // Repeating a processor would run it twice; repeating another changes nothing.
  void ReportRepeated(const ComponentId& id, ComponentSection section, const SourceMark& mark,
                      const std::string& path) {
    const std::string message = fmt::format("`{}` is listed twice", id.ToString());
    if (section == ComponentSection::kProcessors) {
      errors_.Add(mark, path, message);
    } else {
      errors_.Warn(mark, path, message);
    }
  }

  // Connectors are checked where both of their sides are known.
  bool CarriesSignal(const ComponentEntry& entry, SectionPair sections, PipelineSignal signal,
                     const SourceMark& mark, const std::string& path) {
    const bool is_connector = sections.second == ComponentSection::kConnectors &&
                              config_.Find(sections.first, entry.id) == nullptr;
    const KnownComponent* type =
        is_connector ? nullptr : known_.Find(sections.first, entry.id.type);
    if (type == nullptr || type->signals.Has(signal)) {
      return true;
    }
    errors_.Add(mark, path,
                fmt::format("the {} `{}` does not carry {}, only {}", SectionMember(sections.first),
                            entry.type, PipelineSignalName(signal), SignalNames(type->signals)));
    return false;
  }

  void WarnUnused() {
    for (const ComponentSection section : kSections) {
      for (const ComponentEntry& entry : Of(section)) {
        if (!entry.used) {
          errors_.Warn(entry.mark, entry.path,
                       section == ComponentSection::kExtensions
                           ? "is not used: `service::extensions` does not list it"
                           : "is not used by any pipeline");
        }
      }
    }
  }

  const ConfigNode& root_;
  const KnownComponents& known_;
  ConfigErrors& errors_;
  ServiceConfig config_;
};

}  // namespace

std::string_view SectionName(ComponentSection section) {
  constexpr std::array<std::string_view, kComponentSectionCount> kNames = {
      "receivers", "processors", "exporters", "connectors", "extensions"};
  return kNames[static_cast<std::size_t>(section)];
}

std::string_view SectionMember(ComponentSection section) {
  const std::string_view name = SectionName(section);
  return name.substr(0, name.size() - 1);
}

std::string_view PipelineSignalName(PipelineSignal signal) {
  constexpr std::array<std::string_view, 3> kNames = {"traces", "metrics", "logs"};
  return kNames[static_cast<std::size_t>(signal)];
}

void KnownComponents::Add(ComponentSection section, KnownComponent component) {
  WEIR_CHECK(Find(section, component.type) == nullptr);
  for (const std::string& alias : component.aliases) {
    WEIR_CHECK(Find(section, alias) == nullptr);
  }
  components_[static_cast<std::size_t>(section)].push_back(std::move(component));
}

const KnownComponent* KnownComponents::Find(ComponentSection section, std::string_view type) const {
  for (const KnownComponent& component : List(section)) {
    if (component.type == type ||
        std::ranges::find(component.aliases, type) != component.aliases.end()) {
      return &component;
    }
  }
  return nullptr;
}

std::vector<std::string> KnownComponents::Names(ComponentSection section) const {
  std::vector<std::string> names;
  for (const KnownComponent& component : List(section)) {
    names.push_back(component.type);
    names.insert(names.end(), component.aliases.begin(), component.aliases.end());
  }
  return names;
}

std::string PipelineConfig::ToString() const {
  const std::string_view signal_name = PipelineSignalName(signal);
  return name.empty() ? std::string(signal_name) : fmt::format("{}/{}", signal_name, name);
}

const ComponentEntry* ServiceConfig::Find(ComponentSection section, const ComponentId& id) const {
  const auto found = std::ranges::find(Of(section), id, &ComponentEntry::id);
  return found == Of(section).end() ? nullptr : &*found;
}

ServiceConfig ParseServiceConfig(const ConfigNode& root, const KnownComponents& known,
                                 ConfigErrors& errors) {
  return ServiceParser(root, known, errors).Parse();
}

}  // namespace weir
