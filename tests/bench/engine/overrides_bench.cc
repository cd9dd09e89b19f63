// What finding an override costs: our matcher, its automaton without the filter in front, RE2::Set
// and Hyperscan, with 10, 1,000 and 100,000 rules; texts of which no rule matches, of which one
// does, new ones that no automaton has been warmed with, and hostile ones of 10,000 bytes. All give
// the first rule in the list's order, and the answers are compared before they are timed.
//
//   bench_engine_overrides [--benchmark_filter=...]
#include <benchmark/benchmark.h>
#include <re2/re2.h>
#include <re2/set.h>
#ifdef REBOUND_HYPERSCAN
#include <hs/hs.h>
#endif

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/overrides/fold.h"
#include "engine/overrides/override_set.h"
#include "engine/overrides/pattern_matcher.h"

namespace rebound {
namespace {

constexpr size_t kNone = PatternMatcher::kNone;

const std::vector<std::string> kPhrases = {
    "user unknown",  "mailbox full",         "over quota",        "message rejected",
    "relay denied",  "account disabled",     "try again later",   "service unavailable",
    "spam detected", "policy violation",     "does not exist",    "address rejected",
    "access denied", "temporarily deferred", "content blocked",   "client host blocked",
    "rate limited",  "greylisted",           "invalid recipient", "no such mailbox"};
const std::vector<std::string> kOthers = {"in virtual table", "code", "by rule", "on host",
                                          "at node",          "from", "for",     "see ticket"};

enum class Shape { kLiterals, kGlobs, kWords };

// A word of two to four syllables out of 20,000, for rules that share little.
std::string Word(std::mt19937* random) {
  static const std::vector<std::string> kSyllables = {"ba", "con", "der", "el",  "fi", "ga", "hos",
                                                      "in", "jo",  "ker", "lis", "mo", "nu", "or",
                                                      "po", "ra",  "ste", "tu",  "vi", "wen"};
  std::mt19937 of_word((*random)() % 20000);
  std::string word;
  for (size_t i = 2 + of_word() % 3; i > 0; --i) word += kSyllables[of_word() % kSyllables.size()];
  return word;
}

// Rules as people gather them: the words of bounces, and something that only this rule has.
std::vector<std::string> MakeRules(size_t count, Shape shape) {
  std::mt19937 random(7);
  const bool globs = shape == Shape::kGlobs;
  const auto one = [&](const auto& of) {
    return of[std::uniform_int_distribution<size_t>(0, of.size() - 1)(random)];
  };
  std::vector<std::string> rules;
  for (size_t i = 0; i < count; ++i) {
    if (shape == Shape::kWords) {
      rules.push_back(Word(&random) + " " + Word(&random) + " " + Word(&random));
      continue;
    }
    const std::string number = std::to_string(10000 + random() % 90000);
    const char* wildcard = globs ? "|" : " ";
    rules.push_back(one(kPhrases) + wildcard + one(kOthers) + wildcard + number +
                    (globs ? "|" + one(kPhrases) : ""));
  }
  return rules;
}

// 256 different bounces of some 150 bytes, so that no answer comes from a warm cache alone.
std::vector<std::string> MakeTexts(const std::vector<std::string>& rules, bool matching,
                                   size_t count = 256, unsigned seed = 11) {
  std::mt19937 random(seed);
  const auto one = [&](const auto& of) {
    return of[std::uniform_int_distribution<size_t>(0, of.size() - 1)(random)];
  };
  std::vector<std::string> texts;
  while (texts.size() < count) {
    std::string text = "550 5.1.1 <someone" + std::to_string(random() % 9000) +
                       "@example.com>: Recipient address rejected: ";
    text += one(kPhrases) + "; " + one(kOthers) + " ";
    if (!matching && rules[0].find("1") == std::string::npos) {
      text += Word(&random) + " " + Word(&random) + " ";
    }
    if (matching) {
      std::string rule = one(rules);
      std::replace(rule.begin(), rule.end(), '|', ' ');
      text += rule;
    }
    while (text.size() < 130) text += " " + one(kPhrases);
    texts.push_back(text + " (in reply to RCPT TO command)");
  }
  return texts;
}

std::vector<std::string> Hostile(const std::vector<std::string>& rules) {
  std::mt19937 random(13);
  std::vector<std::string> texts(4);
  // The beginnings of rules without their ends; letters again and again; words; pieces of globs.
  while (texts[0].size() < 10000) {
    const std::string& rule = rules[random() % rules.size()];
    texts[0] += rule.substr(0, rule.size() - 1) + "_";
  }
  texts[1] = std::string(10000, 'e');
  while (texts[2].size() < 10000) texts[2] += kPhrases[random() % kPhrases.size()] + " ";
  while (texts[3].size() < 10000) {
    texts[3] += kOthers[random() % kOthers.size()] + kPhrases[random() % kPhrases.size()];
  }
  for (std::string& text : texts) text.resize(10000);
  return texts;
}

// Each finds the first rule; all are given folded texts.
struct Candidate {
  std::function<size_t(const std::string&)> find;
  double build_ms = 0;
  double megabytes = 0;  // where it can be told
};

std::string AsRegex(const std::string& rule) {
  std::string regex;
  for (const std::string& piece : PiecesOf(rule)) {
    regex += (regex.empty() ? "" : "(?s:.*)") + RE2::QuoteMeta(piece);
  }
  return regex;
}

Candidate Ours(const std::vector<std::string>& rules, bool filtered) {
  const std::vector<std::string_view> views(rules.begin(), rules.end());
  auto matcher = std::make_shared<PatternMatcher>(views);
  Candidate candidate;
  candidate.megabytes = static_cast<double>(matcher->bytes()) / 1e6;
  candidate.find = [matcher, filtered](const std::string& text) {
    return filtered ? matcher->Find(text) : matcher->FindUnfiltered(text);
  };
  return candidate;
}

// Null where RE2 cannot: it runs out of the memory that it is allowed.
Candidate Re2(const std::vector<std::string>& rules) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(int64_t{1} << 30);
  auto set = std::make_shared<RE2::Set>(options, RE2::UNANCHORED);
  for (const std::string& rule : rules) set->Add(AsRegex(rule), nullptr);
  Candidate candidate;
  if (!set->Compile()) return candidate;
  candidate.find = [set](const std::string& text) {
    std::vector<int> found;
    if (!set->Match(text, &found)) return kNone;
    return static_cast<size_t>(*std::min_element(found.begin(), found.end()));
  };
  return candidate;
}

#ifdef REBOUND_HYPERSCAN
Candidate Hyperscan(const std::vector<std::string>& rules) {
  std::vector<std::string> regexes;
  std::vector<const char*> pointers;
  std::vector<unsigned> flags(rules.size(), HS_FLAG_SINGLEMATCH | HS_FLAG_DOTALL);
  std::vector<unsigned> ids(rules.size());
  for (const std::string& rule : rules) regexes.push_back(AsRegex(rule));
  for (size_t i = 0; i < rules.size(); ++i) {
    pointers.push_back(regexes[i].c_str());
    ids[i] = static_cast<unsigned>(i);
  }
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  Candidate candidate;
  if (hs_compile_multi(pointers.data(), flags.data(), ids.data(),
                       static_cast<unsigned>(rules.size()), HS_MODE_BLOCK, nullptr, &database,
                       &error) != HS_SUCCESS) {
    std::fprintf(stderr, "Hyperscan: %s\n", error->message);
    hs_free_compile_error(error);
    return candidate;
  }
  hs_scratch_t* scratch = nullptr;
  hs_alloc_scratch(database, &scratch);
  size_t bytes = 0;
  size_t scratch_bytes = 0;
  hs_database_size(database, &bytes);
  hs_scratch_size(scratch, &scratch_bytes);
  candidate.megabytes = static_cast<double>(bytes + scratch_bytes) / 1e6;
  candidate.find = [database, scratch](const std::string& text) {
    size_t best = kNone;
    hs_scan(
        database, text.data(), static_cast<unsigned>(text.size()), 0, scratch,
        [](unsigned id, unsigned long long, unsigned long long, unsigned, void* context) {
          auto* least = static_cast<size_t*>(context);
          *least = std::min<size_t>(*least, id);
          return 0;
        },
        &best);
    return best;
  };
  return candidate;
}
#endif

using Texts = std::vector<std::string>;

void Run(benchmark::State& state, const Candidate& candidate, const Candidate& reference,
         const Texts& texts, bool at_first_sight) {
  if (!candidate.find) return state.SkipWithError("cannot be built");
  size_t found = 0;
  for (const std::string& text : texts) {
    const size_t answer = reference.find(text);
    if (!at_first_sight && candidate.find(text) != answer) {
      return state.SkipWithError("another answer");
    }
    found += answer != kNone ? 1 : 0;
  }
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(candidate.find(texts[next]));
    next = next + 1 == texts.size() ? 0 : next + 1;
  }
  state.counters["build_ms"] = candidate.build_ms;
  state.counters["MB"] = candidate.megabytes;
  state.counters["matching"] = static_cast<double>(found) / static_cast<double>(texts.size());
}

Candidate Timed(const std::function<Candidate()>& make) {
  const auto start = std::chrono::steady_clock::now();
  Candidate candidate = make();
  candidate.build_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return candidate;
}

constexpr size_t kNewTexts = 10000;
constexpr const char* kShapeNames[] = {"_literals", "_globs", "_words"};

void Register(size_t count, Shape shape_of) {
  auto rules = std::make_shared<std::vector<std::string>>(MakeRules(count, shape_of));
  const std::string shape = std::to_string(count) + kShapeNames[static_cast<size_t>(shape_of)];
  const auto folded = [](Texts texts) {
    for (std::string& text : texts) text = Fold(text);
    return texts;
  };
  const std::map<std::string, Texts> kinds = {
      {"nothing", folded(MakeTexts(*rules, false))},
      {"one", folded(MakeTexts(*rules, true))},
      {"new", folded(MakeTexts(*rules, false, kNewTexts, 17))},
      {"hostile", folded(Hostile(*rules))}};
  const std::vector<std::pair<std::string, std::function<Candidate()>>> makers = {
      {"ours", [rules] { return Ours(*rules, true); }},
      {"automaton", [rules] { return Ours(*rules, false); }},
      {"re2", [rules] { return Re2(*rules); }},
#ifdef REBOUND_HYPERSCAN
      {"hyperscan", [rules] { return Hyperscan(*rules); }},
#endif
  };
  // Each is built when it is first asked for, so that a filter builds no other.
  auto built = std::make_shared<std::map<std::string, Candidate>>();
  for (const auto& [name, make] : makers) {
    for (const auto& [kind, texts] : kinds) {
      auto* benchmark = benchmark::RegisterBenchmark(
          (name + "/" + shape + "/" + kind).c_str(),
          [name = name, make = make, kind = kind, texts = texts, built,
           rules](benchmark::State& state) {
            if (!built->contains(name)) (*built)[name] = Timed(make);
            if (!built->contains("automaton")) {
              (*built)["automaton"] = Timed([rules] { return Ours(*rules, false); });
            }
            Run(state, (*built)[name], (*built)["automaton"], texts, kind == "new");
          });
      if (kind == "new") benchmark->Iterations(kNewTexts);
    }
  }
}

// The whole call, with folding and domains.
void WholeSet(benchmark::State& state, bool matching) {
  const std::vector<std::string> patterns = MakeRules(100000, Shape::kLiterals);
  std::vector<OverrideRule> rules;
  for (const std::string& pattern : patterns) {
    rules.push_back(
        {rules.size() % 4 == 0 ? "provider" + std::to_string(rules.size() % 400) + ".org" : "", 22,
         pattern, static_cast<uint32_t>(rules.size() + 1)});
  }
  OverrideSet::Lists lists;
  lists[0][0] = std::make_shared<const OverrideList>("rules.ovr", BounceKind::kSmtp, rules);
  const OverrideSet set(lists);
  const Texts texts = MakeTexts(patterns, matching);
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(set.Find(BounceKind::kSmtp, texts[next], "Provider4.org"));
    next = next + 1 == texts.size() ? 0 : next + 1;
  }
  state.counters["MB"] = static_cast<double>(lists[0][0]->bytes()) / 1e6;
}
BENCHMARK_CAPTURE(WholeSet, nothing, false);
BENCHMARK_CAPTURE(WholeSet, one, true);

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  for (const size_t count : {10, 1000, 100000}) {
    for (const auto shape :
         {rebound::Shape::kLiterals, rebound::Shape::kGlobs, rebound::Shape::kWords}) {
      rebound::Register(count, shape);
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
