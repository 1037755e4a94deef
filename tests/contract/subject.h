// Subject: a registered component with its kind erased, made from the examples of its README, so
// that one test can put every one of them through the same life.

#ifndef WEIR_TESTS_CONTRACT_SUBJECT_H_
#define WEIR_TESTS_CONTRACT_SUBJECT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "weir/component/registry.h"
#include "weir/config/errors.h"
#include "weir/testkit/harness.h"

namespace weir::contract {

// What src/components.cmake lists.
const Registry& Builtin();

// Every component of the registry; of one kind.
std::vector<const FactoryInfo*> AllComponents();
std::vector<const FactoryInfo*> ComponentsOf(ComponentKind kind);

// "exporter_otlp_http": the name of a parameterized test.
std::string TestName(const ::testing::TestParamInfo<const FactoryInfo*>& info);
// "exporters::file"
std::string ConfigPath(const FactoryInfo& info);

// One instance that an example of the README configures.
struct Example {
  std::string id;
  ConfigNode options;
};
// Parsed as the daemon would, with every variable set to "1".
std::vector<Example> Examples(const FactoryInfo& info, ConfigErrors& errors);

// The options as a test may run them: what is listened on becomes a free port of the loopback, what
// is connected to becomes `unreachable`.
ConfigNode Relocate(const FactoryInfo& info, const ConfigNode& options,
                    const std::string& unreachable);
// True when the options name files outside of the working folder.
bool NamesAbsolutePath(const ConfigNode& options);

absl::StatusOr<std::unique_ptr<Component>> Create(const FactoryInfo& info, const Example& example,
                                                  testkit::Harness& harness);

// A loopback port that is bound and does not listen: every connection to it is refused.
class UnreachablePort {
 public:
  UnreachablePort();
  ~UnreachablePort();
  UnreachablePort(const UnreachablePort&) = delete;
  UnreachablePort& operator=(const UnreachablePort&) = delete;

  std::string address() const;  // "127.0.0.1:12345"

 private:
  int socket_ = -1;
  std::uint16_t port_ = 0;
};

// A folder of its own as the working folder, for components that write relative paths.
class WorkingFolder {
 public:
  WorkingFolder();
  ~WorkingFolder();
  WorkingFolder(const WorkingFolder&) = delete;
  WorkingFolder& operator=(const WorkingFolder&) = delete;

 private:
  std::string before_;
  std::string folder_;
};

// A request of `items` items; item `malformed` (from 0) has bytes inside that are no protobuf.
std::string MakeRequest(Signal signal, int items, int malformed = -1);

}  // namespace weir::contract

#endif  // WEIR_TESTS_CONTRACT_SUBJECT_H_
