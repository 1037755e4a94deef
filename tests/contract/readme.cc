#include "tests/contract/readme.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "fmt/format.h"

namespace weir::contract {
namespace {

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return lines;
}

// The first run of lines that are a table, with the place where it stands.
struct Table {
  std::size_t begin = std::string::npos;
  std::string text;
};

Table FirstTable(std::string_view text) {
  Table table;
  std::size_t at = 0;
  for (const std::string& line : Lines(text)) {
    if (line.starts_with('|')) {
      table.begin = table.text.empty() ? at : table.begin;
      table.text += line + "\n";
    } else if (!table.text.empty()) {
      break;
    }
    at += line.size() + 1;
  }
  return table;
}

std::vector<std::string> Cells(std::string_view row) {
  std::vector<std::string> cells;
  row.remove_prefix(row.empty() ? 0 : 1);
  for (std::size_t end = row.find('|'); end != std::string_view::npos; end = row.find('|')) {
    std::string cell(row.substr(0, end));
    cell.erase(0, cell.find_first_not_of(' '));
    cell.erase(cell.find_last_not_of(' ') + 1);
    cells.push_back(std::move(cell));
    row.remove_prefix(end + 1);
  }
  return cells;
}

// Where the contents of a section begin and end.
std::pair<std::size_t, std::size_t> SectionRange(std::string_view text, std::string_view heading) {
  const std::string line = fmt::format("\n## {}\n", heading);
  const std::size_t begin = text.find(line);
  if (begin == std::string_view::npos) {
    return {text.size(), text.size()};
  }
  const std::size_t end = text.find("\n## ", begin + line.size() - 1);
  return {begin + line.size(), end == std::string_view::npos ? text.size() : end + 1};
}

}  // namespace

bool UpdateDocs() { return std::getenv("WEIR_UPDATE_DOCS") != nullptr; }

std::string ReadSource(const std::string& path) {
  std::ifstream file(fmt::format("{}/{}", WEIR_SOURCE_DIR, path));
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void WriteSource(const std::string& path, const std::string& text) {
  std::ofstream(fmt::format("{}/{}", WEIR_SOURCE_DIR, path)) << text;
}

std::string ReplaceGenerated(std::string_view text, std::string_view name, std::string_view body) {
  const std::string begin_line = fmt::format("<!-- {} -->\n", name);
  const std::string end_line = fmt::format("<!-- end {} -->\n", name);
  const std::size_t begin = text.find(begin_line);
  const std::size_t end = text.find(end_line);
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) {
    return "";
  }
  return fmt::format("{}{}{}", text.substr(0, begin + begin_line.size()), body, text.substr(end));
}

Readme::Readme(const FactoryInfo& info)
    : path_(fmt::format("src/{}s/{}/README.md", ComponentKindName(info.kind), info.folder)),
      text_(ReadSource(path_)) {}

std::string Readme::Title() const {
  const std::vector<std::string> lines = Lines(text_);
  return lines.empty() || !lines.front().starts_with("# ") ? "" : lines.front().substr(2);
}

std::vector<std::string> Readme::Sections() const {
  std::vector<std::string> sections;
  for (const std::string& line : Lines(text_)) {
    if (line.starts_with("## ")) {
      sections.push_back(line.substr(3));
    }
  }
  return sections;
}

std::string Readme::Section(std::string_view heading) const {
  const auto [begin, end] = SectionRange(text_, heading);
  return text_.substr(begin, end - begin);
}

std::string Readme::Overview() const {
  const Table facts = FirstTable(text_);
  if (facts.text.empty()) {
    return "";
  }
  const std::size_t begin = facts.begin + facts.text.size();
  std::string overview = text_.substr(begin, text_.find("\n## ", begin) - begin);
  overview.erase(0, overview.find_first_not_of('\n'));
  return overview;
}

std::vector<std::string> Readme::Facts() const {
  const std::vector<std::string> rows = Lines(FirstTable(text_).text);
  return rows.size() == 3 ? Cells(rows[2]) : std::vector<std::string>();
}

std::vector<std::string> Readme::Examples() const {
  constexpr std::string_view kFence = "```yaml\n";
  std::vector<std::string> examples;
  const std::string section = Section("Getting started");
  for (std::size_t at = section.find(kFence); at != std::string::npos;) {
    const std::size_t begin = at + kFence.size();
    const std::size_t end = section.find("```", begin);
    examples.push_back(section.substr(begin, end - begin));
    at = end == std::string::npos ? end : section.find(kFence, end);
  }
  return examples;
}

std::string Readme::OptionTable() const { return FirstTable(Section("Options")).text; }

std::string Readme::WithOptionTable(std::string_view table) const {
  const auto [begin, end] = SectionRange(text_, "Options");
  if (begin == text_.size()) {
    return "";
  }
  const Table old = FirstTable(text_.substr(begin, end - begin));
  std::string text = text_;
  if (old.text.empty()) {
    return text.insert(begin, fmt::format("\n{}", table));
  }
  return text.replace(begin + old.begin, old.text.size(), table);
}

}  // namespace weir::contract
