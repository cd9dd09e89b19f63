// Codes, the format of rules, and which rule decides.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "engine/overrides/bounce_code.h"
#include "engine/overrides/fold.h"
#include "engine/overrides/override_set.h"
#include "engine/overrides/rule_list.h"

namespace rebound {
namespace {

std::string ErrorOf(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

ParsedRules Parse(std::string_view text, BounceKind kind = BounceKind::kSmtp) {
  CodeBook codes;
  codes.Add(99, "profanity");
  return ParseRules(text, kind, "f.ovr", codes);
}

// "domain,code,pattern@line; ..."
std::string Rules(const ParsedRules& parsed) {
  std::string all;
  for (const OverrideRule& rule : parsed.rules) {
    all += (all.empty() ? "" : "; ") + rule.domain + "," + std::to_string(rule.code) + "," +
           rule.pattern + "@" + std::to_string(rule.line);
  }
  return all;
}

std::string Bad(const ParsedRules& parsed) {
  EXPECT_EQ(parsed.bad_count, parsed.bad.size());
  std::string all;
  for (const BadLine& line : parsed.bad) all += (all.empty() ? "" : "\n") + line.what;
  return all;
}

OverrideSet SetOf(std::string_view user, std::string_view system = "", std::string_view mdn = "") {
  OverrideSet::Lists lists;
  lists[0][0] =
      std::make_shared<const OverrideList>("user.ovr", BounceKind::kSmtp, Parse(user).rules);
  lists[0][1] =
      std::make_shared<const OverrideList>("system.ovr", BounceKind::kSmtp, Parse(system).rules);
  lists[1][0] = std::make_shared<const OverrideList>("mdn.ovr", BounceKind::kMdn,
                                                     Parse(mdn, BounceKind::kMdn).rules);
  return OverrideSet(lists);
}

// "22 over quota" of the rule that decides, or "none".
std::string Find(const OverrideSet& set, std::string_view text, std::string_view domain = "",
                 BounceKind kind = BounceKind::kSmtp) {
  const OverrideMatch match = set.Find(kind, text, domain);
  return match ? std::to_string(match.rule().code) + " " + match.rule().pattern : "none";
}

TEST(BounceCodes, AreTheTwentyOfMomentum) {
  std::string all;
  for (const BounceCode& code : BounceCodes()) {
    all += std::to_string(code.number) + " " + std::string(code.name) + " " +
           std::string(BounceCategoryName(code.category)) + (code.suppress ? " suppress\n" : "\n");
  }
  EXPECT_EQ(all,
            "1 Undetermined Undetermined\n10 Invalid Recipient Hard suppress\n20 Soft Bounce "
            "Soft\n21 DNS Failure Soft\n22 Mailbox Full Soft\n23 Too Large Soft\n24 Timeout "
            "Soft\n25 Admin Failure Admin\n30 Generic Bounce: No RCPT Hard suppress\n40 Generic "
            "Bounce Soft\n50 Mail Block Block\n51 Spam Block Block\n52 Spam Content Block\n53 "
            "Prohibited Attachment Block\n54 Relaying Denied Block\n60 Auto-Reply Soft\n70 "
            "Transient Failure Soft\n80 Subscribe Admin\n90 Unsubscribe Hard suppress\n100 "
            "Challenge-Response Soft\n");
  EXPECT_EQ(FindBounceCode(2), nullptr);
  EXPECT_EQ(FindBounceCode(101), nullptr);
}

TEST(CodeBook, KnowsCustomClassesBelowAHundredThatAreFree) {
  CodeBook codes;
  codes.Add(99, "profanity");
  EXPECT_EQ(codes.Find(99)->name, "profanity");
  EXPECT_EQ(codes.Find(99)->category, BounceCategory::kUndetermined);
  EXPECT_FALSE(codes.Find(99)->suppress);
  EXPECT_EQ(codes.Find(10)->name, "Invalid Recipient");
  EXPECT_FALSE(codes.Find(98));
  EXPECT_EQ(ErrorOf([&] { codes.Add(99, "again"); }), "custom class 99 is given twice");
  EXPECT_EQ(ErrorOf([&] { codes.Add(100, "x"); }),
            "custom class 100: the number must be from 1 to 99");
  EXPECT_EQ(ErrorOf([&] { codes.Add(0, "x"); }), "custom class 0: the number must be from 1 to 99");
  EXPECT_EQ(ErrorOf([&] { codes.Add(22, "x"); }),
            "custom class 22: that number is an internal code, 'Mailbox Full'; choose one that is "
            "free");
  EXPECT_EQ(ErrorOf([&] { codes.Add(98, ""); }), "custom class 98 has an empty name");
}

TEST(Fold, IsTheSameTwiceAndForRepairedBytes) {
  EXPECT_EQ(Fold("User ÉTÉ ПОЧТА"), "user été почта");
  EXPECT_EQ(Fold("a\xC3z"), Fold(RepairUtf8("a\xC3z")));
  EXPECT_EQ(FoldDomain("Example.ORG."), "example.org");
  for (char32_t c = 0; c <= 0x10ffff; ++c) {
    std::string text;
    AppendUtf8(c, &text);
    const std::string once = Fold(text);
    ASSERT_EQ(Fold(once), once) << std::hex << static_cast<uint32_t>(c);
  }
}

TEST(RuleFile, HoldsDomainCodeAndRule) {
  const ParsedRules parsed = Parse(
      "# a comment\n\n,22,over quota\nYahoo.COM.,51,TSS04\r\n  *.Example.org , 99 ,  two words  "
      "\n");
  EXPECT_EQ(Rules(parsed), ",22,over quota@3; yahoo.com,51,TSS04@4; *.example.org,99,two words@5");
  EXPECT_EQ(Bad(parsed), "");
}

TEST(RuleFile, HoldsCodeAndRuleForMdns) {
  EXPECT_EQ(Rules(Parse("60,out of office\n,60,x\n", BounceKind::kMdn)), ",60,out of office@1");
  EXPECT_EQ(Bad(Parse(",60,x\n", BounceKind::kMdn)),
            "f.ovr:1: 3 fields instead of 2 (bounce_code,rule): put a rule with commas in double "
            "quotes");
}

TEST(RuleFile, QuotesAsRfc4180Does) {
  EXPECT_EQ(Rules(Parse("\"\",\"22\",\"full, over \"\"quota\"\"  \"\n")),
            ",22,full, over \"quota\"  @1");
  EXPECT_EQ(Rules(Parse(", 22 , \" a\nb\" \n,10,c")), ",22, a\nb@1; ,10,c@3");
  EXPECT_EQ(Rules(Parse(",22,the \"inner\" quote\n")), ",22,the \"inner\" quote@1");
  EXPECT_EQ(Rules(Parse(",22,\"#1\"")), ",22,#1@1");
}

TEST(RuleFile, MayBeginWithAByteOrderMarkAndTheNamesOfItsColumns) {
  EXPECT_EQ(Rules(Parse("\xEF\xBB\xBF"
                        "Domain,Bounce_Code,Rule\r\n,22,full\r\n")),
            ",22,full@2");
  EXPECT_EQ(Rules(Parse("bounce_code,rule\n60,away\n", BounceKind::kMdn)), ",60,away@2");
}

TEST(RuleFile, TellsABadLineAndKeepsTheOthers) {
  const ParsedRules parsed = Parse(
      ",10,good\n,22\n,77,x\n,ten,x\n,10,\na b.org,10,x\n*,10,x\n.,10,x\n,22,a, b\n,22,\"open\n"
      ",51,\"a\"b\n,10,also good\n");
  EXPECT_EQ(Rules(parsed), ",10,good@1; ,10,also good@12");
  EXPECT_EQ(
      Bad(parsed),
      "f.ovr:2: 2 fields instead of 3 (domain,bounce_code,rule): put a rule with commas in double "
      "quotes\n"
      "f.ovr:3: there is no bounce code 77: use one of the twenty, or name it under "
      "custom_classes\n"
      "f.ovr:4: the bounce code 'ten' is no number\n"
      "f.ovr:5: the rule is empty: write | to match every text\n"
      "f.ovr:6: the domain 'a b.org' is none: it holds blanks, '@' or '|'\n"
      "f.ovr:7: the domain '*' is none: '*' stands only in front, as in *.example.com; leave the "
      "domain empty for all of them\n"
      "f.ovr:8: the domain '.' is none: '*' stands only in front, as in *.example.com; leave the "
      "domain empty for all of them\n"
      "f.ovr:9: 4 fields instead of 3 (domain,bounce_code,rule): put a rule with commas in double "
      "quotes\n"
      "f.ovr:10: after a closing quote comes neither comma nor line end: write \"\" for a quote "
      "inside quotes\n"
      "f.ovr:11: after a closing quote comes neither comma nor line end: write \"\" for a quote "
      "inside quotes");
}

TEST(RuleFile, RefusesBytesThatAreNoText) {
  EXPECT_EQ(Bad(Parse(std::string(",10,a\0b\n", 8))),
            "f.ovr:1: holds a NUL byte: is this text, in UTF-8?");
  EXPECT_EQ(Bad(Parse(",10,caf\xE9\n")), "f.ovr:1: is not in UTF-8: convert the list");
  EXPECT_EQ(Bad(Parse(",10," + std::string(4097, 'a'))),
            "f.ovr:1: the rule is longer than 4096 bytes");
  EXPECT_EQ(Rules(Parse(",10," + std::string(4096, 'a'))).size(), 4096U + 6);
  EXPECT_EQ(Bad(Parse(std::string(250, 'a') + ".org,10,x")),
            "f.ovr:1: the domain is longer than 253 bytes");
  std::string lines;
  for (int i = 0; i < 150; ++i) lines += "?\n";
  EXPECT_EQ(Parse(lines).bad_count, 150U);
  EXPECT_EQ(Parse(lines).bad.size(), kMaxKeptBadLines);
}

TEST(OverrideSet, GivesTheAnswersOfMomentumsDocument) {
  const OverrideSet set =
      SetOf(",22,over quota\nyahoo.com,51,TSS04\n,10,user|unknown\n,99,profanity\n", "",
            "60,out of office\n");
  EXPECT_EQ(Find(set, "552 5.2.2 user is over quota"), "22 over quota");
  EXPECT_EQ(Find(set, "421 4.7.0 [TSS04] Messages temporarily deferred", "yahoo.com"), "51 TSS04");
  EXPECT_EQ(Find(set, "421 4.7.0 [TSS04] Messages temporarily deferred", "gmail.com"), "none");
  EXPECT_EQ(Find(set, "550 user bob@x is unknown here"), "10 user|unknown");
  EXPECT_EQ(Find(set, "550 unknown user"), "none");
  EXPECT_EQ(Find(set, "550 profanity found"), "99 profanity");
  EXPECT_EQ(Find(set, "I am out of office until", "", BounceKind::kMdn), "60 out of office");
  EXPECT_EQ(Find(set, "I am out of office until"), "none");
}

TEST(OverrideSet, AsksTheUserFirstThenTheNarrowerDomainThenTheOrder) {
  const OverrideSet set = SetOf(
      ",10,full\n,20,full\n*.org,21,full\n*.mail.org,22,full\na.mail.org,23,full\n,40,quota\n",
      "a.mail.org,50,quota\nb.org,51,soon\n,52,soon\n");
  EXPECT_EQ(Find(set, "full", "a.mail.org"), "23 full");
  EXPECT_EQ(Find(set, "FULL", "A.Mail.Org."), "23 full");
  EXPECT_EQ(Find(set, "full", "b.mail.org"), "22 full");
  EXPECT_EQ(Find(set, "full", "mail.org"), "21 full");
  EXPECT_EQ(Find(set, "full", "x.y.mail.org"), "22 full");
  EXPECT_EQ(Find(set, "full", "org"), "10 full");
  EXPECT_EQ(Find(set, "full", "notmail.com"), "10 full");
  EXPECT_EQ(Find(set, "full"), "10 full");
  EXPECT_EQ(Find(set, "quota", "a.mail.org"), "40 quota");
  EXPECT_EQ(Find(set, "soon", "b.org"), "51 soon");
  EXPECT_EQ(Find(set, "soon", "c.org"), "52 soon");
}

TEST(OverrideSet, TakesNoDomainForAWildcardAndNoneThatIsEndless) {
  const OverrideSet set = SetOf("*.x.org,10,full\n,20,full\n");
  EXPECT_EQ(Find(set, "full", "*.x.org"), "10 full");  // what lies below x.org is meant
  EXPECT_EQ(Find(set, "full", std::string(100000, '.') + "x.org"), "20 full");
}

TEST(OverrideSet, MatchesWithoutCaseInEveryAlphabet) {
  const OverrideSet set = SetOf(",10,Boîte PLEINE\n,22,ПОЧТОВЫЙ|переполнен\n");
  EXPECT_EQ(Find(set, "550 BOÎTE pleine"), "10 Boîte PLEINE");
  EXPECT_EQ(Find(set, "552 почтовый ящик ПЕРЕПОЛНЕН"), "22 ПОЧТОВЫЙ|переполнен");
}

TEST(OverrideSet, ReadsTheBarAsAWildcardAnywhere) {
  const OverrideSet set = SetOf(",10,|a||b|\n,20,ab\n,30,aa|aa\n,40,c|\n,50,d|cd|e\n");
  EXPECT_EQ(Find(set, "xxaxxbxx"), "10 |a||b|");
  EXPECT_EQ(Find(set, "ab"), "10 |a||b|");
  EXPECT_EQ(Find(set, "aaa"), "none");  // pieces do not overlap
  EXPECT_EQ(Find(set, "aaaa"), "30 aa|aa");
  EXPECT_EQ(Find(set, "c"), "40 c|");
  EXPECT_EQ(Find(SetOf(",1,|\n"), ""), "1 |");
}

// Few rules are looked for one by one, many by the automaton.
TEST(OverrideSet, GivesTheSameForFewRulesAndMany) {
  std::string lines = ",10,first|rule\n,20,needle\n,21,x|needle\n";
  for (int i = 0; i < 5000; ++i) lines += ",40,filler number " + std::to_string(i) + "\n";
  lines += ",51,last|filler number 4999|end\n";
  const OverrideSet set = SetOf(lines);
  EXPECT_EQ(Find(set, "the FIRST of a RULE"), "10 first|rule");
  EXPECT_EQ(Find(set, "rule first"), "none");
  EXPECT_EQ(Find(set, "x and a needle"), "20 needle");
  EXPECT_EQ(Find(set, "the last filler number 4999 of the end"), "40 filler number 4");
  EXPECT_EQ(Find(set, "filler number"), "none");
}

TEST(OverrideSet, IsEmptyWithoutRules) {
  EXPECT_TRUE(OverrideSet().empty());
  EXPECT_TRUE(SetOf("# nothing\n").empty());
  EXPECT_FALSE(SetOf(",1,|\n").empty());
  EXPECT_EQ(Find(OverrideSet(), "text", "x.org"), "none");
}

TEST(OverrideList, CountsHitsOfARuleThatStaysOverReloads) {
  const auto before = std::make_shared<const OverrideList>(
      "f", BounceKind::kSmtp, Parse(",10,one\n,20,two\n,20,two\n").rules);
  const auto now = std::chrono::system_clock::from_time_t(1000);
  CountHit({before, 1}, now);
  CountHit({before, 1}, now);
  const OverrideList after("f", BounceKind::kSmtp, Parse(",20,two\n,10,one\n,21,two\n").rules,
                           before.get());
  EXPECT_EQ(after.hits(0).count, 2U);
  EXPECT_EQ(after.hits(0).last, 1000);
  EXPECT_EQ(after.hits(1).count, 0U);
  EXPECT_EQ(after.hits(2).count, 0U);
  // A text that still holds the older list counts for the same rule.
  CountHit({before, 1}, now);
  EXPECT_EQ(after.hits(0).count, 3U);
}

TEST(OverrideList, StaysSmallWithAHundredThousandRules) {
  std::string lines;
  for (int i = 0; i < 100000; ++i) {
    lines += (i % 2 == 0 ? "" : "domain" + std::to_string(i) + ".example") + ",22,mailbox " +
             std::to_string(i * 7919) + " of customer " + std::to_string(i) + " is full\n";
  }
  const OverrideList list("f", BounceKind::kSmtp, Parse(lines).rules);
  EXPECT_EQ(list.rules().size(), 100000U);
  EXPECT_LT(list.bytes(), 100'000'000U);
  const std::string text = Fold("552 Mailbox 791892081 of customer 99999 is full");
  EXPECT_EQ(list.Find(text, "domain99999.example"), 99999U);
  EXPECT_EQ(list.Find(text, "domain99997.example"), OverrideList::kNone);
}

}  // namespace
}  // namespace rebound
