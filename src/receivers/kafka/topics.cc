#include "receivers/kafka/topics.h"

#include <regex.h>

#include <algorithm>
#include <array>

#include "weir/base/status.h"

namespace weir::receivers::kafka {
namespace {

struct RegexDeleter {
  void operator()(regex_t* regex) const {
    regfree(regex);
    std::default_delete<regex_t>()(regex);
  }
};
using Regex = std::unique_ptr<regex_t, RegexDeleter>;

absl::StatusOr<Regex> Compile(const std::string& pattern) {
  auto regex = std::make_unique<regex_t>();
  if (const int error = regcomp(regex.get(), pattern.c_str(), REG_EXTENDED | REG_NOSUB);
      error != 0) {
    std::array<char, 256> text{};
    regerror(error, regex.get(), text.data(), text.size());
    return InvalidArgument("`{}` is no regular expression: {}", pattern, text.data());
  }
  return Regex(regex.release());
}

bool Matches(const Regex& regex, const std::string& text) {
  return regexec(regex.get(), text.c_str(), 0, nullptr, 0) == 0;
}

}  // namespace

struct Topics::Pattern {
  Signal signal;
  Regex regex;
  std::shared_ptr<const std::vector<Regex>> excluded;
};

Topics::Topics() = default;
Topics::Topics(Topics&& other) noexcept = default;
Topics& Topics::operator=(Topics&& other) noexcept = default;
Topics::~Topics() = default;

absl::Status Topics::Add(Signal signal, const std::vector<std::string>& topics,
                         const std::vector<std::string>& excluded) {
  auto excluding = std::make_shared<std::vector<Regex>>();
  for (const std::string& pattern : excluded) {
    WEIR_ASSIGN_OR_RETURN(Regex regex, Compile(pattern));
    excluding->push_back(std::move(regex));
  }
  for (const std::string& topic : topics) {
    if (topic.starts_with('^')) {
      WEIR_ASSIGN_OR_RETURN(Regex regex, Compile(topic));
      patterns_.push_back({signal, std::move(regex), excluding});
    } else if (const auto [found, is_new] = by_name_.emplace(topic, signal);
               !is_new && found->second != signal) {
      return InvalidArgument("topic `{}` can't carry both {} and {}", topic,
                             SignalName(found->second), SignalName(signal));
    }
    if (std::ranges::find(subscription_, topic) == subscription_.end()) {
      subscription_.push_back(topic);
    }
  }
  return absl::OkStatus();
}

std::optional<Signal> Topics::SignalOf(const std::string& topic) const {
  if (const auto found = by_name_.find(topic); found != by_name_.end()) {
    return found->second;
  }
  for (const Pattern& pattern : patterns_) {
    const bool excluded = std::ranges::any_of(
        *pattern.excluded, [&topic](const Regex& regex) { return Matches(regex, topic); });
    if (!excluded && Matches(pattern.regex, topic)) {
      return pattern.signal;
    }
  }
  return std::nullopt;
}

}  // namespace weir::receivers::kafka
