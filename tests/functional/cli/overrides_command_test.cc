// `rebound overrides`, on files and on a running server.
#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/functional/cli/rebound_program.h"
#include "tests/functional/serve/server_process.h"

namespace rebound {
namespace {

using test::Ran;

class OverridesCommandTest : public ReboundTest {
 protected:
  OverridesCommandTest() { Write("rules.ovr", "example.com,22,over quota\n,10,user|unknown\n"); }
  std::vector<std::string> ServerWords(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"--listen",    "127.0.0.1:0",
                                      "--models",    models(),
                                      "--overrides", (folder_.path() / "rules.ovr").string(),
                                      "--log-level", "error"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  static std::string At(const ServerProcess& server) {
    return " --server http://127.0.0.1:" + std::to_string(server.port());
  }
};

TEST_F(OverridesCommandTest, TestPrintsClassRuleAndPlace) {
  const Ran ran = Rebound("overrides test '552 Over Quota' example.com --overrides rules.ovr");
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_EQ(ran.output,
            "class  22 Mailbox Full (Soft)\nrule   example.com,22,over quota\nat     rules.ovr:1 "
            "(user list)\n");
}

TEST_F(OverridesCommandTest, TestExitsWithOneWhereNoRuleMatches) {
  const Ran ran = Rebound("overrides test '552 over quota' --overrides rules.ovr");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.output, "no rule matches\n");
  EXPECT_EQ(ran.errors, "");
}

TEST_F(OverridesCommandTest, TestAsksTheListOfMessagesForMdns) {
  Write("mdn.rules", "60,holiday\n");
  Write("o.conf",
        "bounce_classifier_override { user_mdn_classification_override = \"mdn.rules\" }");
  EXPECT_EQ(Rebound("overrides test holiday --overrides o.conf").exit_code, 1);
  const Ran ran = Rebound("overrides test holiday --kind mdn --overrides o.conf");
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_EQ(ran.output.substr(0, 14), "class  60 Auto");
}

TEST_F(OverridesCommandTest, AServerAnswersTheSameAsItsFiles) {
  const ServerProcess server(ServerWords());
  const std::string path = "'" + (folder_.path() / "rules.ovr").string() + "'";
  for (const std::string words :
       {"'552 over quota' example.com", "'550 user is unknown'", "'552 over quota'",
        "\"$(printf '550-5.1.1 the user\\n550 5.1.1 is unknown')\""}) {
    const Ran asked = Rebound("overrides test --json " + words + At(server));
    const Ran read = Rebound("overrides test --json " + words + " --overrides " + path);
    EXPECT_EQ(asked.output, read.output) << asked.errors;
    EXPECT_EQ(asked.exit_code, read.exit_code);
  }
}

TEST_F(OverridesCommandTest, ReloadTakesChangedRulesAndTellsOfBadLines) {
  const ServerProcess server(ServerWords());
  Write("rules.ovr", ",51,xyzzy\nbad\n");
  const Ran ran = Rebound("overrides reload" + At(server));
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_NE(ran.output.find("smtp  user    1        0 s       ok        1      "),
            std::string::npos)
      << ran.output;
  EXPECT_NE(ran.output.find("rules.ovr:2: "), std::string::npos) << ran.output;
  EXPECT_EQ(Rebound("overrides test xyzzy" + At(server)).exit_code, 0);
}

TEST_F(OverridesCommandTest, StatusExitsWithOneWhereAListCannotBeRead) {
  const ServerProcess server(ServerWords());
  EXPECT_EQ(Rebound("overrides status" + At(server)).exit_code, 0);
  std::filesystem::remove(folder_.path() / "rules.ovr");
  const Ran ran = Rebound("overrides reload" + At(server));
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.output.find("stale"), std::string::npos) << ran.output << ran.errors;
}

TEST_F(OverridesCommandTest, AKeyIsSentAndNeverShown) {
  const ServerProcess server(ServerWords(), {"/usr/bin/env", "API_KEY=secret-key-17"});
  ASSERT_NE(server.port(), 0);
  const Ran none = Rebound("overrides status" + At(server));
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_NE(none.errors.find("/v3/overrides answers 401: "), std::string::npos) << none.errors;
  EXPECT_NE(none.errors.find("give a key with --key-file, or $REBOUND_KEY"), std::string::npos);
  EXPECT_EQ(Shell("REBOUND_KEY=secret-key-17 rebound overrides status" + At(server)).exit_code, 0);
  Write("key", "secret-key-17\n");
  EXPECT_EQ(Rebound("overrides status --key-file key" + At(server)).exit_code, 0);
  const Ran scope = Rebound("overrides reload --key-file key" + At(server));
  EXPECT_EQ(scope.exit_code, 1);
  EXPECT_NE(scope.errors.find("answers 403: "), std::string::npos) << scope.errors;
  EXPECT_EQ(scope.errors.find("secret"), std::string::npos);
  const Ran wrong = Rebound("overrides status --key 'secret key'" + At(server));
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_EQ(wrong.errors, "rebound: the key has characters that no key has\n");
}

TEST_F(OverridesCommandTest, AServerThatIsNotThereIsToldWithoutItsPassword) {
  const Ran ran = Rebound("overrides status --server http://user:word@127.0.0.1:1");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.errors.find("rebound: cannot ask http://127.0.0.1:1: "), 0u) << ran.errors;
  EXPECT_EQ(Rebound("overrides status --server ftp://x").exit_code, 2);
}

TEST_F(OverridesCommandTest, LintFindsAndExitsWithOne) {
  EXPECT_EQ(Rebound("overrides lint rules.ovr").output, "2 rules, 0 findings\n");
  Write("bad.ovr", ",22,quota\n,10,over quota\nx\n");
  const Ran ran = Rebound("overrides lint bad.ovr");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.output,
            "shadowed            bad.ovr:2: never wins: bad.ovr:1 matches every text that it "
            "matches, and goes first\n2 rules, 1 finding\n");
  EXPECT_EQ(ran.errors.find("bad.ovr:3: "), 0u) << ran.errors;
  const JsonDocument json = ParseJson(Rebound("overrides lint --json bad.ovr").output);
  EXPECT_EQ(GetJsonString(json[0], "kind"), "shadowed");
}

TEST_F(OverridesCommandTest, WhatRulesHoldNeverSteersTheTerminal) {
  Write("evil.ovr", ",22,qu\033[31mota\nb\033ad\n");
  const Ran ran = Rebound("overrides test \"$(printf 'qu\\033[31mota')\" --overrides evil.ovr");
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_EQ((ran.output + ran.errors).find('\033'), std::string::npos) << ran.output << ran.errors;
}

TEST_F(OverridesCommandTest, WrongUseIsToldWithTheRemedy) {
  EXPECT_EQ(Rebound("overrides test x").errors,
            "rebound: give --overrides FILE, or --server URL to ask a running server\n");
  EXPECT_EQ(Rebound("overrides test x --kind y --overrides rules.ovr").errors,
            "rebound: --kind must be smtp or mdn\n");
  const Ran none = Rebound("overrides lint nothere.ovr");
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_NE(none.errors.find("nothere.ovr"), std::string::npos) << none.errors;
}

}  // namespace
}  // namespace rebound
