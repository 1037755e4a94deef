// A Kafka cluster inside the test: librdkafka's mock brokers, with a plain producer and a plain
// reader beside the component under test.

#ifndef WEIR_TESTS_KAFKA_MOCK_CLUSTER_H_
#define WEIR_TESTS_KAFKA_MOCK_CLUSTER_H_

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace weir::kafka::testing {

struct Record {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::string key;
  std::string value;
  std::map<std::string, std::string> headers;
};

class MockCluster {
 public:
  MockCluster() {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    Set(conf, "client.id", "mock");
    Set(conf, "linger.ms", "0");
    producer_ = Make(RD_KAFKA_PRODUCER, conf);
    cluster_ = rd_kafka_mock_cluster_new(producer_, 1);
    rd_kafka_brokers_add(producer_, brokers().c_str());
  }
  ~MockCluster() {
    rd_kafka_flush(producer_, 1000);
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(producer_);
  }
  MockCluster(const MockCluster&) = delete;
  MockCluster& operator=(const MockCluster&) = delete;

  std::string brokers() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
  rd_kafka_mock_cluster_t* get() { return cluster_; }

  void CreateTopic(const std::string& topic, int partitions) {
    ASSERT_EQ(rd_kafka_mock_topic_create(cluster_, topic.c_str(), partitions, 1),
              RD_KAFKA_RESP_ERR_NO_ERROR);
  }

  // Returns when the broker has it.
  void Produce(const std::string& topic, std::int32_t partition, std::string_view value,
               std::string_view header = {}) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(1);
    if (!header.empty()) {
      rd_kafka_header_add(headers, "Tenant", -1, header.data(),
                          static_cast<ssize_t>(header.size()));
    }
    const rd_kafka_resp_err_t error = rd_kafka_producev(
        producer_, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    ASSERT_EQ(error, RD_KAFKA_RESP_ERR_NO_ERROR);
    ASSERT_EQ(rd_kafka_flush(producer_, 10'000), RD_KAFKA_RESP_ERR_NO_ERROR);
  }

  // The first `count` messages of the topic; fewer when they do not come.
  std::vector<Record> ReadAll(const std::string& topic, int partitions, std::size_t count) {
    rd_kafka_t* reader = MakeReader("reader");
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(partitions);
    for (int i = 0; i < partitions; ++i) {
      rd_kafka_topic_partition_list_add(list, topic.c_str(), i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    rd_kafka_assign(reader, list);
    rd_kafka_topic_partition_list_destroy(list);
    std::vector<Record> records;
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (records.size() < count && std::chrono::steady_clock::now() < limit) {
      rd_kafka_message_t* message = rd_kafka_consumer_poll(reader, 100);
      if (message != nullptr && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        records.push_back(ToRecord(*message));
      }
      if (message != nullptr) {
        rd_kafka_message_destroy(message);
      }
    }
    rd_kafka_destroy_flags(reader, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return records;
  }

  // The group's committed offset, or -1.
  std::int64_t Committed(const std::string& group, const std::string& topic,
                         std::int32_t partition) {
    rd_kafka_t*& reader = readers_[group];
    if (reader == nullptr) {
      reader = MakeReader(group);
    }
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic.c_str(), partition);
    const rd_kafka_resp_err_t error = rd_kafka_committed(reader, list, 10'000);
    EXPECT_EQ(error, RD_KAFKA_RESP_ERR_NO_ERROR) << rd_kafka_err2str(error);
    const std::int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return offset < 0 ? -1 : offset;
  }
  bool WaitForCommitted(const std::string& group, const std::string& topic, std::int32_t partition,
                        std::int64_t offset) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(15);
    while (Committed(group, topic, partition) < offset) {
      if (std::chrono::steady_clock::now() > limit) {
        return false;
      }
    }
    return Committed(group, topic, partition) == offset;
  }
  // Ends the readers, so that the cluster can go.
  void CloseReaders() {
    for (const auto& [group, reader] : readers_) {
      rd_kafka_destroy_flags(reader, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
    readers_.clear();
  }

 private:
  static void Set(rd_kafka_conf_t* conf, const char* name, const char* value) {
    char text[256];
    ASSERT_EQ(rd_kafka_conf_set(conf, name, value, text, sizeof text), RD_KAFKA_CONF_OK) << text;
  }
  static rd_kafka_t* Make(rd_kafka_type_t type, rd_kafka_conf_t* conf) {
    char text[256];
    rd_kafka_t* handle = rd_kafka_new(type, conf, text, sizeof text);
    EXPECT_NE(handle, nullptr) << text;
    return handle;
  }
  rd_kafka_t* MakeReader(const std::string& group) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    Set(conf, "bootstrap.servers", brokers().c_str());
    Set(conf, "group.id", group.c_str());
    Set(conf, "enable.auto.commit", "false");
    rd_kafka_t* reader = Make(RD_KAFKA_CONSUMER, conf);
    rd_kafka_poll_set_consumer(reader);
    return reader;
  }
  static Record ToRecord(const rd_kafka_message_t& message) {
    Record record{.partition = message.partition,
                  .offset = message.offset,
                  .key = std::string(static_cast<const char*>(message.key), message.key_len),
                  .value = std::string(static_cast<const char*>(message.payload), message.len),
                  .headers = {}};
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      const char* name = nullptr;
      const void* value = nullptr;
      std::size_t size = 0;
      for (std::size_t i = 0;
           rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
           ++i) {
        record.headers[name] = std::string(static_cast<const char*>(value), size);
      }
    }
    return record;
  }

  rd_kafka_t* producer_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
  std::map<std::string, rd_kafka_t*> readers_;
};

}  // namespace weir::kafka::testing

#endif  // WEIR_TESTS_KAFKA_MOCK_CLUSTER_H_
