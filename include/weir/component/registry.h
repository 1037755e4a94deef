// Registry knows every component type this binary was built with.
//
// Threads: filled once in main(), before any thread exists, and read-only afterwards; that is why
// it needs no lock.

#ifndef WEIR_COMPONENT_REGISTRY_H_
#define WEIR_COMPONENT_REGISTRY_H_

#include <string>
#include <string_view>
#include <vector>

#include "weir/component/factory.h"

namespace weir {

class Registry {
 public:
  // REQUIRES: no component of this kind has the type or one of the aliases.
  void Add(ReceiverFactory factory);
  void Add(ProcessorFactory factory);
  void Add(ExporterFactory factory);
  void Add(ConnectorFactory factory);
  void Add(ExtensionFactory factory);

  // By type or alias; null when there is none.
  const ReceiverFactory* FindReceiver(std::string_view type) const;
  const ProcessorFactory* FindProcessor(std::string_view type) const;
  const ExporterFactory* FindExporter(std::string_view type) const;
  const ConnectorFactory* FindConnector(std::string_view type) const;
  const ExtensionFactory* FindExtension(std::string_view type) const;

  // Null when there is none.
  const FactoryInfo* Find(ComponentKind kind, std::string_view type) const;
  // All of a kind, sorted by type.
  std::vector<const FactoryInfo*> List(ComponentKind kind) const;

 private:
  std::vector<ReceiverFactory> receivers_;
  std::vector<ProcessorFactory> processors_;
  std::vector<ExporterFactory> exporters_;
  std::vector<ConnectorFactory> connectors_;
  std::vector<ExtensionFactory> extensions_;
};

// Defined in a file that cmake/components.cmake generates from src/components.cmake.
void AddBuiltinComponents(Registry& registry);

}  // namespace weir

#endif  // WEIR_COMPONENT_REGISTRY_H_
