// DeadLetterFile keeps messages that are left out of the pipelines for somebody to look at.
//
//   file = { length (four bytes, big-endian) message }
//
// Threads: one at a time.
// Loss: a message that could not be written is counted by the caller as if there were no file.

#ifndef WEIR_RECEIVERS_KAFKA_DEAD_LETTER_H_
#define WEIR_RECEIVERS_KAFKA_DEAD_LETTER_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace weir::receivers::kafka {

class DeadLetterFile {
 public:
  static absl::StatusOr<std::unique_ptr<DeadLetterFile>> Open(const std::string& path);
  explicit DeadLetterFile(int fd) : fd_(fd) {}
  ~DeadLetterFile();
  DeadLetterFile(const DeadLetterFile&) = delete;
  DeadLetterFile& operator=(const DeadLetterFile&) = delete;

  // All of it, or, as far as the file can be cut, nothing.
  absl::Status Append(std::string_view message);

 private:
  const int fd_;
};

}  // namespace weir::receivers::kafka

#endif  // WEIR_RECEIVERS_KAFKA_DEAD_LETTER_H_
