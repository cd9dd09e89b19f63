#include "serve/cache_snapshot.h"

#define XXH_INLINE_ALL
#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little);

constexpr char kMagic[8] = {'R', 'B', 'C', 'A', 'C', 'H', 'E', '\n'};
constexpr uint32_t kFormat = 1;
constexpr size_t kBlockEntries = 4096;

struct Header {
  char magic[8];
  uint32_t format;
  uint32_t normaliser;
  char program[16];  // filled up with zeros
  SipSecret secret;
  uint64_t reserved;
  uint64_t checksum;  // of all before it
};
static_assert(sizeof(Header) == 64);

struct BlockHead {
  uint64_t count;
  uint64_t checksum;
};

struct PackedEntry {
  SipHash hash;
  float probability;
  uint16_t model;
  uint8_t label;
  uint8_t marks;  // hits, and kInMain
};
static_assert(sizeof(PackedEntry) == 24);
constexpr uint8_t kInMain = 0x80;

Header MakeHeader(const std::string& program, const SipSecret& secret) {
  Header header{};
  std::copy(std::begin(kMagic), std::end(kMagic), header.magic);
  header.format = kFormat;
  header.normaliser = kNormaliserVersion;
  program.copy(header.program, sizeof header.program);
  header.secret = secret;
  header.checksum = XXH3_64bits(&header, offsetof(Header, checksum));
  return header;
}

// Seeded with the checksum before it, so that no block can be missing or stand elsewhere.
uint64_t BlockChecksum(uint64_t before, const std::vector<PackedEntry>& entries) {
  return XXH3_64bits_withSeed(entries.data(), entries.size() * sizeof(PackedEntry),
                              before ^ entries.size());
}

PackedEntry Pack(const CacheEntry& entry) {
  return {entry.key.hash, entry.probability, entry.key.model, entry.label,
          static_cast<uint8_t>(entry.hits | (entry.in_main ? kInMain : 0))};
}

CacheEntry Unpack(const PackedEntry& packed) {
  return {{packed.hash, packed.model},
          packed.probability,
          packed.label,
          static_cast<uint8_t>(packed.marks & ~kInMain),
          (packed.marks & kInMain) != 0};
}

// A snapshot from front to back.
class Reader {
 public:
  explicit Reader(const CacheSnapshot& snapshot) : path_(snapshot.path) {
    if (!fs::exists(path_)) throw Error(ErrorCode::kNotFound, "there is no " + path_.string());
    if (!fs::is_regular_file(path_)) Corrupt("it is no file");
    in_.open(path_, std::ios::binary);
    if (!in_) {
      throw Error(ErrorCode::kUnavailable,
                  "cannot open " + path_.string() + ": " + std::strerror(errno));
    }
    Take(&header_, sizeof header_, "its header");
    CheckHeader(snapshot.program);
    checksum_ = header_.checksum;
  }

  const SipSecret& secret() const { return header_.secret; }
  size_t bytes() {
    in_.seekg(0, std::ios::end);
    const auto bytes = static_cast<size_t>(in_.tellg());
    Rewind();
    return bytes;
  }
  // To the first block.
  void Rewind() {
    in_.clear();
    in_.seekg(sizeof header_);
    checksum_ = header_.checksum;
    blocks_ = 0;
  }

  // False at the end.
  bool NextBlock(std::vector<PackedEntry>* entries) {
    const std::string name = "block " + std::to_string(++blocks_);
    BlockHead head;
    Take(&head, sizeof head, name);
    if (head.count > kBlockEntries)
      Corrupt(name + " claims " + std::to_string(head.count) + " entries");
    entries->resize(head.count);
    Take(entries->data(), entries->size() * sizeof(PackedEntry), name);
    checksum_ = BlockChecksum(checksum_, *entries);
    if (checksum_ != head.checksum) Corrupt("the checksum of " + name + " is wrong");
    for (const PackedEntry& entry : *entries) {
      if (!(entry.probability >= 0 && entry.probability <= 1)) {
        Corrupt(name + " holds a probability that is none");
      }
    }
    if (head.count > 0) return true;
    if (in_.peek() != std::ifstream::traits_type::eof()) Corrupt("bytes follow its end");
    return false;
  }

 private:
  [[noreturn]] void Corrupt(const std::string& why) const {
    throw Error(ErrorCode::kCorrupt, path_.string() + " is damaged: " + why);
  }
  [[noreturn]] void OfAnother(const std::string& what) const {
    throw Error(ErrorCode::kConflict, path_.string() + " was written by another " + what);
  }

  void Take(void* to, size_t bytes, const std::string& what) {
    if (!in_.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes))) {
      Corrupt("it ends within " + what);
    }
  }

  void CheckHeader(const std::string& program) const {
    const Header wanted = MakeHeader(program, header_.secret);
    if (std::memcmp(header_.magic, kMagic, sizeof kMagic) != 0) Corrupt("it is no snapshot");
    if (header_.format != wanted.format) {
      OfAnother("format, " + std::to_string(header_.format) + "; this is " +
                std::to_string(kFormat));
    }
    if (header_.checksum != XXH3_64bits(&header_, offsetof(Header, checksum))) {
      Corrupt("the checksum of its header is wrong");
    }
    if (header_.normaliser != wanted.normaliser) {
      OfAnother("version of the normaliser, " + std::to_string(header_.normaliser) + "; this is " +
                std::to_string(kNormaliserVersion));
    }
    if (std::memcmp(header_.program, wanted.program, sizeof wanted.program) != 0) {
      const std::string_view theirs(header_.program, sizeof header_.program);
      OfAnother("version of the program, " + std::string(theirs.substr(0, theirs.find('\0'))) +
                "; this is " + program);
    }
  }

  const fs::path path_;
  std::ifstream in_;
  Header header_;
  uint64_t checksum_ = 0;
  size_t blocks_ = 0;
};

// The temporary file: removed unless it was renamed.
class Writer {
 public:
  explicit Writer(const fs::path& path) : path_(path), temp_(path.string() + ".tmp") {
    ::unlink(temp_.c_str());  // of a process that was killed
    fd_ = ::open(temp_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd_ < 0) Fail("create");
  }
  ~Writer() {
    if (fd_ >= 0) ::close(fd_);
    if (!renamed_) ::unlink(temp_.c_str());
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void Write(const void* bytes, size_t count) {
    const char* at = static_cast<const char*>(bytes);
    while (count > 0) {
      const ssize_t n = ::write(fd_, at, count);
      if (n < 0 && errno != EINTR) Fail("write");
      if (n < 0) continue;
      at += n;
      count -= static_cast<size_t>(n);
    }
  }
  void WriteHeader(const Header& header) {
    Write(&header, sizeof header);
    checksum_ = header.checksum;
  }
  void WriteBlock(const std::vector<PackedEntry>& entries) {
    checksum_ = BlockChecksum(checksum_, entries);
    const BlockHead head{entries.size(), checksum_};
    Write(&head, sizeof head);
    Write(entries.data(), entries.size() * sizeof(PackedEntry));
  }
  void Finish() {
    if (::fsync(fd_) != 0) Fail("sync");
    if (::rename(temp_.c_str(), path_.c_str()) != 0) Fail("rename");
    renamed_ = true;
    SyncPath(path_.parent_path());
  }

 private:
  [[noreturn]] void Fail(const char* what) const {
    throw Error(ErrorCode::kUnavailable,
                "cannot " + std::string(what) + " " + temp_.string() + ": " + std::strerror(errno));
  }

  const fs::path path_;
  const fs::path temp_;
  int fd_ = -1;
  bool renamed_ = false;
  uint64_t checksum_ = 0;
};

}  // namespace

SipSecret ReadSnapshotSecret(const CacheSnapshot& snapshot) { return Reader(snapshot).secret(); }

size_t LoadCacheSnapshot(const CacheSnapshot& snapshot, Cache* cache) {
  Reader reader(snapshot);
  if (reader.bytes() > cache->max_bytes()) {
    throw Error(ErrorCode::kTooLarge, snapshot.path.string() + " has " +
                                          std::to_string(reader.bytes()) +
                                          " bytes, more than the cache may take: --cache-size is " +
                                          std::to_string(cache->max_bytes()));
  }
  if (!(reader.secret() == cache->secret())) {
    throw Error(ErrorCode::kConflict, snapshot.path.string() + " has another secret by now");
  }
  std::vector<PackedEntry> entries;
  size_t count = 0;
  while (reader.NextBlock(&entries)) count += entries.size();
  reader.Rewind();
  while (reader.NextBlock(&entries)) {
    for (const PackedEntry& entry : entries) cache->Restore(Unpack(entry));
  }
  return count;
}

size_t WriteCacheSnapshot(const CacheSnapshot& snapshot, const Cache& cache,
                          const std::vector<uint16_t>& models) {
  const auto wanted = [&](const CacheEntry& entry) {
    return models.empty() ||
           std::find(models.begin(), models.end(), entry.key.model) != models.end();
  };
  Writer writer(snapshot.path);
  writer.WriteHeader(MakeHeader(snapshot.program, cache.secret()));
  std::vector<CacheEntry> some;
  std::vector<PackedEntry> block;
  size_t count = 0;
  for (Cache::Walk walk; cache.Copy(&walk, &some);) {
    for (const CacheEntry& entry : some) {
      if (!wanted(entry)) continue;
      block.push_back(Pack(entry));
      if (block.size() < kBlockEntries) continue;
      writer.WriteBlock(block);
      count += block.size();
      block.clear();
    }
  }
  count += block.size();
  if (!block.empty()) writer.WriteBlock(block);
  writer.WriteBlock({});
  writer.Finish();
  return count;
}

}  // namespace rebound
