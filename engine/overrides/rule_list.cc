#include "engine/overrides/rule_list.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "engine/overrides/fold.h"

namespace rebound {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
// A record is a domain, a code and a rule, each perhaps quoted.
constexpr size_t kMaxRecordBytes = 4 * kMaxRuleBytes;
constexpr size_t kShownBytes = 40;

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// A value as it is shown to people: short, valid UTF-8, in quotes.
std::string Shown(std::string_view value) {
  const std::string whole = RepairUtf8(value);
  std::string shown(CutUtf8(whole, kShownBytes));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return "'" + shown + (whole.size() > kShownBytes ? "…'" : "'");
}

// Reads records of RFC 4180 from a text whose lines may be anything.
class RecordReader {
 public:
  RecordReader(std::string_view text, RuleCollector* out) : rest_(text), out_(out) {
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
  }

  void ReadAll(BounceKind kind) {
    bool is_first = true;
    while (!rest_.empty()) {
      const size_t end = rest_.find('\n');
      const std::string_view line = TrimBlanks(WithoutReturn(rest_.substr(0, end)));
      if (line.empty() || line.front() == '#') {
        SkipLine(end);
        continue;
      }
      ReadRecord(end, is_first, kind);
      is_first = false;
    }
  }

 private:
  static std::string_view WithoutReturn(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }

  void SkipLine(size_t end) {
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    ++line_;
  }

  // `end` is where the first line of the record ends.
  void ReadRecord(size_t end, bool is_first, BounceKind kind) {
    std::vector<std::string> fields;
    std::string error;
    const size_t used = ParseFields(&fields, &error);
    if (!error.empty()) {
      out_->AddBad(line_, error);
      SkipLine(end);  // a quote that is not closed takes no other line with it
      return;
    }
    if (!(is_first && IsHeader(fields, kind))) {
      out_->Add(line_, std::vector<std::string_view>(fields.begin(), fields.end()));
    }
    const std::string_view record = rest_.substr(0, used);
    line_ += static_cast<uint32_t>(std::count(record.begin(), record.end(), '\n'));
    rest_.remove_prefix(used);
    if (!record.ends_with('\n')) ++line_;
  }

  // The bytes of the record with its line end, or 0 and an error.
  size_t ParseFields(std::vector<std::string>* fields, std::string* error) const {
    size_t at = 0;
    while (true) {
      size_t begin = at;
      while (begin < rest_.size() && (rest_[begin] == ' ' || rest_[begin] == '\t')) ++begin;
      if (begin < rest_.size() && rest_[begin] == '"') {
        at = ParseQuoted(begin + 1, &fields->emplace_back(), error);
        if (!error->empty()) return 0;
      } else {
        const size_t stop = std::min(rest_.find_first_of(",\n", at), rest_.size());
        std::string_view field = rest_.substr(at, stop - at);
        if (stop == rest_.size() || rest_[stop] == '\n') field = WithoutReturn(field);
        fields->emplace_back(TrimBlanks(field));
        at = stop;
      }
      if (at >= rest_.size()) return rest_.size();
      if (rest_[at++] == '\n') return at;
    }
  }

  // From after the opening quote to the comma, the line end or the end of the text.
  size_t ParseQuoted(size_t at, std::string* field, std::string* error) const {
    const size_t limit = std::min(rest_.size(), at + kMaxRecordBytes);
    while (at < limit) {
      if (rest_[at] != '"') {
        field->push_back(rest_[at++]);
      } else if (at + 1 < rest_.size() && rest_[at + 1] == '"') {
        field->push_back('"');
        at += 2;
      } else {
        break;
      }
    }
    if (at >= limit) {
      *error = "a quote is opened and not closed: write \"\" for a quote inside quotes";
      return 0;
    }
    ++at;
    while (at < rest_.size() && (rest_[at] == ' ' || rest_[at] == '\t' || rest_[at] == '\r')) ++at;
    if (at < rest_.size() && rest_[at] != ',' && rest_[at] != '\n') {
      *error =
          "after a closing quote comes neither comma nor line end: write \"\" for a quote "
          "inside quotes";
      return 0;
    }
    return at;
  }

  // The names of the columns, as spreadsheets and databases write them on top.
  static bool IsHeader(const std::vector<std::string>& fields, BounceKind kind) {
    const size_t first = kind == BounceKind::kSmtp ? 1 : 0;
    return fields.size() == RuleCollector::Columns(kind) &&
           (first == 0 || AsciiLower(fields[0]) == "domain") &&
           AsciiLower(fields[first]) == "bounce_code" && AsciiLower(fields[first + 1]) == "rule";
  }

  std::string_view rest_;
  RuleCollector* const out_;
  uint32_t line_ = 1;
};

}  // namespace

std::string_view BounceKindName(BounceKind kind) {
  return kind == BounceKind::kSmtp ? "smtp" : "mdn";
}

void RuleCollector::AddBad(uint32_t line, const std::string& what) {
  ++parsed_.bad_count;
  if (parsed_.bad.size() < kMaxKeptBadLines) {
    parsed_.bad.push_back({line, source_ + ":" + std::to_string(line) + ": " + what});
  }
}

std::string RuleCollector::CheckDomain(const std::string& domain, std::string_view given) const {
  const std::string_view name =
      domain.starts_with("*.") ? std::string_view(domain).substr(2) : std::string_view(domain);
  if (domain.size() > kMaxDomainBytes) {
    return "the domain is longer than " + std::to_string(kMaxDomainBytes) + " bytes";
  }
  if (name.find('*') != std::string_view::npos || name.empty()) {
    return "the domain " + Shown(given) +
           " is none: '*' stands only in front, as in *.example.com; leave the domain empty for "
           "all of them";
  }
  if (name.find_first_of(" \t\r\n@|") != std::string_view::npos) {
    return "the domain " + Shown(given) + " is none: it holds blanks, '@' or '|'";
  }
  return "";
}

void RuleCollector::Add(uint32_t line, std::span<const std::string_view> fields) {
  const size_t columns = Columns(kind_);
  if (std::any_of(fields.begin(), fields.end(), [](std::string_view field) {
        return field.find('\0') != std::string_view::npos;
      })) {
    return AddBad(line, "holds a NUL byte: is this text, in UTF-8?");
  }
  if (fields.size() != columns) {
    return AddBad(line, std::to_string(fields.size()) + " fields instead of " +
                            std::to_string(columns) +
                            (columns == 3 ? " (domain,bounce_code,rule)" : " (bounce_code,rule)") +
                            ": put a rule with commas in double quotes");
  }
  OverrideRule rule;
  rule.line = line;
  if (kind_ == BounceKind::kSmtp && !TrimBlanks(fields[0]).empty()) {
    rule.domain = FoldDomain(TrimBlanks(fields[0]));
    const std::string wrong = CheckDomain(rule.domain, fields[0]);
    if (!wrong.empty()) return AddBad(line, wrong);
  }
  const std::string_view code = TrimBlanks(fields[columns - 2]);
  const auto [end, failed] = std::from_chars(code.data(), code.data() + code.size(), rule.code);
  if (failed != std::errc() || end != code.data() + code.size()) {
    return AddBad(line, "the bounce code " + Shown(code) + " is no number");
  }
  if (!codes_.Find(rule.code)) {
    return AddBad(line, "there is no bounce code " + std::to_string(rule.code) +
                            ": use one of the twenty, or name it under custom_classes");
  }
  const std::string_view pattern = fields[columns - 1];
  if (pattern.empty()) return AddBad(line, "the rule is empty: write | to match every text");
  if (pattern.size() > kMaxRuleBytes) {
    return AddBad(line, "the rule is longer than " + std::to_string(kMaxRuleBytes) + " bytes");
  }
  if (!IsValidUtf8(pattern) || !IsValidUtf8(rule.domain)) {
    return AddBad(line, "is not in UTF-8: convert the list");
  }
  if (parsed_.rules.size() >= kMaxRules) {
    throw Error(ErrorCode::kTooLarge, source_ + " has more than the " + std::to_string(kMaxRules) +
                                          " rules allowed in one list");
  }
  rule.pattern = std::string(pattern);
  parsed_.rules.push_back(std::move(rule));
}

ParsedRules ParseRules(std::string_view text, BounceKind kind, const std::string& source,
                       const CodeBook& codes) {
  RuleCollector collector(kind, source, codes);
  RecordReader(text, &collector).ReadAll(kind);
  return collector.Take();
}

}  // namespace rebound
