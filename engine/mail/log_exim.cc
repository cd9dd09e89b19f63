// Exim's main log:
//   2024-05-01 10:00:00 1s2bCD-0003Ef-4G ** user@example.net R=dnslookup T=remote_smtp
//   H=mx.example.net [192.0.2.7]: SMTP error from remote mail server after RCPT TO:<...>: 550 ...
#include <algorithm>

#include "engine/mail/log_formats.h"
#include "engine/mail/report_fields.h"

namespace rebound {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlnum(char c) { return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// "2024-05-01 10:00:00".
bool BeginsWithTime(std::string_view line) {
  static constexpr std::string_view kShape = "dddd-dd-dd dd:dd:dd";
  if (line.size() < kShape.size()) return false;
  for (size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == 'd' ? !IsDigit(line[i]) : line[i] != kShape[i]) return false;
  }
  return true;
}

// A message's id: 6-6-2 characters, since 4.97 6-11-4.
bool IsMessageId(std::string_view id) {
  if (id.size() != 16 && id.size() != 23) return false;
  const size_t second = id.size() == 16 ? 13 : 18;
  for (size_t i = 0; i < id.size(); ++i) {
    const bool dash = i == 6 || i == second;
    if (dash ? id[i] != '-' : !IsAlnum(id[i])) return false;
  }
  return true;
}

std::string_view TakeWord(std::string_view* rest) {
  const size_t end = rest->find(' ');
  const std::string_view word = rest->substr(0, end);
  rest->remove_prefix(end == std::string_view::npos ? rest->size() : end + 1);
  return word;
}

struct Head {
  std::string_view time, id, flag, rest;
};
// What stands before the address; false where the line is none of a message.
bool ReadHead(std::string_view line, Head* head) {
  std::string_view rest = line;
  if (!line.empty() && !IsDigit(line[0])) {  // by way of syslog
    const size_t program = line.substr(0, 128).find(" exim");
    const size_t colon = line.find("]: ", program == std::string_view::npos ? 0 : program);
    if (program == std::string_view::npos || colon == std::string_view::npos) return false;
    rest = line.substr(colon + 3);
    head->time = line.substr(0, 15);
  }
  if (BeginsWithTime(rest)) {
    size_t end = rest.find(' ', 11);  // behind milliseconds
    if (end == std::string_view::npos) return false;
    const std::string_view zone = rest.substr(end + 1, 5);
    if (zone.starts_with('+') || zone.starts_with('-')) end += 6;
    if (end >= rest.size()) return false;
    head->time = rest.substr(0, end);
    rest.remove_prefix(end + 1);
  } else if (head->time.empty()) {
    return false;
  }
  if (rest.starts_with('[')) TakeWord(&rest);  // the process
  head->id = TakeWord(&rest);
  head->flag = TakeWord(&rest);
  head->rest = rest;
  return IsMessageId(head->id);
}

bool SetOutcome(std::string_view flag, LogEvent* event) {
  if (flag == "**") {
    event->outcome = LogOutcome::kBounced;
  } else if (flag == "==") {
    event->outcome = LogOutcome::kDeferred;
  } else if (flag == "=>" || flag == "->" || flag == ">>" || flag == "*>") {
    event->outcome = LogOutcome::kDelivered;
  } else {
    return false;
  }
  return true;
}

// What stands behind an address: a cursor over "NAME=value" and their like.
class Fields {
 public:
  Fields(std::string_view rest, LogEvent* event) : rest_(rest), event_(event) {}

  // The address; false where there is none.
  bool ReadAddress() {
    std::string_view first = TakeAddress();
    bool ended = EndsFields(&first);
    if (first.find('@') == std::string_view::npos && !ended && rest_.starts_with('<')) {
      const size_t close = rest_.find('>');  // "bob <bob@example.com>": the address as it came
      if (close != std::string_view::npos && close > 1) {
        first = rest_.substr(1, close - 1);
        rest_.remove_prefix(close + 1);
        ended = EndsFieldsHere();
      }
    }
    event_->recipient = first;
    reason_ = ended;
    return !first.empty() && first != ":";
  }

  void ReadRest() {
    while (!reason_ && !rest_.empty()) {
      if (rest_[0] == ' ') {
        rest_.remove_prefix(1);
        continue;
      }
      ReadOne();
    }
    if (reason_) {
      while (rest_.starts_with(' ')) rest_.remove_prefix(1);
      event_->text = rest_;
    }
  }

 private:
  // Up to a blank outside quotes.
  std::string_view TakeAddress() {
    size_t end = 0;
    if (rest_.starts_with('"')) {
      end = rest_.find('"', 1);
      if (end == std::string_view::npos) end = 0;
    }
    end = std::min(rest_.find(' ', end), rest_.size());
    const std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return word;
  }

  // A word that ends with a colon is the last before the reason.
  static bool EndsFields(std::string_view* word) {
    if (!word->ends_with(':')) return false;
    word->remove_suffix(1);
    return true;
  }
  bool EndsFieldsHere() {
    if (!rest_.starts_with(": ")) return false;
    rest_.remove_prefix(2);
    return true;
  }

  void Skip(char close) {
    size_t end = rest_.find(close, 1);
    while (close == '"' && end != std::string_view::npos && rest_[end - 1] == '\\') {
      end = rest_.find(close, end + 1);
    }
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    while (!rest_.empty() && rest_[0] != ' ' && !rest_.starts_with(": ")) rest_.remove_prefix(1);
    reason_ = EndsFieldsHere();
  }

  void ReadOne() {
    if (rest_[0] == '[') {
      if (event_->host.empty()) event_->host = rest_.substr(1, rest_.find(']') - 1);
      return Skip(']');
    }
    if (rest_[0] == '(') return Skip(')');
    if (rest_[0] == '<') return Skip('>');
    size_t equals = 0;
    while (equals < rest_.size() && equals < 16 &&
           (IsAlnum(rest_[equals]) || rest_[equals] == '_')) {
      ++equals;
    }
    const bool field = equals > 0 && equals < rest_.size() && rest_[equals] == '=';
    if (!field) {
      std::string_view word = TakeWord(&rest_);
      reason_ = EndsFields(&word);
      return;
    }
    const std::string_view name = rest_.substr(0, equals);
    rest_.remove_prefix(equals + 1);
    if (rest_.starts_with('<')) return Skip('>');
    if (rest_.starts_with('"')) {
      const std::string_view quoted = rest_;
      Skip('"');
      const size_t size = quoted.size() - rest_.size();
      if (name == "C" && size > 2) event_->text = quoted.substr(1, size - 2);
      return;
    }
    std::string_view value = TakeWord(&rest_);
    reason_ = EndsFields(&value);
    if (name == "H") event_->host = value;
  }

  std::string_view rest_;
  LogEvent* event_;
  bool reason_ = false;
};

}  // namespace

bool IsEximLine(std::string_view line) {
  Head head;
  LogEvent event;
  return ReadHead(line, &head) &&
         (SetOutcome(head.flag, &event) || head.flag == "<=" || head.flag == "Completed");
}

LineKind ReadEximLine(std::string_view line, LogEvent* event) {
  Head head;
  if (!ReadHead(line, &head) || !SetOutcome(head.flag, event)) return LineKind::kOther;
  event->time = head.time;
  event->queue_id = head.id;
  Fields fields(head.rest, event);
  if (!fields.ReadAddress()) return LineKind::kMalformed;
  fields.ReadRest();
  event->dsn = FindStatus(event->text);
  return LineKind::kEvent;
}

}  // namespace rebound
