#include "engine/text_rules.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/overrides/rule_source.h"

namespace rebound {
namespace {

constexpr size_t kMaxKeptBad = 100;
// Of one pattern, with what RE2 remembers of texts.
constexpr int64_t kPatternMemory = 256 * 1024;
// Instructions of all patterns together; an ordinary one has 20 to 100.
constexpr int64_t kMaxInstructions = 1'000'000;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

RE2::Options OptionsOf(int64_t memory) {
  RE2::Options options;
  options.set_case_sensitive(false);
  options.set_log_errors(false);
  options.set_max_mem(memory);
  options.set_never_capture(true);
  return options;
}

re2::StringPiece Piece(std::string_view text) { return {text.data(), text.size()}; }

std::optional<Task> TaskOfPrefix(std::string_view prefix) {
  for (const Task task : kTasks) {
    if (prefix == TaskKey(task) || prefix == TaskName(task)) return task;
  }
  return std::nullopt;
}

// Throws where the rules up to this one are too many or too large.
class Budget {
 public:
  void Take(const TextRule& rule) {
    if (++rules_ > kMaxTextRules) {
      throw Error(ErrorCode::kTooLarge, rule.place + ": more than the " +
                                            std::to_string(kMaxTextRules) + " text rules allowed");
    }
    instructions_ += rule.compiled->ProgramSize();
    if (instructions_ > kMaxInstructions) {
      throw Error(ErrorCode::kTooLarge, rule.place +
                                            ": the text rules need too much memory together: "
                                            "use fewer or smaller repetitions");
    }
  }

 private:
  size_t rules_ = 0;
  int64_t instructions_ = 0;
};

}  // namespace

std::pair<Task, size_t> ParseRuleLabel(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    const std::string prefix(text.substr(0, colon));
    const std::string name(text.substr(colon + 1));
    const auto task = TaskOfPrefix(prefix);
    if (!task) {
      throw Error(ErrorCode::kInvalidArgument,
                  "there are no labels '" + prefix + ":'; there are bnac:, backoff: and label:");
    }
    const auto label = FindLabel(*task, name);
    if (label) return {*task, *label};
    throw Error(ErrorCode::kInvalidArgument,
                "there is no label '" + name + "' of " + std::string(TaskKey(*task)));
  }
  std::optional<std::pair<Task, size_t>> found;
  std::string having;  // "bnac:X or backoff:X"
  for (const Task task : kTasks) {
    const auto label = FindLabel(task, text);
    if (!label) continue;
    if (!found) found = {task, *label};
    having += (having.empty() ? "" : " or ") + std::string(TaskKey(task)) + ":" + std::string(text);
  }
  if (!found) {
    throw Error(ErrorCode::kInvalidArgument,
                "there is no label '" + std::string(text) +
                    "': a line is LABEL PATTERN, LABEL a class of bnac, backoff or label");
  }
  if (having.find(' ') != std::string::npos) {
    throw Error(ErrorCode::kInvalidArgument,
                "the label '" + std::string(text) + "' is of several tasks: write " + having);
  }
  return *found;
}

TextRule MakeTextRule(std::string_view label, std::string_view pattern, std::string place) {
  const auto refuse = [](const std::string& why) { throw Error(ErrorCode::kInvalidArgument, why); };
  TextRule rule;
  std::tie(rule.task, rule.label) = ParseRuleLabel(label);
  if (pattern.empty()) refuse("there is no pattern: a line is LABEL PATTERN");
  if (pattern.size() > kMaxPatternBytes) {
    refuse("the pattern is longer than " + std::to_string(kMaxPatternBytes) + " bytes");
  }
  if (pattern.find('\0') != std::string_view::npos) refuse("the pattern holds a NUL byte");
  if (!IsValidUtf8(pattern)) refuse("the pattern is not in UTF-8");
  rule.compiled = std::make_shared<const RE2>(Piece(pattern), OptionsOf(kPatternMemory));
  if (!rule.compiled->ok()) refuse("the pattern is refused: " + RepairUtf8(rule.compiled->error()));
  if (RE2::PartialMatch("", *rule.compiled)) {
    refuse("the pattern matches the empty text and so every text; where that is meant, write .");
  }
  rule.pattern = std::string(pattern);
  rule.place = std::move(place);
  return rule;
}

std::string_view MatchOf(const TextRule& rule, std::string_view text) {
  re2::StringPiece match;
  if (!rule.compiled->Match(Piece(text), 0, text.size(), RE2::UNANCHORED, &match, 1)) return {};
  return {match.data(), match.size()};
}

struct TextRules::Prefilter {
  explicit Prefilter(int64_t bytes) : set(OptionsOf(bytes), RE2::UNANCHORED) {}

  RE2::Set set;
};

TextRules::TextRules() = default;
TextRules::~TextRules() = default;
TextRules::TextRules(TextRules&&) noexcept = default;
TextRules& TextRules::operator=(TextRules&&) noexcept = default;

TextRules::TextRules(std::vector<TextRule> rules, int64_t automaton_bytes)
    : rules_(std::move(rules)) {
  Budget budget;
  auto prefilter = std::make_unique<Prefilter>(automaton_bytes);
  for (const TextRule& rule : rules_) {
    budget.Take(rule);
    prefilter->set.Add(Piece(rule.pattern), nullptr);
  }
  if (!rules_.empty() && prefilter->set.Compile()) prefilter_ = std::move(prefilter);
}

std::array<std::optional<size_t>, kTaskCount> TextRules::Find(std::string_view text) const {
  std::array<std::optional<size_t>, kTaskCount> first;
  if (rules_.empty()) return first;
  const auto take = [&](size_t rule) {
    auto& of_task = first[Index(rules_[rule].task)];
    if (!of_task || rule < *of_task) of_task = rule;
  };
  if (prefilter_ != nullptr) {
    std::vector<int> found;
    RE2::Set::ErrorInfo error{};
    if (prefilter_->set.Match(Piece(text), &found, &error)) {
      for (const int rule : found) take(static_cast<size_t>(rule));
      return first;
    }
    if (error.kind == RE2::Set::kNoError) return first;
  }
  // The automaton ran out of memory: this text is asked about rule by rule.
  for (size_t rule = 0; rule < rules_.size(); ++rule) {
    if (first[Index(rules_[rule].task)]) continue;
    if (RE2::PartialMatch(Piece(text), *rules_[rule].compiled)) take(rule);
  }
  return first;
}

ParsedTextRules ParseTextRules(std::string_view text, const std::string& name) {
  ParsedTextRules parsed;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  Budget budget;
  size_t number = 0;
  for (const std::string_view whole : Split(text, '\n')) {
    const std::string place = name + ":" + std::to_string(++number);
    const std::string_view line = Trim(whole);
    if (line.empty() || line.front() == '#') continue;
    const size_t end = line.find_first_of(" \t");
    const std::string_view pattern =
        end == std::string_view::npos ? std::string_view() : Trim(line.substr(end));
    TextRule rule;
    try {
      if (!IsValidUtf8(line)) {
        throw Error(ErrorCode::kInvalidArgument, "is not in UTF-8: convert the file");
      }
      // What is no label may be of any length, and is shown.
      rule = MakeTextRule(CutUtf8(line.substr(0, end), 64), pattern, place);
    } catch (const Error& e) {
      ++parsed.bad_count;
      if (parsed.bad.size() < kMaxKeptBad) parsed.bad.push_back(place + ": " + e.what());
      continue;
    }
    budget.Take(rule);
    parsed.rules.push_back(std::move(rule));
  }
  return parsed;
}

TextRuleFile::TextRuleFile(std::filesystem::path path, bool has_thread)
    : path_(std::move(path)),
      current_(std::make_shared<const TextRules>()),
      watched_([this] { return ReadRuleFile(path_, kMaxTextRuleFileBytes); },
               [this](const std::string& bytes) { Load(bytes); },
               "text rules refused, the older ones go on") {
  status_.file = path_.string();
  if (path_.empty()) return;
  try {
    watched_.Open();
  } catch (const Error& e) {
    throw Error(ErrorCode::kInvalidArgument, "--text-rules: " + std::string(e.what()));
  }
  if (has_thread) watched_.StartThread();
}

std::shared_ptr<const TextRules> TextRuleFile::Current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

TextRuleFile::Status TextRuleFile::GetStatus() const {
  Status status;
  {
    const std::lock_guard lock(mutex_);
    status = status_;
  }
  status.last_error = watched_.last_error();
  return status;
}

void TextRuleFile::Load(const std::string& bytes) {
  const std::lock_guard work(work_mutex_);
  ParsedTextRules parsed = ParseTextRules(bytes, path_.string());
  Compile(registered_, parsed.rules);
  of_file_ = std::move(parsed.rules);
  Log(LogLevel::kInfo, "text rules loaded",
      {{"file", path_.string()},
       {"rules", std::to_string(of_file_.size())},
       {"bad_lines", std::to_string(parsed.bad_count)}});
  for (const std::string& bad : parsed.bad) {
    Log(LogLevel::kWarning, "text rule left out", {{"what", bad}});
  }
  const std::lock_guard lock(mutex_);
  status_.bad = std::move(parsed.bad);
  status_.bad_count = parsed.bad_count;
  status_.loaded_at = std::chrono::system_clock::now();
}

void TextRuleFile::Compile(const std::vector<TextRule>& registered,
                           const std::vector<TextRule>& of_file) {
  std::vector<TextRule> rules = registered;
  rules.insert(rules.end(), of_file.begin(), of_file.end());
  auto next = std::make_shared<const TextRules>(std::move(rules));
  const std::lock_guard lock(mutex_);
  current_.swap(next);
  status_.rules = of_file.size();
  status_.registered = registered.size();
}

bool TextRuleFile::Look() { return path_.empty() || watched_.Look(); }

void TextRuleFile::Register(std::string_view pattern, std::string_view label) {
  TextRule rule = MakeTextRule(label, pattern, "registered");
  const std::lock_guard work(work_mutex_);
  registered_.push_back(std::move(rule));
  try {
    Compile(registered_, of_file_);
  } catch (...) {
    registered_.pop_back();
    throw;
  }
}

void TextRuleFile::Clear() {
  const std::lock_guard work(work_mutex_);
  Compile({}, of_file_);
  registered_.clear();
}

}  // namespace rebound
