// The functions of rebound.h that take a client, and those that need nothing.
#include "engine/library/rebound.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/log.h"
#include "base/text.h"
#include "engine/library/answer_handle.h"
#include "engine/library/boundary.h"
#include "engine/library/client.h"
#include "engine/library/report_handle.h"

struct rebound_client {
  explicit rebound_client(const char* models_dir) : client(models_dir) {}
  rebound::Client client;
};

namespace rebound {
namespace {

constexpr size_t kMaxDomainArgument = 255;

// The clients that are open: a call keeps the one it uses, and a closed one is known as such.
class OpenClients {
 public:
  void Add(const std::shared_ptr<rebound_client>& client) {
    const std::lock_guard lock(mutex_);
    clients_.emplace(client.get(), client);
  }
  // Null where it is not open.
  std::shared_ptr<rebound_client> Find(const rebound_client* client) const {
    const std::lock_guard lock(mutex_);
    const auto found = clients_.find(client);
    return found == clients_.end() ? nullptr : found->second;
  }
  // The caller frees it, outside the lock.
  std::shared_ptr<rebound_client> Remove(const rebound_client* client) {
    const std::lock_guard lock(mutex_);
    const auto node = clients_.extract(client);
    return node.empty() ? nullptr : node.mapped();
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<const rebound_client*, std::shared_ptr<rebound_client>> clients_;
};

// Never destroyed: threads may call while the process ends.
OpenClients& Opened() {
  static OpenClients* const opened = new OpenClients;
  return *opened;
}

std::shared_ptr<rebound_client> ClientArgument(const rebound_client* client) {
  CheckGiven(client, "the client");
  auto found = Opened().Find(client);
  if (found == nullptr) Misused("the client is not open: it was closed, or is none");
  return found;
}

// A library does not speak on its host's standard error: what goes wrong is told to who asks.
void SilenceLog() {
  static const bool silent = [] {
    SetLog(LogLevel{static_cast<int>(LogLevel::kError) + 1});
    return true;
  }();
  static_cast<void>(silent);
}

std::string DomainArgument(const char* domain_or_null) {
  const std::string_view domain = Trim(domain_or_null == nullptr ? "" : domain_or_null);
  if (domain.size() > kMaxDomainArgument) Misused("the domain is longer than 255 bytes");
  const bool plain = std::none_of(domain.begin(), domain.end(), [](char c) {
    return (c >= 0 && c <= ' ') || c == '\x7F' || c == '@' || c == '/';
  });
  if (!plain) Misused("the domain is not a domain's name");
  return std::string(domain);
}

BounceKind KindArgument(int kind) {
  if (kind == REBOUND_SMTP) return BounceKind::kSmtp;
  if (kind != REBOUND_MDN) Misused("the kind is neither REBOUND_SMTP nor REBOUND_MDN");
  return BounceKind::kMdn;
}

std::string ReadableArgument(const char* text, size_t length) {
  std::string readable = ReadableText(TextArgument(text, length, "the text"));
  if (readable.empty()) Misused("the text is empty or blank");
  return readable;
}

// "" for NULL. A name that is given must not be empty.
std::string FileArgument(const char* file_or_null) {
  if (file_or_null == nullptr) return "";
  if (*file_or_null == '\0') Misused("the file's name is empty; NULL stands for none");
  return file_or_null;
}

// Runs `body` on the open client.
template <class Body>
rebound_status WithClient(rebound_client* client, Body body) noexcept {
  return Bounded([&] { body(ClientArgument(client)->client); });
}

template <class Write>
rebound_status GiveJson(rebound_client* client, char** json, Write write) noexcept {
  if (json != nullptr) *json = nullptr;
  return Bounded([&] {
    CheckGiven(json, "the out parameter");
    const auto opened = ClientArgument(client);
    std::string text;
    JsonWriter writer(&text);
    (opened->client.*write)(&writer);
    char* const copy = static_cast<char*>(std::malloc(text.size() + 1));
    if (copy == nullptr) throw std::bad_alloc();
    std::memcpy(copy, text.c_str(), text.size() + 1);
    *json = copy;
  });
}

}  // namespace
}  // namespace rebound

using rebound::Bounded;
using rebound::CheckGiven;
using rebound::Client;
using rebound::ClientArgument;
using rebound::WithClient;

extern "C" {

int rebound_abi(void) { return REBOUND_ABI; }
const char* rebound_version(void) { return REBOUND_LIBRARY_VERSION; }
void rebound_free(char* text) { std::free(text); }

rebound_status rebound_open(const char* models_dir, rebound_client** client) {
  if (client != nullptr) *client = nullptr;
  return Bounded([&] {
    CheckGiven(client, "the out parameter");
    CheckGiven(models_dir, "the models' folder");
    if (*models_dir == '\0') rebound::Misused("the name of the models' folder is empty");
    rebound::SilenceLog();
    const auto opened = std::make_shared<rebound_client>(models_dir);
    rebound::Opened().Add(opened);
    *client = opened.get();
  });
}

void rebound_close(rebound_client* client) {
  if (client == nullptr) return;
  Bounded([&] { rebound::Opened().Remove(client); });
}

rebound_status rebound_reload(rebound_client* client, const char* models_dir_or_null) {
  return WithClient(client,
                    [&](Client& c) { c.Reload(rebound::FileArgument(models_dir_or_null)); });
}

rebound_status rebound_set_overrides(rebound_client* client, const char* file_or_null) {
  return WithClient(client,
                    [&](Client& c) { c.SetOverrides(rebound::FileArgument(file_or_null)); });
}

rebound_status rebound_set_text_rules(rebound_client* client, const char* file_or_null) {
  return WithClient(client,
                    [&](Client& c) { c.SetTextRules(rebound::FileArgument(file_or_null)); });
}

rebound_status rebound_register_text_rule(rebound_client* client, const char* pattern,
                                          const char* label) {
  return WithClient(client, [&](Client& c) {
    CheckGiven(pattern, "the pattern");
    CheckGiven(label, "the label");
    c.RegisterTextRule(pattern, label);
  });
}

rebound_status rebound_clear_text_rules(rebound_client* client) {
  return WithClient(client, [](Client& c) { c.ClearTextRules(); });
}

rebound_status rebound_set_backoff_policy(rebound_client* client, const char* file_or_null) {
  return WithClient(client,
                    [&](Client& c) { c.SetBackoffPolicy(rebound::FileArgument(file_or_null)); });
}

rebound_status rebound_reload_rules(rebound_client* client) {
  return WithClient(client, [](Client& c) { c.ReloadRules(); });
}

rebound_status rebound_model_info_json(rebound_client* client, char** json) {
  return rebound::GiveJson(client, json, &Client::WriteModelInfo);
}

rebound_status rebound_rules_json(rebound_client* client, char** json) {
  return rebound::GiveJson(client, json, &Client::WriteRules);
}

rebound_status rebound_classify(rebound_client* client, const char* text, size_t length,
                                const char* domain_or_null, int kind, rebound_answer** answer) {
  if (answer != nullptr) *answer = nullptr;
  return WithClient(client, [&](Client& c) {
    CheckGiven(answer, "the out parameter");
    const rebound::BounceKind bounce_kind = rebound::KindArgument(kind);
    const std::shared_ptr<const rebound::Moment> moment = c.Now();
    *answer = new rebound_answer(*moment, rebound::ReadableArgument(text, length),
                                 rebound::DomainArgument(domain_or_null), bounce_kind);
  });
}

rebound_status rebound_facts(const char* text, size_t length, rebound_answer** answer) {
  if (answer != nullptr) *answer = nullptr;
  return Bounded([&] {
    CheckGiven(answer, "the out parameter");
    *answer = new rebound_answer(rebound::ReadableArgument(text, length));
  });
}

rebound_status rebound_classify_message(rebound_client* client, const char* message, size_t length,
                                        rebound_report** report) {
  if (report != nullptr) *report = nullptr;
  return WithClient(client, [&](Client& c) {
    CheckGiven(report, "the out parameter");
    const std::shared_ptr<const rebound::Moment> moment = c.Now();
    *report = new rebound_report(*moment, rebound::TextArgument(message, length, "the message"));
  });
}

const char* rebound_label_name(int task, size_t index) {
  if (task < REBOUND_BNAC || task > REBOUND_LABEL) return nullptr;
  const auto labels = rebound::TaskLabels(static_cast<rebound::Task>(task));
  return index < labels.size() ? labels[index].data() : nullptr;
}

const char* rebound_recommended_action(const char* label) {
  const auto position = rebound::FindLabel(rebound::Task::kAction, label == nullptr ? "" : label);
  return position ? rebound::RecommendedAction(*position).data() : "review";
}

}  // extern "C"
