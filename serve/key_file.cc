#include "serve/key_file.h"

#include <sys/random.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"

namespace rebound {
namespace {

using SystemClock = std::chrono::system_clock;

[[noreturn]] void Bad(const std::string& what) { throw Error(ErrorCode::kInvalidArgument, what); }

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// Takes a field in quotes, with `""` for a quote, from the line's begin.
std::string TakeQuoted(std::string_view* line) {
  std::string field;
  for (size_t i = 1; i < line->size(); ++i) {
    if ((*line)[i] != '"') {
      field.push_back((*line)[i]);
    } else if (i + 1 < line->size() && (*line)[i + 1] == '"') {
      field.push_back('"');
      ++i;
    } else {
      line->remove_prefix(i + 1);
      if (!line->empty() && !IsBlank(line->front())) Bad("something follows a closing quote");
      return field;
    }
  }
  Bad("a quote is not closed");
}

std::vector<std::string> FieldsOf(std::string_view line) {
  std::vector<std::string> fields;
  for (;;) {
    while (!line.empty() && IsBlank(line.front())) line.remove_prefix(1);
    if (line.empty() || line.front() == '#') return fields;
    if (line.front() == '"') {
      fields.push_back(TakeQuoted(&line));
      continue;
    }
    const size_t end = std::min(line.find_first_of(" \t\r"), line.size());
    fields.emplace_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

std::string ParseName(const std::string& text) {
  constexpr size_t kMostBytes = 64;
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-' || c == '@';
  };
  if (text.empty() || text.size() > kMostBytes || !std::all_of(text.begin(), text.end(), allowed)) {
    Bad("a name is 1 to 64 letters, digits and any of . _ - @; it is '" + text + "'");
  }
  return text;
}

std::optional<KeyDigest> ParseHexDigest(std::string_view hex) {
  KeyDigest digest{};
  if (hex.size() != 16 * digest.size()) return std::nullopt;
  for (size_t i = 0; i < digest.size(); ++i) {
    const char* const begin = hex.data() + 16 * i;
    const auto [end, error] = std::from_chars(begin, begin + 16, digest[i], 16);
    if (error != std::errc() || end != begin + 16) return std::nullopt;
  }
  return digest;
}

constexpr std::string_view kHashed = "sha256:";
constexpr std::string_view kCertificate = "cert:";

void ParseKeyField(const std::string& text, KeyEntry* entry) {
  if (text.rfind(kCertificate, 0) == 0 && text.size() > kCertificate.size()) {
    entry->subject = text.substr(kCertificate.size());
    return;
  }
  if (text.rfind(kHashed, 0) == 0) entry->digest = ParseHexDigest(text.substr(kHashed.size()));
  // The field is not told: it may be a key that somebody wrote here as it is.
  if (!entry->digest) {
    Bad("the third field is sha256: and 64 hexadecimal digits (rebound-serve --hash-key), or cert: "
        "and a subject");
  }
}

// `text` as digits by `form`, where 'd' stands for one; false for another form.
bool HasForm(std::string_view text, std::string_view form) {
  return std::equal(text.begin(), text.end(), form.begin(), form.end(),
                    [](char c, char f) { return f == 'd' ? c >= '0' && c <= '9' : c == f; });
}

// A day, which counts to its end, or a second; UTC.
SystemClock::time_point ParseNotAfter(const std::string& text) {
  const bool day = HasForm(text, "dddd-dd-dd");
  const auto number = [&](size_t at, size_t length) {
    int value = 0;
    std::from_chars(text.data() + at, text.data() + at + length, value);
    return value;
  };
  if (day || HasForm(text, "dddd-dd-ddTdd:dd:ddZ")) {
    const std::chrono::year_month_day date(std::chrono::year(number(0, 4)),
                                           std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                           std::chrono::day(static_cast<unsigned>(number(8, 2))));
    const int hour = day ? 24 : number(11, 2);
    const int minute = day ? 0 : number(14, 2);
    const int second = day ? 0 : number(17, 2);
    if (date.ok() && hour <= (day ? 24 : 23) && minute <= 59 && second <= 59) {
      return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
             std::chrono::seconds(second);
    }
  }
  Bad("not_after is a day such as 2027-03-31 or a time such as 2027-03-31T12:00:00Z; it is '" +
      text + "'");
}

void ParseOption(const std::string& text, KeyEntry* entry, std::optional<double>* burst) {
  const size_t equals = std::min(text.find('='), text.size());
  const std::string name = text.substr(0, equals);
  const std::string value = equals < text.size() ? text.substr(equals + 1) : "";
  const auto once = [&](bool there) {
    if (there) Bad(name + " is given twice");
  };
  if (name == "not_after") {
    once(entry->not_after.has_value());
    entry->not_after = ParseNotAfter(value);
  } else if (name == "rate") {
    once(entry->caller.rate.has_value());
    entry->caller.rate = ParseRate(value);
  } else if (name == "burst") {
    once(burst->has_value());
    *burst = ParseBurst(value);
  } else {
    Bad("there is no option '" + name + "'; there are not_after, rate and burst");
  }
}

KeyEntry ParseFields(const std::vector<std::string>& fields) {
  if (fields.size() < 3) Bad("a line has a name, scopes and a key");
  KeyEntry entry;
  entry.caller.name = ParseName(fields[0]);
  entry.scopes = ParseScopes(fields[1]);
  ParseKeyField(fields[2], &entry);
  std::optional<double> burst;
  for (size_t i = 3; i < fields.size(); ++i) ParseOption(fields[i], &entry, &burst);
  if (burst) {
    if (!entry.caller.rate || !entry.caller.rate->limited()) Bad("burst needs a rate beside it");
    entry.caller.rate->burst = *burst;
  }
  return entry;
}

// What one line says and another may not contradict.
class Lines {
 public:
  void Add(const KeyEntry& entry, int line) {
    const auto known = entry.digest ? keys_.try_emplace(*entry.digest, line).first->second
                                    : subjects_.try_emplace(entry.subject, line).first->second;
    if (known != line) Bad("this key stands in line " + std::to_string(known) + " too");
    const auto& [rate, of_line] =
        rates_.try_emplace(entry.caller.name, entry.caller.rate, line).first->second;
    if (rate != entry.caller.rate) {
      Bad("'" + entry.caller.name + "' has another rate in line " + std::to_string(of_line) +
          ", and a name has one");
    }
  }

 private:
  std::map<KeyDigest, int> keys_;
  std::map<std::string, int> subjects_;
  std::map<std::string, std::pair<std::optional<Rate>, int>> rates_;
};

}  // namespace

std::string_view ScopeName(Scope scope) {
  switch (scope) {
    case Scope::kMetrics:
      return "metrics";
    case Scope::kClassify:
      return "classify";
    case Scope::kContribute:
      return "contribute";
    case Scope::kAdmin:
      return "admin";
    case Scope::kOpen:
      break;
  }
  return "open";
}

KeyDigest DigestOfKey(std::string_view key) { return *ParseHexDigest(Sha256Hex(key)); }

ScopeSet ParseScopes(std::string_view text) {
  ScopeSet scopes;
  for (const std::string_view name : Split(text, ',')) {
    const auto scopes_of_keys = {Scope::kClassify, Scope::kContribute, Scope::kAdmin};
    const auto scope = std::find_if(scopes_of_keys.begin(), scopes_of_keys.end(),
                                    [&](Scope each) { return ScopeName(each) == name; });
    if (scope == scopes_of_keys.end()) {
      Bad("scopes are classify, contribute and admin with commas between; there is no '" +
          std::string(name) + "'");
    }
    scopes.Add(*scope);
  }
  return scopes;
}

std::vector<KeyEntry> ParseKeyFile(std::string_view text, std::string_view name) {
  std::vector<KeyEntry> entries;
  Lines lines;
  int line = 0;
  for (const std::string_view each : Split(text, '\n')) {
    ++line;
    try {
      const std::vector<std::string> fields = FieldsOf(each);
      if (fields.empty()) continue;
      if (entries.size() == kMostKeys) Bad("a file has at most 10000 keys");
      entries.push_back(ParseFields(fields));
      lines.Add(entries.back(), line);
    } catch (const Error& e) {
      Bad(std::string(name) + ":" + std::to_string(line) + ": " + e.what());
    }
  }
  // A file cut to nothing must not open the server to everybody.
  if (entries.empty()) Bad(std::string(name) + ": there is no key in it");
  return entries;
}

std::string KeyField(std::string_view key) { return std::string(kHashed) + Sha256Hex(key); }

std::string MakeKey() {
  std::array<unsigned char, 32> random{};
  if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    throw Error(ErrorCode::kUnavailable, "the system gives no random numbers");
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string key = "rebound_";
  for (const unsigned char byte : random) {
    key.push_back(kDigits[byte >> 4]);
    key.push_back(kDigits[byte & 15]);
  }
  return key;
}

}  // namespace rebound
