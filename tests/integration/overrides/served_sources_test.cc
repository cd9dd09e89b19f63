// The real server over each kind of data source that overrides may come from: a PostgreSQL, a
// slapd, unixODBC with Debian's driver for SQLite, and CSV; what it does when they go and come
// back. SQLite stands in tests/functional/serve/overrides_test.cc.
#include <gtest/gtest.h>

#include <optional>

#include "base/file.h"
#include "base/json.h"
#include "datasource/postgres.h"
#include "datasource/sqlite.h"
#include "tests/functional/serve/server_process.h"
#include "tests/support/bundles.h"
#include "tests/support/ldap.h"
#include "tests/support/postgres.h"
#include "tests/unit/serve/http_client.h"

namespace rebound {
namespace {

constexpr char kDriver[] = "/usr/lib/x86_64-linux-gnu/odbc/libsqlite3odbc.so";

constexpr char kTree[] =
    "dn: cn=one,ou=closed,dc=example,dc=org\nobjectClass: reboundRule\ncn: one\n"
    "ruleDomain: a.example\nruleDomain: b.example\nruleCode: 10\nruleText: not listed\n\n"
    "dn: cn=two,ou=closed,dc=example,dc=org\nobjectClass: reboundRule\ncn: two\n"
    "ruleCode: 21\nruleText: lost\n\n";
// Attributes in the order of the columns.
constexpr char kSearch[] =
    "ou=closed,dc=example,dc=org?ruleDomain,ruleCode,ruleText?one?(objectClass=reboundRule)";

class ServedSourcesTest : public testing::Test {
 protected:
  ServedSourcesTest() {
    BundleStore store(folder_.path() / "models");
    for (const Task task : kTasks) {
      test::TestBundle bundle;
      bundle.task = task;
      test::PublishTestBundle(&store, bundle);
    }
  }

  // A server whose SMTP rules of the user and of the system come from these.
  void Start(const std::string& user_uri, const std::string& user_query,
             const std::string& system_uri, const std::string& system_query) {
    const auto block = [](const char* name, const std::string& uri) {
      return std::string("datasource \"") + name + "\" {\n  uri = ( \"" + uri + "\" )\n}\n";
    };
    const auto configuration = folder_.path() / "overrides.conf";
    WriteFileDurably(configuration,
                     block("of_user", user_uri) + block("of_system", system_uri) +
                         "bounce_classifier_override {\n  user_smtp_classification_override = "
                         "\":datasource:of_user:" +
                         user_query +
                         "\"\n  system_smtp_classification_override = \":datasource:of_system:" +
                         system_query + "\"\n}\n");
    server_.emplace(std::vector<std::string>{"--listen", "127.0.0.1:0", "--models",
                                             folder_.path() / "models", "--threads", "2",
                                             "--log-level", "error", "--overrides", configuration});
    ASSERT_NE(server_->port(), 0);
  }
  int64_t CodeOf(const std::string& text, const std::string& domain = "") {
    const Reply reply =
        HttpClient(server_->port())
            .Ask(PostRequest("/v3/classify",
                             R"({"message":")" + text + R"(","domain":")" + domain + R"("})"));
    const JsonDocument answer = ParseJson(reply.body);
    return GetJsonInt(GetJson(GetJson(answer, "results")[0], "momentum_code"), "code");
  }
  // Reads all anew; is the list stale, and why.
  std::pair<bool, std::string> Reload(rapidjson::SizeType list) {
    const Reply reply = HttpClient(server_->port())
                            .Ask(
                                "POST /v3/overrides/reload HTTP/1.1\r\nHost: "
                                "localhost\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(reply.body.find("pass@word"), std::string::npos) << reply.body;
    const JsonDocument status = ParseJson(reply.body);
    const JsonValue& of = GetJson(status, "lists")[list];
    const JsonValue* error = FindJson(of, "last_error");
    return {GetJsonBool(of, "stale"), error == nullptr ? "" : std::string(JsonText(*error))};
  }
  void ExpectFresh(rapidjson::SizeType list) {
    EXPECT_EQ(Reload(list), std::make_pair(false, std::string()));
  }

  TempFolder folder_;
  std::optional<ServerProcess> server_;
};

TEST_F(ServedSourcesTest, PostgresAndLdapGiveRulesAndOutliveTheirServers) {
  test::TestCluster cluster;
  const std::string uri = cluster.NewDatabase();
  const auto execute = [&](const char* script) {
    PostgresConnection(uri).Transact(SqlIsolation::kReadCommitted,
                                     [&](SqlTransaction& sql) { sql.ExecuteScript(script); });
  };
  execute(
      "CREATE TABLE public.overrides (domain text, bounce_code int, rule text);"
      "INSERT INTO public.overrides VALUES (NULL, 22, 'storage exceeded'),"
      " ('example.com', 51, 'TSS04')");
  test::TestLdap ldap(kTree);
  // The password comes from the environment, so that none stands in the configuration.
  ::setenv("RULES_PASSWORD", "pass@word/1", 1);
  Start(uri, "SELECT domain, bounce_code, rule FROM overrides",
        ldap.uri("cn=reader,dc=example,dc=org:${RULES_PASSWORD}"), kSearch);
  EXPECT_EQ(CodeOf("virus storage exceeded"), 22);
  EXPECT_EQ(CodeOf("virus TSS04", "example.com"), 51);
  EXPECT_EQ(CodeOf("virus: not listed", "b.example"), 10) << "a row for every value";
  EXPECT_EQ(CodeOf("virus: not listed", "c.example"), 53);
  EXPECT_EQ(CodeOf("virus lost"), 21);
  execute("UPDATE public.overrides SET bounce_code = 23 WHERE bounce_code = 22");
  ExpectFresh(0);
  EXPECT_EQ(CodeOf("virus storage exceeded"), 23);

  cluster.Kill();
  ldap.Kill();
  const auto [is_stale, error] = Reload(0);
  EXPECT_TRUE(is_stale);
  EXPECT_NE(error, "");
  EXPECT_TRUE(Reload(1).first);
  EXPECT_EQ(CodeOf("virus storage exceeded"), 23) << "the rules that were read last";
  EXPECT_EQ(CodeOf("virus lost"), 21);
  cluster.Start();
  ldap.Start();
  ExpectFresh(0);
  ExpectFresh(1);
}

TEST_F(ServedSourcesTest, OdbcAndCsvGiveRulesAndOutliveTheirFiles) {
  const auto database = folder_.path() / "rules.db";
  SqliteDatabase(database).ExecuteScript(
      "CREATE TABLE overrides (domain TEXT, bounce_code INTEGER, rule TEXT);"
      "INSERT INTO overrides VALUES ('', 22, 'storage exceeded'), ('example.com', 51, 'TSS04');");
  const auto csv = folder_.path() / "rules.csv";
  WriteFileDurably(csv, "rule,domain,bounce_code\n\"no relay, sorry\",,54\nTSS04,,50\n");
  // NoCreat: the driver makes no empty database where there is none.
  Start(std::string("odbc:Driver=") + kDriver + ";Database=" + database.string() + ";NoCreat=1",
        "SELECT domain, bounce_code, rule FROM overrides", "csv:" + csv.string(),
        "domain,bounce_code,rule");
  EXPECT_EQ(CodeOf("virus storage exceeded"), 22);
  EXPECT_EQ(CodeOf("virus TSS04", "example.com"), 51);
  EXPECT_EQ(CodeOf("virus TSS04", "example.org"), 50) << "the user's list has none for it";
  EXPECT_EQ(CodeOf("virus: no relay, sorry"), 54);
  SqliteDatabase(database).ExecuteScript("INSERT INTO overrides VALUES ('', 24, 'too slow')");
  WriteFileDurably(csv, "rule,domain,bounce_code\nTSS04,,70\n");
  ExpectFresh(0);
  ExpectFresh(1);
  EXPECT_EQ(CodeOf("virus: too slow"), 24);
  EXPECT_EQ(CodeOf("virus TSS04", "example.org"), 70);

  const auto away = folder_.path() / "away";
  std::filesystem::rename(database, away);
  std::filesystem::remove(csv);
  EXPECT_TRUE(Reload(0).first);
  EXPECT_TRUE(Reload(1).first);
  EXPECT_EQ(CodeOf("virus: too slow"), 24);
  EXPECT_EQ(CodeOf("virus TSS04", "example.org"), 70);
  std::filesystem::rename(away, database);
  ExpectFresh(0);
}

}  // namespace
}  // namespace rebound
