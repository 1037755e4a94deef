#include "exporters/file/exporter.h"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "exporters/file/factory.h"
#include "gtest/gtest.h"
#include "net/compression.h"
#include "weir/testkit/harness.h"
#include "weir/testkit/recording.h"
#include "weir/wire/json.h"

namespace weir::exporters::file {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string Proto(std::string_view json) {
  const wire::JsonToProtoResult result = wire::JsonToProto(Signal::kTraces, json);
  EXPECT_TRUE(result.ok()) << result.message;
  return std::string(result.bytes.view());
}

std::string SpanJson(std::string_view name) {
  return R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"name":")" + std::string(name) +
         R"("}]}]}]})";
}

std::string ServiceJson(std::string_view service) {
  return R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":)"
         R"({"stringValue":")" +
         std::string(service) + R"("}}]},"scopeSpans":[{"spans":[{"name":"x"}]}]}]})";
}

// The record of a length-prefixed file at `offset`, which moves behind it.
std::string NextRecord(const std::string& file, std::size_t& offset) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    length = length << 8 | static_cast<unsigned char>(file.at(offset + i));
  }
  offset += 4 + length;
  return file.substr(offset - length, length);
}

class FileExporterTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::path(testing::TempDir()) / "file-exporter-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = folder_ + "/out.jsonl";
  }
  void TearDown() override {
    exporter_.reset();
    fs::remove_all(folder_);
  }

  void Make(const std::string& options) {
    auto created = Factory().create(harness_.Yaml("{path: '" + path_ + "', " + options + "}"),
                                    "exporters::file", harness_.ForExporter("file"));
    ASSERT_TRUE(created.ok()) << created.status();
    exporter_ = *std::move(created);
    ASSERT_TRUE(exporter_->Start().ok());
  }

  SendResult Send(Batch batch, TimePoint deadline = TimePoint::max()) {
    SendResult answer;
    harness_.loop_thread().RunAndWait([&] {
      exporter_->Send(batch, deadline, [&](SendResult result) { answer = std::move(result); });
    });
    batch.Settle(Outcome::kDelivered);
    return answer;
  }
  SendResult SendJson(std::string_view json) {
    return Send(testkit::MakeBatch(Signal::kTraces, Proto(json), 1));
  }
  std::size_t FilesInFolder() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  testkit::Harness harness_;
  std::string folder_;
  std::string path_;
  std::unique_ptr<Exporter> exporter_;
};

TEST_F(FileExporterTest, WritesARequestALine) {
  Make("append: false");
  Batch batch = testkit::MakeBatch(Signal::kTraces, Proto(SpanJson("a")), 1);
  batch.Append(testkit::MakeBatch(Signal::kTraces, Proto(SpanJson("b")), 1));
  EXPECT_EQ(Send(std::move(batch)).kind, SendResult::Kind::kDelivered);
  EXPECT_EQ(ReadFile(path_), SpanJson("a") + "\n" + SpanJson("b") + "\n");
}

TEST_F(FileExporterTest, EmptiesTheFileOrContinuesIt) {
  std::ofstream(path_) << "old\n";
  Make("append: true");
  SendJson(SpanJson("a"));
  EXPECT_EQ(ReadFile(path_), "old\n" + SpanJson("a") + "\n");
  Make("append: false");
  EXPECT_EQ(ReadFile(path_), "");
}

// Scenario: a crash left half a line; the file is continued.
// Guarantees: the half line is gone, so every line of the file is whole.
TEST_F(FileExporterTest, CutsATornRecordBeforeItContinues) {
  std::ofstream(path_) << "old\n" << std::string(200'000, 'x');
  Make("append: true");
  SendJson(SpanJson("a"));
  EXPECT_EQ(ReadFile(path_), "old\n" + SpanJson("a") + "\n");
}

TEST_F(FileExporterTest, PrefixesProtobufWithItsLength) {
  Make("format: proto, append: true");
  SendJson(SpanJson("a"));
  SendJson(SpanJson("b"));
  exporter_.reset();
  std::ofstream(path_, std::ios::app) << std::string("\0\0\0\x09torn", 8);
  Make("format: proto, append: true");
  SendJson(SpanJson("c"));
  const std::string file = ReadFile(path_);
  std::size_t offset = 0;
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_EQ(NextRecord(file, offset), Proto(SpanJson(name)));
  }
  EXPECT_EQ(offset, file.size());
}

TEST_F(FileExporterTest, CompressesEachRequest) {
  for (const char* format : {"json", "proto"}) {
    Make(std::string("compression: zstd, format: ") + format);
    SendJson(SpanJson("a"));
    const std::string file = ReadFile(path_);
    std::size_t offset = 0;
    const Slice record = Slice::Copy(NextRecord(file, offset));
    EXPECT_EQ(offset, file.size());
    const net::Decompressed plain = net::Decompress(net::Compression::kZstd, {&record, 1}, 10'000);
    ASSERT_TRUE(plain.ok());
    EXPECT_EQ(plain.bytes.view(),
              format == std::string("json") ? SpanJson("a") : Proto(SpanJson("a")));
  }
}

// Scenario: the disk is full in the middle of a batch, then there is room again.
// Guarantees: the answer is to retry, nothing of the batch is left behind, and the retry is whole.
TEST_F(FileExporterTest, AFailedWriteLeavesNothingBehind) {
  Make("append: true");
  SendJson(SpanJson("first"));
  const std::string before = ReadFile(path_);
  const auto previous = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  rlimit limit = old_limit;
  limit.rlim_cur = before.size() + 20;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const SendResult failed = SendJson(SpanJson("second"));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  std::signal(SIGXFSZ, previous);
  EXPECT_EQ(failed.kind, SendResult::Kind::kRetry);
  EXPECT_NE(failed.message.find("cannot write"), std::string::npos) << failed.message;
  EXPECT_EQ(ReadFile(path_), before);
  EXPECT_EQ(SendJson(SpanJson("second")).kind, SendResult::Kind::kDelivered);
  EXPECT_EQ(ReadFile(path_), before + SpanJson("second") + "\n");
}

TEST_F(FileExporterTest, RejectsMalformedItemsAndRefusesMalformedRequests) {
  Make("append: false");
  // Two spans, the second with an attribute whose length passes its end.
  const std::string one("\x0a\x0c\x12\x0a\x12\x03\x2a\x01\x61\x12\x03\x4a\x7f\x61", 14);
  const SendResult partial = Send(testkit::MakeBatch(Signal::kTraces, one, 2));
  EXPECT_EQ(partial.kind, SendResult::Kind::kDelivered);
  EXPECT_EQ(partial.items_rejected, 1u);
  EXPECT_EQ(ReadFile(path_), SpanJson("a") + "\n");
  EXPECT_EQ(Send(testkit::MakeBatch(Signal::kTraces, "\x0a\x7f", 1)).kind,
            SendResult::Kind::kMalformed);
  EXPECT_EQ(ReadFile(path_), SpanJson("a") + "\n");
}

TEST_F(FileExporterTest, WritesNothingAfterTheDeadline) {
  Make("append: false");
  EXPECT_EQ(Send(testkit::MakeBatch(Signal::kTraces, Proto(SpanJson("a")), 1), TimePoint{}).kind,
            SendResult::Kind::kRetry);
  EXPECT_EQ(ReadFile(path_), "");
}

TEST_F(FileExporterTest, CreatesFoldersOnlyWhenAsked) {
  path_ = folder_ + "/a/b/out.jsonl";
  auto created = Factory().create(harness_.Yaml("{path: '" + path_ + "'}"), "exporters::file",
                                  harness_.ForExporter("file"));
  ASSERT_TRUE(created.ok());
  EXPECT_FALSE((*created)->Start().ok());
  EXPECT_TRUE((*created)->Shutdown(TimePoint::max()).ok());
  Make("create_directory: true, directory_permissions: '0700'");
  EXPECT_EQ(SendJson(SpanJson("a")).kind, SendResult::Kind::kDelivered);
  EXPECT_EQ(ReadFile(path_), SpanJson("a") + "\n");
}

TEST_F(FileExporterTest, SpreadsResourcesOverFiles) {
  path_ = folder_ + "/t/*.jsonl";
  Make("group_by: {enabled: true, resource_attribute: service.name, max_open_files: 1}");
  Batch batch = testkit::MakeBatch(Signal::kTraces, Proto(ServiceJson("a")), 1);
  batch.Append(testkit::MakeBatch(Signal::kTraces, Proto(ServiceJson("b")), 1));
  batch.Append(testkit::MakeBatch(Signal::kTraces, Proto(SpanJson("nobody")), 1));
  batch.Append(testkit::MakeBatch(Signal::kTraces, Proto(ServiceJson("../../up")), 1));
  const SendResult result = Send(std::move(batch));
  EXPECT_EQ(result.kind, SendResult::Kind::kDelivered) << result.message;
  EXPECT_EQ(result.items_rejected, 1u);
  EXPECT_EQ(SendJson(ServiceJson("a")).kind, SendResult::Kind::kDelivered);
  EXPECT_EQ(ReadFile(folder_ + "/t/a.jsonl"), ServiceJson("a") + "\n" + ServiceJson("a") + "\n");
  EXPECT_EQ(ReadFile(folder_ + "/t/b.jsonl"), ServiceJson("b") + "\n");
  EXPECT_EQ(ReadFile(folder_ + "/t/up.jsonl"), ServiceJson("../../up") + "\n");
  EXPECT_EQ(FilesInFolder(), 1u);
}

TEST(FileGroupPath, NeverLeavesItsFolder) {
  EXPECT_EQ(GroupPath("/data/*.json", "a"), "/data/a.json");
  EXPECT_EQ(GroupPath("/data/*.json", "a/b"), "/data/a/b.json");
  EXPECT_EQ(GroupPath("/data/*.json", "/etc/x"), "/data/etc/x.json");
  EXPECT_EQ(GroupPath("/data/*.json", "../etc/x"), "/data/etc/x.json");
  EXPECT_EQ(GroupPath("/data/*.json", "a/../../../etc/x"), "/data/etc/x.json");
  EXPECT_EQ(GroupPath("/data/*.json", ""), "/data/.json");
  EXPECT_EQ(GroupPath("./data/x-*.json", "a"), "data/x-a.json");
}

class FileWriterTest : public FileExporterTest {};

TEST_F(FileWriterTest, SetsFilesAsideAndKeepsTheNewest) {
  auto now = std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
  auto writer = FileWriter::Open(
      path_, {.rotation = Rotation{.max_megabytes = 1, .max_days = 1, .max_backups = 3},
              .clock = [&now] { return now; }});
  ASSERT_TRUE(writer.ok()) << writer.status();
  const std::string record(700'000, 'x');
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE((*writer)->Append(record + "\n").ok());
  }
  // All in one millisecond: the names still differ.
  EXPECT_EQ(FilesInFolder(), 4u);
  EXPECT_EQ(ReadFile(path_).size(), record.size() + 1);
  EXPECT_TRUE(fs::exists(folder_ + "/out-2023-11-14T22-13-20.004.jsonl"));
  EXPECT_FALSE(fs::exists(folder_ + "/out-2023-11-14T22-13-20.000.jsonl"));
  std::ofstream(folder_ + "/out-other.jsonl") << "not ours";
  now += std::chrono::hours(48);
  ASSERT_TRUE((*writer)->Append(record + "\n").ok());
  EXPECT_TRUE(fs::exists(folder_ + "/out-2023-11-16T22-13-20.000.jsonl"));
  EXPECT_TRUE(fs::exists(folder_ + "/out-other.jsonl"));
  EXPECT_EQ(FilesInFolder(), 3u);
}

TEST_F(FileWriterTest, WritesToWhatIsNoRegularFile) {
  auto writer = FileWriter::Open("/dev/null", {.rotation = Rotation{.max_megabytes = 1}});
  ASSERT_TRUE(writer.ok()) << writer.status();
  EXPECT_TRUE((*writer)->Append(std::string(3'000'000, 'x')).ok());
  EXPECT_TRUE((*writer)->Append("x").ok());
}

TEST(FileConfig, ReadsWhatTheCollectorReads) {
  ConfigErrors errors;
  const Config config = ReadConfig<Config>(
      testkit::Harness::Yaml("{path: /x, rotation: {max_megabytes: 10, localtime: true}, "
                             "format: proto, compression: zstd, flush_interval: 2s}"),
      "exporters::file", errors);
  EXPECT_TRUE(errors.ok()) << errors.Render();
  ASSERT_TRUE(config.rotation.has_value());
  EXPECT_EQ(config.rotation->max_megabytes, 10u);
  EXPECT_EQ(config.rotation->max_backups, 100u);
  EXPECT_EQ(config.format, Format::kProto);
  EXPECT_EQ(config.compression, Codec::kZstd);
  EXPECT_EQ(config.flush_interval, std::chrono::seconds(2));
}

TEST(FileConfig, RefusesWhatCannotWork) {
  for (const char* yaml :
       {"{}", "{path: ''}", "{path: /x, format: xml}", "{path: /x, compression: gzip}",
        "{path: /x, encoding: otlp_encoding}", "{path: /x, append: true, rotation: {}}",
        "{path: /x, group_by: {enabled: true}}", "{path: '*x', group_by: {enabled: true}}",
        "{path: 'a*b*c', group_by: {enabled: true}}", "{path: /x, directory_permissions: '9'}",
        "{path: 'a*', group_by: {enabled: true, max_open_files: 0}}",
        "{path: 'a*', rotation: {}, group_by: {enabled: true}}", "{path: /x, pth: /y}"}) {
    EXPECT_FALSE(Factory().settings(testkit::Harness::Yaml(yaml), "exporters::file").ok()) << yaml;
  }
}

}  // namespace
}  // namespace weir::exporters::file
