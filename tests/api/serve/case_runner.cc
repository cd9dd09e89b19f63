#include "tests/api/serve/case_runner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "base/json.h"
#include "base/text.h"
#include "tests/api/serve/served.h"
#include "tests/support/bundles.h"

namespace rebound::test {
namespace {

struct Case {
  std::string title;
  int line = 0;
  Request request;
  int status = 0;
  HeaderList headers;
  std::string json;
};

struct CaseFile {
  std::map<std::string, std::string> settings;
  std::vector<Case> cases;
};

bool StartsWith(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

std::pair<std::string, std::string> SplitHeader(std::string_view line) {
  const size_t colon = std::min(line.find(':'), line.size() - 1);
  return {std::string(line.substr(0, colon)), std::string(Trim(line.substr(colon + 1)))};
}

// A part is lines of headers, an empty line, and the rest.
void ReadPart(const std::vector<std::string>& lines, HeaderList* headers, std::string* rest) {
  size_t i = 0;
  for (; i < lines.size() && !lines[i].empty(); ++i) headers->push_back(SplitHeader(lines[i]));
  for (++i; i < lines.size(); ++i) *rest += lines[i] + "\n";
  while (!rest->empty() && rest->back() == '\n') rest->pop_back();
}

CaseFile ReadCaseFile(const std::filesystem::path& path) {
  CaseFile file;
  std::ifstream in(path);
  std::string line;
  std::vector<std::string> lines;
  bool in_answer = false;
  const auto finish = [&] {
    if (file.cases.empty()) return;
    Case& now = file.cases.back();
    if (in_answer) {
      ReadPart(lines, &now.headers, &now.json);
    } else {
      ADD_FAILURE() << path << ":" << now.line << ": a case without an answer (--- STATUS)";
    }
  };
  for (int number = 1; std::getline(in, line); ++number) {
    if (file.cases.empty() && StartsWith(line, "@ ")) {
      const std::string setting = line.substr(2);
      file.settings[setting.substr(0, setting.find(' '))] = setting.substr(setting.find(' ') + 1);
    } else if (StartsWith(line, "=== ")) {
      finish();
      file.cases.emplace_back();
      file.cases.back().title = line.substr(4);
      file.cases.back().line = number;
      lines.clear();
      in_answer = false;
    } else if (!file.cases.empty() && StartsWith(line, "--- ")) {
      Case& now = file.cases.back();
      now.status = std::atoi(line.c_str() + 4);
      std::istringstream(lines.empty() ? "" : lines[0]) >> now.request.method >> now.request.target;
      if (!lines.empty()) lines.erase(lines.begin());
      ReadPart(lines, &now.request.headers, &now.request.body);
      for (auto& [name, value] : now.request.headers) name = AsciiLower(name);
      lines.clear();
      in_answer = true;
    } else if (!file.cases.empty()) {
      lines.push_back(line);
    }
  }
  finish();
  return file;
}

bool MatchesWildcard(std::string_view wildcard, const JsonValue& value) {
  return wildcard == "*any*" || (wildcard == "*number*" && value.IsNumber()) ||
         (wildcard == "*string*" && value.IsString()) || (wildcard == "*bool*" && value.IsBool()) ||
         (wildcard == "*array*" && value.IsArray()) || (wildcard == "*object*" && value.IsObject());
}

// "" where `value` is as expected, else where it differs first.
std::string Difference(const JsonValue& expected, const JsonValue& value, const std::string& at) {
  if (expected.IsString() && MatchesWildcard(JsonText(expected), value)) return "";
  if (expected.IsArray() && value.IsArray()) {
    if (expected.Size() != value.Size()) return at + " has another length";
    for (rapidjson::SizeType i = 0; i < expected.Size(); ++i) {
      const auto difference = Difference(expected[i], value[i], at + "[" + std::to_string(i) + "]");
      if (!difference.empty()) return difference;
    }
    return "";
  }
  if (expected.IsObject() && value.IsObject()) {
    if (expected.MemberCount() != value.MemberCount()) return at + " has other keys";
    auto member = value.MemberBegin();
    for (const auto& wanted : expected.GetObject()) {
      if (JsonText(wanted.name) != JsonText(member->name)) {
        return at + " has '" + std::string(JsonText(member->name)) + "' where '" +
               std::string(JsonText(wanted.name)) + "' should be";
      }
      const auto difference =
          Difference(wanted.value, member->value, at + "." + std::string(JsonText(wanted.name)));
      if (!difference.empty()) return difference;
      ++member;
    }
    return "";
  }
  return expected == value ? "" : at + " differs";
}

void CheckAnswer(const Case& now, const Response& response) {
  EXPECT_EQ(response.status, now.status) << response.body;
  HeaderList headers = response.headers;
  headers.emplace_back("Content-Type", response.content_type);
  for (const auto& [name, wanted] : now.headers) {
    const auto it = std::find_if(headers.begin(), headers.end(), [&](const auto& header) {
      return AsciiLower(header.first) == AsciiLower(name);
    });
    if (wanted == "-") {
      EXPECT_TRUE(it == headers.end()) << "header " << name << " should not be there";
    } else if (it == headers.end()) {
      ADD_FAILURE() << "header " << name << " is missing";
    } else if (wanted != "*") {
      EXPECT_EQ(it->second, wanted) << "header " << name;
    }
  }
  if (now.json.empty()) return;
  const JsonDocument expected = ParseJson(now.json);
  EXPECT_EQ(Difference(expected, ParseJson(response.body), "the body"), "")
      << "expected " << now.json << "\ngot      " << response.body;
}

// A folder of models for the whole test run.
const std::filesystem::path& TestModels() {
  static const TempFolder folder("rebound-api-");
  static const bool made = [] {
    BundleStore store(folder.path());
    for (const Task task : kTasks) {
      TestBundle bundle;
      bundle.task = task;
      PublishTestBundle(&store, bundle);
    }
    return true;
  }();
  EXPECT_TRUE(made);
  return folder.path();
}

// "NAME SCOPES KEY; NAME SCOPES KEY" as a keys file.
std::filesystem::path WriteKeys(const std::string& setting) {
  static const TempFolder folder("rebound-keys-");
  std::string text;
  for (const std::string_view each : Split(setting, ';')) {
    std::istringstream words{std::string(each)};
    std::string name, scopes, key, option;
    words >> name >> scopes >> key;
    text += name + " " + scopes + " " + (key.rfind("cert:", 0) == 0 ? key : KeyField(key));
    while (words >> option) text += " " + option;
    text += "\n";
  }
  const auto path = folder.path() / KeyField(text);
  WriteFileDurably(path, text);
  std::filesystem::permissions(path, std::filesystem::perms::owner_read);
  return path;
}

template <class Setting>
GateOptions GateOf(const Setting& setting) {
  GateOptions gate;
  const std::string api_key = setting("api-key", ""), metrics_key = setting("metrics-key", ""),
                    keys = setting("keys", "");
  if (!api_key.empty()) gate.keys.api_key = DigestOfKey(api_key);
  if (!metrics_key.empty()) gate.keys.metrics_key = DigestOfKey(metrics_key);
  if (!keys.empty()) gate.keys.file = WriteKeys(keys);
  gate.rate = ParseRate(setting("rate-limit", "none"));
  gate.cors = ParseCorsOrigins(setting("cors-origin", ""));
  gate.cors.credentials = setting("cors-credentials", "false") == "true";
  return gate;
}

Served::Options OptionsOf(const CaseFile& file, std::filesystem::path* models) {
  Served::Options options;
  const auto setting = [&](const char* name, const char* initial) {
    const auto it = file.settings.find(name);
    return it == file.settings.end() ? std::string(initial) : it->second;
  };
  options.api.gate = GateOf(setting);
  const auto source_file = [&](const char* name) {
    const std::string file = setting(name, "");
    if (file.empty()) return std::filesystem::path();
    return std::filesystem::path(std::getenv("REBOUND_SOURCE")) / file;
  };
  options.api.backoff_policy = source_file("backoff-policy");
  options.api.overrides = source_file("overrides");
  options.api.text_rules = source_file("text-rules");
  options.api.max_batch = std::stoul(setting("max-batch", "1000"));
  options.api.cache.stats = setting("cache-stats", "false") == "true";
  options.api.cache.folder = setting("cache-folder", "");
  options.cache.enabled = setting("cache", "true") == "true";
  options.cache.max_bytes = std::stoul(setting("cache-size", "104857600"));
  const std::string which = setting("models", "test");
  if (which == "released") {
    *models = std::filesystem::path(std::getenv("REBOUND_SOURCE")) / "models/released";
  } else if (which == "none") {
    *models = "/nonexistent";
  } else {
    *models = TestModels();
    if (which == "bnac") options.tasks = {Task::kBnac};
  }
  options.models = *models;
  return options;
}

}  // namespace

std::vector<std::filesystem::path> CaseFiles(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".case") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void RunCaseFile(const std::filesystem::path& path) {
  const CaseFile file = ReadCaseFile(path);
  ASSERT_FALSE(file.cases.empty()) << path << " holds no case";
  std::filesystem::path models;
  Served served(OptionsOf(file, &models));
  const auto peer = file.settings.find("peer");
  for (const Case& now : file.cases) {
    SCOPED_TRACE(path.filename().string() + ":" + std::to_string(now.line) + ": " + now.title);
    Request request = now.request;
    if (peer != file.settings.end()) request.peer = peer->second;
    CheckAnswer(now, served.Ask(std::move(request)));
  }
}

}  // namespace rebound::test
