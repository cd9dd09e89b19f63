#include "engine/cli/server_client.h"

#include <curl/curl.h>

#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/cli/terminal.h"

namespace rebound {
namespace {

namespace po = boost::program_options;

constexpr size_t kMostAnswerBytes = size_t{64} << 20;
constexpr size_t kMostKeyBytes = 4096;

[[noreturn]] void Misused(const std::string& why) { throw Error(ErrorCode::kInvalidArgument, why); }

// No further byte than kMostAnswerBytes.
size_t Collect(char* bytes, size_t /*one*/, size_t count, void* to) {
  auto* const body = static_cast<std::string*>(to);
  if (body->size() + count > kMostAnswerBytes) return 0;
  body->append(bytes, count);
  return count;
}

struct FreeHeaders {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Headers = std::unique_ptr<curl_slist, FreeHeaders>;

void AddHeader(const std::string& line, Headers* headers) {
  curl_slist* const longer = curl_slist_append(headers->get(), line.c_str());
  if (longer == nullptr) throw Error(ErrorCode::kUnavailable, "out of memory");
  static_cast<void>(headers->release());
  headers->reset(longer);
}

// What a problem+json says, or what the body begins with.
std::string DetailOf(const std::string& body) {
  try {
    const JsonDocument problem = ParseJson(body);
    for (const char* key : {"detail", "title"}) {
      const JsonValue* const value = FindJson(problem, key);
      if (value != nullptr && value->IsString()) return OneLine(JsonText(*value));
    }
  } catch (const Error&) {  // a proxy's page, perhaps
  }
  return OneLine(CutUtf8(RepairUtf8(Trim(body)), 200));
}

std::string WithoutUser(const std::string& url) {
  const size_t host = url.find("://") + 3;
  const size_t at = url.substr(0, url.find('/', host)).rfind('@');
  return at == std::string::npos || at < host ? url : url.substr(0, host) + url.substr(at + 1);
}

}  // namespace

void AddServerOptions(const std::string& server, CommandLine* line) {
  const auto text = [] { return po::value<std::string>()->default_value(""); };
  auto add = line->options.add_options();
  add("server", po::value<std::string>()->default_value(server)->value_name("URL"),
      "the running server");
  add("key", text()->value_name("KEY"),
      "an API key; better in $REBOUND_KEY or --key-file, where no list of processes shows it");
  add("key-file", text()->value_name("FILE"), "a file whose first line is the key");
  add("cacert", text()->value_name("FILE"), "who may sign the server's certificate (PEM)");
  add("timeout", po::value<long>()->default_value(60)->value_name("S"), "seconds to wait");
}

ServerClient::ServerClient(const po::variables_map& values)
    : url_(values["server"].as<std::string>()),
      key_(values["key"].as<std::string>()),
      cacert_(values["cacert"].as<std::string>()),
      timeout_s_(values["timeout"].as<long>()) {
  while (url_.ends_with('/')) url_.pop_back();
  if (!url_.starts_with("http://") && !url_.starts_with("https://")) {
    Misused("--server must be an address such as http://127.0.0.1:8080");
  }
  shown_ = OneLine(WithoutUser(url_));
  if (timeout_s_ < 1) Misused("--timeout must be at least 1");
  const std::string file = values["key-file"].as<std::string>();
  if (!file.empty()) {
    if (!values["key"].defaulted()) Misused("give --key or --key-file, not both");
    try {
      const std::string bytes = ReadFile(file, kMostKeyBytes);
      key_ = Trim(Split(bytes, '\n')[0]);
    } catch (const Error& e) {
      Misused(std::string("--key-file: ") + e.what());
    }
    if (key_.empty()) Misused("--key-file: the first line of " + file + " is empty");
  }
  for (const char c : key_) {
    if (c < 0x21 || c > 0x7E) Misused("the key has characters that no key has");
  }
}

std::string ServerClient::Get(const std::string& path) const { return Ask(path, nullptr); }
std::string ServerClient::Post(const std::string& path, const std::string& body) const {
  return Ask(path, &body);
}

std::string ServerClient::Ask(const std::string& path, const std::string* body) const {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(ready == CURLE_OK ? curl_easy_init() : nullptr,
                                                    curl_easy_cleanup);
  if (curl == nullptr) throw Error(ErrorCode::kInternal, "libcurl cannot be started");
  Headers headers;
  AddHeader("Accept: application/json", &headers);
  if (!key_.empty()) AddHeader("X-API-Key: " + key_, &headers);
  std::string answer;
  CURL* const c = curl.get();
  curl_easy_setopt(c, CURLOPT_URL, (url_ + path).c_str());
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, std::min(timeout_s_, 10L));
  curl_easy_setopt(c, CURLOPT_TIMEOUT, timeout_s_);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, Collect);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &answer);
  if (!cacert_.empty()) curl_easy_setopt(c, CURLOPT_CAINFO, cacert_.c_str());
  if (body != nullptr) {
    AddHeader("Content-Type: application/json", &headers);
    AddHeader("Expect:", &headers);
    curl_easy_setopt(c, CURLOPT_POST, 1L);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, body->data());
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body->size()));
  }
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers.get());
  char why[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
  const CURLcode code = curl_easy_perform(c);
  if (code != CURLE_OK) {
    throw Error(
        ErrorCode::kUnavailable,
        "cannot ask " + shown_ + ": " + OneLine(why[0] == '\0' ? curl_easy_strerror(code) : why));
  }
  long status = 0;
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
  if (status / 100 == 2) return answer;
  std::string what = shown_ + path + " answers " + std::to_string(status);
  const std::string detail = DetailOf(answer);
  if (!detail.empty()) what += ": " + detail;
  if (status == 401 || status == 403) {
    what += " (give a key with --key-file, or $REBOUND_KEY)";
  }
  throw Error(ErrorCode::kConflict, what);
}

}  // namespace rebound
