#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

template <class Call>
void ExpectError(ErrorCode code, const std::string& part, Call call) {
  try {
    call();
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code) << e.what();
    EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
  }
}

size_t Entries(const fs::path& folder) {
  return static_cast<size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(FileTest, WritesReadsAndReplacesWhole) {
  const TempFolder folder;
  const fs::path path = folder.path() / "CURRENT";
  WriteFileDurably(path, "000001\n");
  EXPECT_EQ(ReadFile(path), "000001\n");
  WriteFileDurably(path, std::string("a\0b", 3));
  EXPECT_EQ(ReadFile(path), std::string("a\0b", 3));
  EXPECT_EQ(Entries(folder.path()), 1u) << "a temp file was left";
}

TEST(FileTest, NamesTheMissingFile) {
  const TempFolder folder;
  ExpectError(ErrorCode::kNotFound, "/none: No such file",
              [&] { ReadFile(folder.path() / "none"); });
  ExpectError(ErrorCode::kNotFound, "No such file",
              [&] { WriteFileDurably(folder.path() / "none" / "file", "x"); });
  ExpectError(ErrorCode::kUnavailable, "Is a directory", [&] { ReadFile(folder.path()); });
}

TEST(FileTest, RefusesMoreThanItsLimit) {
  const TempFolder folder;
  WriteFileDurably(folder.path() / "big", std::string(100, 'x'));
  ExpectError(ErrorCode::kTooLarge, "larger than the 99 bytes",
              [&] { ReadFile(folder.path() / "big", 99); });
}

// A full disk as the kernel tells it: the write fails half-way. The old file stays whole.
TEST(FileTest, AFailedWriteLeavesTheOldFileAndNoTemp) {
  const TempFolder folder;
  const fs::path path = folder.path() / "file";
  WriteFileDurably(path, "old");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      WriteFileDurably(path, std::string(5000, 'n'));
    } catch (const Error& e) {
      ::_exit(e.code() == ErrorCode::kUnavailable ? 7 : 8);
    }
    ::_exit(9);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_EQ(ReadFile(path), "old");
  EXPECT_EQ(Entries(folder.path()), 1u);
}

TEST(FileTest, PublishesAFolderOnceAndNeverOverwrites) {
  const TempFolder folder;
  fs::create_directories(folder.path() / "draft" / "deep");
  WriteFileDurably(folder.path() / "draft" / "deep" / "file", "1");
  PublishFolder(folder.path() / "draft", folder.path() / "000001");
  EXPECT_EQ(ReadFile(folder.path() / "000001" / "deep" / "file"), "1");
  fs::create_directories(folder.path() / "draft");
  ExpectError(ErrorCode::kConflict, "000001 exists already",
              [&] { PublishFolder(folder.path() / "draft", folder.path() / "000001"); });
}

TEST(FileTest, ATempFolderGoesWithItsObjectUnlessReleased) {
  fs::path gone, kept;
  {
    const TempFolder folder;
    gone = folder.path();
    WriteFileDurably(gone / "file", "x");
    TempFolder other;
    kept = other.path();
    other.Release();
  }
  EXPECT_FALSE(fs::exists(gone));
  EXPECT_TRUE(fs::exists(kept));
  fs::remove_all(kept);
}

TEST(FileTest, MapsAFileAndAnEmptyOne) {
  const TempFolder folder;
  WriteFileDurably(folder.path() / "file", "bytes");
  WriteFileDurably(folder.path() / "empty", "");
  EXPECT_EQ(MappedFile(folder.path() / "file").bytes(), "bytes");
  EXPECT_EQ(MappedFile(folder.path() / "empty").bytes(), "");
}

TEST(FileTest, ALockIsHeldByOneAndFreedWithItsHolder) {
  const TempFolder folder;
  {
    const FileLock lock(folder.path() / "lock");
    ExpectError(ErrorCode::kConflict, "held by another process",
                [&] { FileLock second(folder.path() / "lock"); });
  }
  FileLock again(folder.path() / "lock");
}

}  // namespace
}  // namespace rebound
