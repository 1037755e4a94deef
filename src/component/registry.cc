#include "weir/component/registry.h"

#include <algorithm>
#include <array>

#include "weir/base/check.h"

namespace weir {
namespace {

bool Named(const FactoryInfo& info, std::string_view type) {
  return info.type == type || std::ranges::find(info.aliases, type) != info.aliases.end();
}

template <typename Factory>
const Factory* FindIn(const std::vector<Factory>& factories, std::string_view type) {
  for (const Factory& factory : factories) {
    if (Named(factory.info, type)) {
      return &factory;
    }
  }
  return nullptr;
}

template <typename Factory>
void AddTo(std::vector<Factory>& factories, Factory factory) {
  WEIR_CHECK(FindIn(factories, factory.info.type) == nullptr);
  for (const std::string_view alias : factory.info.aliases) {
    WEIR_CHECK(FindIn(factories, alias) == nullptr);
  }
  const auto place = std::ranges::find_if(
      factories, [&](const Factory& other) { return other.info.type > factory.info.type; });
  factories.insert(place, std::move(factory));
}

template <typename Factory>
std::vector<const FactoryInfo*> Infos(const std::vector<Factory>& factories) {
  std::vector<const FactoryInfo*> infos;
  for (const Factory& factory : factories) {
    infos.push_back(&factory.info);
  }
  return infos;
}

}  // namespace

std::string_view ComponentKindName(ComponentKind kind) {
  constexpr std::array<std::string_view, 5> kNames = {"receiver", "processor", "exporter",
                                                      "connector", "extension"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view StabilityName(Stability stability) {
  constexpr std::array<std::string_view, 4> kNames = {"development", "alpha", "beta", "stable"};
  return kNames[static_cast<std::size_t>(stability)];
}

void Registry::Add(ReceiverFactory factory) { AddTo(receivers_, std::move(factory)); }
void Registry::Add(ProcessorFactory factory) { AddTo(processors_, std::move(factory)); }
void Registry::Add(ExporterFactory factory) { AddTo(exporters_, std::move(factory)); }
void Registry::Add(ConnectorFactory factory) { AddTo(connectors_, std::move(factory)); }
void Registry::Add(ExtensionFactory factory) { AddTo(extensions_, std::move(factory)); }

const ReceiverFactory* Registry::FindReceiver(std::string_view type) const {
  return FindIn(receivers_, type);
}
const ProcessorFactory* Registry::FindProcessor(std::string_view type) const {
  return FindIn(processors_, type);
}
const ExporterFactory* Registry::FindExporter(std::string_view type) const {
  return FindIn(exporters_, type);
}
const ConnectorFactory* Registry::FindConnector(std::string_view type) const {
  return FindIn(connectors_, type);
}
const ExtensionFactory* Registry::FindExtension(std::string_view type) const {
  return FindIn(extensions_, type);
}

const FactoryInfo* Registry::Find(ComponentKind kind, std::string_view type) const {
  for (const FactoryInfo* info : List(kind)) {
    if (Named(*info, type)) {
      return info;
    }
  }
  return nullptr;
}

std::vector<const FactoryInfo*> Registry::List(ComponentKind kind) const {
  switch (kind) {
    case ComponentKind::kReceiver:
      return Infos(receivers_);
    case ComponentKind::kProcessor:
      return Infos(processors_);
    case ComponentKind::kExporter:
      return Infos(exporters_);
    case ComponentKind::kConnector:
      return Infos(connectors_);
    case ComponentKind::kExtension:
      break;
  }
  return Infos(extensions_);
}

}  // namespace weir
