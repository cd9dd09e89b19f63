#include "engine/overrides/rule_source.h"

#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

void ReplaceAll(const std::string& what, const std::string& by, std::string* text) {
  if (what.empty()) return;
  for (size_t at = text->find(what); at != std::string::npos; at = text->find(what, at)) {
    text->replace(at, what.size(), by);
    at += by.size();
  }
}

// "secret" of "postgresql://me:secret@host/db", or nothing.
std::string UserPassword(const std::string& uri) {
  const size_t scheme = uri.find("://");
  if (scheme == std::string::npos) return "";
  const size_t begin = scheme + 3;
  const size_t at = uri.substr(0, uri.find('/', begin)).rfind('@');
  const size_t colon = uri.find(':', begin);
  if (at == std::string::npos || colon == std::string::npos || colon > at) return "";
  return uri.substr(colon + 1, at - colon - 1);
}

// "secret" of "...password=secret&..." or "...;PWD=secret;...", or nothing.
std::string NamedPassword(const std::string& uri, std::string_view key) {
  const size_t at = AsciiLower(uri).find(key);
  if (at == std::string::npos) return "";
  const size_t begin = at + key.size();
  return uri.substr(begin, uri.find_first_of("&; ", begin) - begin);
}

std::string WithoutSecrets(std::string message, const std::string& uri, const std::string& name) {
  ReplaceAll(uri, "datasource \"" + name + "\"", &message);
  for (const std::string& password : {UserPassword(uri), NamedPassword(uri, "password="),
                                      NamedPassword(uri, "pwd="), NamedPassword(uri, "passwd=")}) {
    ReplaceAll(password, "***", &message);
  }
  return message;
}

ParsedRules ReadFromDatasource(const RuleSourceConfig& source, BounceKind kind,
                               const OverrideConfig& config, const DatasourceReader& reader) {
  const std::vector<std::string>& uris = config.datasources.at(source.datasource).uris;
  for (size_t i = 0;; ++i) {
    RuleCollector collector(kind, source.Description(), config.codes);
    uint32_t row = 0;
    size_t bytes = 0;
    try {
      reader(uris[i], source.query, RuleCollector::Columns(kind),
             [&](std::span<const std::string_view> fields) {
               for (const std::string_view field : fields) bytes += field.size();
               if (bytes > kMaxRuleFileBytes) {
                 throw Error(ErrorCode::kTooLarge, source.Description() + " gives more than the " +
                                                       std::to_string(kMaxRuleFileBytes) +
                                                       " bytes allowed in one list");
               }
               collector.Add(++row, fields);
             });
      return collector.Take();
    } catch (const Error& e) {
      // Another source of the same rules cannot mend a query that is wrong.
      const bool is_away = e.code() == ErrorCode::kUnavailable || e.code() == ErrorCode::kNotFound;
      if (is_away && i + 1 < uris.size()) continue;
      throw Error(e.code(), WithoutSecrets(e.what(), uris[i], source.datasource));
    } catch (const std::exception& e) {
      throw Error(ErrorCode::kInternal, WithoutSecrets(e.what(), uris[i], source.datasource));
    }
  }
}

}  // namespace

std::string ReadRuleFile(const fs::path& path, size_t max_bytes) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    throw Error(ErrorCode::kNotFound, "there is no file " + path.string());
  }
  if (error) {
    throw Error(ErrorCode::kUnavailable, "cannot read " + path.string() + ": " + error.message());
  }
  // A pipe would block for ever, a device never end.
  if (status.type() != fs::file_type::regular) {
    throw Error(ErrorCode::kInvalidArgument,
                path.string() + " is " +
                    (status.type() == fs::file_type::directory ? "a folder" : "no regular file") +
                    ": name a file");
  }
  // Before memory is reserved for it.
  const uintmax_t size = fs::file_size(path, error);
  if (!error && size > max_bytes) {
    throw Error(ErrorCode::kTooLarge, path.string() + " has " + std::to_string(size) +
                                          " bytes, more than the " + std::to_string(max_bytes) +
                                          " allowed here");
  }
  return ReadFile(path, max_bytes);
}

ParsedRules ReadRules(const RuleSourceConfig& source, BounceKind kind, const OverrideConfig& config,
                      const DatasourceReader& reader) {
  if (source.datasource.empty()) {
    return ParseRules(ReadRuleFile(source.file), kind, source.file.string(), config.codes);
  }
  if (!reader) {
    throw Error(ErrorCode::kInvalidArgument,
                source.Description() + ": this program reads no data sources; use a file");
  }
  return ReadFromDatasource(source, kind, config, reader);
}

}  // namespace rebound
