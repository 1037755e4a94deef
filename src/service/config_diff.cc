#include "service/config_diff.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <set>

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "telemetry/json_text.h"
#include "weir/config/fields.h"

namespace weir::service {
namespace {

constexpr std::array<std::pair<ComponentSection, ComponentKind>, kComponentSectionCount> kSections =
    {{{ComponentSection::kExtensions, ComponentKind::kExtension},
      {ComponentSection::kReceivers, ComponentKind::kReceiver},
      {ComponentSection::kProcessors, ComponentKind::kProcessor},
      {ComponentSection::kExporters, ComponentKind::kExporter},
      {ComponentSection::kConnectors, ComponentKind::kConnector}}};

// As many differing options as one line names.
constexpr std::size_t kPathsMax = 3;

// The options as the component will read them; secrets are compared, never shown.
ConfigNode Meaning(const ComponentEntry& entry, const StructType* type) {
  if (type == nullptr) {
    return entry.options;
  }
  const std::shared_ptr<void> value = type->MakeDefault();
  ConfigErrors errors;
  type->Read(entry.options, {.path = entry.path, .errors = errors}, value.get());
  return type->Format(value.get(), SecretPolicy::kReveal);
}

void AddDifferences(const ConfigNode& before, const ConfigNode& after, const std::string& path,
                    std::vector<std::string>& paths) {
  if (before == after) {
    return;
  }
  if (before.is_map() && after.is_map()) {
    for (const ConfigNode::Entry& entry : before.entries()) {
      const ConfigNode* other = after.Find(entry.key);
      AddDifferences(entry.value, other == nullptr ? ConfigNode() : *other,
                     JoinPath(path, entry.key), paths);
    }
    for (const ConfigNode::Entry& entry : after.entries()) {
      if (before.Find(entry.key) == nullptr) {
        paths.push_back(JoinPath(path, entry.key));
      }
    }
    return;
  }
  if (before.is_sequence() && after.is_sequence() && before.size() == after.size()) {
    for (std::size_t i = 0; i < before.size(); ++i) {
      AddDifferences(before.items()[i], after.items()[i], fmt::format("{}[{}]", path, i), paths);
    }
    return;
  }
  paths.push_back(path);
}

std::string NamePaths(const std::vector<std::string>& paths) {
  std::string text;
  for (std::size_t i = 0; i < std::min(paths.size(), kPathsMax); ++i) {
    text += i == 0 ? "" : ", ";
    text += paths[i];
  }
  if (paths.size() > kPathsMax) {
    text += fmt::format(" and {} more", paths.size() - kPathsMax);
  }
  return text;
}

bool Names(const ConfigNode& node, const std::string& id) {
  if (node.is_scalar()) {
    return node.scalar() == id;
  }
  return std::ranges::any_of(node.items(), [&](const ConfigNode& n) { return Names(n, id); }) ||
         std::ranges::any_of(node.entries(), [&](const auto& e) { return Names(e.value, id); });
}

bool Lists(const std::vector<ComponentId>& ids, const ComponentId& id) {
  return std::ranges::find(ids, id) != ids.end();
}

// The signals a component serves, as bits: what its context is made from.
unsigned SignalsServed(const ServiceConfig& config, const ComponentId& id) {
  unsigned bits = 0;
  for (const PipelineConfig& pipeline : config.pipelines) {
    if (Lists(pipeline.receivers, id)) {
      bits |= 1U << static_cast<unsigned>(pipeline.signal);
    }
  }
  return bits;
}

class Differ {
 public:
  Differ(const ServiceConfig& before, const ServiceConfig& after, const Registry& registry)
      : before_(before), after_(after), registry_(registry) {}

  ConfigDiff Run() {
    for (const auto& [section, kind] : kSections) {
      CompareSection(section, kind);
    }
    while (SpreadFromExtensions()) {
    }
    ComparePipelines();
    CompareService();
    std::ranges::stable_sort(diff_.components, {}, [](const ComponentChange& change) {
      return std::pair(change.section, change.id);
    });
    return std::move(diff_);
  }

 private:
  static const ComponentEntry* Used(const ServiceConfig& config, ComponentSection section,
                                    const ComponentId& id) {
    const ComponentEntry* entry = config.Find(section, id);
    return entry != nullptr && entry->used ? entry : nullptr;
  }

  void Add(ComponentSection section, const ComponentId& id, Change change, std::string reason) {
    diff_.components.push_back({section, id, change, std::move(reason)});
  }

  void CompareSection(ComponentSection section, ComponentKind kind) {
    for (const ComponentEntry& entry : before_.Of(section)) {
      if (entry.used && Used(after_, section, entry.id) == nullptr) {
        Add(section, entry.id, Change::kRemoved, "");
      }
    }
    for (const ComponentEntry& entry : after_.Of(section)) {
      if (!entry.used) {
        continue;
      }
      const ComponentEntry* old = Used(before_, section, entry.id);
      if (old == nullptr) {
        Add(section, entry.id, Change::kAdded, "");
        continue;
      }
      const FactoryInfo* info = registry_.Find(kind, entry.type);
      const StructType* type = info == nullptr ? nullptr : info->config;
      const ConfigNode meant = Meaning(*old, type);
      const ConfigNode means = Meaning(entry, type);
      if (!(meant == means)) {
        std::vector<std::string> paths;
        AddDifferences(meant, means, "", paths);
        Add(section, entry.id, Change::kChanged, NamePaths(paths));
      } else if ((section == ComponentSection::kReceivers ||
                  section == ComponentSection::kConnectors) &&
                 SignalsServed(before_, entry.id) != SignalsServed(after_, entry.id)) {
        Add(section, entry.id, Change::kChanged, "its signals");
      }
    }
  }

  // One round; true when it found more.
  bool SpreadFromExtensions() {
    std::vector<ComponentChange> found;
    for (const ComponentChange& cause : diff_.components) {
      if (cause.section != ComponentSection::kExtensions) {
        continue;
      }
      const std::string name = cause.id.ToString();
      for (const auto& [section, kind] : kSections) {
        for (const ComponentEntry& entry : after_.Of(section)) {
          if (entry.used && !diff_.Touches(section, entry.id) &&
              !(section == cause.section && entry.id == cause.id) && Names(entry.options, name)) {
            found.push_back({section, entry.id, Change::kChanged, "extension " + name});
          }
        }
      }
    }
    for (ComponentChange& change : found) {
      if (!diff_.Touches(change.section, change.id)) {
        diff_.components.push_back(std::move(change));
      }
    }
    return !found.empty();
  }

  static std::string Join(const std::vector<ComponentId>& ids) {
    std::string text;
    for (const ComponentId& id : ids) {
      text += text.empty() ? "" : ", ";
      text += id.ToString();
    }
    return "[" + text + "]";
  }

  void ComparePipelines() {
    const auto find = [](const ServiceConfig& config, const std::string& name) {
      return std::ranges::find_if(config.pipelines,
                                  [&](const PipelineConfig& p) { return p.ToString() == name; });
    };
    for (const PipelineConfig& old : before_.pipelines) {
      if (find(after_, old.ToString()) == after_.pipelines.end()) {
        diff_.pipelines.push_back({old.ToString(), Change::kRemoved, ""});
      }
    }
    for (const PipelineConfig& next : after_.pipelines) {
      const auto old = find(before_, next.ToString());
      if (old == before_.pipelines.end()) {
        diff_.pipelines.push_back({next.ToString(), Change::kAdded, ""});
        continue;
      }
      std::vector<std::string> reasons;
      const auto compare = [&](std::string_view what, const std::vector<ComponentId>& was,
                               const std::vector<ComponentId>& is) {
        if (was != is) {
          reasons.push_back(fmt::format("{} {} -> {}", what, Join(was), Join(is)));
        }
      };
      compare("receivers", old->receivers, next.receivers);
      compare("processors", old->processors, next.processors);
      compare("exporters", old->exporters, next.exporters);
      if (old->lanes != next.lanes) {
        reasons.emplace_back("lanes");
      }
      if (!reasons.empty()) {
        diff_.pipelines.push_back(
            {next.ToString(), Change::kChanged, fmt::format("{}", fmt::join(reasons, "; "))});
      }
    }
  }

  void CompareService() {
    AddDifferences(FormatConfig(before_.telemetry, SecretPolicy::kReveal),
                   FormatConfig(after_.telemetry, SecretPolicy::kReveal), "telemetry",
                   diff_.service);
    if (before_.shutdown_timeout != after_.shutdown_timeout) {
      diff_.service.emplace_back("shutdown_timeout");
    }
    // Where only the order differs; what came or went is named by itself.
    if (before_.extensions != after_.extensions &&
        std::set(before_.extensions.begin(), before_.extensions.end()) ==
            std::set(after_.extensions.begin(), after_.extensions.end())) {
      diff_.service.emplace_back("extensions");
    }
  }

  const ServiceConfig& before_;
  const ServiceConfig& after_;
  const Registry& registry_;
  ConfigDiff diff_;
};

// Each change as its path, what happened, and why.
struct Line {
  std::string path;
  Change change;
  std::string reason;
};

std::vector<Line> Lines(const ConfigDiff& diff) {
  std::vector<Line> lines;
  for (const ComponentChange& change : diff.components) {
    lines.push_back({fmt::format("{}::{}", SectionName(change.section), change.id.ToString()),
                     change.change, change.reason});
  }
  for (const PipelineChangeNote& change : diff.pipelines) {
    lines.push_back({"service::pipelines::" + change.name, change.change, change.reason});
  }
  for (const std::string& path : diff.service) {
    lines.push_back({"service::" + path, Change::kChanged, ""});
  }
  return lines;
}

}  // namespace

std::string_view ChangeName(Change change) {
  switch (change) {
    case Change::kAdded:
      return "added";
    case Change::kRemoved:
      return "removed";
    case Change::kChanged:
      break;
  }
  return "changed";
}

const ComponentChange* ConfigDiff::Find(ComponentSection section, const ComponentId& id) const {
  const auto found = std::ranges::find_if(components, [&](const ComponentChange& change) {
    return change.section == section && change.id == id;
  });
  return found == components.end() ? nullptr : &*found;
}

std::string ConfigDiff::Summary() const {
  std::string text;
  for (const Line& line : Lines(*this)) {
    text += text.empty() ? "" : ", ";
    text += fmt::format("{} {}", line.path, ChangeName(line.change));
    if (!line.reason.empty()) {
      text += fmt::format(" ({})", line.reason);
    }
  }
  return text.empty() ? "nothing" : text;
}

std::string ConfigDiff::ToText() const {
  std::string text;
  for (const Line& line : Lines(*this)) {
    const char sign =
        line.change == Change::kAdded ? '+' : (line.change == Change::kRemoved ? '-' : '~');
    fmt::format_to(std::back_inserter(text), "{} {}", sign, line.path);
    if (!line.reason.empty()) {
      fmt::format_to(std::back_inserter(text), ": {}", line.reason);
    }
    text += '\n';
  }
  return text;
}

std::string ConfigDiff::ToJson() const {
  std::string text;
  for (const Line& line : Lines(*this)) {
    text += text.empty() ? "{\"path\":" : ",{\"path\":";
    internal::AppendJsonString(line.path, text);
    fmt::format_to(std::back_inserter(text),
                   ",\"change\":\"{}\",\"reason\":", ChangeName(line.change));
    internal::AppendJsonString(line.reason, text);
    text += '}';
  }
  return fmt::format("{{\"changes\":[{}]}}\n", text);
}

ConfigDiff DiffConfigs(const ServiceConfig& before, const ServiceConfig& after,
                       const Registry& registry) {
  return Differ(before, after, registry).Run();
}

std::string HashConfig(const ConfigNode& root, const KnownComponents& known) {
  std::uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a, 64 bits.
  for (const char c : RenderEffective(root, known)) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  return fmt::format("{:016x}", hash);
}

}  // namespace weir::service
