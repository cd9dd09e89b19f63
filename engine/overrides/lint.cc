#include "engine/overrides/lint.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/text.h"

namespace rebound {
namespace {

constexpr size_t kMaxLabelBytes = 63;  // of a domain name, RFC 1035

std::string RuleText(const OverrideRule& rule, BounceKind kind) {
  const std::string rest = std::to_string(rule.code) + "," + rule.pattern;
  return kind == BounceKind::kSmtp ? rule.domain + "," + rest : rest;
}

std::string Where(const OverrideList& list, const OverrideRule& rule) {
  return list.source() + ":" + std::to_string(rule.line);
}

// The least that a rule's texts have in common: its pieces in order, parted by a byte that stands
// in no rule. Another rule matches all texts of this one exactly where it matches this text.
std::string LeastText(const std::vector<std::string>& pieces) {
  std::string text;
  for (const std::string& piece : pieces) {
    if (!text.empty()) text.push_back('\0');
    text += piece;
  }
  return text;
}

// The scopes whose rules are asked about every domain that `scope` stands for, but for `scope`.
std::vector<std::string> WiderScopes(const std::string& scope) {
  std::vector<std::string> wider;
  if (scope.empty()) return wider;
  const size_t first = scope.starts_with("*.") ? scope.find('.', 2) : scope.find('.');
  for (size_t dot = first; dot != std::string::npos; dot = scope.find('.', dot + 1)) {
    wider.push_back("*" + scope.substr(dot));
  }
  wider.emplace_back();
  return wider;
}

bool CanBeADomain(std::string_view domain) {
  if (domain.starts_with("*.")) domain.remove_prefix(2);
  for (const std::string_view label : Split(domain, '.')) {
    // The limit is of ASCII forms; how long a name in Unicode becomes is not known here.
    const bool is_ascii = std::all_of(label.begin(), label.end(),
                                      [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (label.empty() || (is_ascii && label.size() > kMaxLabelBytes)) return false;
  }
  return true;
}

class Linter {
 public:
  explicit Linter(const OverrideSet& set) : set_(set) {}

  std::vector<LintFinding> Run() {
    for (const auto& of_kind : set_.lists()) {
      for (size_t who = 0; who < of_kind.size(); ++who) {
        if (of_kind[who] == nullptr) continue;
        const OverrideList* user = who == 1 ? of_kind[0].get() : nullptr;
        for (size_t i = 0; i < of_kind[who]->rules().size(); ++i) Judge(*of_kind[who], user, i);
      }
    }
    return std::move(findings_);
  }

 private:
  void Judge(const OverrideList& list, const OverrideList* user, size_t index) {
    const OverrideRule& rule = list.rules()[index];
    const std::vector<std::string> pieces = PiecesOf(rule.pattern);
    if (!rule.domain.empty() && !CanBeADomain(rule.domain)) {
      Add(LintKind::kDead, list, rule, nullptr, nullptr,
          "'" + rule.domain + "' cannot be a domain, so the rule matches nothing");
    } else {
      AddWinner(list, user, index, pieces);
    }
    if (pieces.empty()) {
      Add(LintKind::kMatchesEverything, list, rule, nullptr, nullptr,
          "matches every text" + (rule.domain.empty() ? std::string() : " for " + rule.domain));
    }
  }

  // Adds the first rule that always wins over this one, if there is one.
  void AddWinner(const OverrideList& list, const OverrideList* user, size_t index,
                 const std::vector<std::string>& pieces) {
    const std::string& domain = list.rules()[index].domain;
    const std::string text = LeastText(pieces);
    if (user != nullptr) {
      if (AddIfFound(*user, user->FindInScope(text, domain), list, index, pieces)) return;
      for (const std::string& scope : WiderScopes(domain)) {
        if (AddIfFound(*user, user->FindInScope(text, scope), list, index, pieces)) return;
      }
    }
    // Within its list what is wider is asked later, so only the rule's own scope counts.
    const size_t first = list.FindInScope(text, domain);
    if (first < index) AddIfFound(list, first, list, index, pieces);
  }

  bool AddIfFound(const OverrideList& by_list, size_t by, const OverrideList& list, size_t index,
                  const std::vector<std::string>& pieces) {
    if (by == OverrideList::kNone) return false;
    const OverrideRule& winner = by_list.rules()[by];
    const OverrideRule& rule = list.rules()[index];
    const std::string place = Where(by_list, winner);
    if (winner.domain == rule.domain && PiecesOf(winner.pattern) == pieces) {
      if (winner.code == rule.code) {
        Add(LintKind::kDuplicate, list, rule, &by_list, &winner,
            "says again what " + place + " says");
      } else {
        Add(LintKind::kConflict, list, rule, &by_list, &winner,
            "never wins: " + place + " has the same rule with code " + std::to_string(winner.code));
      }
    } else {
      Add(LintKind::kShadowed, list, rule, &by_list, &winner,
          "never wins: " + place + " matches every text that it matches, and goes first");
    }
    return true;
  }

  void Add(LintKind kind, const OverrideList& list, const OverrideRule& rule,
           const OverrideList* by_list, const OverrideRule* by, const std::string& what) {
    LintFinding& finding = findings_.emplace_back();
    finding.kind = kind;
    finding.source = list.source();
    finding.line = rule.line;
    finding.rule = RuleText(rule, list.kind());
    finding.message = Where(list, rule) + ": " + what;
    if (by != nullptr) {
      finding.by_source = by_list->source();
      finding.by_line = by->line;
      finding.by_rule = RuleText(*by, by_list->kind());
    }
  }

  const OverrideSet& set_;
  std::vector<LintFinding> findings_;
};

}  // namespace

std::string_view LintKindName(LintKind kind) {
  constexpr std::array<std::string_view, 5> kNames = {"duplicate", "conflict", "shadowed", "dead",
                                                      "matches_everything"};
  return kNames[static_cast<size_t>(kind)];
}

std::vector<LintFinding> LintOverrides(const OverrideSet& set) { return Linter(set).Run(); }

std::string LintJson(const std::vector<LintFinding>& findings) {
  std::string json;
  JsonWriter(&json).Array([&](JsonWriter& w) {
    for (const LintFinding& finding : findings) {
      w.Object([&](JsonWriter& f) {
        f.Key("kind").String(LintKindName(finding.kind));
        f.Key("source").String(RepairUtf8(finding.source));
        f.Key("line").Uint(finding.line).Key("rule").String(finding.rule);
        if (!finding.by_rule.empty()) {
          f.Key("by").Object([&](JsonWriter& by) {
            by.Key("source")
                .String(RepairUtf8(finding.by_source))
                .Key("line")
                .Uint(finding.by_line);
            by.Key("rule").String(finding.by_rule);
          });
        }
        f.Key("message").String(RepairUtf8(finding.message));
      });
    }
  });
  return json;
}

}  // namespace rebound
