#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "engine/overrides/lint.h"

namespace rebound {
namespace {

std::shared_ptr<const OverrideList> List(const std::string& name, std::string_view text) {
  const CodeBook codes;
  return std::make_shared<const OverrideList>(
      name, BounceKind::kSmtp, ParseRules(text, BounceKind::kSmtp, name, codes).rules);
}

std::vector<LintFinding> Lint(std::string_view user, std::string_view system = "") {
  OverrideSet::Lists lists;
  lists[0][0] = List("u", user);
  lists[0][1] = List("s", system);
  return LintOverrides(OverrideSet(lists));
}

// "kind line<by_line" each
std::string Kinds(const std::vector<LintFinding>& findings) {
  std::string all;
  for (const LintFinding& finding : findings) {
    all += (all.empty() ? "" : ", ") + std::string(LintKindName(finding.kind)) + " " +
           finding.source + std::to_string(finding.line);
    if (finding.by_line != 0) all += " by " + finding.by_source + std::to_string(finding.by_line);
  }
  return all;
}

TEST(Lint, FindsNothingInRulesThatAllDoSomething) {
  EXPECT_EQ(Kinds(Lint(",22,over quota\n,22,mailbox full\nx.org,10,quota\n,10,user|unknown\n")),
            "");
}

TEST(Lint, FindsWhatIsSaidTwice) {
  EXPECT_EQ(Kinds(Lint(",22,over quota\n,22,Over QUOTA\n,10,over quota\n,22,over|quota\n"
                       ",22,|over||quota\n")),
            "duplicate u2 by u1, conflict u3 by u1, duplicate u5 by u4");
}

TEST(Lint, FindsARuleThatAnEarlierWiderOneAlwaysBeats) {
  EXPECT_EQ(Kinds(Lint(",22,quota\n,10,over quota\n,10,the quota|of user\n,10,quo|ta\n")),
            "shadowed u2 by u1, shadowed u3 by u1");
  EXPECT_EQ(Kinds(Lint(",22,user|full\n,10,user is full\n,10,the user|mailbox is full\n"
                       ",10,full user\n,10,us|er full\n")),
            "shadowed u2 by u1, shadowed u3 by u1");
}

TEST(Lint, KnowsThatNarrowerDomainsGoFirst) {
  EXPECT_EQ(Kinds(Lint(",22,quota\nx.org,10,over quota\n*.org,10,over quota\n")), "");
  EXPECT_EQ(Kinds(Lint("x.org,22,quota\nx.org,10,over quota\ny.org,10,over quota\n")),
            "shadowed u2 by u1");
}

TEST(Lint, KnowsThatTheUsersListGoesFirst) {
  EXPECT_EQ(Kinds(Lint("*.org,22,quota\n",
                       "x.org,10,quota\n*.x.org,10,my quota\n*.org,22,quota\n"
                       ",10,quota\norg,10,quota\n")),
            "shadowed s1 by u1, shadowed s2 by u1, duplicate s3 by u1");
  EXPECT_EQ(Kinds(Lint(",22,quota\n", "x.org,10,quota\n")), "shadowed s1 by u1");
  EXPECT_EQ(Kinds(Lint("x.org,22,quota\n", ",10,quota\n*.org,10,quota\n")), "");
}

TEST(Lint, FindsDomainsThatAreNobodys) {
  EXPECT_EQ(Kinds(Lint("a..org,22,quota\n" + std::string(64, 'a') + ".org,22,x\n" +
                       std::string(63, 'a') + ".org,22,x\n")),
            "dead u1, dead u2");
}

TEST(Lint, FindsRulesThatMatchEverything) {
  const auto findings = Lint("x.org,22,|\nx.org,10,quota\n,20,||\n,20,|\n");
  EXPECT_EQ(Kinds(findings),
            "matches_everything u1, shadowed u2 by u1, matches_everything u3, duplicate u4 by u3, "
            "matches_everything u4");
  EXPECT_EQ(findings[0].message, "u:1: matches every text for x.org");
  EXPECT_EQ(findings[1].message,
            "u:2: never wins: u:1 matches every text that it matches, and goes first");
}

TEST(Lint, PrintsJson) {
  EXPECT_EQ(LintJson(Lint(",22,a \"b\"\n,10,a \"b\"\n")),
            R"([{"kind":"conflict","source":"u","line":2,"rule":",10,a \"b\"",)"
            R"("by":{"source":"u","line":1,"rule":",22,a \"b\""},)"
            R"("message":"u:2: never wins: u:1 has the same rule with code 22"}])");
  EXPECT_EQ(LintJson({}), "[]");
}

TEST(Lint, TakesAHundredThousandRulesInItsStride) {
  std::string lines;
  for (int i = 0; i < 100000; ++i) {
    lines += ",22,mailbox|of customer " + std::to_string(i) + "0 is full\n";
  }
  lines += ",10,the mailbox of customer 770 is full\n";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Kinds(Lint(lines)), "shadowed u100001 by u78");
  // A second here; a search of every pair would take many minutes.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

}  // namespace
}  // namespace rebound
