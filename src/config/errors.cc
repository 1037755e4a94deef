#include "weir/config/errors.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "config/redact.h"
#include "fmt/format.h"

namespace weir {

namespace {

constexpr std::size_t kMessageBytesMax = 2000;
constexpr std::size_t kExcerptBytesMax = 160;
constexpr std::size_t kNameBytesMax = 64;

// Text out of the configuration must not break the one-line form or a terminal.
std::string Printable(std::string_view text) {
  std::string result;
  for (const char c : text.substr(0, kMessageBytesMax)) {
    if (c == '\n') {
      result += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      result += c;
    }
  }
  return result;
}

std::string_view LineOf(std::string_view text, int line) {
  std::size_t start = 0;
  for (int i = 1; i < line; ++i) {
    const std::size_t end = text.find('\n', start);
    if (end == std::string_view::npos) {
      return {};
    }
    start = end + 1;
  }
  std::string_view result = text.substr(start, text.find('\n', start) - start);
  if (result.ends_with('\r')) {
    result.remove_suffix(1);
  }
  return result;
}

// A problem with a key shows the key alone: what stands behind a mistyped `pasword:` is none of the
// log's business. (A line that names a secret is not shown at all.)
std::string_view WithoutValue(std::string_view line, int column) {
  std::size_t end = static_cast<std::size_t>(std::max(column, 1)) - 1;
  while (end < line.size() && line[end] != ':' && line[end] != ' ' && line[end] != '"') {
    ++end;
  }
  const bool is_key =
      end < line.size() && line[end] == ':' && (end + 1 == line.size() || line[end + 1] == ' ');
  return is_key ? line.substr(0, end + 1) : line;
}

// The source line with a caret under the column, or nothing when there is no line to show.
std::string Excerpt(const SourceMark& mark) {
  if (mark.source == nullptr || mark.line == 0 || mark.column == 0) {
    return {};
  }
  const std::string_view line = WithoutValue(LineOf(mark.source->text, mark.line), mark.column);
  const std::size_t column = static_cast<std::size_t>(std::max(mark.column, 1)) - 1;
  if (line.empty() || column > line.size() || column > kExcerptBytesMax ||
      IsCalledLikeASecret(line)) {
    return {};
  }
  std::string caret;
  for (const char c : line.substr(0, column)) {
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) {  // One space a character, not a byte.
      caret += c == '\t' ? '\t' : ' ';
    }
  }
  std::string shown(line.substr(0, kExcerptBytesMax));
  std::ranges::replace_if(
      shown, [](char c) { return c != '\t' && static_cast<unsigned char>(c) < 0x20; }, ' ');
  return fmt::format("    {}\n    {}^\n", shown, caret);
}

std::string Folded(std::string_view name) {
  std::string folded;
  for (const char c : name.substr(0, kNameBytesMax)) {
    folded += c == '-' ? '_' : static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  }
  return folded;
}

// Edits (insert, delete, replace, swap of neighbours) between two names.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    last[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

void ConfigErrors::Keep(ConfigProblem::Severity severity, const SourceMark& mark,
                        std::string_view path, std::string_view message) {
  if (problems_.size() < kProblemsMax) {
    problems_.push_back({.severity = severity,
                         .mark = mark,
                         .path = std::string(path),
                         .message = std::string(message)});
  }
}

void ConfigErrors::Add(const SourceMark& mark, std::string_view path, std::string_view message) {
  ++error_count_;
  Keep(ConfigProblem::Severity::kError, mark, path, message);
}

void ConfigErrors::Warn(const SourceMark& mark, std::string_view path, std::string_view message) {
  ++warning_count_;
  Keep(ConfigProblem::Severity::kWarning, mark, path, message);
}

std::string ConfigErrors::Render() const {
  std::map<const ConfigSource*, std::size_t> source_order = {{nullptr, 0}};
  std::vector<const ConfigProblem*> sorted;
  for (const ConfigProblem& problem : problems_) {
    source_order.try_emplace(problem.mark.source.get(), source_order.size());
    sorted.push_back(&problem);
  }
  std::ranges::stable_sort(sorted, {}, [&source_order](const ConfigProblem* problem) {
    const SourceMark& mark = problem->mark;
    return std::tuple(source_order[mark.source.get()], mark.line, mark.column);
  });
  std::string text;
  for (const ConfigProblem* problem : sorted) {
    text += RenderProblem(*problem) + "\n" + Excerpt(problem->mark);
  }
  if (const std::size_t total = error_count_ + warning_count_; total > problems_.size()) {
    text += fmt::format("and {} more\n", total - problems_.size());
  }
  return text;
}

absl::Status ConfigErrors::ToStatus() const {
  if (ok()) {
    return absl::OkStatus();
  }
  std::string text;
  for (const ConfigProblem& problem : problems_) {
    if (problem.severity == ConfigProblem::Severity::kError) {
      text += text.empty() ? "" : "\n";
      text += RenderProblem(problem);
    }
  }
  return absl::InvalidArgumentError(text);
}

std::string RenderProblem(const ConfigProblem& problem) {
  std::string text;
  if (const std::string place = problem.mark.ToString(); !place.empty()) {
    text = Printable(place) + ": ";
  }
  text += problem.severity == ConfigProblem::Severity::kError ? "error: " : "warning: ";
  if (!problem.path.empty()) {
    text += Printable(problem.path) + ": ";
  }
  return text + Printable(problem.message);
}

std::string NearestName(std::string_view name, std::span<const std::string> known) {
  const std::string wanted = Folded(name);
  const std::size_t limit = wanted.size() <= 3 ? 1 : std::max<std::size_t>(2, wanted.size() / 3);
  std::string nearest;
  std::size_t nearest_distance = limit + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = Distance(wanted, Folded(candidate));
    if (distance < nearest_distance && distance < candidate.size()) {
      nearest = candidate;
      nearest_distance = distance;
    }
  }
  return nearest;
}

std::string Suggestion(std::string_view name, std::span<const std::string> known) {
  const std::string nearest = NearestName(name, known);
  return nearest.empty() ? std::string() : fmt::format(", did you mean `{}`?", nearest);
}

std::string JoinPath(std::string_view path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}::{}", path, key);
}

}  // namespace weir
