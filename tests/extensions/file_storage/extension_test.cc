#include "extensions/file_storage/extension.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "extensions/file_storage/factory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/testkit/harness.h"

namespace weir::extensions::file_storage {
namespace {

using ::testing::HasSubstr;
using testkit::Harness;

class FileStorageTest : public ::testing::Test {
 protected:
  FileStorageTest()
      : folder_(std::filesystem::path(::testing::TempDir()) /
                ("file_storage_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~FileStorageTest() override { std::filesystem::remove_all(folder_); }

  absl::StatusOr<std::unique_ptr<Extension>> Create(std::string_view yaml) {
    return Factory().create(Harness::Yaml(yaml), "extensions::file_storage",
                            harness_.ForExtension("file_storage"));
  }

  const std::filesystem::path folder_;
  Harness harness_;
};

TEST_F(FileStorageTest, ProvidesAFolder) {
  auto extension = Create("directory: '" + folder_.string() + "'");
  ASSERT_TRUE(extension.ok()) << extension.status();
  ASSERT_TRUE((*extension)->Start().ok());
  EXPECT_EQ(dynamic_cast<StorageProvider&>(**extension).settings().directory, folder_.string());
  EXPECT_EQ(dynamic_cast<StorageProvider&>(**extension).settings().fsync,
            StorageSettings::Fsync::kAlways);
  EXPECT_TRUE((*extension)->Shutdown({}).ok());
  EXPECT_TRUE((*extension)->Shutdown({}).ok());
}

TEST_F(FileStorageTest, MakesTheFolderWhereAsked) {
  const std::string path = (folder_ / "a" / "b").string();
  EXPECT_FALSE((*Create("directory: '" + path + "'"))->Start().ok());
  auto extension =
      Create("{create_directory: true, directory_permissions: '0700', directory: '" + path + "/'}");
  const absl::Status status = (*extension)->Start();
  ASSERT_TRUE(status.ok()) << status;
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(FileStorageTest, OneProcessAtATime) {
  const std::string yaml = "{timeout: 0s, directory: '" + folder_.string() + "'}";
  auto first = Create(yaml);
  auto second = Create(yaml);
  ASSERT_TRUE((*first)->Start().ok());
  EXPECT_THAT(std::string((*second)->Start().message()), HasSubstr("in use"));
  ASSERT_TRUE((*first)->Shutdown({}).ok());
  EXPECT_TRUE((*second)->Start().ok());
}

TEST_F(FileStorageTest, AFileIsNoFolder) {
  const std::string path = (folder_ / "file").string();
  std::ofstream(path) << "x";
  EXPECT_FALSE((*Create("directory: '" + path + "'"))->Start().ok());
  EXPECT_FALSE((*Create("{create_directory: true, directory: '" + path + "/x'}"))->Start().ok());
}

TEST_F(FileStorageTest, ConfigOfTheCollector) {
  ConfigErrors errors;
  const Config config = ReadConfig<Config>(Harness::Yaml(R"(
directory: /var/lib/x
timeout: 10s
compaction: {directory: /tmp, on_start: true, on_rebound: true, max_transaction_size: 65536}
fsync: true
create_directory: true
directory_permissions: "0755"
recreate: true
)"),
                                           "extensions::file_storage", errors);
  EXPECT_TRUE(errors.ok()) << errors.Render();
  EXPECT_EQ(errors.warning_count(), 0u);
  Config expected;
  expected.directory = "/var/lib/x";
  expected.timeout = std::chrono::seconds(10);
  expected.compaction->directory = "/tmp";
  expected.compaction->on_start = expected.compaction->on_rebound = true;
  expected.create_directory = expected.recreate = true;
  expected.directory_permissions = "0755";
  EXPECT_EQ(config, expected);

  for (const char* yaml :
       {"directory: ''", "directory_permissions: '0789'", "directory_permissions: '1777'",
        "directory_permissions: rwx", "timeout: -1s"}) {
    EXPECT_FALSE(Create(yaml).ok()) << yaml;
  }
}

}  // namespace
}  // namespace weir::extensions::file_storage
