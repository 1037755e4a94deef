// Topics says which signal a topic carries, by name or by pattern, and what to subscribe to.
//
// Patterns are POSIX extended regular expressions, as librdkafka reads them.
//
// Threads: constant after construction.

#ifndef WEIR_RECEIVERS_KAFKA_TOPICS_H_
#define WEIR_RECEIVERS_KAFKA_TOPICS_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "weir/wire/signal.h"

namespace weir::receivers::kafka {

class Topics {
 public:
  Topics();
  Topics(Topics&& other) noexcept;
  Topics& operator=(Topics&& other) noexcept;
  ~Topics();

  // A topic belongs to one signal; a pattern must be a regular expression.
  absl::Status Add(Signal signal, const std::vector<std::string>& topics,
                   const std::vector<std::string>& excluded);

  // Names first, then patterns in the order they were added.
  std::optional<Signal> SignalOf(const std::string& topic) const;
  const std::vector<std::string>& subscription() const { return subscription_; }

 private:
  struct Pattern;

  std::vector<std::string> subscription_;
  std::map<std::string, Signal> by_name_;
  std::vector<Pattern> patterns_;
};

}  // namespace weir::receivers::kafka

#endif  // WEIR_RECEIVERS_KAFKA_TOPICS_H_
