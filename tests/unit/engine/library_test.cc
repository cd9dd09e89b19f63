// librebound as a C++ program sees it: through rebound.h alone. The engine is linked beside it, to
// hold the library's answers to it.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/file.h"
#include "base/json.h"
#include "engine/answer.h"
#include "engine/library/rebound.h"
#include "engine/load.h"
#include "tests/support/bundles.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

struct Free {
  void operator()(rebound_client* client) const { rebound_close(client); }
  void operator()(rebound_answer* answer) const { rebound_answer_free(answer); }
  void operator()(rebound_report* report) const { rebound_report_free(report); }
};
using OwnedClient = std::unique_ptr<rebound_client, Free>;
using OwnedAnswer = std::unique_ptr<rebound_answer, Free>;
using OwnedReport = std::unique_ptr<rebound_report, Free>;

std::string Text(const char* text) { return text == nullptr ? "(null)" : text; }

class LibraryTest : public testing::Test {
 protected:
  LibraryTest() {
    Publish(folder_.path() / "models");
    rebound_client* client = nullptr;
    EXPECT_EQ(rebound_open(models().c_str(), &client), REBOUND_OK) << rebound_last_error();
    client_.reset(client);
  }

  std::string models() const { return (folder_.path() / "models").string(); }
  std::string Write(const std::string& name, const std::string& bytes) {
    WriteFileDurably(folder_.path() / name, bytes);
    return (folder_.path() / name).string();
  }
  // `always`: what they say of every text; empty: by keyword.
  static void Publish(const fs::path& models, const std::string& always = "") {
    BundleStore store(models);
    for (const Task task : kTasks) {
      test::TestBundle bundle;
      bundle.task = task;
      if (task == Task::kAction) bundle.always = always;
      test::PublishTestBundle(&store, bundle);
    }
  }
  OwnedAnswer Ask(const std::string& text, const char* domain = nullptr, int kind = REBOUND_SMTP) {
    rebound_answer* answer = nullptr;
    EXPECT_EQ(rebound_classify(client_.get(), text.data(), text.size(), domain, kind, &answer),
              REBOUND_OK)
        << rebound_last_error();
    return OwnedAnswer(answer);
  }
  std::string LabelOf(const std::string& text) {
    return Text(rebound_answer_label(Ask(text).get()));
  }
  OwnedReport Read(const std::string& message) {
    rebound_report* report = nullptr;
    EXPECT_EQ(rebound_classify_message(client_.get(), message.data(), message.size(), &report),
              REBOUND_OK)
        << rebound_last_error();
    return OwnedReport(report);
  }
  JsonDocument Json(rebound_status (*of)(rebound_client*, char**)) {
    char* json = nullptr;
    EXPECT_EQ(of(client_.get(), &json), REBOUND_OK) << rebound_last_error();
    JsonDocument parsed = ParseJson(json == nullptr ? "{}" : json);
    rebound_free(json);
    return parsed;
  }

  TempFolder folder_;
  OwnedClient client_;
};

void ExpectFailure(rebound_status status, rebound_status expected, const std::string& what) {
  EXPECT_STREQ(rebound_status_name(status), rebound_status_name(expected));
  EXPECT_NE(std::string(rebound_last_error()).find(what), std::string::npos)
      << rebound_last_error();
}

TEST_F(LibraryTest, AnAnswerIsAResultOfTheEngineToTheByte) {
  const ModelSet set = LoadCurrent(models());
  const TextRuleFile no_rules({}, false);
  Engine::Scratch scratch;
  for (const char* const text :
       {"550 5.1.1 <a@b.example> user unknown", "451 4.7.1 greylisting, try again in 5 minutes",
        "554 5.7.1 blocked using zen.spamhaus.org", "552 5.2.2 xyzzy", "550-one\r\n550 über quota",
        "  421 busy \xff\xfe  "}) {
    const OwnedAnswer answer = Ask(text);
    const std::string readable = ReadableText(text);
    for (const bool scores : {false, true}) {
      const Answer expected = AnswerQuestion(set, {nullptr, &no_rules}, {readable},
                                             {kTasks, scores}, Engine::Predict, &scratch);
      std::string json;
      JsonWriter writer(&json);
      WriteAnswer(expected, BackoffPolicy(), &writer);
      EXPECT_EQ(Text(scores ? rebound_answer_scores_json(answer.get())
                            : rebound_answer_json(answer.get())),
                json);
      if (!scores) continue;
      std::string postalsys;
      JsonWriter postalsys_writer(&postalsys);
      WriteLabelAnswer(expected, &postalsys_writer);
      EXPECT_EQ(Text(rebound_answer_postalsys_json(answer.get())), postalsys);
    }
  }
}

TEST_F(LibraryTest, AccessorsTellWhatTheJsonTells) {
  const OwnedAnswer owned = Ask("451 4.7.1 greylisting, try again in 5 minutes");
  const rebound_answer* const answer = owned.get();
  EXPECT_STREQ(rebound_answer_label(answer), "greylisting");
  EXPECT_STREQ(rebound_answer_action(answer), "retry");
  EXPECT_STREQ(rebound_answer_label_source(answer), "model");
  EXPECT_STREQ(rebound_answer_bnac_class(answer), "GRAYLISTING");
  EXPECT_STREQ(rebound_answer_backoff_class(answer), "GRAYLISTING");
  EXPECT_STREQ(rebound_answer_fault(answer), "policy");
  EXPECT_STREQ(rebound_answer_suppress(answer), "no");
  EXPECT_EQ(rebound_answer_momentum_code(answer), 70);
  EXPECT_STREQ(rebound_answer_momentum_name(answer), "Transient Failure");
  EXPECT_STREQ(rebound_answer_momentum_category(answer), "Soft");
  EXPECT_STREQ(rebound_answer_momentum_description(answer),
               "The receiver asks to try again later.");
  EXPECT_STREQ(rebound_answer_smtp_code(answer), "451");
  EXPECT_STREQ(rebound_answer_enhanced_code(answer), "4.7.1");
  EXPECT_EQ(rebound_answer_retry_after(answer), 300);
  EXPECT_EQ(rebound_answer_blocklist_count(answer), 0u);
  EXPECT_EQ(rebound_answer_override_rule(answer), nullptr);
  EXPECT_EQ(rebound_answer_override_source(answer), nullptr);
  const JsonDocument json = ParseJson(rebound_answer_json(answer));
  EXPECT_EQ(rebound_answer_confidence(answer),
            static_cast<double>(static_cast<float>(GetJsonDouble(json, "confidence"))));
  EXPECT_GT(rebound_answer_bnac_probability(answer), 0.5);
  EXPECT_GT(rebound_answer_backoff_probability(answer), 0.5);

  const OwnedAnswer listed = Ask("554 blocked using zen.spamhaus.org");
  ASSERT_GE(rebound_answer_blocklist_count(listed.get()), 1u);
  EXPECT_STREQ(rebound_answer_blocklist_name(listed.get(), 0), "Spamhaus ZEN");
  EXPECT_STREQ(rebound_answer_blocklist_type(listed.get(), 0), "ip");
  EXPECT_EQ(rebound_answer_blocklist_host(listed.get(), 0), 1);
  EXPECT_EQ(rebound_answer_blocklist_name(listed.get(), 99), nullptr);
}

TEST_F(LibraryTest, FactsNeedNoModels) {
  rebound_answer* facts = nullptr;
  ASSERT_EQ(rebound_facts("550 5.1.1 wait 60 seconds", REBOUND_TO_NUL, &facts), REBOUND_OK);
  const OwnedAnswer owned(facts);
  EXPECT_STREQ(rebound_answer_smtp_code(facts), "550");
  EXPECT_EQ(rebound_answer_retry_after(facts), 60);
  EXPECT_EQ(rebound_answer_label(facts), nullptr);
  EXPECT_EQ(rebound_answer_action(facts), nullptr);
  EXPECT_EQ(rebound_answer_fault(facts), nullptr);
  EXPECT_EQ(rebound_answer_momentum_code(facts), 0);
  EXPECT_EQ(rebound_answer_momentum_description(facts), nullptr);
  EXPECT_STREQ(rebound_answer_json(facts),
               R"({"smtp":{"code":"550","enhanced_code":"5.1.1"},"retry_after":60})");
  EXPECT_STREQ(rebound_answer_postalsys_json(facts), R"({"retryAfter":60})");
}

TEST_F(LibraryTest, WrongArgumentsAreToldAndGiveNothing) {
  rebound_answer* answer = nullptr;
  rebound_client* const client = client_.get();
  const auto classify = [&](const char* text, size_t length, const char* domain, int kind) {
    answer = reinterpret_cast<rebound_answer*>(1);
    const rebound_status status = rebound_classify(client, text, length, domain, kind, &answer);
    EXPECT_EQ(answer, nullptr);
    return status;
  };
  const std::string long_domain(256, 'a');
  const auto wrong = REBOUND_INVALID_ARGUMENT;
  ExpectFailure(classify(nullptr, 0, nullptr, 0), wrong, "the text is NULL");
  ExpectFailure(classify("", 0, nullptr, 0), wrong, "the text is empty or blank");
  ExpectFailure(classify(" \r\n\t", 4, nullptr, 0), wrong, "the text is empty or blank");
  ExpectFailure(classify("x", 1, "a b", 0), wrong, "the domain is not a domain's name");
  ExpectFailure(classify("x", 1, "u@d.example", 0), wrong, "the domain is not a domain's name");
  ExpectFailure(classify("x", 1, long_domain.c_str(), 0), wrong, "longer than 255 bytes");
  ExpectFailure(classify("x", 1, nullptr, 2), wrong, "neither REBOUND_SMTP nor REBOUND_MDN");
  ExpectFailure(rebound_classify(client, "x", 1, nullptr, 0, nullptr), wrong,
                "the out parameter is NULL");
  ExpectFailure(rebound_classify(nullptr, "x", 1, nullptr, 0, &answer), wrong,
                "the client is NULL");
  ExpectFailure(rebound_facts("x", 1, nullptr), wrong, "the out parameter is NULL");
  ExpectFailure(rebound_classify_message(client, "", 0, nullptr), wrong,
                "the out parameter is NULL");
  ExpectFailure(rebound_open(nullptr, nullptr), wrong, "the out parameter is NULL");
  rebound_client* other = nullptr;
  ExpectFailure(rebound_open(nullptr, &other), wrong, "the models' folder is NULL");
  ExpectFailure(rebound_open("", &other), wrong, "the name of the models' folder is empty");
  ExpectFailure(rebound_reload(client, ""), wrong, "the file's name is empty");
  ExpectFailure(rebound_register_text_rule(client, nullptr, "SPF"), wrong, "the pattern is NULL");
  ExpectFailure(rebound_register_text_rule(client, "x", nullptr), wrong, "the label is NULL");
  ExpectFailure(rebound_register_text_rule(client, "(", "SPF"), wrong, "the pattern is refused");
  ExpectFailure(rebound_register_text_rule(client, "x", "nix"), wrong, "there is no label 'nix'");
  ExpectFailure(rebound_model_info_json(client, nullptr), wrong, "the out parameter is NULL");
  ExpectFailure(rebound_open("/nonexistent/models", &other), REBOUND_NOT_FOUND,
                "no model of task bnac in /nonexistent/models");
  EXPECT_EQ(other, nullptr);
}

TEST_F(LibraryTest, NothingIsToldOfNothing) {
  EXPECT_EQ(rebound_answer_label(nullptr), nullptr);
  EXPECT_EQ(rebound_answer_json(nullptr), nullptr);
  EXPECT_EQ(rebound_answer_scores_json(nullptr), nullptr);
  EXPECT_EQ(rebound_answer_postalsys_json(nullptr), nullptr);
  EXPECT_EQ(rebound_answer_confidence(nullptr), 0.0);
  EXPECT_EQ(rebound_answer_suppress(nullptr), nullptr);
  EXPECT_EQ(rebound_answer_momentum_code(nullptr), 0);
  EXPECT_EQ(rebound_answer_momentum_name(nullptr), nullptr);
  EXPECT_EQ(rebound_answer_override_rule(nullptr), nullptr);
  EXPECT_EQ(rebound_answer_smtp_code(nullptr), nullptr);
  EXPECT_EQ(rebound_answer_retry_after(nullptr), 0);
  EXPECT_EQ(rebound_answer_blocklist_count(nullptr), 0u);
  EXPECT_EQ(rebound_answer_blocklist_host(nullptr, 0), 0);
  EXPECT_EQ(rebound_report_json(nullptr), nullptr);
  EXPECT_EQ(rebound_report_kind(nullptr), nullptr);
  EXPECT_EQ(rebound_report_count(nullptr), 0u);
  EXPECT_EQ(rebound_report_recipient(nullptr, 0), nullptr);
  EXPECT_EQ(rebound_report_answer(nullptr, 0), nullptr);
  EXPECT_EQ(rebound_label_name(3, 0), nullptr);
  EXPECT_EQ(rebound_label_name(-1, 0), nullptr);
  rebound_answer_free(nullptr);
  rebound_report_free(nullptr);
  rebound_close(nullptr);
  rebound_free(nullptr);
}

TEST_F(LibraryTest, AClosedClientIsToldAndItsAnswersLiveOn) {
  const std::string rules = Write("user.ovr", ",22,xyzzy\n");
  ASSERT_EQ(rebound_set_overrides(client_.get(), rules.c_str()), REBOUND_OK);
  const OwnedAnswer answer = Ask("550 xyzzy");
  rebound_client* const client = client_.release();
  rebound_close(client);
  rebound_close(client);
  EXPECT_EQ(ParseJson(rebound_answer_json(answer.get()))["override"]["bounce_code"].GetInt(), 22);
  rebound_answer* other = nullptr;
  ExpectFailure(rebound_classify(client, "x", 1, nullptr, 0, &other), REBOUND_INVALID_ARGUMENT,
                "the client is not open");
  ExpectFailure(rebound_reload(client, nullptr), REBOUND_INVALID_ARGUMENT,
                "the client is not open");
}

TEST_F(LibraryTest, BytesOfAnyKindAreAnswered) {
  EXPECT_EQ(LabelOf("550 unknown \xff\xc3"), "user_unknown");
  EXPECT_EQ(LabelOf(std::string("550 \0 unknown", 13)), "user_unknown");
  EXPECT_NE(Ask(std::string(1 << 20, '\xf0')), nullptr);
  const OwnedAnswer answer = Ask("550 unknown \xff");
  EXPECT_NO_THROW(ParseJson(rebound_answer_json(answer.get())));
}

TEST_F(LibraryTest, OtherModelsComeWhileTheRulesStay) {
  ASSERT_EQ(rebound_register_text_rule(client_.get(), "XYZZY", "virus_detected"), REBOUND_OK);
  const std::string other = (folder_.path() / "other").string();
  Publish(other, "geo_blocked");
  EXPECT_EQ(LabelOf("550 unknown"), "user_unknown");
  ASSERT_EQ(rebound_reload(client_.get(), other.c_str()), REBOUND_OK) << rebound_last_error();
  EXPECT_EQ(LabelOf("550 unknown"), "geo_blocked");
  EXPECT_EQ(LabelOf("550 xyzzy"), "virus_detected");
  ASSERT_EQ(rebound_reload(client_.get(), nullptr), REBOUND_OK) << "the folder that it has now";
  EXPECT_EQ(LabelOf("550 unknown"), "geo_blocked");
  const JsonDocument info = Json(rebound_model_info_json);
  EXPECT_EQ(GetJsonString(info, "modelHash").size(), 16u);
  EXPECT_EQ(GetJsonInt(GetJson(GetJson(info, "models"), "bnac"), "version"), 1);
}

TEST_F(LibraryTest, ModelsThatCannotBeLoadedLeaveTheOldOnes) {
  ExpectFailure(rebound_reload(client_.get(), "/nonexistent"), REBOUND_NOT_FOUND,
                "no model of task bnac in /nonexistent");
  EXPECT_EQ(LabelOf("550 unknown"), "user_unknown");
  const fs::path golden = fs::path(models()) / "action/000001/golden.jsonl";
  const std::string kept = ReadFile(golden);
  WriteFileDurably(golden, "{}\n");
  ExpectFailure(rebound_reload(client_.get(), nullptr), REBOUND_CORRUPT, "golden.jsonl");
  EXPECT_EQ(LabelOf("550 unknown"), "user_unknown");
  WriteFileDurably(golden, kept);
  EXPECT_EQ(rebound_reload(client_.get(), nullptr), REBOUND_OK) << rebound_last_error();
}

TEST_F(LibraryTest, OverridesDecideByDomainAndKind) {
  const std::string rules = Write("site.conf", R"(
bounce_classifier_override {
  user_smtp_classification_override = "user.ovr"
  user_mdn_classification_override = "mdn.ovr"
  custom_classes = [ 99 = "profanity" ]
})");
  Write("user.ovr", "yahoo.com,51,TSS04\n,99,darn\nnot a rule\n");
  Write("mdn.ovr", "60,out of office\n");
  ASSERT_EQ(rebound_set_overrides(client_.get(), rules.c_str()), REBOUND_OK)
      << rebound_last_error();
  const OwnedAnswer yahoo = Ask("421 4.7.0 [TSS04] unknown", "yahoo.com");
  EXPECT_EQ(rebound_answer_momentum_code(yahoo.get()), 51);
  EXPECT_STREQ(rebound_answer_label_source(yahoo.get()), "override");
  EXPECT_STREQ(rebound_answer_override_rule(yahoo.get()), "TSS04");
  EXPECT_EQ(Text(rebound_answer_override_source(yahoo.get())),
            (folder_.path() / "user.ovr").string());
  EXPECT_EQ(rebound_answer_override_rule(Ask("421 [TSS04] x", "gmail.com").get()), nullptr);
  const OwnedAnswer custom = Ask("550 darn unknown");
  EXPECT_EQ(rebound_answer_momentum_code(custom.get()), 99);
  EXPECT_STREQ(rebound_answer_momentum_name(custom.get()), "profanity");
  EXPECT_STREQ(rebound_answer_momentum_description(custom.get()), "A class of the site's own.");
  EXPECT_STREQ(rebound_answer_label(custom.get()), "user_unknown");
  EXPECT_EQ(
      rebound_answer_momentum_code(Ask("I am out of office until May", nullptr, REBOUND_MDN).get()),
      60);
  const JsonDocument told = Json(rebound_rules_json);
  EXPECT_EQ(GetJsonInt(told["overrides"][0], "rules"), 2);
  EXPECT_EQ(GetJsonInt(told["overrides"][0], "bad_lines"), 1);
  EXPECT_NE(std::string(JsonText(told["overrides"][0]["bad"][0])).find("user.ovr:3:"),
            std::string::npos);
  ASSERT_EQ(rebound_set_overrides(client_.get(), nullptr), REBOUND_OK);
  EXPECT_EQ(rebound_answer_override_rule(Ask("550 darn").get()), nullptr);
}

TEST_F(LibraryTest, RulesMeetAReplyOfSeveralLinesAsOne) {
  const std::string rules = Write("user.ovr", ",22,first second\n");
  ASSERT_EQ(rebound_set_overrides(client_.get(), rules.c_str()), REBOUND_OK);
  const OwnedAnswer answer = Ask("550-5.7.1 first\r\n550 5.7.1 second");
  EXPECT_EQ(rebound_answer_momentum_code(answer.get()), 22);
  EXPECT_STREQ(rebound_answer_enhanced_code(answer.get()), "5.7.1");
}

TEST_F(LibraryTest, OverridesOfADatabaseAreRefusedWithTheRemedy) {
  const std::string rules = Write("site.conf", R"(
datasource "my_sqlite" { uri = ( "sqlite:/path/to/db" ) }
bounce_classifier_override {
  user_smtp_classification_override = ":datasource:my_sqlite:SELECT domain, bounce_code, rule FROM o;"
})");
  ExpectFailure(rebound_set_overrides(client_.get(), rules.c_str()), REBOUND_INVALID_ARGUMENT,
                "is a data source, and librebound reads rules of files alone; export it to an "
                ".ovr file, or ask rebound-serve");
  ExpectFailure(rebound_set_overrides(client_.get(), "/nonexistent.ovr"), REBOUND_NOT_FOUND,
                "/nonexistent.ovr");
  ExpectFailure(rebound_set_overrides(client_.get(), folder_.path().c_str()),
                REBOUND_INVALID_ARGUMENT, "is a folder: name a file");
}

TEST_F(LibraryTest, RegisteredRulesGoBeforeThoseOfTheFileAndOutliveIt) {
  const std::string rules = Write("text.rules", "label:geo_blocked XYZZY\nSPF plugh\nnix x\n");
  ASSERT_EQ(rebound_set_text_rules(client_.get(), rules.c_str()), REBOUND_OK);
  EXPECT_EQ(LabelOf("550 xyzzy-12"), "geo_blocked");
  ASSERT_EQ(rebound_register_text_rule(client_.get(), "XYZZY-\\d+", "spam_blocked"), REBOUND_OK);
  EXPECT_EQ(LabelOf("550 xyzzy-12"), "spam_blocked");
  EXPECT_EQ(LabelOf("550 xyzzy"), "geo_blocked");
  ASSERT_EQ(rebound_set_text_rules(client_.get(), nullptr), REBOUND_OK);
  EXPECT_EQ(LabelOf("550 xyzzy-12"), "spam_blocked");
  ASSERT_EQ(rebound_set_text_rules(client_.get(), rules.c_str()), REBOUND_OK);
  EXPECT_EQ(LabelOf("550 xyzzy-12"), "spam_blocked");
  EXPECT_EQ(GetJsonInt(Json(rebound_rules_json)["text_rules"], "bad_lines"), 1);
  ASSERT_EQ(rebound_clear_text_rules(client_.get()), REBOUND_OK);
  EXPECT_EQ(LabelOf("550 xyzzy-12"), "geo_blocked");
  ExpectFailure(rebound_set_text_rules(client_.get(), "/nonexistent.rules"), REBOUND_NOT_FOUND,
                "there is no file /nonexistent.rules");
  EXPECT_EQ(LabelOf("550 xyzzy-12"), "geo_blocked") << "the old ones go on";
}

TEST_F(LibraryTest, FilesOfRulesAreReadAgainWhenToldSo) {
  const std::string overrides = Write("user.ovr", ",22,xyzzy\n");
  const std::string rules = Write("text.rules", "label:geo_blocked plugh\n");
  ASSERT_EQ(rebound_set_overrides(client_.get(), overrides.c_str()), REBOUND_OK);
  ASSERT_EQ(rebound_set_text_rules(client_.get(), rules.c_str()), REBOUND_OK);
  Write("user.ovr", ",10,xyzzy\n");
  Write("text.rules", "label:virus_detected plugh\n");
  ASSERT_EQ(rebound_reload_rules(client_.get()), REBOUND_OK) << rebound_last_error();
  EXPECT_EQ(rebound_answer_momentum_code(Ask("550 xyzzy").get()), 10);
  EXPECT_EQ(LabelOf("550 plugh"), "virus_detected");
  fs::remove(overrides);
  ExpectFailure(rebound_reload_rules(client_.get()), REBOUND_UNAVAILABLE,
                "the rules that were read last go on");
  EXPECT_EQ(rebound_answer_momentum_code(Ask("550 xyzzy").get()), 10);
}

TEST_F(LibraryTest, ABackoffPolicyFillsFieldsAndActions) {
  const std::string policy =
      Write("policy.yaml", "GRAYLISTING: {fields: [localip], actions: [rate]}\n");
  ASSERT_EQ(rebound_set_backoff_policy(client_.get(), policy.c_str()), REBOUND_OK)
      << rebound_last_error();
  const OwnedAnswer answer = Ask("451 greylisting");
  ASSERT_EQ(rebound_set_backoff_policy(client_.get(), nullptr), REBOUND_OK);
  const JsonDocument json = ParseJson(rebound_answer_json(answer.get()));
  EXPECT_EQ(JsonText(json["backoff"]["fields"][0]), "localip");
  EXPECT_EQ(JsonText(json["backoff"]["actions"][0]), "rate");
  const OwnedAnswer without = Ask("451 greylisting");
  EXPECT_EQ(ParseJson(rebound_answer_json(without.get()))["backoff"]["fields"].Size(), 0u);
  ExpectFailure(rebound_set_backoff_policy(client_.get(), Write("bad.yaml", "NIX: {}").c_str()),
                REBOUND_INVALID_ARGUMENT, "bad.yaml");
}

constexpr char kDsn[] =
    "From: MAILER-DAEMON@mx.example.com\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
    "--b\r\n\r\nIt failed.\r\n"
    "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
    "Reporting-MTA: dns; mx.example.com\r\n\r\n"
    "Final-Recipient: rfc822; ann@one.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    "Diagnostic-Code: smtp; 550 5.1.1 user unknown\r\n\r\n"
    "Final-Recipient: rfc822; bob@two.example\r\nAction: delayed\r\nStatus: 4.2.2\r\n"
    "Diagnostic-Code: smtp; 452 4.2.2 over quota\r\n\r\n"
    "Final-Recipient: rfc822; eve@two.example\r\nAction: delivered\r\nStatus: 2.0.0\r\n\r\n"
    "--b--\r\n";

TEST_F(LibraryTest, AMessageIsAnsweredByRecipient) {
  const OwnedReport owned = Read(kDsn);
  const rebound_report* const report = owned.get();
  EXPECT_STREQ(rebound_report_kind(report), "dsn");
  EXPECT_EQ(rebound_report_reason(report), nullptr);
  EXPECT_EQ(rebound_report_momentum_code(report), 10);
  EXPECT_STREQ(rebound_report_momentum_name(report), "Invalid Recipient");
  ASSERT_EQ(rebound_report_count(report), 3u);
  EXPECT_STREQ(rebound_report_recipient(report, 0), "ann@one.example");
  EXPECT_STREQ(rebound_report_action(report, 0), "failed");
  EXPECT_STREQ(rebound_report_status(report, 1), "4.2.2");
  EXPECT_STREQ(rebound_report_text(report, 1), "452 4.2.2 over quota");
  EXPECT_STREQ(rebound_answer_label(rebound_report_answer(report, 0)), "user_unknown");
  EXPECT_STREQ(rebound_answer_label(rebound_report_answer(report, 1)), "mailbox_full");
  EXPECT_EQ(rebound_report_answer(report, 2), nullptr) << "it was delivered";
  EXPECT_EQ(rebound_report_answer(report, 3), nullptr);
  EXPECT_EQ(rebound_report_recipient(report, 3), nullptr);
  const JsonDocument json = ParseJson(rebound_report_json(report));
  EXPECT_EQ(GetJsonString(json["recipients"][1]["result"], "label"), "mailbox_full");
  EXPECT_EQ(FindJson(json["recipients"][2], "result"), nullptr);
  const std::string result = rebound_answer_json(rebound_report_answer(report, 0));
  const std::string first =
      R"({"kind":"dsn","reporting_mta":"mx.example.com","recipients":[)"
      R"({"recipient":"ann@one.example","domain":"one.example","action":"failed",)"
      R"("status":"5.1.1","diagnostic_type":"smtp","diagnostic":"550 5.1.1 user unknown",)"
      R"("source":"delivery_status","text":"550 5.1.1 user unknown","result":)" +
      result + "},";
  EXPECT_EQ(std::string(rebound_report_json(report)).substr(0, first.size()), first)
      << "as /v3/dsn answers";
}

TEST_F(LibraryTest, AutomaticAnswersHaveMomentumsCodeAndOtherMailHasNone) {
  const OwnedReport away = Read(
      "From: a@one.example\r\nTo: b@two.example\r\nSubject: Out of office\r\n"
      "Auto-Submitted: auto-replied\r\n\r\nI am away until May.\r\n");
  EXPECT_STREQ(rebound_report_kind(away.get()), "auto_reply");
  EXPECT_EQ(rebound_report_momentum_code(away.get()), 60);
  EXPECT_STREQ(rebound_report_momentum_name(away.get()), "Auto-Reply");
  const OwnedReport mail = Read("From: a@one.example\r\nSubject: Lunch?\r\n\r\nAt noon?\r\n");
  EXPECT_STREQ(rebound_report_kind(mail.get()), "none");
  EXPECT_NE(rebound_report_reason(mail.get()), nullptr);
  EXPECT_EQ(rebound_report_momentum_code(mail.get()), 0);
  EXPECT_EQ(rebound_report_momentum_description(mail.get()), nullptr);
  rebound_report* none = nullptr;
  ExpectFailure(rebound_classify_message(client_.get(), " ", 1, &none), REBOUND_INVALID_ARGUMENT,
                "");
  EXPECT_EQ(none, nullptr);
}

TEST(LibraryTablesTest, NamesEndInNulAndAreComplete) {
  for (const Task task : kTasks) {
    const auto labels = TaskLabels(task);
    for (size_t i = 0; i < labels.size(); ++i) {
      EXPECT_EQ(rebound_label_name(static_cast<int>(task), i), labels[i]);
    }
    EXPECT_EQ(rebound_label_name(static_cast<int>(task), labels.size()), nullptr);
  }
  for (const BounceCode& code : BounceCodes()) {
    EXPECT_EQ(std::string(BounceCategoryName(code.category).data()),
              BounceCategoryName(code.category));
  }
  for (const BlockList& list : KnownBlockLists()) {
    EXPECT_EQ(std::string(list.name.data()), list.name);
  }
  EXPECT_STREQ(rebound_recommended_action("virus_detected"), "remove_content");
  EXPECT_STREQ(rebound_recommended_action("nix"), "review");
  EXPECT_STREQ(rebound_recommended_action(nullptr), "review");
  EXPECT_EQ(rebound_abi(), REBOUND_ABI);
  EXPECT_STREQ(rebound_status_name(REBOUND_CORRUPT), "corrupt");
  EXPECT_STREQ(rebound_status_name(99), "unknown");
}

}  // namespace
}  // namespace rebound
