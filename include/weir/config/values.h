// Value types that options have beside the language's own: durations, sizes, secrets, component
// ids.
//
// Threads: plain values.

#ifndef WEIR_CONFIG_VALUES_H_
#define WEIR_CONFIG_VALUES_H_

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir {

// An option's duration, written as Go writes it: `1h2m3.5s`, `200ms`, `-1s`, `0`.
using Duration = std::chrono::nanoseconds;

std::optional<Duration> ParseDuration(std::string_view text);
std::string FormatDuration(Duration duration);  // ParseDuration gives back the same value.

// A number of bytes. Written plain or with a unit: `4194304`, `4MiB`, `10MB`, `512kb`, `1.5GiB`.
// kb, MB, GB and TB are powers of 1000; KiB, MiB, GiB and TiB of 1024; case does not matter.
struct ByteSize {
  std::uint64_t bytes = 0;
  auto operator<=>(const ByteSize&) const = default;
};

std::optional<ByteSize> ParseByteSize(std::string_view text);
std::string FormatByteSize(ByteSize size);

// A password, token or key. It has no way to be printed; reveal() is for the code that sends it.
class Secret {
 public:
  static constexpr std::string_view kRedacted = "[REDACTED]";

  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}

  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  bool operator==(const Secret&) const = default;

 private:
  std::string value_;
};

// `otlp` or `otlp/2`: the type of a component and, after the slash, the name of the instance.
struct ComponentId {
  std::string type;
  std::string name;

  std::string ToString() const { return name.empty() ? type : type + "/" + name; }
  auto operator<=>(const ComponentId&) const = default;
};

// Spaces around the type and the name are dropped, as in the Collector. On failure the result is
// empty and `error`, where given, says why.
std::optional<ComponentId> ParseComponentId(std::string_view text, std::string* error = nullptr);

}  // namespace weir

#endif  // WEIR_CONFIG_VALUES_H_
