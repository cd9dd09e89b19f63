#include "engine/vocabulary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"

namespace rebound {
namespace {

std::string SourceFile(const std::string& path) {
  return ReadFile(std::string(std::getenv("REBOUND_SOURCE")) + "/" + path);
}

std::string NameOf(const Labels& labels) {
  std::string name;
  for (const Task task : kTasks) {
    name += (name.empty() ? "" : "/") + std::string(TaskLabels(task)[labels[Index(task)]]);
  }
  return name;
}

size_t Label(Task task, std::string_view name) { return FindLabel(task, name).value(); }

const Cause& Named(std::string_view bnac, std::string_view backoff, std::string_view action) {
  return CauseOf(
      {Label(Task::kBnac, bnac), Label(Task::kBackoff, backoff), Label(Task::kAction, action)});
}

// Every way to have three labels.
template <class Function>
void ForEachTriple(Function function) {
  Labels labels;
  for (labels[0] = 0; labels[0] < TaskLabels(Task::kBnac).size(); ++labels[0]) {
    for (labels[1] = 0; labels[1] < TaskLabels(Task::kBackoff).size(); ++labels[1]) {
      for (labels[2] = 0; labels[2] < TaskLabels(Task::kAction).size(); ++labels[2]) {
        function(labels);
      }
    }
  }
}

constexpr ReplyClass kReplyClasses[] = {ReplyClass::kNone, ReplyClass::kTransient,
                                        ReplyClass::kPermanent};

// The triples of the seed corpus, and how many templates have each.
std::map<Labels, int> SeedTriples() {
  std::map<Labels, int> triples;
  const std::filesystem::path folder =
      std::string(std::getenv("REBOUND_SOURCE")) + "/labelstore/seed/templates";
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() != ".tsv") continue;
    const std::string bytes = ReadFile(file.path());
    for (const std::string_view line : Split(bytes, '\n')) {
      const std::vector<std::string_view> fields = Split(line, '\t');
      if (line.starts_with('#') || fields.size() < 6 || fields[0] == "server") continue;
      Labels labels;
      for (const Task task : kTasks) {
        labels[Index(task)] = Label(task, fields[2 + Index(task)]);
      }
      ++triples[labels];
    }
  }
  return triples;
}

TEST(Vocabulary, EveryLabelOfEveryTaskHasACauseAndEveryCauseStandsOnce) {
  std::set<Labels> distinct;
  for (const Cause& cause : KnownCauses()) distinct.insert(cause.labels);
  EXPECT_EQ(distinct.size(), KnownCauses().size());
  for (const Task task : kTasks) {
    for (size_t label = 0; label < TaskLabels(task).size(); ++label) {
      EXPECT_EQ(LikelyCause(task, label).labels[Index(task)], label)
          << TaskLabels(task)[label] << " is in no row";
    }
  }
}

TEST(Vocabulary, KnowsTheTriplesOfTheSeedCorpusAndNoOthers) {
  const std::map<Labels, int> seed = SeedTriples();
  ASSERT_GT(seed.size(), 40u);
  for (const auto& [labels, templates] : seed) {
    EXPECT_EQ(NameOf(CauseOf(labels).labels), NameOf(labels)) << templates << " templates";
  }
  for (const Cause& cause : KnownCauses()) {
    EXPECT_TRUE(seed.contains(cause.labels)) << NameOf(cause.labels) << " is in no template";
  }
}

TEST(Vocabulary, ATripleThatContradictsItselfGoesWithTwoOfItsLabels) {
  ForEachTriple([](const Labels& labels) {
    const Cause& cause = CauseOf(labels);
    const auto agree = [&labels](const Cause& other) {
      int labels_alike = 0;
      for (size_t i = 0; i < labels.size(); ++i) labels_alike += other.labels[i] == labels[i];
      return labels_alike;
    };
    int most = 0;
    for (const Cause& other : KnownCauses()) most = std::max(most, agree(other));
    ASSERT_EQ(agree(cause), most) << NameOf(labels);
    if (most == 1) {
      ASSERT_EQ(cause.labels[2], labels[2]) << NameOf(labels);
    }
  });
  EXPECT_EQ(NameOf(Named("SPF", "RECIPIENT_ERROR", "user_unknown").labels),
            "RECIPIENT_NOT_FOUND/RECIPIENT_ERROR/user_unknown");
  EXPECT_EQ(NameOf(Named("VIRUS", "GRAYLISTING", "geo_blocked").labels),
            "BLOCKED/GENERIC_BLOCK/geo_blocked")
      << "no two agree: the action label";
}

TEST(Vocabulary, ALabelAloneStandsForWhatTheGuideGivesATextThatSaysNoMore) {
  const auto likely = [](Task task, std::string_view label) {
    return NameOf(LikelyCause(task, Label(task, label)).labels);
  };
  EXPECT_EQ(likely(Task::kAction, "user_unknown"),
            "RECIPIENT_NOT_FOUND/RECIPIENT_ERROR/user_unknown");
  EXPECT_EQ(likely(Task::kAction, "mailbox_full"), "RECIPIENT_ERROR/MAILBOX_FULL/mailbox_full");
  EXPECT_EQ(likely(Task::kAction, "policy_blocked"), "BLOCKED/GENERIC_BLOCK/policy_blocked");
  EXPECT_EQ(likely(Task::kAction, "auth_failure"),
            "DMARC/POLICY_VIOLATION_SPF_DMARC__SPF_OR_DMARC_FAIL/auth_failure");
  EXPECT_EQ(likely(Task::kAction, "relay_denied"), "BLOCKED/GENERIC_BLOCK/relay_denied");
  EXPECT_EQ(likely(Task::kAction, "server_error"),
            "TEMPORARY_ERROR/TEMPORARY_SYSTEM_FAILURE/server_error");
  EXPECT_EQ(likely(Task::kAction, "ip_blacklisted"), "BLOCKED/INFRASTRUCTURE_BLOCK/ip_blacklisted");
  EXPECT_EQ(likely(Task::kBnac, "BLOCKED"), "BLOCKED/GENERIC_BLOCK/policy_blocked");
  EXPECT_EQ(likely(Task::kBnac, "RATE_LIMIT"), "RATE_LIMIT/RATE_LIMIT__GENERAL/rate_limited");
  EXPECT_EQ(likely(Task::kBnac, "MESSAGE_CONTENT"),
            "MESSAGE_CONTENT/CONTENT_REJECTED_OTHER/policy_blocked");
  EXPECT_EQ(likely(Task::kBnac, "MX_ERROR"), "MX_ERROR/INFRASTRUCTURE_ERROR/server_error");
  EXPECT_EQ(likely(Task::kBnac, "RECIPIENT_ERROR"),
            "RECIPIENT_ERROR/RECIPIENT_ERROR/mailbox_disabled");
  EXPECT_EQ(likely(Task::kBackoff, "RECIPIENT_ERROR"),
            "RECIPIENT_NOT_FOUND/RECIPIENT_ERROR/user_unknown");
  EXPECT_EQ(likely(Task::kBackoff, "CONTENT_REJECTED_SPAM"),
            "MESSAGE_CONTENT/CONTENT_REJECTED_SPAM/spam_blocked");
  EXPECT_TRUE(IsOnlyCause(Task::kBnac, Label(Task::kBnac, "SPF")));
  EXPECT_FALSE(IsOnlyCause(Task::kBnac, Label(Task::kBnac, "TLS")));
}

TEST(MomentumCodes, AreTheTwentyAndFourOfThemAreNoBounces) {
  std::vector<int> codes, without_cause, suppressing, hard;
  for (const MomentumMeaning& meaning : MomentumMeanings()) {
    codes.push_back(meaning.code);
    if (meaning.cause == nullptr) without_cause.push_back(meaning.code);
    if (meaning.suppress) suppressing.push_back(meaning.code);
    if (meaning.hard) hard.push_back(meaning.code);
    EXPECT_EQ(meaning.enhanced.empty(), meaning.cause == nullptr) << meaning.code;
    EXPECT_EQ(FindMomentumMeaning(meaning.code), &meaning);
  }
  EXPECT_EQ(codes, (std::vector<int>{1,  10, 20, 21, 22, 23, 24, 25, 30, 40,
                                     50, 51, 52, 53, 54, 60, 70, 80, 90, 100}));
  EXPECT_EQ(without_cause, (std::vector<int>{60, 80, 90, 100}));
  EXPECT_EQ(suppressing, (std::vector<int>{10, 30, 90}));
  EXPECT_EQ(hard, suppressing);
  EXPECT_EQ(FindMomentumMeaning(99), nullptr) << "a custom class";
  EXPECT_EQ(FindMomentumMeaning(0), nullptr);
}

TEST(MomentumCodes, LeadToLabelsAndBackWhereNothingIsLost) {
  for (const MomentumMeaning& meaning : MomentumMeanings()) {
    if (meaning.cause == nullptr) continue;
    const ReplyClass reply = ReplyClassOf("", meaning.enhanced);
    EXPECT_EQ(MomentumCodeOf(*meaning.cause, reply, {}) == meaning.code, meaning.lost.empty())
        << meaning.code << " lost: " << meaning.lost;
  }
}

TEST(MomentumCodes, OfACauseLeadBackToItWhereNothingIsLost) {
  for (const Cause& cause : KnownCauses()) {
    const MomentumMeaning* meaning = FindMomentumMeaning(cause.momentum_code);
    ASSERT_NE(meaning, nullptr) << NameOf(cause.labels);
    ASSERT_NE(meaning->cause, nullptr) << NameOf(cause.labels);
    EXPECT_EQ(meaning->cause == &cause, cause.lost.empty())
        << NameOf(cause.labels) << " lost: " << cause.lost;
  }
}

TEST(MomentumCodes, AreGivenToEveryTripleAndSuppressOnlyARecipient) {
  ForEachTriple([](const Labels& labels) {
    for (const ReplyClass reply : kReplyClasses) {
      const Cause& cause = CauseOf(labels);
      const int code = MomentumCodeOf(cause, reply, {});
      const MomentumMeaning* meaning = FindMomentumMeaning(code);
      ASSERT_NE(meaning, nullptr) << NameOf(labels);
      if (!meaning->suppress) continue;
      ASSERT_EQ(cause.fault, Fault::kRecipient) << NameOf(labels);
      ASSERT_NE(reply, ReplyClass::kTransient) << NameOf(labels);
    }
  });
}

TEST(MomentumCodes, TheReplyAndTheWordsTellWhatOurLabelsDoNot) {
  struct Case {
    const char* text;
    const char *bnac, *backoff, *action;
    int code;
  };
  const Case cases[] = {
      {"550 5.1.1 no such user", "RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "user_unknown", 10},
      {"no such user", "RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "user_unknown", 10},
      {"450 4.1.1 no such user", "RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "user_unknown", 20},
      {"552 5.2.2 over quota", "RECIPIENT_ERROR", "MAILBOX_FULL", "mailbox_full", 22},
      {"452 4.2.2 over quota", "RECIPIENT_ERROR", "MAILBOX_FULL", "mailbox_full", 22},
      {"552 5.3.4 no", "MESSAGE_CONTENT", "CONTENT_REJECTED_OTHER", "policy_blocked", 23},
      {"552 Message Too Large", "MESSAGE_CONTENT", "CONTENT_REJECTED_OTHER", "policy_blocked", 23},
      {"Größe überschritten", "MESSAGE_CONTENT", "CONTENT_REJECTED_OTHER", "policy_blocked", 23},
      {"552 this ATTACHMENT type is banned", "MESSAGE_CONTENT", "CONTENT_REJECTED_OTHER",
       "policy_blocked", 53},
      {"附件类型不允许", "MESSAGE_CONTENT", "CONTENT_REJECTED_OTHER", "policy_blocked", 53},
      {"552 attachment size exceeded", "MESSAGE_CONTENT", "CONTENT_REJECTED_OTHER",
       "policy_blocked", 23},
      {"550 no Resent-From", "MESSAGE_CONTENT", "CONTENT_REJECTED_OTHER", "policy_blocked", 50},
      {"550 spam of some size", "MESSAGE_CONTENT", "CONTENT_REJECTED_SPAM", "spam_blocked", 52},
      {"connection timed out", "TEMPORARY_ERROR", "CONNECTION_FAILURE", "server_error", 24},
      {"4.4.7 gone from the queue", "TEMPORARY_ERROR", "CONNECTION_FAILURE", "server_error", 24},
      {"connection refused", "TEMPORARY_ERROR", "CONNECTION_FAILURE", "server_error", 20},
      {"421 connection lost", "TEMPORARY_ERROR", "CONNECTION_FAILURE", "server_error", 70},
      {"421 try later", "TEMPORARY_ERROR", "TEMPORARY_SYSTEM_FAILURE", "server_error", 70},
      {"554 broken", "TEMPORARY_ERROR", "TEMPORARY_SYSTEM_FAILURE", "server_error", 20},
      {"554 5.0.0", "BLOCKED", "GENERIC_BLOCK", "unknown", 1},
      {"554 relay denied", "BLOCKED", "GENERIC_BLOCK", "relay_denied", 54},
      {"554 listed", "BLOCK_LIST", "INFRASTRUCTURE_BLOCK", "ip_blacklisted", 51},
      {"554 virus", "VIRUS", "CONTENT_REJECTED_VIRUS", "virus_detected", 53},
      {"451 come back", "GRAYLISTING", "GRAYLISTING", "greylisting", 70},
      {"no MX", "MX_ERROR", "INFRASTRUCTURE_ERROR", "invalid_address", 21},
  };
  for (const Case& c : cases) {
    const Cause& cause = Named(c.bnac, c.backoff, c.action);
    const StatusCodes codes = FindStatusCodes(c.text);
    EXPECT_EQ(MomentumCodeOf(cause, ReplyClassOf(codes.reply, codes.enhanced),
                             FindMomentumClues(cause, c.text, codes)),
              c.code)
        << c.text;
  }
}

TEST(EnhancedCodes, OfACauseNeverMeanAnotherOne) {
  for (const Cause& cause : KnownCauses()) {
    for (const ReplyClass reply : kReplyClasses) {
      const std::string code = EnhancedCodeOf(cause, reply);
      EXPECT_EQ(FindStatusCodes(code).enhanced, code) << "a code that the facts do not read";
      EXPECT_EQ(code.front() == '4', reply == ReplyClass::kTransient ||
                                         (reply == ReplyClass::kNone && code.front() == '4'))
          << NameOf(cause.labels);
      const auto bnac = LabelOfStatusCodes(Task::kBnac, {"", code, kLettersOfWords});
      if (!bnac) continue;  // 5.7.1 and the like fix nothing
      const auto backoff = LabelOfStatusCodes(Task::kBackoff, {"", code, kLettersOfWords});
      const auto action = LabelOfStatusCodes(Task::kAction, {"", code, kLettersOfWords});
      const Cause& coded = CauseOf({*bnac, *backoff, *action});
      EXPECT_EQ(coded.fault == Fault::kRecipient, cause.fault == Fault::kRecipient)
          << NameOf(cause.labels) << " " << code;
    }
  }
  EXPECT_TRUE(EnhancedCodeTells(Named("RECIPIENT_ERROR", "MAILBOX_FULL", "mailbox_full"),
                                ReplyClass::kTransient));
  EXPECT_FALSE(EnhancedCodeTells(Named("BLOCKED", "GENERIC_BLOCK", "policy_blocked"),
                                 ReplyClass::kPermanent));
}

TEST(Hardness, IsOfAddressesThatTakeNoMailAndNeverOfATransientReply) {
  std::set<std::string> hard;
  for (const Cause& cause : KnownCauses()) {
    EXPECT_FALSE(IsHard(cause, ReplyClass::kTransient)) << NameOf(cause.labels);
    EXPECT_EQ(IsHard(cause, ReplyClass::kNone), IsHard(cause, ReplyClass::kPermanent));
    if (IsHard(cause, ReplyClass::kNone)) hard.insert(NameOf(cause.labels));
  }
  EXPECT_EQ(hard, (std::set<std::string>{"RECIPIENT_NOT_FOUND/RECIPIENT_ERROR/user_unknown",
                                         "RECIPIENT_NOT_FOUND/RECIPIENT_ERROR/invalid_address",
                                         "RECIPIENT_ERROR/RECIPIENT_ERROR/mailbox_disabled",
                                         "MX_ERROR/INFRASTRUCTURE_ERROR/invalid_address"}));
}

TEST(ReplyClasses, AreTransientWhereEitherCodeIs) {
  EXPECT_EQ(ReplyClassOf("550", "5.1.1"), ReplyClass::kPermanent);
  EXPECT_EQ(ReplyClassOf("550", ""), ReplyClass::kPermanent);
  EXPECT_EQ(ReplyClassOf("", "5.1.1"), ReplyClass::kPermanent);
  EXPECT_EQ(ReplyClassOf("450", "5.1.1"), ReplyClass::kTransient);
  EXPECT_EQ(ReplyClassOf("550", "4.1.1"), ReplyClass::kTransient);
  EXPECT_EQ(ReplyClassOf("", ""), ReplyClass::kNone);
}

constexpr std::string_view kMomentumNames[] = {"Undetermined",
                                               "Invalid Recipient",
                                               "Soft Bounce",
                                               "DNS Failure",
                                               "Mailbox Full",
                                               "Too Large",
                                               "Timeout",
                                               "Admin Failure",
                                               "Generic Bounce: No RCPT",
                                               "Generic Bounce",
                                               "Mail Block",
                                               "Spam Block",
                                               "Spam Content",
                                               "Prohibited Attachment",
                                               "Relaying Denied",
                                               "Auto-Reply",
                                               "Transient Failure",
                                               "Subscribe",
                                               "Unsubscribe",
                                               "Challenge-Response"};

std::string Cells(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line.append(" ").append(cell).append(" |");
  return line;
}

std::string LossOf(std::string_view lost) { return lost.empty() ? "–" : std::string(lost); }

std::vector<std::string> CauseLines() {
  std::vector<std::string> lines;
  for (const Cause& cause : KnownCauses()) {
    std::vector<std::string> cells;
    for (const Task task : kTasks) {
      cells.emplace_back(TaskLabels(task)[cause.labels[Index(task)]]);
    }
    cells.push_back(std::to_string(cause.momentum_code));
    cells.push_back(LossOf(cause.lost));
    cells.push_back(EnhancedCodeOf(cause, ReplyClass::kNone) +
                    (EnhancedCodeTells(cause, ReplyClass::kNone) ? "" : " ~"));
    cells.emplace_back(cause.hard ? "hard" : "soft");
    cells.emplace_back(FaultName(cause.fault));
    lines.push_back(Cells(cells));
  }
  return lines;
}

std::vector<std::string> MomentumLines() {
  std::vector<std::string> lines;
  size_t at = 0;
  for (const MomentumMeaning& meaning : MomentumMeanings()) {
    std::vector<std::string> cells = {std::to_string(meaning.code),
                                      std::string(kMomentumNames[at++])};
    for (const Task task : kTasks) {
      cells.emplace_back(
          meaning.cause == nullptr ? "–" : TaskLabels(task)[meaning.cause->labels[Index(task)]]);
    }
    cells.push_back(meaning.enhanced.empty() ? "–" : std::string(meaning.enhanced));
    cells.emplace_back(meaning.suppress ? "yes" : "no");
    cells.push_back(LossOf(meaning.lost));
    lines.push_back(Cells(cells));
  }
  return lines;
}

std::vector<std::string> LabelLines() {
  std::vector<std::string> lines;
  for (const Task task : kTasks) {
    for (size_t label = 0; label < TaskLabels(task).size(); ++label) {
      const Cause& likely = LikelyCause(task, label);
      std::vector<std::string> cells = {std::string(TaskKey(task)),
                                        std::string(TaskLabels(task)[label])};
      for (const Task other : kTasks) {
        if (other != task) cells.emplace_back(TaskLabels(other)[likely.labels[Index(other)]]);
      }
      const auto causes =
          std::count_if(KnownCauses().begin(), KnownCauses().end(),
                        [&](const Cause& cause) { return cause.labels[Index(task)] == label; });
      EXPECT_EQ(IsOnlyCause(task, label), causes == 1);
      cells.push_back(causes == 1 ? "–" : "one of " + std::to_string(causes) + " causes");
      lines.push_back(Cells(cells));
    }
  }
  return lines;
}

// The tables of docs/vocabularies.md, line by line and in order: on a failure the message is the
// table to paste.
TEST(Vocabulary, StandsInTheDocument) {
  const std::string page = SourceFile("docs/vocabularies.md") + "\n";
  for (const std::vector<std::string>& lines : {CauseLines(), MomentumLines(), LabelLines()}) {
    std::string table;
    for (const std::string& line : lines) table += line + "\n";
    EXPECT_NE(page.find("| --- |\n" + table + "\n"), std::string::npos)
        << "docs/vocabularies.md lacks:\n"
        << table;
  }
}

}  // namespace
}  // namespace rebound
