#include "tests/contract/subject.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <regex>

#include "fmt/format.h"
#include "tests/contract/readme.h"
#include "weir/base/check.h"
#include "weir/config/loader.h"
#include "weir/wire/writer.h"

namespace weir::contract {
namespace {

constexpr ComponentKind kKinds[] = {ComponentKind::kReceiver, ComponentKind::kProcessor,
                                    ComponentKind::kExporter, ComponentKind::kConnector,
                                    ComponentKind::kExtension};

bool IsNamed(const FactoryInfo& info, std::string_view id) {
  const std::string_view type = id.substr(0, id.find('/'));
  return type == info.type || std::ranges::find(info.aliases, type) != info.aliases.end();
}

// `localhost:4317`, `http://gateway:4318/path`: the address is the second group.
const std::regex& AddressPattern() {
  static const std::regex pattern(R"(^([a-z]+://)?([A-Za-z0-9_.-]+:[0-9]{1,5})(/.*)?$)");
  return pattern;
}

ConfigNode RelocateNode(const ConfigNode& node, std::string_view key, bool listens,
                        const std::string& unreachable) {
  if (node.is_map()) {
    std::vector<ConfigNode::Entry> entries(node.entries().begin(), node.entries().end());
    for (ConfigNode::Entry& entry : entries) {
      entry.value = RelocateNode(entry.value, entry.key, listens, unreachable);
    }
    return ConfigNode::Map(std::move(entries), node.mark());
  }
  if (node.is_sequence()) {
    std::vector<ConfigNode> items;
    for (const ConfigNode& item : node.items()) {
      items.push_back(RelocateNode(item, key, listens, unreachable));
    }
    return ConfigNode::Sequence(std::move(items), node.mark());
  }
  std::smatch match;
  if (!std::regex_match(node.scalar(), match, AddressPattern())) {
    return node;
  }
  const std::string address = listens && key == "endpoint" ? "127.0.0.1:0" : unreachable;
  return ConfigNode::String(match.str(1) + address + match.str(3));
}

// The rest of an item: a name, an attribute, or bytes that end inside a field.
void WriteItem(wire::Writer& writer, std::uint32_t name, std::uint32_t attributes, int number,
               bool malformed) {
  if (malformed) {
    writer.Raw("\x4a\x7f\x01");
    return;
  }
  if (name != 0) {
    writer.String(name, fmt::format("item {}", number));
  }
  writer.IntAttribute(attributes, "number", number);
}

}  // namespace

const Registry& Builtin() {
  static const Registry registry = [] {
    Registry built;
    AddBuiltinComponents(built);
    return built;
  }();
  return registry;
}

std::vector<const FactoryInfo*> AllComponents() {
  std::vector<const FactoryInfo*> all;
  for (const ComponentKind kind : kKinds) {
    const std::vector<const FactoryInfo*> some = ComponentsOf(kind);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

std::vector<const FactoryInfo*> ComponentsOf(ComponentKind kind) { return Builtin().List(kind); }

std::string TestName(const ::testing::TestParamInfo<const FactoryInfo*>& info) {
  return fmt::format("{}_{}", ComponentKindName(info.param->kind), info.param->type);
}

std::string ConfigPath(const FactoryInfo& info) {
  return fmt::format("{}s::{}", ComponentKindName(info.kind), info.type);
}

std::vector<Example> Examples(const FactoryInfo& info, ConfigErrors& errors) {
  const ConfigWorld world = {
      .variable = [](const std::string&) { return std::string("1"); },
      .read_file = [](const std::string& path) -> absl::StatusOr<std::string> {
        return absl::NotFoundError(path);
      },
      .fetch = nullptr};
  std::vector<Example> examples;
  for (const std::string& text : Readme(info).Examples()) {
    const ConfigNode root = LoadConfig({.locations = {"yaml:" + text}}, world, errors).root;
    const ConfigNode* section = root.Find(fmt::format("{}s", ComponentKindName(info.kind)));
    if (section == nullptr) {
      continue;
    }
    for (const ConfigNode::Entry& entry : section->entries()) {
      if (IsNamed(info, entry.key)) {
        examples.push_back({.id = entry.key, .options = entry.value});
      }
    }
  }
  return examples;
}

ConfigNode Relocate(const FactoryInfo& info, const ConfigNode& options,
                    const std::string& unreachable) {
  const bool listens =
      info.kind == ComponentKind::kReceiver || info.kind == ComponentKind::kExtension;
  return RelocateNode(options, "", listens, unreachable);
}

bool NamesAbsolutePath(const ConfigNode& options) {
  for (const ConfigNode::Entry& entry : options.entries()) {
    if (NamesAbsolutePath(entry.value)) {
      return true;
    }
  }
  return std::ranges::any_of(options.items(), NamesAbsolutePath) ||
         options.scalar().starts_with('/');
}

absl::StatusOr<std::unique_ptr<Component>> Create(const FactoryInfo& info, const Example& example,
                                                  testkit::Harness& harness) {
  const std::string path = ConfigPath(info);
  switch (info.kind) {
    case ComponentKind::kReceiver:
      return Builtin().FindReceiver(info.type)->create(example.options, path,
                                                       harness.ForReceiver(example.id));
    case ComponentKind::kProcessor: {
      const Signal signal =
          *std::ranges::find_if(kSignals, [&info](Signal each) { return info.signals.Has(each); });
      return Builtin().FindProcessor(info.type)->create(example.options, path,
                                                        harness.ForProcessor(example.id, signal));
    }
    case ComponentKind::kExporter:
      return Builtin().FindExporter(info.type)->create(example.options, path,
                                                       harness.ForExporter(example.id));
    case ComponentKind::kConnector:
      return Builtin().FindConnector(info.type)->create(example.options, path,
                                                        harness.ForConnector(example.id));
    case ComponentKind::kExtension:
      break;
  }
  return Builtin().FindExtension(info.type)->create(example.options, path,
                                                    harness.ForExtension(example.id));
}

UnreachablePort::UnreachablePort() {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  WEIR_CHECK(::bind(socket_, reinterpret_cast<sockaddr*>(&address), length) == 0);
  WEIR_CHECK(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  port_ = ntohs(address.sin_port);
}

UnreachablePort::~UnreachablePort() { ::close(socket_); }

std::string UnreachablePort::address() const { return fmt::format("127.0.0.1:{}", port_); }

WorkingFolder::WorkingFolder() : before_(std::filesystem::current_path()) {
  std::string pattern = ::testing::TempDir() + "/weir-contract-XXXXXX";
  WEIR_CHECK(::mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
  std::filesystem::current_path(folder_);
}

WorkingFolder::~WorkingFolder() {
  std::filesystem::current_path(before_);
  std::filesystem::remove_all(folder_);
}

std::string MakeRequest(Signal signal, int items, int malformed) {
  namespace otlp = wire::otlp;
  wire::Writer writer;
  {
    auto resource_group = writer.Open(otlp::kRequestResources);
    {
      auto resource = writer.Open(otlp::kResourceResource);
      writer.StringAttribute(otlp::kResourceAttributes, "service.name", "contract");
    }
    auto scope_group = writer.Open(otlp::kResourceScopes);
    for (int number = 0; number < items; ++number) {
      const bool broken = number == malformed;
      auto item = writer.Open(otlp::kScopeItems);
      switch (signal) {
        case Signal::kTraces:
          writer.Bytes(otlp::kSpanTraceId, fmt::format("{:016}", number));
          writer.Bytes(otlp::kSpanSpanId, fmt::format("{:08}", number));
          WriteItem(writer, otlp::kSpanName, otlp::kSpanAttributes, number, broken);
          break;
        case Signal::kMetrics: {
          writer.String(otlp::kMetricName, "contract");
          auto gauge = writer.Open(otlp::kMetricGauge);
          auto point = writer.Open(otlp::kDataPoints);
          WriteItem(writer, 0, otlp::kNumberAttributes, number, broken);
          break;
        }
        case Signal::kLogs:
          WriteItem(writer, otlp::kLogSeverityText, otlp::kLogAttributes, number, broken);
          break;
      }
    }
  }
  return std::string(writer.view());
}

}  // namespace weir::contract
