// One list of override rules, as it is read: SMTP lines `domain,bounce_code,rule`, MDN lines
// `bounce_code,rule`. docs/overrides.md describes the format.
//
// A line that is no rule is told and left out; it never costs the others. Pure, Thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/overrides/bounce_code.h"

namespace rebound {

// What a text is: a reply of the SMTP dialogue, or a message that came back out of band.
enum class BounceKind : uint8_t { kSmtp, kMdn };
// "smtp", "mdn".
std::string_view BounceKindName(BounceKind kind);

inline constexpr size_t kMaxRuleBytes = 4096;
inline constexpr size_t kMaxDomainBytes = 253;
inline constexpr size_t kMaxRules = 1'000'000;  // of one list
inline constexpr size_t kMaxKeptBadLines = 100;

struct OverrideRule {
  std::string domain;   // "" for all, "example.com", "*.example.com"; folded, without last dot
  int code = 0;         // in the CodeBook that the list was read with
  std::string pattern;  // as it stands in the list, never empty
  uint32_t line = 0;    // where it begins, from 1; of a data source the row

  bool operator==(const OverrideRule&) const = default;
};

struct BadLine {
  uint32_t line;
  std::string what;  // "FILE:LINE: what is wrong and what helps"

  bool operator==(const BadLine&) const = default;
};

struct ParsedRules {
  std::vector<OverrideRule> rules;  // in their order
  std::vector<BadLine> bad;         // the first kMaxKeptBadLines
  size_t bad_count = 0;             // all of them

  bool operator==(const ParsedRules&) const = default;
};

// Makes rules of records, one after the other. Thread-compatible.
class RuleCollector {
 public:
  // `source` is the file's or data source's name, for what is told. REQUIRES: `codes` outlives it.
  RuleCollector(BounceKind kind, std::string source, const CodeBook& codes)
      : kind_(kind), source_(std::move(source)), codes_(codes) {}

  // 3 for SMTP, 2 for MDN.
  static size_t Columns(BounceKind kind) { return kind == BounceKind::kSmtp ? 3 : 2; }

  // A record of a file or a row of a data source. Throws kTooLarge beyond kMaxRules rules.
  void Add(uint32_t line, std::span<const std::string_view> fields);
  void AddBad(uint32_t line, const std::string& what);

  ParsedRules Take() { return std::move(parsed_); }

 private:
  // "" or what is wrong; `given` is how the list writes it.
  std::string CheckDomain(const std::string& domain, std::string_view given) const;

  const BounceKind kind_;
  const std::string source_;
  const CodeBook& codes_;
  ParsedRules parsed_;
};

// A whole file (.ovr or CSV). Throws kTooLarge beyond kMaxRules rules.
ParsedRules ParseRules(std::string_view text, BounceKind kind, const std::string& source,
                       const CodeBook& codes);

}  // namespace rebound
