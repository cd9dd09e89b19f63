#include "serve/bundle_archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <cstdio>
#include <ctime>
#include <memory>
#include <string_view>

#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"

namespace rebound {
namespace {

// Seconds since 1970 of an ISO 8601 time in UTC; 0 where it is none.
time_t SecondsOf(const std::string& time) {
  std::tm parts{};
  return strptime(time.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts) == nullptr ? 0 : timegm(&parts);
}

// A gzipped tar that grows in memory.
class TarGzip {
 public:
  explicit TarGzip(std::string* out) : archive_(archive_write_new()) {
    Check(archive_write_add_filter_gzip(get()));
    Check(archive_write_set_format_ustar(get()));
    // Weights hardly shrink, so little is gained by more effort; no time of making, for equal
    // bytes.
    Check(archive_write_set_options(get(), "gzip:compression-level=1,gzip:!timestamp"));
    Check(archive_write_open(
        get(), out, nullptr,
        [](archive*, void* to, const void* bytes, size_t size) {
          static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), size);
          return static_cast<la_ssize_t>(size);
        },
        nullptr));
  }

  void Add(const std::string& name, std::string_view bytes, time_t time) {
    const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(),
                                                                         archive_entry_free);
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes.size()));
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_mtime(entry.get(), time, 0);
    Check(archive_write_header(get(), entry.get()));
    if (archive_write_data(get(), bytes.data(), bytes.size()) < 0) Check(ARCHIVE_FATAL);
  }

  void Finish() { Check(archive_write_close(get())); }

 private:
  struct Free {
    void operator()(archive* it) const { archive_write_free(it); }
  };
  archive* get() const { return archive_.get(); }
  void Check(int outcome) const {
    if (outcome == ARCHIVE_OK) return;
    const char* why = archive_error_string(get());
    throw Error(ErrorCode::kInternal,
                "cannot make the archive: " + std::string(why == nullptr ? "no memory" : why));
  }

  const std::unique_ptr<archive, Free> archive_;
};

}  // namespace

std::string MakeBundleArchive(const std::filesystem::path& folder, const BundleConfig& config) {
  size_t left = kMaxArchiveBytes;
  const auto read = [&](const std::string& name) {
    if (name.find('/') != std::string::npos) {
      throw Error(ErrorCode::kCorrupt, folder.string() + " lists a file outside itself: " + name);
    }
    std::string bytes = ReadFile(folder / name, left);
    left -= bytes.size();
    return bytes;
  };
  const auto differs = [&](const std::string& name) {
    throw Error(ErrorCode::kCorrupt, (folder / name).string() +
                                         " is not what the model that serves was loaded from: "
                                         "restore it or promote another version");
  };
  char version[16];
  std::snprintf(version, sizeof version, "%06d", config.version);
  const std::string prefix = std::string(TaskName(config.task)) + "/" + version + "/";
  const time_t time = SecondsOf(config.trained_at);

  std::string archive;
  TarGzip tar(&archive);
  const std::string own = read("config.json");
  if (ParseBundleConfig(own).sha256 != config.sha256) differs("config.json");
  tar.Add(prefix + "config.json", own, time);
  for (const auto& [name, sha256] : config.sha256) {
    const std::string bytes = read(name);
    if (Sha256Hex(bytes) != sha256) differs(name);
    tar.Add(prefix + name, bytes, time);
  }
  tar.Finish();
  return archive;
}

}  // namespace rebound
