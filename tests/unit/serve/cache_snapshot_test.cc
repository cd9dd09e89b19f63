#include "serve/cache_snapshot.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "serve/cache_saver.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kFew = 10;

CacheOptions Options(size_t max_bytes = 1 << 20) {
  CacheOptions options;
  options.max_bytes = max_bytes;
  options.secret = {5, 6};
  return options;
}

CacheKey Key(const Cache& cache, uint64_t i, std::string_view bundle = "bundle") {
  return cache.MakeKey(Task::kBnac, bundle, "mailbox of john smith is full " + std::to_string(i));
}

void Fill(Cache* cache, uint64_t count, std::string_view bundle = "bundle") {
  for (uint64_t i = 0; i < count; ++i) cache->Put(Key(*cache, i, bundle), {i % 18, 0.5F});
}

void ExpectFilled(Cache* cache, uint64_t count) {
  EXPECT_EQ(cache->Stats().elements, count);
  for (uint64_t i = 0; i < count; ++i) {
    const auto found = cache->Get(Key(*cache, i));
    ASSERT_TRUE(found) << i;
    ASSERT_EQ(found->label, i % 18);
    ASSERT_EQ(found->probability, 0.5F);
  }
}

class CacheSnapshotTest : public testing::Test {
 protected:
  // "" where it loads, else "code: message" without the path.
  std::string LoadError(Cache* cache) { return LoadError(snapshot_, cache); }
  static std::string LoadError(const CacheSnapshot& snapshot, Cache* cache) {
    try {
      LoadCacheSnapshot(snapshot, cache);
    } catch (const Error& e) {
      std::string what = e.what();
      const size_t at = what.find(snapshot.path.string());
      if (at != std::string::npos) what.replace(at, snapshot.path.string().size(), "FILE");
      return std::string(ErrorCodeName(e.code())) + ": " + what;
    }
    return "";
  }
  std::string LoadErrorOf(const std::string& bytes) {
    std::ofstream(snapshot_.path, std::ios::binary) << bytes;
    Cache cache(Options());
    const std::string error = LoadError(&cache);
    EXPECT_TRUE(error.empty() || cache.Stats().elements == 0) << "nothing of it is believed";
    return error;
  }
  std::string Written(uint64_t entries = kFew) {
    Cache cache(Options());
    Fill(&cache, entries);
    WriteCacheSnapshot(snapshot_, cache, {});
    return ReadFile(snapshot_.path);
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  TempFolder folder_;
  CacheSnapshot snapshot_{folder_.path() / "cache.snapshot", "1.2.3"};
};

TEST_F(CacheSnapshotTest, GivesBackEveryEntry) {
  for (const uint64_t count : {0, 1, 10, 4096, 10'000}) {
    Cache cache(Options());
    Fill(&cache, count);
    EXPECT_EQ(WriteCacheSnapshot(snapshot_, cache, {}), count);
    Cache again(Options());
    EXPECT_EQ(ReadSnapshotSecret(snapshot_), cache.secret());
    EXPECT_EQ(LoadCacheSnapshot(snapshot_, &again), count);
    ExpectFilled(&again, count);
    EXPECT_EQ(again.Additions(), 0u) << "nothing that would have to be written again";
  }
  EXPECT_EQ(Files(), std::vector<std::string>{"cache.snapshot"});
}

TEST_F(CacheSnapshotTest, IsItsOwnersAloneAndHoldsNoText) {
  const std::string bytes = Written();
  struct stat info {};
  ASSERT_EQ(stat(snapshot_.path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  for (const char* word : {"john", "mailbox", "full", "bundle"}) {
    EXPECT_EQ(bytes.find(word), std::string::npos) << word;
  }
}

TEST_F(CacheSnapshotTest, LeavesOutTheModelsThatDoNotServe) {
  Cache cache(Options());
  Fill(&cache, kFew);
  Fill(&cache, kFew, "older");
  EXPECT_EQ(WriteCacheSnapshot(snapshot_, cache, {cache.ModelOf(Task::kBnac, "bundle")}), kFew);
  Cache again(Options());
  LoadCacheSnapshot(snapshot_, &again);
  ExpectFilled(&again, kFew);
  EXPECT_FALSE(again.Get(Key(again, 0, "older")));
}

TEST_F(CacheSnapshotTest, IsNotThereAtFirst) {
  Cache cache(Options());
  EXPECT_EQ(LoadError(&cache), "not_found: there is no FILE");
  fs::create_directory(snapshot_.path);
  EXPECT_EQ(LoadError(&cache), "corrupt: FILE is damaged: it is no file");
}

TEST_F(CacheSnapshotTest, CutAnywhereIsIgnored) {
  const std::string whole = Written();
  EXPECT_EQ(LoadErrorOf(whole), "");
  for (size_t size = 0; size < whole.size(); ++size) {
    const std::string within = size < 64                  ? "its header"
                               : size < whole.size() - 16 ? "block 1"
                                                          : "block 2";
    EXPECT_EQ(LoadErrorOf(whole.substr(0, size)),
              "corrupt: FILE is damaged: it ends within " + within)
        << size;
  }
  EXPECT_EQ(LoadErrorOf(whole + "x"), "corrupt: FILE is damaged: bytes follow its end");
}

TEST_F(CacheSnapshotTest, WithAnyByteChangedIsIgnored) {
  const std::string whole = Written();
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const int bit : {0, 7}) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      const std::string error = LoadErrorOf(damaged);
      EXPECT_TRUE(
          error.rfind("corrupt: FILE is damaged: ", 0) == 0 ||
          (i >= 8 && i < 12 && error.rfind("conflict: FILE was written by another format", 0) == 0))
          << "byte " << i << ": " << error;
    }
  }
}

TEST_F(CacheSnapshotTest, NamesTheReason) {
  std::string changed = Written();
  changed[70] = 1;  // the count of block 1
  EXPECT_EQ(LoadErrorOf(changed),
            "corrupt: FILE is damaged: block 1 claims 281474976710666 entries");
  changed = Written();
  changed[100] = static_cast<char>(changed[100] + 1);
  EXPECT_EQ(LoadErrorOf(changed), "corrupt: FILE is damaged: the checksum of block 1 is wrong");
  EXPECT_EQ(LoadErrorOf(std::string(1000, 'x')), "corrupt: FILE is damaged: it is no snapshot");
  changed = Written();
  changed[8] = 2;
  EXPECT_EQ(LoadErrorOf(changed), "conflict: FILE was written by another format, 2; this is 1");
}

TEST_F(CacheSnapshotTest, ABlockThatIsMissingOrStandsElsewhereIsSeen) {
  const std::string whole = Written(3 * 4096);
  const size_t block = 16 + 4096 * 24;
  ASSERT_EQ(whole.size(), 64 + 3 * block + 16);
  std::string missing = whole;
  missing.erase(64 + block, block);
  EXPECT_EQ(LoadErrorOf(missing), "corrupt: FILE is damaged: the checksum of block 2 is wrong");
  const std::string swapped = whole.substr(0, 64) + whole.substr(64 + block, block) +
                              whole.substr(64, block) + whole.substr(64 + 2 * block);
  EXPECT_EQ(LoadErrorOf(swapped), "corrupt: FILE is damaged: the checksum of block 1 is wrong");
}

TEST_F(CacheSnapshotTest, OfAnotherProgramOrSecretIsIgnored) {
  Written();
  Cache cache(Options());
  const CacheSnapshot newer{snapshot_.path, "1.3.0"};
  EXPECT_EQ(LoadError(newer, &cache),
            "conflict: FILE was written by another version of the program, 1.2.3; this is 1.3.0");
  CacheOptions options = Options();
  options.secret = {7, 8};
  Cache other(options);
  EXPECT_EQ(LoadError(&other), "conflict: FILE has another secret by now");
  EXPECT_EQ(other.Stats().elements, 0u);
}

TEST_F(CacheSnapshotTest, LargerThanTheCacheMayBeIsIgnored) {
  const std::string whole = Written(1000);
  Cache cache(Options(20'000));
  EXPECT_EQ(LoadError(&cache), "too_large: FILE has " + std::to_string(whole.size()) +
                                   " bytes, more than the cache may take: --cache-size is 20000");
}

TEST_F(CacheSnapshotTest, AFullDiskLeavesTheOldOne) {
  const std::string old = Written();
  Cache cache(Options());
  Fill(&cache, 10'000);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, SIG_IGN);
  const rlimit small{100'000, before.rlim_max};  // the disk takes this much of a file
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  std::string error;
  try {
    WriteCacheSnapshot(snapshot_, cache, {});
  } catch (const Error& e) {
    error = e.what();
    EXPECT_EQ(e.code(), ErrorCode::kUnavailable);
  }
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_DFL);
  EXPECT_EQ(error, "cannot write " + snapshot_.path.string() + ".tmp: File too large");
  EXPECT_EQ(ReadFile(snapshot_.path), old);
  EXPECT_EQ(Files(), std::vector<std::string>{"cache.snapshot"}) << "no temporary file is left";
}

TEST_F(CacheSnapshotTest, AFolderThatIsNotThereIsNamed) {
  const Cache cache(Options());
  const CacheSnapshot nowhere{folder_.path() / "no" / "cache.snapshot", "1"};
  try {
    WriteCacheSnapshot(nowhere, cache, {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()),
              "cannot create " + nowhere.path.string() + ".tmp: No such file or directory");
  }
}

TEST_F(CacheSnapshotTest, AWriterThatIsKilledLeavesTheOldOneOrTheNew) {
  Written();
  for (int round = 0; round < 10; ++round) {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
      Cache cache(Options());
      Fill(&cache, 20'000);
      for (;;) {
        WriteCacheSnapshot(snapshot_, cache, {});
        if (write(ready[1], "x", 1) != 1) _exit(1);
      }
    }
    char byte;
    for (int i = 0; i <= round; ++i) ASSERT_EQ(read(ready[0], &byte, 1), 1);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    close(ready[0]);
    close(ready[1]);
    Cache cache(Options());
    EXPECT_EQ(LoadError(&cache), "") << round;
    ExpectFilled(&cache, 20'000);
  }
  Written();
  EXPECT_EQ(Files(), std::vector<std::string>{"cache.snapshot"})
      << "what a killed writer left is gone with the next write";
}

TEST_F(CacheSnapshotTest, IsWrittenWhileTheCacheIsInUse) {
  Cache cache(Options());
  Fill(&cache, 5000);
  std::atomic<bool> stop{false};
  std::thread user([&] {
    for (uint64_t i = 0; !stop; ++i) {
      const uint64_t n = i % 100'000;
      if (!cache.Get(Key(cache, n))) cache.Put(Key(cache, n), {n % 18, 0.5F});
    }
  });
  for (int round = 0; round < 20; ++round) {
    WriteCacheSnapshot(snapshot_, cache, {});
    Cache again(Options());
    EXPECT_EQ(LoadError(&again), "");
    for (uint64_t n = 0; n < 1000; ++n) {
      const auto found = again.Get(Key(again, n));
      if (found) {
        ASSERT_EQ(found->label, n % 18);
      }
    }
  }
  stop = true;
  user.join();
}

class CacheSaverTest : public testing::Test {
 protected:
  // A cache of the folder, filled and saved as a server does from its start to its end.
  void Serve(const fs::path& folder, uint64_t entries, uint64_t expected) {
    CacheSaverOptions options{folder, std::chrono::hours(1), "1"};
    CacheOptions cache_options = Options();
    cache_options.secret = CacheSecretOf(options);
    Cache cache(cache_options);
    {
      CacheSaver saver(options, &cache, [] { return std::vector<uint16_t>(); });
    }
    ExpectFilled(&cache, expected);
    CacheSaver saver(options, &cache, [] { return std::vector<uint16_t>(); });
    Fill(&cache, entries);
    saver.Stop();
    saver.Stop();
  }
  TempFolder folder_;
};

TEST_F(CacheSaverTest, KeepsTheCacheThroughRestarts) {
  const fs::path folder = folder_.path() / "made" / "here";
  Serve(folder, 100, 0);
  Serve(folder, 100, 100);
  Serve(folder, 200, 100);
  Serve(folder, 0, 200);
  EXPECT_EQ(fs::status(folder).permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(folder / "cache.lock").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(CacheSaverTest, ADamagedSnapshotIsReplaced) {
  Serve(folder_.path(), 100, 0);
  fs::resize_file(folder_.path() / "cache.snapshot", 1000);
  Serve(folder_.path(), 50, 0);
  Serve(folder_.path(), 0, 50);
}

TEST_F(CacheSaverTest, WritesEveryWhile) {
  Cache cache(Options());
  CacheSaver saver({folder_.path(), std::chrono::milliseconds(1), "1"}, &cache,
                   [] { return std::vector<uint16_t>(); });
  Fill(&cache, 10);
  const CacheSnapshot snapshot{folder_.path() / "cache.snapshot", "1"};
  size_t entries = 0;
  for (int i = 0; i < 5000 && entries < 10; ++i) {
    std::this_thread::yield();
    Cache again(Options());
    try {
      entries = LoadCacheSnapshot(snapshot, &again);
    } catch (const Error& e) {
      ASSERT_EQ(e.code(), ErrorCode::kNotFound) << e.what();
      poll(nullptr, 0, 1);
    }
  }
  EXPECT_EQ(entries, 10u);
}

TEST_F(CacheSaverTest, OneServerWritesAndAnotherTakesOver) {
  const auto all = [] { return std::vector<uint16_t>(); };
  const auto saved = [&] {
    Cache again(Options());
    return LoadCacheSnapshot({folder_.path() / "cache.snapshot", "1"}, &again);
  };
  Cache first(Options());
  Cache second(Options());
  const CacheSaverOptions options{folder_.path(), std::chrono::milliseconds(1), "1"};
  Fill(&first, 10);
  CacheSaver first_saver(options, &first, all);
  while (!fs::exists(folder_.path() / "cache.snapshot")) std::this_thread::yield();
  Fill(&second, 20);
  CacheSaver(options, &second, all).Stop();
  EXPECT_EQ(saved(), 10u) << "the first holds the folder";
  first_saver.Stop();
  CacheSaver(options, &second, all).Stop();
  EXPECT_EQ(saved(), 20u);
}

TEST_F(CacheSaverTest, AFolderThatCannotBeMadeEndsNothing) {
  WriteFileDurably(folder_.path() / "file", "x");
  Serve(folder_.path() / "file" / "folder", 10, 0);
}

}  // namespace
}  // namespace rebound
