#include "weir/base/watched_file.h"

#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace weir {
namespace {

class WatchedFileTest : public ::testing::Test {
 protected:
  WatchedFileTest()
      : folder_(std::filesystem::path(::testing::TempDir()) /
                ("watched_file_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~WatchedFileTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name)) << text;
  }

  WatchedFile::OnChange Listener() {
    return [this](const absl::Status& status, std::string_view) {
      const std::lock_guard lock(mutex_);
      changes_.push_back(status);
      changed_.notify_all();
    };
  }
  bool WaitForChanges(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10),
                             [&] { return changes_.size() >= count; });
  }

  const std::filesystem::path folder_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<absl::Status> changes_;
};

TEST_F(WatchedFileTest, SeesAReplacedFile) {
  Write("token", "one\n");
  auto file = WatchedFile::Open(Path("token"), Listener(), std::chrono::milliseconds(2));
  ASSERT_TRUE(file.ok()) << file.status();
  const auto before = (*file)->text();
  EXPECT_EQ(*before, "one\n");
  Write("new", "two!");
  std::filesystem::rename(Path("new"), Path("token"));
  ASSERT_TRUE(WaitForChanges(2));
  EXPECT_EQ(*(*file)->text(), "two!");
  EXPECT_EQ(*before, "one\n");  // Whoever took it keeps it.
}

// Scenario: a mounted secret is a symbolic link that is switched over.
TEST_F(WatchedFileTest, SeesALinkThatIsSwitched) {
  Write("a", "same");
  Write("b", "SAME");
  std::filesystem::create_symlink(Path("a"), Path("token"));
  auto file = WatchedFile::Open(Path("token"), Listener(), std::chrono::milliseconds(2));
  ASSERT_TRUE(file.ok());
  std::filesystem::create_symlink(Path("b"), Path("next"));
  std::filesystem::rename(Path("next"), Path("token"));
  ASSERT_TRUE(WaitForChanges(2));
  EXPECT_EQ(*(*file)->text(), "SAME");
}

TEST_F(WatchedFileTest, KeepsTheTextOfAFileThatIsGone) {
  Write("token", "one");
  auto file = WatchedFile::Open(Path("token"), Listener(), std::chrono::milliseconds(2));
  ASSERT_TRUE(file.ok());
  std::filesystem::remove(Path("token"));
  ASSERT_TRUE(WaitForChanges(2));
  EXPECT_FALSE(changes_[1].ok());
  EXPECT_EQ(*(*file)->text(), "one");
  Write("new", "back");
  std::filesystem::rename(Path("new"), Path("token"));
  ASSERT_TRUE(WaitForChanges(3));
  EXPECT_TRUE(changes_[2].ok());
  EXPECT_EQ(*(*file)->text(), "back");
}

TEST_F(WatchedFileTest, FilesThatCannotBeReadAreErrors) {
  const auto missing = WatchedFile::Open(Path("missing"));
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(std::string(missing.status().message()), ::testing::HasSubstr("missing"));
  Write("large", std::string(100, 'x'));
  EXPECT_FALSE(ReadSmallFile(Path("large"), 99).ok());
  EXPECT_TRUE(ReadSmallFile(Path("large"), 100).ok());
  EXPECT_FALSE(ReadSmallFile(folder_.string(), 100).ok());  // A folder.
}

TEST(TrimSpaceTest, LeavesWhatIsInside) {
  EXPECT_EQ(TrimSpace(" \t a b\r\n"), "a b");
  EXPECT_EQ(TrimSpace("\n \n"), "");
  EXPECT_EQ(TrimSpace(""), "");
  EXPECT_EQ(TrimSpace("x"), "x");
}

}  // namespace
}  // namespace weir
