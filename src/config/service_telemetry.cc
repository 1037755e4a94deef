#include "weir/config/service_telemetry.h"

#include <charconv>

#include "config/schema_nodes.h"

namespace weir {

std::optional<std::pair<std::string, std::uint16_t>> SplitHostPort(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view host = address.substr(0, colon);
  const std::string_view digits = address.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || stop != digits.data() + digits.size()) {
    return std::nullopt;
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of(":[]") != std::string_view::npos) {
    return std::nullopt;
  }
  return std::pair(std::string(host), port);
}

void MetricsTelemetry::Validate(FieldCheck& check) const {
  if (!address.empty()) {
    if (!SplitHostPort(address).has_value()) {
      check.Error("address", "expected `host:port`, found `{}`", address);
    }
    if (check.IsGiven("readers")) {
      check.Error("address", "given together with `readers`, which replaced it");
    } else {
      check.Warning("address", "is the older form of `readers`");
    }
  }
}

std::vector<PrometheusReader> MetricsTelemetry::Servers() const {
  std::vector<PrometheusReader> servers;
  if (level == MetricsLevel::kNone) {
    return servers;
  }
  if (const auto place = SplitHostPort(address); place.has_value()) {
    servers.push_back({.host = place->first, .port = place->second});
    return servers;
  }
  for (const MetricsReader& reader : readers) {
    if (reader.pull.has_value() && reader.pull->exporter.prometheus.has_value()) {
      servers.push_back(*reader.pull->exporter.prometheus);
    }
  }
  return servers;
}

namespace {

// A scalar as its text, null as nothing; anything else is an error.
void AddAttribute(const std::string& name, const ConfigNode& value, const std::string& path,
                  ConfigErrors& errors, ResourceTelemetry& resource) {
  if (value.is_scalar() || value.is_null()) {
    resource.attributes[name] = value.expanded_text().has_value() ? value.expanded_text()
                                : value.is_scalar()               ? std::optional(value.scalar())
                                                                  : std::nullopt;
  } else {
    errors.Add(value.mark(), path, "expected a string or null");
  }
}

void AddAttributeList(const ConfigNode& list, const std::string& path, ConfigErrors& errors,
                      ResourceTelemetry& resource) {
  for (const ConfigNode& item : list.items()) {
    const ConfigNode* name = item.Find("name");
    const ConfigNode* value = item.Find("value");
    if (name == nullptr || !name->is_scalar() || value == nullptr) {
      errors.Add(item.mark(), path, "each attribute needs a `name` and a `value`");
    } else {
      AddAttribute(name->scalar(), *value, path, errors, resource);
    }
  }
}

}  // namespace

ResourceTelemetry ResourceTelemetry::ReadField(const ConfigNode& node, const std::string& path,
                                               ConfigErrors& errors) {
  ResourceTelemetry resource;
  if (!node.is_map()) {
    errors.Add(node.mark(), path, "expected a map");
    return resource;
  }
  for (const ConfigNode::Entry& entry : node.entries()) {
    const std::string entry_path = JoinPath(path, entry.key);
    if (entry.key == "schema_url") {
      continue;  // Metrics are served in a form that has no place for it.
    }
    if (entry.key == "detection/development") {
      errors.Warn(entry.key_mark, entry_path, "has no effect: nothing is detected");
    } else if (entry.key == "attributes" && entry.value.is_sequence()) {
      AddAttributeList(entry.value, entry_path, errors, resource);
    } else if (entry.key == "attributes" && entry.value.is_map()) {
      for (const ConfigNode::Entry& inner : entry.value.entries()) {
        AddAttribute(inner.key, inner.value, JoinPath(entry_path, inner.key), errors, resource);
      }
    } else {
      AddAttribute(entry.key, entry.value, entry_path, errors, resource);
    }
  }
  return resource;
}

ConfigNode ResourceTelemetry::FormatField(SecretPolicy) const {
  std::vector<ConfigNode::Entry> entries;
  for (const auto& [name, value] : attributes) {
    entries.push_back({name, {}, value.has_value() ? ConfigNode::String(*value) : ConfigNode()});
  }
  return ConfigNode::Map(std::move(entries));
}

ConfigNode ResourceTelemetry::FieldSchema() { return SchemaOfType("object"); }

}  // namespace weir
