// Rules of people over replies of several lines.
#include "engine/ruling.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "engine/joined_reply.h"

namespace rebound {
namespace {

TEST(JoinReply, MakesOneLineWithoutTheCodesThatAreRepeated) {
  EXPECT_EQ(JoinReply("550-5.7.1 first\r\n550 5.7.1 second"), "550 5.7.1 first second");
  EXPECT_EQ(JoinReply("550-first\n550-second\n550 third"), "550 first second third");
  EXPECT_EQ(JoinReply("550-5.7.1 first\n550 5.7.2 second"), "550 5.7.1 first 5.7.2 second");
  EXPECT_EQ(JoinReply("550-5.7.1\n550 5.7.1 all of it"), "550 5.7.1 all of it");
}

TEST(JoinReply, KnowsThePlaceOfEachByte) {
  const std::string text = " 550-5.7.1 first\r\n550 5.7.1 second\n";
  const JoinedReply joined = JoinReplyWithPlaces(text);
  EXPECT_EQ(joined.text, JoinReply(text));
  ASSERT_EQ(joined.places.size(), joined.text.size() + 1);
  for (size_t i = 0; i < joined.text.size(); ++i) {
    if (joined.text[i] != ' ') {
      EXPECT_EQ(text[joined.places[i]], joined.text[i]) << i;
    }
    EXPECT_LE(joined.places[i], joined.places[i + 1]);
  }
  EXPECT_EQ(joined.places.back(), text.size());
  EXPECT_EQ(JoinReplyWithPlaces("one").places, std::vector<size_t>({0, 1, 2, 3}));
}

TEST(JoinReply, LeavesWhatIsNoCodeOfTheReply) {
  EXPECT_EQ(JoinReply("550 of one line"), "550 of one line");
  EXPECT_EQ(JoinReply("host said:\n  550 user\tunknown \n\n"), "host said: 550 user\tunknown");
  EXPECT_EQ(JoinReply("550-first\n451 second"), "550 first 451 second");
  EXPECT_EQ(JoinReply("550-first\n5500 second"), "550 first 5500 second");
  EXPECT_EQ(JoinReply("192.0.2.1 first\n192.0.2.1 second"), "192.0.2.1 first 192.0.2.1 second");
  EXPECT_EQ(JoinReply("550\r\n550"), "550");
  EXPECT_EQ(JoinReply("\r\n"), "");
}

class RulingTest : public testing::Test {
 protected:
  RulingTest() {
    const auto overrides = folder_.path() / "rules.ovr";
    WriteFileDurably(overrides, ",22,storage exceeded\n,54,550-5.7.1 as in a log\n");
    overrides_.emplace(LoadOverrideConfig(overrides), DatasourceReader(), false);
    const auto rules = folder_.path() / "text-rules";
    WriteFileDurably(rules, "label:spam_blocked bulk mail\nMAILBOX_FULL ^550-\n");
    text_rules_.emplace(rules, false);
  }
  Ruling Find(std::string_view text) const {
    return FindRuling({&*overrides_, &*text_rules_}, BounceKind::kSmtp, text, "");
  }
  std::string Override(std::string_view text) const {
    const Ruling ruling = Find(text);
    return ruling.override ? ruling.override.rule().pattern : "";
  }

  TempFolder folder_;
  std::optional<Overrides> overrides_;
  std::optional<TextRuleFile> text_rules_;
};

TEST_F(RulingTest, AnOverrideIsFoundAcrossTheLinesOfAReply) {
  EXPECT_EQ(Override("552-5.2.2 storage\r\n552 5.2.2 exceeded"), "storage exceeded");
  EXPECT_EQ(Override("552 storage\nand\nexceeded"), "");
}

TEST_F(RulingTest, AnOverrideThatWasCopiedFromOneLineIsFoundToo) {
  EXPECT_EQ(Override("550-5.7.1 as in a log\r\n550 5.7.1 see"), "550-5.7.1 as in a log");
}

TEST_F(RulingTest, ATestSaysTheSame) {
  const auto tested =
      TestOverrides(*overrides_, BounceKind::kSmtp, "552-storage\n552 exceeded", "");
  ASSERT_TRUE(tested);
  EXPECT_EQ(tested->rule.pattern, "storage exceeded");
  EXPECT_EQ(overrides_->Status()[0].hits, 0U);
}

TEST_F(RulingTest, TextRulesAreFoundInEitherForm) {
  const Ruling ruling = Find("550-5.7.1 bulk\r\n550 5.7.1 mail");
  EXPECT_EQ(ruling.by_rule[Index(Task::kAction)], 0U);
  EXPECT_EQ(ruling.by_rule[Index(Task::kBackoff)], 1U) << "as it is written";
}

TEST_F(RulingTest, WhatMatchesAcrossTheLinesIsShownFromLineToLine) {
  const std::string text = "550-5.7.1 refused: bulk\r\n550 5.7.1 mail, see";
  const auto shown = [&](Task task, const std::string& of) {
    const auto span = SpanOfRuling(Find(of), task, of);
    return span ? of.substr(span->begin, span->end - span->begin) : "nothing";
  };
  EXPECT_EQ(shown(Task::kAction, text), "bulk\r\n550 5.7.1 mail");
  EXPECT_EQ(shown(Task::kBackoff, text), "550-") << "as it is written";
  const std::string overridden = "552-5.2.2 your storage\r\n552 5.2.2 exceeded\r\n552 5.2.2 end";
  EXPECT_EQ(shown(Task::kBnac, overridden), "storage\r\n552 5.2.2 exceeded");
}

TEST_F(RulingTest, RulesThatWereTakenAnswerWhateverIsRegisteredLater) {
  const RuleSources taken = RuleSources{&*overrides_, &*text_rules_}.Take();
  text_rules_->Register("brand new", "label:spam_blocked");
  EXPECT_TRUE(FindRuling(taken, BounceKind::kSmtp, "550 brand new", "").empty());
  EXPECT_FALSE(IsRuled(taken, BounceKind::kSmtp, "550 brand new", ""));
  EXPECT_FALSE(Find("550 brand new").empty());
  const Ruling ruling = FindRuling(taken, BounceKind::kSmtp, "550 bulk mail", "");
  EXPECT_EQ(ruling.by_rule[Index(Task::kAction)], 0U);
  ASSERT_NE(ruling.rules, nullptr);
}

}  // namespace
}  // namespace rebound
