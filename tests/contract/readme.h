// Readme is a component's README as data: its title, its table of facts, its sections, its examples
// and its option table, which a test holds against the code or writes anew.

#ifndef WEIR_TESTS_CONTRACT_README_H_
#define WEIR_TESTS_CONTRACT_README_H_

#include <string>
#include <string_view>
#include <vector>

#include "weir/component/factory.h"

namespace weir::contract {

// True when the tests write what they would otherwise compare (WEIR_UPDATE_DOCS=1).
bool UpdateDocs();

// Files of the source tree. A file that is not there reads as empty.
std::string ReadSource(const std::string& path);
void WriteSource(const std::string& path, const std::string& text);

// `text` with what stands between the lines `<!-- name -->` and `<!-- end name -->` replaced.
// Empty when it has no such lines.
std::string ReplaceGenerated(std::string_view text, std::string_view name, std::string_view body);

class Readme {
 public:
  explicit Readme(const FactoryInfo& info);

  const std::string& path() const { return path_; }  // From the root of the source tree.
  const std::string& text() const { return text_; }
  std::string Title() const;
  std::vector<std::string> Sections() const;            // Headings of the second level, in order.
  std::string Section(std::string_view heading) const;  // Without its heading.
  std::string Overview() const;                         // Between the facts and the first section.
  std::vector<std::string> Facts() const;               // Cells of the first table's only row.
  std::vector<std::string> Examples() const;            // YAML blocks of "Getting started".
  std::string OptionTable() const;                      // First table of "Options".
  std::string WithOptionTable(std::string_view table) const;  // The whole text; empty: no section.

 private:
  std::string path_;
  std::string text_;
};

}  // namespace weir::contract

#endif  // WEIR_TESTS_CONTRACT_README_H_
