// Rules that people change under a running server: the configuration as Momentum's document prints
// it, over a real database, over real sockets.
#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "base/file.h"
#include "base/json.h"
#include "datasource/sqlite.h"
#include "tests/functional/serve/server_process.h"
#include "tests/support/bundles.h"
#include "tests/support/metrics_page.h"
#include "tests/unit/serve/http_client.h"

namespace rebound {
namespace {

class OverridesServedTest : public testing::Test {
 protected:
  OverridesServedTest() {
    BundleStore store(folder_.path() / "models");
    for (const Task task : kTasks) {
      test::TestBundle bundle;
      bundle.task = task;
      test::PublishTestBundle(&store, bundle);
    }
    SqliteDatabase(database_).ExecuteScript(
        "CREATE TABLE overrrides (domain TEXT, bounce_code INTEGER, rule TEXT);"
        "INSERT INTO overrrides VALUES ('', 22, 'storage exceeded'), ('example.com', 51, 'TSS04'),"
        " (NULL, 99, 'profane');");
    // To the letter, with its own spelling of the table; only the path is the test's.
    WriteFileDurably(configuration_, R"(datasource "my_sqlite" {
  uri = ( "sqlite:)" + database_.string() +
                                         R"(" )
}

bounce_classifier_override {
  user_smtp_classification_override =
    ":datasource:my_sqlite:SELECT domain, bounce_code, rule FROM overrrides;"
  refresh = 900
  custom_classes = [
    99 = "profanity"
  ]
}
)");
    Write("text-rules", "label:spam_blocked XYZZY-\\d+\n");
  }

  void Write(const std::string& name, const std::string& text) {
    WriteFileDurably(folder_.path() / name, text);
  }
  void ChangeDatabase(std::string_view sql) { SqliteDatabase(database_).ExecuteScript(sql); }

  std::vector<std::string> Arguments(const std::string& level = "error") const {
    return {"--listen",     "127.0.0.1:0",
            "--models",     folder_.path() / "models",
            "--threads",    "2",
            "--log-level",  level,
            "--overrides",  configuration_,
            "--text-rules", folder_.path() / "text-rules"};
  }
  // What it says goes into the file `name`, where one is given.
  void Start(const std::string& level = "error", const std::string& log = "") {
    std::vector<std::string> launcher;
    if (!log.empty()) {
      launcher = {"/bin/sh", "-c", "exec \"$@\" 2>" + (folder_.path() / log).string(), "sh"};
    }
    server_.emplace(Arguments(level), launcher);
    ASSERT_NE(server_->port(), 0);
  }

  Reply Post(const std::string& path, const std::string& body) {
    return HttpClient(server_->port()).Ask(PostRequest(path, body));
  }
  // The server's own machine, which may administer it without a key.
  Reply Reload() {
    return HttpClient(server_->port())
        .Ask("POST /v3/overrides/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
  }
  JsonDocument Status() {
    return ParseJson(HttpClient(server_->port()).Ask(GetRequest("/v3/overrides")).body);
  }
  // Momentum's code for a reply.
  int64_t CodeOf(const std::string& text, const std::string& domain = "",
                 const std::string& kind = "smtp") {
    const Reply reply = Post("/v3/classify", R"({"message":")" + text + R"(","domain":")" + domain +
                                                 R"(","kind":")" + kind + R"("})");
    const JsonDocument answer = ParseJson(reply.body);
    return GetJsonInt(GetJson(GetJson(answer, "results")[0], "momentum_code"), "code");
  }
  std::string LabelOf(const std::string& text) {
    const Reply reply = Post("/api/classify", R"({"message":")" + text + R"("})");
    return std::string(GetJsonString(ParseJson(reply.body), "label"));
  }
  static bool Eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 2000; ++i) {
      if (holds()) return true;
      poll(nullptr, 0, 5);
    }
    return false;
  }
  void ExpectEndsWell() {
    server_->Signal(SIGTERM);
    EXPECT_EQ(server_->Wait(), 0);
  }

  TempFolder folder_;
  const std::filesystem::path database_ = folder_.path() / "rules.db";
  const std::filesystem::path configuration_ = folder_.path() / "overrides.conf";
  std::optional<ServerProcess> server_;
};

TEST_F(OverridesServedTest, TheDocumentsConfigurationIsReadAsItIsPrinted) {
  Start();
  EXPECT_EQ(CodeOf("virus storage exceeded"), 22);
  EXPECT_EQ(CodeOf("virus TSS04", "example.com"), 51);
  EXPECT_EQ(CodeOf("virus TSS04", "example.org"), 53) << "the model's";
  EXPECT_EQ(CodeOf("virus profane"), 99);
  EXPECT_EQ(Post("/v1/backoff", R"({"message":"storage exceeded"})").body,
            R"([{"class":"MAILBOX_FULL","fields":[],"actions":[]}])");
  const JsonDocument tested =
      ParseJson(Post("/v3/overrides/test", R"({"message":"so profane"})").body);
  EXPECT_EQ(GetJsonString(tested, "description"), "profanity");
  EXPECT_EQ(GetJsonString(tested, "rule"), "profane");
  EXPECT_EQ(GetJsonString(tested, "file_or_datasource"),
            ":datasource:my_sqlite:SELECT domain, bounce_code, rule FROM overrrides;");
  EXPECT_EQ(GetJsonInt(tested, "line"), 3) << "the row";
  ExpectEndsWell();
}

TEST_F(OverridesServedTest, ADatabaseIsReadAnewOnCommandAndByASignal) {
  Start();
  ChangeDatabase("INSERT INTO overrrides VALUES ('', 10, 'no longer here'), ('', 777, 'nonsense')");
  EXPECT_EQ(CodeOf("virus: no longer here"), 53) << "not before it is time";
  const JsonDocument reloaded = ParseJson(Reload().body);
  const JsonValue& list = GetJson(reloaded, "lists")[0];
  EXPECT_EQ(GetJsonInt(list, "rules"), 4);
  EXPECT_EQ(GetJsonInt(list, "bad_lines"), 1);
  EXPECT_NE(JsonText(GetJson(list, "bad")[0]).find(":5: there is no bounce code 777"),
            std::string::npos)
      << JsonText(GetJson(list, "bad")[0]);
  EXPECT_EQ(CodeOf("virus: no longer here"), 10) << "the bad row costs no other";
  ChangeDatabase("UPDATE overrrides SET bounce_code = 30 WHERE bounce_code = 10");
  server_->Signal(SIGHUP);
  EXPECT_TRUE(Eventually([&] { return CodeOf("virus: no longer here") == 30; }));
  ExpectEndsWell();
}

TEST_F(OverridesServedTest, ADatabaseThatIsGoneLeavesItsRulesAndIsTold) {
  Start();
  const auto away = folder_.path() / "away";
  std::filesystem::rename(database_, away);
  EXPECT_EQ(Reload().status, 200);
  EXPECT_EQ(CodeOf("virus storage exceeded"), 22);
  const auto list = [&](const char* key) {
    const JsonDocument status = Status();
    std::string text;
    JsonWriter(&text).Value(GetJson(GetJson(status, "lists")[0], key));
    return text;
  };
  EXPECT_EQ(list("stale"), "true");
  EXPECT_EQ(list("rules"), "3");
  EXPECT_EQ(list("failures"), "1");
  EXPECT_NE(list("last_error").find("rules.db"), std::string::npos) << list("last_error");
  const auto stale = [&] {
    return test::ReadMetricsPage(HttpClient(server_->port()).Ask(GetRequest("/metrics")).body)
        .Value("rebound_override_stale", {{"kind", "smtp"}, {"list", "user"}});
  };
  EXPECT_EQ(stale(), 1);
  std::filesystem::rename(away, database_);
  EXPECT_EQ(Reload().status, 200);
  EXPECT_EQ(list("stale"), "false");
  EXPECT_EQ(stale(), 0);
  ExpectEndsWell();
}

TEST_F(OverridesServedTest, AFileThatIsEditedIsTakenOverByItself) {
  Start();
  EXPECT_EQ(CodeOf("virus: on vacation", "", "mdn"), 53);
  Write("user_mdn_classification.ovr", "60,on vacation\nsixty,another\n10,account closed\n");
  EXPECT_TRUE(Eventually([&] { return CodeOf("virus: on vacation", "", "mdn") == 60; }));
  EXPECT_EQ(CodeOf("virus: account closed", "", "mdn"), 10);
  const JsonDocument status = Status();
  const JsonValue& bad = GetJson(GetJson(status, "lists")[2], "bad");
  ASSERT_EQ(bad.Size(), 1U);
  EXPECT_EQ(JsonText(bad[0]).find((folder_.path() / "user_mdn_classification.ovr:2: ").string()),
            0U)
      << JsonText(bad[0]);
  Write("user_mdn_classification.ovr", "100,on vacation\n");
  EXPECT_TRUE(Eventually([&] { return CodeOf("virus: on vacation", "", "mdn") == 100; }));
  ExpectEndsWell();
}

TEST_F(OverridesServedTest, TextRulesThatAreEditedAreTakenOverByThemselvesAndOnCommand) {
  Start();
  EXPECT_EQ(LabelOf("virus XYZZY-1"), "spam_blocked");
  Write("text-rules", "label:no_such label\nlabel:rate_limited XYZZY\n");
  EXPECT_TRUE(Eventually([&] { return LabelOf("virus XYZZY-1") == "rate_limited"; }));
  Write("text-rules", "label:greylisting XYZZY\n");
  EXPECT_EQ(Reload().status, 200);
  EXPECT_EQ(LabelOf("virus XYZZY-1"), "greylisting");
  std::filesystem::remove(folder_.path() / "text-rules");
  const JsonDocument status = ParseJson(Reload().body);
  EXPECT_NE(FindJson(GetJson(status, "text_rules"), "last_error"), nullptr);
  EXPECT_EQ(LabelOf("virus XYZZY-1"), "greylisting") << "those that were read last";
  ExpectEndsWell();
}

TEST_F(OverridesServedTest, TheLogTellsClassAndRuleAtDebugAndNeverAPerson) {
  const std::string message =
      "From: MAILER-DAEMON@mx.example.com\r\nSubject: failure notice\r\nContent-Type: "
      "multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
      "Reporting-MTA: dns; mx.example.com\r\n\r\nFinal-Recipient: rfc822; ann.smith@example.net\r\n"
      "Action: failed\r\nStatus: 5.2.2\r\nDiagnostic-Code: smtp; 552 <ann.smith@example.net>: "
      "storage exceeded\r\n--b--\r\n";
  for (const std::string level : {"debug", "info"}) {
    Start(level, "log");
    const Reply reply = HttpClient(server_->port())
                            .Ask(
                                "POST /v3/dsn HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                                "message/rfc822\r\nContent-Length: " +
                                std::to_string(message.size()) + "\r\n\r\n" + message);
    EXPECT_EQ(reply.status, 200);
    EXPECT_NE(reply.body.find("\"recipient\":\"ann.smith@example.net\""), std::string::npos);
    EXPECT_EQ(
        Post("/v2/bnac", R"({"message":"storage exceeded for ann.smith@example.net"})").status,
        200);
    EXPECT_EQ(LabelOf("XYZZY-7 <ann.smith@example.net>"), "spam_blocked");
    ExpectEndsWell();
    const std::string log = ReadFile(folder_.path() / "log");
    EXPECT_EQ(log.find("ann.smith"), std::string::npos) << log;
    const bool is_debug = level == "debug";
    for (const char* line :
         {"classified class=\"bnac:RECIPIENT_ERROR backoff:MAILBOX_FULL action:mailbox_full "
          "momentum:22 (Mailbox Full)\" rule=\"storage exceeded\"",
          "classified class=bnac:RECIPIENT_ERROR rule=\"storage exceeded\"",
          "classified class=action:spam_blocked rule=XYZZY-\\d+"}) {
      EXPECT_EQ(log.find(line) != std::string::npos, is_debug) << line << "\n" << log;
    }
  }
}

TEST_F(OverridesServedTest, CheckConfigTellsOfTheRules) {
  const auto check = [&] {
    std::vector<std::string> arguments = Arguments();
    arguments.push_back("--check-config");
    const auto out = folder_.path() / "checked";
    const int code =
        ServerProcess(arguments, {"/bin/sh", "-c", "exec \"$@\" >" + out.string(), "sh"}).Wait();
    return std::to_string(code) + "\n" + ReadFile(out);
  };
  const std::string good = check();
  EXPECT_EQ(good.find("0\n"), 0U) << good;
  EXPECT_NE(good.find("ok    overrides: " + configuration_.string() + ", 3 rules\n"),
            std::string::npos)
      << good;
  EXPECT_NE(good.find(", 1 rules\n"), std::string::npos) << good;
  Write("user_mdn_classification.ovr", "60,fine\n777,none\n");
  const std::string bad = check();
  EXPECT_EQ(bad.find("1\n"), 0U) << bad;
  EXPECT_NE(
      bad.find("FAIL  overrides: " + (folder_.path() / "user_mdn_classification.ovr").string() +
               ":2: there is no bounce code 777"),
      std::string::npos)
      << bad;
  std::filesystem::remove(database_);
  EXPECT_NE(check().find("FAIL  overrides: "), std::string::npos);
}

}  // namespace
}  // namespace rebound
