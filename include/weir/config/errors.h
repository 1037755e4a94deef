// ConfigErrors collects everything that is wrong with a configuration, so that an operator sees all
// of it at once, each problem with its place, its path, and the nearest known name.
//
//   otel.yaml:12:5: error: receivers::otlp::protocols: unknown option `grcp`, did you mean `grpc`?
//       grcp:
//       ^
//
// Threads: none; one loading thread owns it.
// Invariants: at most kProblemsMax problems are kept; more are counted.

#ifndef WEIR_CONFIG_ERRORS_H_
#define WEIR_CONFIG_ERRORS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "weir/config/node.h"

namespace weir {

struct ConfigProblem {
  enum class Severity : std::uint8_t { kError, kWarning };
  Severity severity = Severity::kError;
  SourceMark mark;
  std::string path;  // `receivers::otlp::protocols`; empty for the file as a whole.
  std::string message;
};

class ConfigErrors {
 public:
  static constexpr std::size_t kProblemsMax = 500;

  void Add(const SourceMark& mark, std::string_view path, std::string_view message);
  void Warn(const SourceMark& mark, std::string_view path, std::string_view message);

  bool ok() const { return error_count_ == 0; }  // Warnings do not count.
  std::size_t error_count() const { return error_count_; }
  std::size_t warning_count() const { return warning_count_; }
  std::span<const ConfigProblem> problems() const { return problems_; }

  // Every problem in the order of the sources, each with its line and a caret.
  std::string Render() const;

  // OK, or InvalidArgument with all errors (not the warnings) on one line each.
  absl::Status ToStatus() const;

 private:
  void Keep(ConfigProblem::Severity severity, const SourceMark& mark, std::string_view path,
            std::string_view message);

  std::vector<ConfigProblem> problems_;
  std::size_t error_count_ = 0;
  std::size_t warning_count_ = 0;
};

// `file:line:column: error: path: message`, without the source line.
std::string RenderProblem(const ConfigProblem& problem);

// The known name that `name` was probably meant to be; empty when none is near.
std::string NearestName(std::string_view name, std::span<const std::string> known);

// ", did you mean `x`?" or nothing: what an error about an unknown name ends with.
std::string Suggestion(std::string_view name, std::span<const std::string> known);

// `a::b`, or `b` when `path` is empty: how the path of an option grows.
std::string JoinPath(std::string_view path, std::string_view key);

}  // namespace weir

#endif  // WEIR_CONFIG_ERRORS_H_
