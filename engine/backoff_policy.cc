#include "engine/backoff_policy.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"

namespace rebound {
namespace {

constexpr size_t kMaxFileBytes = 1024 * 1024;

struct Entry {
  std::string key;
  YAML::Mark mark;  // of the key
  YAML::Node value;
};

// Counts documents as they begin. YAML::LoadAll must not be asked: yaml-cpp 0.7 finds empty
// documents without end in a text such as ", {}" and keeps them all.
class DocumentCounter : public YAML::EventHandler {
 public:
  int documents() const { return documents_; }
  const YAML::Mark& last() const { return last_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    ++documents_;
    last_ = mark;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

 private:
  int documents_ = 0;
  YAML::Mark last_;
};

// Reads one text; every error names it and the line.
class Reader {
 public:
  explicit Reader(const std::string& name) : name_(name) {}

  [[noreturn]] void Fail(const YAML::Mark& mark, const std::string& what) const {
    throw Error(ErrorCode::kInvalidArgument,
                name_ + ":" + std::to_string(std::max(mark.line, 0) + 1) + ": " + what);
  }

  YAML::Node Parse(const std::string& yaml) const {
    try {
      DocumentCounter counter;
      std::istringstream in(yaml);
      YAML::Parser parser(in);
      while (counter.documents() < 2 && parser.HandleNextDocument(counter)) {
      }
      if (counter.documents() > 1) {
        Fail(counter.last(), "there must be one document, and nothing before or after it");
      }
      if (counter.documents() == 0) {
        Fail(YAML::Mark(), "the file is empty; it must map classes to lists");
      }
      return YAML::Load(yaml);
    } catch (const YAML::Exception& e) {
      Fail(e.mark, "this is no YAML: " + e.msg);
    }
  }

  // Every entry of a map, each key once. `what` names the map.
  std::vector<Entry> Entries(const YAML::Node& map, const std::string& what) const {
    if (!map.IsMap()) Fail(map.Mark(), what + " must be a map");
    std::vector<Entry> entries;
    std::set<std::string> seen;
    for (const auto& entry : map) {
      const YAML::Node& key = entry.first;
      if (!key.IsScalar()) Fail(key.Mark(), "a key must be a word");
      if (!seen.insert(key.Scalar()).second) {
        Fail(key.Mark(), "'" + key.Scalar() + "' is given twice");
      }
      entries.push_back({key.Scalar(), key.Mark(), entry.second});
    }
    return entries;
  }

  // Words of `known`, each once. `what` is "field" or "action".
  std::vector<std::string_view> Words(const YAML::Node& list, const std::string& what,
                                      std::span<const std::string_view> known) const {
    if (!list.IsSequence()) Fail(list.Mark(), "'" + what + "s' must be a list");
    std::vector<std::string_view> words;
    for (const YAML::Node& item : list) {
      if (!item.IsScalar()) Fail(item.Mark(), "each " + what + " must be a word");
      const auto it = std::find(known.begin(), known.end(), item.Scalar());
      if (it == known.end()) {
        Fail(item.Mark(),
             "there is no " + what + " '" + item.Scalar() + "'; there are " + Join(known));
      }
      if (std::find(words.begin(), words.end(), *it) != words.end()) {
        Fail(item.Mark(), what + " '" + item.Scalar() + "' is given twice");
      }
      words.push_back(*it);
    }
    return words;
  }

  BackoffAdvice Advice(const Entry& of_class) const {
    const std::string& name = of_class.key;
    // Nothing at all has no line of its own.
    if (of_class.value.IsNull()) Fail(of_class.mark, name + " must be a map");
    std::optional<std::vector<std::string_view>> fields;
    std::optional<std::vector<std::string_view>> actions;
    for (const Entry& entry : Entries(of_class.value, name)) {
      if (entry.key == "fields") {
        fields = Words(entry.value, "field", kBackoffFields);
      } else if (entry.key == "actions") {
        actions = Words(entry.value, "action", kBackoffActions);
      } else {
        Fail(entry.mark, "there is no key '" + entry.key + "'; a class has 'fields' and 'actions'");
      }
    }
    if (!fields) Fail(of_class.mark, name + " has no 'fields' (write [] for none)");
    if (!actions) Fail(of_class.mark, name + " has no 'actions' (write [] for none)");
    if (fields->empty() != actions->empty()) {
      Fail(of_class.mark, name +
                              " has one list that is empty and one that is not, so nothing "
                              "would be done: empty both");
    }
    return {std::move(*fields), std::move(*actions)};
  }

 private:
  static std::string Join(std::span<const std::string_view> words) {
    std::string joined;
    for (const std::string_view word : words) {
      joined += (joined.empty() ? "" : ", ") + std::string(word);
    }
    return joined;
  }

  const std::string& name_;
};

}  // namespace

BackoffPolicy BackoffPolicy::Parse(std::string_view yaml, const std::string& name) {
  const Reader reader(name);
  BackoffPolicy policy;
  try {
    const YAML::Node root = reader.Parse(std::string(yaml));
    for (const Entry& entry : reader.Entries(root, "the file")) {
      const auto label = FindLabel(Task::kBackoff, entry.key);
      if (!label) reader.Fail(entry.mark, "there is no backoff class '" + entry.key + "'");
      policy.advice_[*label] = reader.Advice(entry);
    }
  } catch (const YAML::Exception& e) {
    reader.Fail(e.mark, e.msg);
  }
  return policy;
}

size_t BackoffPolicy::active() const {
  return static_cast<size_t>(std::count_if(
      advice_.begin(), advice_.end(), [](const auto& advice) { return !advice.fields.empty(); }));
}

BackoffPolicyFile::BackoffPolicyFile(std::filesystem::path path)
    : path_(std::move(path)),
      current_(std::make_shared<const BackoffPolicy>()),
      file_([this] { return Read(); }, [this](const std::string& bytes) { Take(bytes); },
            "backoff policy refused, the older one goes on") {
  if (path_.empty()) return;
  file_.Open();
  file_.StartThread();
}

std::shared_ptr<const BackoffPolicy> BackoffPolicyFile::Current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

bool BackoffPolicyFile::Look() { return path_.empty() || file_.Look(); }

std::string BackoffPolicyFile::Read() const {
  try {
    return ReadFile(path_, kMaxFileBytes);
  } catch (const Error& e) {
    throw Error(ErrorCode::kInvalidArgument, "--backoff-policy: " + std::string(e.what()));
  }
}

void BackoffPolicyFile::Take(const std::string& bytes) {
  auto next = std::make_shared<const BackoffPolicy>(BackoffPolicy::Parse(bytes, path_.string()));
  Log(LogLevel::kInfo, "backoff policy loaded",
      {{"file", path_.string()}, {"active_classes", std::to_string(next->active())}});
  const std::lock_guard lock(mutex_);
  current_.swap(next);
}

}  // namespace rebound
