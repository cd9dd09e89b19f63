// Override rules against a naive reader of the same rules: random lists, texts and domains over a
// small alphabet, where rules overlap, repeat and contain each other. Then lint's claims against
// what really wins, and parsers against any bytes.
//
//   fuzz_engine_overrides LISTS     each is asked about 40 texts
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "engine/overrides/config.h"
#include "engine/overrides/lint.h"
#include "engine/overrides/override_set.h"

namespace rebound {
namespace {

std::mt19937 source(20240601);

size_t Below(size_t bound) { return std::uniform_int_distribution<size_t>(0, bound - 1)(source); }

template <class T>
const T& OneOf(const std::vector<T>& all) {
  return all[Below(all.size())];
}

// The reader that everyone can check: no table, every possibility tried.
std::string NaiveFold(std::string_view text) {
  std::string folded;
  const std::string valid = RepairUtf8(text);
  for (std::string_view rest = valid; !rest.empty();) {
    const CodePoint c = DecodeUtf8(rest);
    AppendUtf8(LowerCase(c.value), &folded);
    rest.remove_prefix(c.bytes);
  }
  return folded;
}

// `|` stands for any bytes, also none.
bool NaiveMatchHere(std::string_view text, std::string_view rule) {
  if (rule.empty()) return true;
  if (rule.front() == '|') {
    for (size_t skip = 0; skip <= text.size(); ++skip) {
      if (NaiveMatchHere(text.substr(skip), rule.substr(1))) return true;
    }
    return false;
  }
  return !text.empty() && text.front() == rule.front() &&
         NaiveMatchHere(text.substr(1), rule.substr(1));
}

bool NaiveMatch(std::string_view text, std::string_view rule) {
  return NaiveMatchHere(NaiveFold(text), "|" + NaiveFold(rule));
}

// 0: not for this domain, else the greater the earlier.
size_t NaiveScope(const std::string& of_rule, const std::string& domain) {
  if (of_rule.empty()) return 1;
  if (domain.empty()) return 0;
  if (of_rule == domain) return 10000;
  if (!of_rule.starts_with("*.")) return 0;
  return domain.ends_with(of_rule.substr(1)) ? 1 + of_rule.size() : 0;
}

const OverrideRule* NaiveFind(const std::vector<OverrideRule>& rules, const std::string& text,
                              const std::string& domain) {
  const OverrideRule* best = nullptr;
  size_t best_scope = 0;
  for (const OverrideRule& rule : rules) {
    const size_t scope = NaiveScope(rule.domain, domain);
    if (scope > best_scope && NaiveMatch(text, rule.pattern)) {
      best = &rule;
      best_scope = scope;
    }
  }
  return best;
}

const std::vector<std::string> kWords = {
    "a",  "b",    "ab",   "ba",      "aab", "B",    "A",   "é", "É",        " ",
    "aa", "user", "USER", "unknown", "no",  "\xC3", "550", ".", "mailbox ", "user unknown"};
const std::vector<std::string> kDomains = {
    "", "x.org", "y.x.org", "z.y.x.org", "*.x.org", "*.y.x.org", "*.org", "é.example", "org"};

std::string RandomText(size_t words) {
  std::string text;
  for (size_t i = Below(words + 1); i > 0; --i) text += OneOf(kWords);
  return text;
}

std::string RandomRule() {
  std::string rule;
  for (size_t i = 1 + Below(5); i > 0; --i) {
    rule += OneOf(kWords);
    if (Below(3) == 0) rule += '|';
  }
  if (Below(20) == 0) rule = "|";
  return RepairUtf8(rule);
}

std::vector<OverrideRule> RandomRules(size_t most) {
  const bool has_domains = Below(2) == 0;
  std::vector<OverrideRule> rules(Below(most + 1));
  for (size_t i = 0; i < rules.size(); ++i) {
    // Here and there a rule from before, with another code.
    rules[i].pattern = i > 0 && Below(8) == 0 ? rules[Below(i)].pattern : RandomRule();
    rules[i].code = Below(2) == 0 ? 10 : 22;
    rules[i].domain = has_domains ? OneOf(kDomains) : "";
    rules[i].line = static_cast<uint32_t>(i + 1);
  }
  return rules;
}

void Fail(const char* what, const std::vector<OverrideRule>& rules, const std::string& text,
          const std::string& domain) {
  std::fprintf(stderr, "%s: text '%s', domain '%s'\n", what, text.c_str(), domain.c_str());
  for (const OverrideRule& rule : rules) {
    std::fprintf(stderr, "  %u: %s,%d,%s\n", rule.line, rule.domain.c_str(), rule.code,
                 rule.pattern.c_str());
  }
  std::exit(1);
}

// Returns how many texts a rule decided about.
size_t CheckLists(size_t texts) {
  const auto user = RandomRules(Below(3) == 0 ? 8 : 60);
  const auto system = RandomRules(Below(3) == 0 ? 200 : 20);
  OverrideSet::Lists lists;
  lists[0][0] = std::make_shared<const OverrideList>("user", BounceKind::kSmtp, user);
  lists[0][1] = std::make_shared<const OverrideList>("system", BounceKind::kSmtp, system);
  const OverrideSet set(lists);
  std::set<std::pair<std::string, uint32_t>> useless;
  for (const LintFinding& finding : LintOverrides(set)) {
    if (finding.kind != LintKind::kMatchesEverything) useless.emplace(finding.source, finding.line);
  }
  size_t decided = 0;
  for (size_t i = 0; i < texts; ++i) {
    const std::string text = RandomText(12);
    const std::string domain = Below(2) == 0 ? "" : OneOf(kDomains);
    if (domain.starts_with("*.")) continue;
    const OverrideMatch found = set.Find(BounceKind::kSmtp, text, domain);
    const OverrideRule* expected = NaiveFind(user, text, domain);
    const bool is_user = expected != nullptr;
    if (!is_user) expected = NaiveFind(system, text, domain);
    if (static_cast<bool>(found) != (expected != nullptr) ||
        (found && (found.rule() != *expected || found.list != lists[0][is_user ? 0 : 1]))) {
      Fail("another rule than the naive reader's", is_user ? user : system, text, domain);
    }
    if (found && useless.contains({found.list->source(), found.rule().line})) {
      Fail("lint called useless what wins", is_user ? user : system, text, domain);
    }
    decided += found ? 1 : 0;
  }
  return decided;
}

// Any bytes are rules, bad lines or an Error.
void CheckParsers() {
  static const std::vector<std::string> kPieces = {",",
                                                   "\"",
                                                   "\n",
                                                   "\r\n",
                                                   "10",
                                                   "22",
                                                   "#",
                                                   " ",
                                                   "|",
                                                   "x.org",
                                                   std::string(1, '\0'),
                                                   "\xFF",
                                                   "{",
                                                   "}",
                                                   "=",
                                                   "(",
                                                   ")",
                                                   "[",
                                                   "]",
                                                   "\\",
                                                   "datasource \"a\" ",
                                                   "uri = (\"b\")",
                                                   "bounce_classifier_override ",
                                                   "refresh = ",
                                                   "custom_classes = [ 99 = \"p\" ]",
                                                   "rule"};
  std::string text;
  for (size_t i = Below(40); i > 0; --i) text += OneOf(kPieces);
  const CodeBook codes;
  const ParsedRules parsed = ParseRules(text, BounceKind::kSmtp, "f", codes);
  for (const OverrideRule& rule : parsed.rules) {
    if (rule.pattern.empty() || rule.line == 0 || !IsValidUtf8(rule.pattern)) {
      Fail("a rule that is none", parsed.rules, text, "");
    }
  }
  try {
    ParseOverrideConfig(text, "f", "/");
  } catch (const Error&) {
  }
}

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  using namespace rebound;
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 500;
  constexpr size_t kTexts = 40;
  size_t decided = 0;
  for (int round = 0; round < rounds; ++round) {
    decided += CheckLists(kTexts);
    for (int i = 0; i < 20; ++i) CheckParsers();
  }
  std::printf("%zu texts, a rule decided about %zu\n", static_cast<size_t>(rounds) * kTexts,
              decided);
  return 0;
}
