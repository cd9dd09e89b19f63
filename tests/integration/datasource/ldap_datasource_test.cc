// The datasource of LDAP against a slapd of its own.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "tests/support/datasources.h"
#include "tests/support/ldap.h"

namespace rebound {
namespace {

using test::ReadAll;
using test::ReadError;
using test::Rows;
using test::TestLdap;

constexpr int kMany = 2500;  // more than two pages, and more than an unpaged search gives

std::string Rule(const std::string& name, const std::string& folder, const std::string& lines) {
  return "dn: cn=" + name + ",ou=" + folder +
         ",dc=example,dc=org\nobjectClass: reboundRule\ncn: " + name + "\n" + lines + "\n";
}

std::string Tree() {
  std::string ldif = Rule("one", "open", "ruleCode: 10\nruleText: user unknown\n");
  ldif += Rule("two", "open",
               "ruleDomain: a.org\nruleDomain: b.org\nruleCode: 99\n"
               "ruleText:: Z3LDvMOf\nruleText: plain\nruleBytes:: /wDD\n");
  ldif += Rule("hidden", "closed", "ruleCode: 20\nruleText: secret\n");
  ldif += "dn: ou=many,ou=open,dc=example,dc=org\nobjectClass: organizationalUnit\nou: many\n\n";
  for (int i = 0; i < kMany; ++i) {
    ldif += Rule(std::to_string(i), "many,ou=open", "ruleCode: 1\n");
  }
  return ldif;
}

class LdapDatasource : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = new TestLdap(Tree());
    // libldap looks once, when it is first used.
    ::setenv("LDAPTLS_CACERT", server_->certificate().c_str(), 1);
  }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }

  static std::string Source() { return OpenDatasource(server_->uri())->description(); }
  static Rows Sorted(Rows rows) {
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  static TestLdap* server_;
};
TestLdap* LdapDatasource::server_ = nullptr;

const std::string kReader = "cn=reader,dc=example,dc=org";
const std::string kOne = "cn=one,ou=open,dc=example,dc=org";

TEST_F(LdapDatasource, AnEntryGivesARowInTheOrderOfTheAttributes) {
  const Rows row = {{"user unknown", "10", "", kOne}};
  EXPECT_EQ(ReadAll(server_->uri(), kOne + "?ruleText,rulecode,ruleDomain,dn", 4), row);
  EXPECT_EQ(ReadAll(server_->uri(), "ldap:///" + kOne + "?ruleText,ruleCode,ruleDomain,dn", 4),
            row);
  EXPECT_EQ(ReadAll(server_->socket_uri(), kOne + "?ruleText,ruleCode,ruleDomain,dn", 4), row);
}

TEST_F(LdapDatasource, SeveralValuesGiveARowForEachCombination) {
  EXPECT_EQ(Sorted(ReadAll(server_->uri(),
                           "ou=open,dc=example,dc=org?ruleDomain,ruleCode,ruleText?one?"
                           "(ruleText=*)",
                           3)),
            (Rows{{"", "10", "user unknown"},
                  {"a.org", "99", "gr\xC3\xBC\xC3\x9F"},
                  {"a.org", "99", "plain"},
                  {"b.org", "99", "gr\xC3\xBC\xC3\x9F"},
                  {"b.org", "99", "plain"}}));
}

TEST_F(LdapDatasource, TheFilterMayBeEncodedAndBytesPassAsTheyAre) {
  EXPECT_EQ(
      ReadAll(server_->uri(), "dc=example,dc=org?ruleBytes?sub?(%26(cn=two)(ruleCode=99))", 1),
      (Rows{{std::string("\xFF\x00\xC3", 3)}}));
}

TEST_F(LdapDatasource, MoreEntriesThanAPageComeWhole) {
  std::set<std::string> names;
  OpenDatasource(server_->uri())
      ->Read("ou=many,ou=open,dc=example,dc=org?cn?one", 1,
             [&](std::span<const std::string_view> fields) { names.emplace(fields[0]); });
  EXPECT_EQ(names.size(), size_t{kMany});
}

TEST_F(LdapDatasource, AnAnonymousReaderSeesNothingThatIsClosed) {
  const std::string query = "dc=example,dc=org?ruleText?sub?(cn=hidden)";
  EXPECT_EQ(ReadAll(server_->uri(), query, 1), Rows{});
  EXPECT_EQ(ReadAll(server_->uri(kReader + ":pass%40word%2F1"), query, 1), (Rows{{"secret"}}));
  ::setenv("REBOUND_TEST_PASSWORD", "pass@word/1", 1);
  EXPECT_EQ(ReadAll(server_->uri(kReader + ":${REBOUND_TEST_PASSWORD}"), query, 1),
            (Rows{{"secret"}}));
}

TEST_F(LdapDatasource, AWrongPasswordIsRefusedAndNotRepeated) {
  EXPECT_EQ(ReadError(server_->uri(kReader + ":wrong"), kOne + "?cn", 1),
            "invalid_argument: " + Source() +
                ": Invalid credentials: check the user's DN and the password");
}

TEST_F(LdapDatasource, TlsIsSpokenToAServerWhoseCertificateIsTrusted) {
  EXPECT_EQ(ReadAll(server_->tls_uri(), kOne + "?ruleCode", 1), (Rows{{"10"}}));
  const TestLdap stranger("");
  const std::string error = ReadError(stranger.tls_uri(), kOne + "?ruleCode", 1);
  EXPECT_TRUE(Holds(error, "unavailable: LDAP 127.0.0.1:"));
  EXPECT_TRUE(Holds(error, "with TLS, that its certificate is trusted"));
}

TEST_F(LdapDatasource, RefusesAWrongQuery) {
  const std::string form =
      ": write it like ou=rules,dc=example,dc=org?domain,code,rule?sub?(objectClass=*)";
  EXPECT_EQ(ReadError(server_->uri(), kOne + "?cn?sideways", 1),
            "invalid_argument: the query to " + Source() + " cannot be read" + form);
  EXPECT_EQ(ReadError(server_->uri(), "ldap://other/" + kOne + "?cn", 1),
            "invalid_argument: the query to " + Source() +
                " names a host of its own: leave it out, as in ldap:///base");
  EXPECT_EQ(ReadError(server_->uri(), kOne + "?*", 1),
            "invalid_argument: the query to " + Source() +
                " asks for '*': name an attribute a column" + form);
  EXPECT_EQ(
      ReadError(server_->uri(), kOne + "?cn?base?(cn=*)?!x-unknown", 1),
      "invalid_argument: the query to " + Source() + " asks for an extension, and none is known");
  EXPECT_EQ(ReadError(server_->uri(), kOne + "?cn,ruleCode", 3),
            "invalid_argument: the query to " + Source() + " gives 2 columns where 3 are wanted");
  EXPECT_TRUE(Holds(ReadError(server_->uri(), kOne + "?cn?sub?(cn=", 1),
                    "invalid_argument: " + Source() + ": Bad search filter"));
  EXPECT_TRUE(Holds(ReadError(server_->uri(), "no dn?cn", 1),
                    "invalid_argument: " + Source() + ": Invalid DN syntax"));
  EXPECT_EQ(ReadError(server_->uri(), "ou=missing,dc=example,dc=org?cn", 1),
            "not_found: " + Source() + ": No such object");
}

TEST_F(LdapDatasource, KeepsTheLimits) {
  DatasourceLimits limits;
  limits.max_rows = 1500;
  const std::string query = "ou=many,ou=open,dc=example,dc=org?cn,ruleCode?one";
  EXPECT_EQ(ReadError(server_->uri(), query, 2, limits),
            "too_large: " + Source() + " gives more than 1500 rows: narrow the query");
  limits.max_bytes = 100;
  EXPECT_EQ(ReadError(server_->uri(), query, 2, limits),
            "too_large: " + Source() + " gives more than 100 bytes: narrow the query");
}

TEST_F(LdapDatasource, AServerThatIsKilledIsUnavailableUntilItRunsAgain) {
  const auto source = OpenDatasource(server_->uri());
  const std::string query = "ou=many,ou=open,dc=example,dc=org?cn?one";
  EXPECT_EQ(ErrorOf([&] {
              source->Read(query, 1, [&, n = 0](std::span<const std::string_view>) mutable {
                if (++n == 10) server_->Kill();
              });
            }),
            "unavailable: " + Source() +
                ": Can't contact LDAP server: check that the server runs there and, with TLS, that "
                "its certificate is trusted");
  EXPECT_TRUE(Holds(ErrorOf([&] { ReadAll(source.get(), query, 1); }),
                    "unavailable: " + Source() + ": Can't contact LDAP server"));
  server_->Start();
  EXPECT_EQ(ReadAll(source.get(), query, 1).size(), size_t{kMany});
}

TEST_F(LdapDatasource, AServerThatHangsIsUnavailableAtTheTimeout) {
  DatasourceLimits limits;
  limits.timeout = std::chrono::milliseconds(150);
  const std::string late =
      " did not answer in full within 150 ms: check that it runs, or ask for less";
  server_->Freeze(true);
  EXPECT_EQ(ReadError(server_->uri(), kOne + "?cn", 1, limits), "unavailable: " + Source() + late);
  EXPECT_EQ(ReadError(server_->uri(kReader + ":pass%40word%2F1"), kOne + "?cn", 1, limits),
            "unavailable: " + Source() + late);
  server_->Freeze(false);
  EXPECT_EQ(ReadAll(server_->uri(), kOne + "?ruleCode", 1), (Rows{{"10"}}));
  const test::SilentServer silent;
  EXPECT_EQ(ReadError("ldap://127.0.0.1:" + silent.port() + "/", kOne + "?cn", 1, limits),
            "unavailable: LDAP 127.0.0.1:" + silent.port() + late);
  EXPECT_EQ(ReadError("ldaps://127.0.0.1:" + silent.port() + "/", kOne + "?cn", 1, limits),
            "unavailable: LDAP 127.0.0.1:" + silent.port() + late);
}

}  // namespace
}  // namespace rebound
