#include "weir/config/yaml.h"

#include <exception>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/exceptions.h"
#include "yaml-cpp/parser.h"

namespace weir {

namespace {

constexpr std::string_view kCoreTag = "tag:yaml.org,2002:";

// Put behind the text: the parser forgives a quote that is never closed when the text ends with a
// line break.
constexpr std::string_view kEndComment = "# end";

// Builds the tree from the parser's events. The parser cannot be stopped from within, so after the
// first fatal error the remaining events fall through.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::shared_ptr<const ConfigSource> source, ConfigErrors& errors)
      : source_(std::move(source)), errors_(errors) {}

  bool failed() const { return failed_; }
  ConfigNode TakeRoot() { return std::move(root_); }
  SourceMark MarkOf(const YAML::Mark& mark) const {
    return mark.is_null() ? SourceMark{source_, 0, 0}
                          : SourceMark{source_, mark.line + 1, mark.column + 1};
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (Count(1, mark)) {
      Add(ConfigNode::Null(MarkOf(mark)), MarkOf(mark), anchor, /*plain=*/true);
    }
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (!Count(1, mark)) {
      return;
    }
    bool plain = tag == "?";
    if (std::string_view core = tag; core.starts_with(kCoreTag)) {
      core.remove_prefix(kCoreTag.size());
      plain = core != "str" && core != "binary";
      if (core == "binary") {
        errors_.Add(MarkOf(mark), "", "`!!binary` is not supported");
      }
    }
    Add(ConfigNode::Scalar(value, !plain, MarkOf(mark)), MarkOf(mark), anchor, plain);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (failed_) {
      return;
    }
    if (found == anchors_.end()) {
      return Fail(mark, "this alias refers to a value that contains it");
    }
    if (Count(found->second.expanded_node_count(), mark)) {
      Add(found->second, MarkOf(mark), 0, /*plain=*/false);
    }
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(/*is_map=*/false, mark, anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(/*is_map=*/true, mark, anchor);
  }
  void OnMapEnd() override { Close(); }

 private:
  // A sequence or map that is being read.
  struct Frame {
    bool is_map = false;
    SourceMark mark;
    YAML::anchor_t anchor = 0;
    std::vector<ConfigNode> items;
    std::vector<ConfigNode::Entry> entries;
    std::unordered_map<std::string, SourceMark> keys;
    std::vector<ConfigNode> merged;  // Values of `<<`, the strongest first.
    bool has_key = false;
    bool key_is_merge = false;
    bool key_is_usable = false;
    std::string key;
    SourceMark key_mark;
  };

  void Fail(const YAML::Mark& mark, std::string_view message) {
    errors_.Add(MarkOf(mark), "", message);
    failed_ = true;
  }

  // Charges nodes to the limit; false once the document has failed.
  bool Count(std::size_t nodes, const YAML::Mark& mark) {
    if (failed_) {
      return false;
    }
    if (nodes > kConfigNodesMax - node_count_) {
      Fail(mark,
           fmt::format("more than {} values, counting what aliases unfold to", kConfigNodesMax));
      return false;
    }
    node_count_ += nodes;
    return true;
  }

  void Open(bool is_map, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (!Count(1, mark)) {
      return;
    }
    if (frames_.size() == kConfigDepthMax) {
      return Fail(mark, fmt::format("nested deeper than {} levels", kConfigDepthMax));
    }
    Frame& frame = frames_.emplace_back();
    frame.is_map = is_map;
    frame.mark = MarkOf(mark);
    frame.anchor = anchor;
  }

  void Close() {
    if (failed_) {
      return;
    }
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    const SourceMark mark = frame.mark;
    for (const ConfigNode& merged : frame.merged) {
      MergeInto(frame, merged);
    }
    if (!failed_) {
      Add(frame.is_map ? ConfigNode::Map(std::move(frame.entries), mark)
                       : ConfigNode::Sequence(std::move(frame.items), mark),
          mark, frame.anchor, /*plain=*/false);
    }
  }

  // Adds the keys of a `<<` value that the map does not have yet.
  void MergeInto(Frame& frame, const ConfigNode& merged) {
    for (const ConfigNode::Entry& entry : merged.entries()) {
      if (frame.keys.try_emplace(entry.key, entry.key_mark).second) {
        if (entry.value.expanded_node_count() > kConfigNodesMax - node_count_) {
          errors_.Add(
              frame.mark, "",
              fmt::format("more than {} values, counting what merges unfold to", kConfigNodesMax));
          failed_ = true;
          return;
        }
        node_count_ += entry.value.expanded_node_count();
        frame.entries.push_back(entry);
      }
    }
  }

  void Add(ConfigNode node, const SourceMark& mark, YAML::anchor_t anchor, bool plain) {
    if (anchor != 0) {
      anchors_.insert_or_assign(anchor, node);
    }
    if (frames_.empty()) {
      root_ = std::move(node);
    } else if (Frame& frame = frames_.back(); !frame.is_map) {
      frame.items.push_back(std::move(node));
    } else if (!frame.has_key) {
      AddKey(frame, node, mark, plain);
    } else {
      AddValue(frame, std::move(node));
    }
  }

  void AddKey(Frame& frame, const ConfigNode& node, const SourceMark& mark, bool plain) {
    frame.has_key = true;
    frame.key = node.scalar();
    frame.key_mark = mark;
    frame.key_is_merge = plain && frame.key == "<<";
    frame.key_is_usable = false;
    if (!node.is_scalar()) {
      errors_.Add(mark, "", "a key must be text");
      return;
    }
    if (frame.key_is_merge) {
      return;
    }
    const auto [first, is_new] = frame.keys.try_emplace(frame.key, mark);
    frame.key_is_usable = is_new;
    if (!is_new) {
      errors_.Add(mark, "",
                  fmt::format("key `{}` is given twice; the first is in line {}", frame.key,
                              first->second.line));
    }
  }

  void AddValue(Frame& frame, ConfigNode node) {
    frame.has_key = false;
    if (frame.key_is_merge) {
      AddMerge(frame, node);
      return;
    }
    if (node.is_null()) {
      node = node.WithMark(frame.key_mark);  // `key:` has no place of its own.
    }
    if (frame.key_is_usable) {
      frame.entries.push_back({std::move(frame.key), frame.key_mark, std::move(node)});
    }
  }

  void AddMerge(Frame& frame, const ConfigNode& node) {
    std::vector<ConfigNode> maps(node.items().begin(), node.items().end());
    if (node.is_map()) {
      maps.push_back(node);
    }
    bool all_maps = !node.is_scalar() && !node.is_null();
    for (const ConfigNode& map : maps) {
      all_maps = all_maps && map.is_map();
    }
    if (!all_maps) {
      errors_.Add(frame.key_mark, "", "`<<` takes a map or a list of maps");
      return;
    }
    frame.merged.insert(frame.merged.end(), maps.begin(), maps.end());
  }

  const std::shared_ptr<const ConfigSource> source_;
  ConfigErrors& errors_;
  std::vector<Frame> frames_;
  std::unordered_map<YAML::anchor_t, ConfigNode> anchors_;
  ConfigNode root_;
  std::size_t node_count_ = 0;
  bool failed_ = false;
};

// Swallows a document that is not used.
class IgnoreEvents final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

}  // namespace

std::optional<ConfigNode> ParseYaml(const std::shared_ptr<const ConfigSource>& source,
                                    ConfigErrors& errors) {
  const SourceMark whole{source, 0, 0};
  if (source->text.size() > kConfigBytesMax) {
    errors.Add(whole, "", fmt::format("larger than {} bytes", kConfigBytesMax));
    return std::nullopt;
  }
  const std::size_t errors_before = errors.error_count();
  TreeBuilder builder(source, errors);
  try {
    std::istringstream stream(source->text + (source->text.ends_with('\n') ? "" : "\n") +
                              std::string(kEndComment));
    YAML::Parser parser(stream);
    static_cast<void>(parser.HandleNextDocument(builder));
    IgnoreEvents ignore;
    if (!builder.failed() && parser.HandleNextDocument(ignore)) {
      errors.Warn(whole, "", "only the first of several documents is used");
    }
  } catch (const YAML::Exception& exception) {
    errors.Add(builder.MarkOf(exception.mark), "", fmt::format("invalid YAML: {}", exception.msg));
  } catch (const std::exception& exception) {
    errors.Add(whole, "", fmt::format("invalid YAML: {}", exception.what()));
  }
  if (errors.error_count() != errors_before) {
    return std::nullopt;
  }
  return builder.TakeRoot();
}

}  // namespace weir
