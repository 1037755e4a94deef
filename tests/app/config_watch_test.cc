#include "app/config_watch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace weir::app {
namespace {

// A disk that the test writes.
class ConfigWatchTest : public ::testing::Test {
 protected:
  void Write(const std::string& path) { disk_[path] = {.inode = ++last_}; }
  void Load(bool good = true) {
    FileVersions read;
    for (const std::string& path : reads_) {
      read[path] = disk_[path];
    }
    watch_.Loaded(read, good);
  }

  FileVersions disk_;
  std::vector<std::string> reads_ = {"a", "b"};
  std::uint64_t last_ = 0;
  ConfigWatch watch_{[this](const std::string& path) { return disk_[path]; }};
};

TEST_F(ConfigWatchTest, TellsOnceWhenAChangeHasComeToRest) {
  Write("a");
  Load();
  EXPECT_FALSE(watch_.Changed());
  Write("a");
  EXPECT_FALSE(watch_.Changed()) << "it may still be written";
  Write("a");
  EXPECT_FALSE(watch_.Changed());
  EXPECT_TRUE(watch_.Changed());
  EXPECT_FALSE(watch_.Changed());
}

TEST_F(ConfigWatchTest, AFileThatGoesAndComesIsAChange) {
  Write("b");
  Load();
  disk_["b"] = {};
  EXPECT_FALSE(watch_.Changed());
  EXPECT_TRUE(watch_.Changed());
  Write("b");
  EXPECT_FALSE(watch_.Changed());
  EXPECT_TRUE(watch_.Changed());
}

// Scenario: a file changes between the moment it was read and the first look.
TEST_F(ConfigWatchTest, NothingIsMissedBetweenReadAndLook) {
  Load();
  Write("a");
  EXPECT_FALSE(watch_.Changed());
  EXPECT_TRUE(watch_.Changed());
}

// Scenario: a bad load came only as far as the first file.
// Guarantees: it is not tried again by itself, and the file that was not read is watched on.
TEST_F(ConfigWatchTest, ABadLoadWatchesOn) {
  Load();
  Write("a");
  Write("b");
  EXPECT_FALSE(watch_.Changed());
  EXPECT_TRUE(watch_.Changed());
  reads_ = {"a"};
  Load(/*good=*/false);
  EXPECT_FALSE(watch_.Changed());
  EXPECT_FALSE(watch_.Changed());
  Write("b");
  EXPECT_FALSE(watch_.Changed());
  EXPECT_TRUE(watch_.Changed());
}

TEST(FileVersionTest, FollowsLinksAndSeesReplacement) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("weir-watch-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "one") << "a";
  std::ofstream(folder / "two") << "a";
  std::filesystem::create_symlink("one", folder / "link");
  const std::string path = folder / "link";
  const FileVersion before = FileVersion::Of(path);
  EXPECT_EQ(before, FileVersion::Of(folder / "one"));
  EXPECT_EQ(before, FileVersion::Of(path));
  std::filesystem::create_symlink("two", folder / "link.new");
  std::filesystem::rename(folder / "link.new", folder / "link");
  EXPECT_NE(before, FileVersion::Of(path));
  EXPECT_EQ(FileVersion::Of(folder / "three"), FileVersion());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace weir::app
