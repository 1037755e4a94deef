// What producers and consumers of librdkafka share: settings with errors, the options of every
// client, its log, and owners for its C objects. This folder is librdkafka's home.
//
//   ClientSettings settings(logger);
//   settings.Apply(config);
//   settings.Set("linger.ms", 10);
//   WEIR_ASSIGN_OR_RETURN(ClientPtr client, std::move(settings).Make(RD_KAFKA_PRODUCER, &owner));
//
// Threads: librdkafka logs from threads of its own; Logger is thread-safe. The rest is as
// librdkafka has it: handles are thread-safe, callbacks run in the thread that polls.
// Ownership: the logger outlives the client.

#ifndef WEIR_KAFKA_CLIENT_H_
#define WEIR_KAFKA_CLIENT_H_

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fmt/format.h"
#include "kafka/client_config.h"
#include "weir/telemetry/log.h"

namespace weir::kafka {

struct ConfDeleter {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};
struct QueueDeleter {
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
};
struct PartitionListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
};
struct ErrorDeleter {
  void operator()(rd_kafka_error_t* error) const { rd_kafka_error_destroy(error); }
};
using ConfPtr = std::unique_ptr<rd_kafka_conf_t, ConfDeleter>;
using QueuePtr = std::unique_ptr<rd_kafka_queue_t, QueueDeleter>;
using PartitionListPtr = std::unique_ptr<rd_kafka_topic_partition_list_t, PartitionListDeleter>;
using ErrorPtr = std::unique_ptr<rd_kafka_error_t, ErrorDeleter>;

// A handle with what its callbacks find through librdkafka's opaque pointer.
class Client {
 public:
  // Blocks until librdkafka's threads are gone.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  rd_kafka_t* get() const { return handle_; }

  // In a callback: what `owner` was when the client was made.
  template <typename Owner>
  static Owner& OwnerOf(void* opaque) {
    return *static_cast<Owner*>(static_cast<Client*>(opaque)->owner_);
  }

 private:
  friend class ClientSettings;
  Client(const Logger& logger, void* owner) : logger_(logger), owner_(owner) {}
  static void OnLog(const rd_kafka_t* handle, int level, const char* facility, const char* text);

  const Logger logger_;
  void* const owner_;
  rd_kafka_t* handle_ = nullptr;
};
using ClientPtr = std::unique_ptr<Client>;

class ClientSettings {
 public:
  ClientSettings();

  void Apply(const ClientConfig& config);
  void Set(const char* name, const std::string& value);
  template <typename T>
  requires std::is_integral_v<T>
  void Set(const char* name, T value) { Set(name, fmt::to_string(value)); }
  void Set(const char* name, bool value) { Set(name, std::string(value ? "true" : "false")); }
  void Set(const char* name, const char* value) { Set(name, std::string(value)); }
  void SetMilliseconds(const char* name, Duration value);

  // For callbacks.
  rd_kafka_conf_t* conf() { return conf_.get(); }

  // The first setting that librdkafka did not take, or the client.
  absl::StatusOr<ClientPtr> Make(rd_kafka_type_t type, const Logger& logger, void* owner) &&;
  const absl::Status& status() const { return status_; }

 private:
  void ApplyAuth(const Auth& auth, bool tls);
  void ApplyTls(const net::TlsClientConfig& tls);

  ConfPtr conf_;
  absl::Status status_;
};

std::string_view ErrorText(rd_kafka_resp_err_t error);

}  // namespace weir::kafka

#endif  // WEIR_KAFKA_CLIENT_H_
