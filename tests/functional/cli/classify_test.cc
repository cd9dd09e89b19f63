// The real `rebound`, on small bundles whose answers are known.
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "tests/functional/cli/rebound_program.h"
#include "tests/functional/serve/server_process.h"
#include "tests/unit/serve/http_client.h"

namespace rebound {
namespace {

using test::Ran;

class ClassifyProgramTest : public ReboundTest {
 protected:
  // What the server answers to a body, for what --json printed of the same texts.
  void ExpectTheServersAnswers(const ServerProcess& server, const std::string& query,
                               const std::string& body, const Ran& ran) {
    ASSERT_EQ(ran.exit_code, 0) << ran.errors;
    const Reply reply = HttpClient(server.port()).Ask(PostRequest("/v3/classify" + query, body));
    ASSERT_EQ(reply.status, 200) << reply.body;
    const JsonDocument asked = ParseJson(body);
    const auto& texts = GetJson(asked, "messages");
    const auto split = Split(ran.output, '\n');
    ASSERT_EQ(split.size(), texts.Size() + 1);
    std::string lines;
    for (rapidjson::SizeType i = 0; i < texts.Size(); ++i) {
      std::string message = "{\"message\":";
      AppendJsonString(JsonText(texts[i]), &message);
      message += ",";
      ASSERT_EQ(split[i].substr(0, message.size()), message);
      lines += (i == 0 ? "{" : ",{") + std::string(split[i].substr(message.size()));
    }
    EXPECT_EQ(reply.body.substr(0, reply.body.find("],\"models\"")), "{\"results\":[" + lines);
  }
  static std::string Bodied(const std::vector<std::string>& texts, const std::string& more = "") {
    std::string body = "{\"messages\":[";
    for (const std::string& text : texts) {
      if (body.back() != '[') body += ',';
      AppendJsonString(text, &body);
    }
    return body + "]" + more + "}";
  }
  static std::string Worded(const std::vector<std::string>& texts) {
    std::string words;
    for (const std::string& text : texts) words += " '" + text + "'";
    return words;
  }
};

TEST_F(ClassifyProgramTest, AnswersAsTheServerDoesToTheByte) {
  const std::string rules =
      Write("rules.ovr", "example.com,22,xyzzy\n,60,away\n,51,zen|spamhaus\n");
  const std::string patterns = Write("text-rules.txt", "label:spam_blocked plugh-\\d+\n");
  const ServerProcess server({"--listen", "127.0.0.1:0", "--models", models().string(),
                              "--overrides", (folder_.path() / rules).string(), "--text-rules",
                              (folder_.path() / patterns).string(), "--log-level", "error"});
  const std::vector<std::string> texts = {"550 5.1.1 user unknown",
                                          "451 greylisting in effect, try again in 5 minutes",
                                          "554 blocked using zen.spamhaus.org",
                                          "552 5.2.2 xyzzy",
                                          "550-one\n550 mailbox ü",
                                          "554 plugh-17",
                                          "I am away, yahoo said 421 4.7.0 [TSS04]"};
  const std::string rule_words =
      " --overrides '" + (folder_.path() / rules).string() + "' --text-rules " + patterns;
  ExpectTheServersAnswers(server, "?scores=true", Bodied(texts),
                          Classify("--json --scores" + rule_words + Worded(texts)));
  ExpectTheServersAnswers(
      server, "?explain=true", Bodied(texts, ",\"domain\":\"example.com\""),
      Classify("--json --explain --domain example.com" + rule_words + Worded(texts)));
}

TEST_F(ClassifyProgramTest, ATableShowsATextALine) {
  const Ran ran = Classify("'550 user unknown' '451 greylisting'");
  ASSERT_EQ(ran.exit_code, 0) << ran.errors;
  const auto lines = Split(ran.output, '\n');
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0].substr(0, 5), "LABEL");
  EXPECT_EQ(lines[1].substr(0, 12), "user_unknown");
  EXPECT_NE(lines[1].find("remove"), std::string::npos);
  EXPECT_EQ(lines[2].substr(0, 11), "greylisting");
  EXPECT_EQ(ran.output.find('\033'), std::string::npos) << "no colours in a pipe";
}

TEST_F(ClassifyProgramTest, WhatATextHoldsNeverSteersTheTerminal) {
  const Ran ran = Classify("\"$(printf '550 \\033[31mred\\007 unknown\\r\\nsecond')\"");
  ASSERT_EQ(ran.exit_code, 0) << ran.errors;
  for (const char c : {'\033', '\007', '\r'}) {
    EXPECT_EQ(ran.output.find(c), std::string::npos);
  }
}

TEST_F(ClassifyProgramTest, StandardInputIsATextALineAndBlankOnesAreNone) {
  const Ran ran = Classify("--json", "550 user unknown\n\n   \n451 greylisting\n");
  ASSERT_EQ(ran.exit_code, 0) << ran.errors;
  const auto lines = Lines(ran.output);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(GetJsonString(lines[0], "label"), "user_unknown");
  EXPECT_EQ(GetJsonString(lines[1], "label"), "greylisting");
}

TEST_F(ClassifyProgramTest, AColumnOfCsvComesBackWithTheAnswersBeside) {
  const std::string file = Write("b.csv",
                                 "id,reply,host\r\n7,\"550 unknown, \"\"sorry\"\"\",mx.a\r\n"
                                 "8,,mx.b\r\n9,451 greylisting,mx.c\r\n");
  const Ran ran = Classify("--csv --file " + file + " --column reply");
  EXPECT_EQ(ran.exit_code, 1) << "one row had no text";
  EXPECT_NE(ran.errors.find("b.csv:3: the text is empty or blank"), std::string::npos)
      << ran.errors;
  const auto lines = Split(ran.output, '\n');
  ASSERT_EQ(lines.size(), 4u) << ran.output;
  EXPECT_EQ(lines[0].substr(0, 24), "id,host,message,label,co");
  EXPECT_EQ(lines[1].substr(0, 44), "7,mx.a,\"550 unknown, \"\"sorry\"\"\",user_unknown");
  EXPECT_EQ(lines[2].substr(0, 35), "9,mx.c,451 greylisting,greylisting,");
}

TEST_F(ClassifyProgramTest, ACellThatASpreadsheetWouldRunIsQuoted) {
  const Ran ran = Classify("--csv", "=cmd() user unknown\n");
  EXPECT_NE(ran.output.find("\n'=cmd() user unknown,user_unknown,"), std::string::npos)
      << ran.output;
}

TEST_F(ClassifyProgramTest, AMissingColumnIsToldWithThoseThatAreThere) {
  const Ran ran = Classify("--file " + Write("b.csv", "id,reply\n1,550\n"));
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_NE(ran.errors.find("has no column 'message'; it has id, reply"), std::string::npos)
      << ran.errors;
}

TEST_F(ClassifyProgramTest, CountsAtTheEndWithoutALineAText) {
  const Ran ran = Classify("--summary --quiet", "550 unknown\n550 unknown\n451 greylisting\n");
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_NE(ran.output.find("user_unknown                                              2   66.7%"),
            std::string::npos)
      << ran.output;
  EXPECT_NE(ran.output.find("3 texts"), std::string::npos);
}

TEST_F(ClassifyProgramTest, BytesThatAreNoUtf8AreReplaced) {
  const Ran ran = Classify("--json", "550 unknown \xFF\n");
  ASSERT_EQ(ran.exit_code, 0) << ran.errors;
  EXPECT_EQ(GetJsonString(Lines(ran.output)[0], "message"), "550 unknown \uFFFD");
}

TEST_F(ClassifyProgramTest, WrongUseIsToldWithTheRemedy) {
  const auto told = [&](const Ran& ran, const std::string& what) {
    EXPECT_EQ(ran.exit_code, 2) << ran.output;
    EXPECT_NE(ran.errors.find(what), std::string::npos) << ran.errors;
  };
  told(Rebound("classify x"), "give --models DIR or set REBOUND_MODELS");
  told(Classify("--json --csv x"), "give --json or --csv, not both");
  told(Classify("--file /nonexistent/x.txt"), "cannot open /nonexistent/x.txt");
  told(Classify("x --file y"), "give texts or --file, not both");
  told(Classify("--log syslog x"), "no log format 'syslog': it is one of auto, postfix");
  told(Classify("--log auto x --eml y"), "give --file, --eml or --log, one of them");
  told(Classify("--scores x"), "--scores and --explain want --json");
  told(Classify("--all x"), "--all goes with --log");
  told(Rebound("clasify x"), "unknown command 'clasify'");
  const Ran none = Rebound("classify --models /nonexistent x");
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_NE(none.errors.find("no model of task bnac in /nonexistent"), std::string::npos)
      << none.errors;
}

TEST_F(ClassifyProgramTest, CsvHasFaultSuppressAndMomentumsCode) {
  const Ran ran = Classify("--csv", "550 5.1.1 user unknown\n");
  EXPECT_NE(ran.output.find(",backoff,fault,suppress,momentum_code,smtp_code,"), std::string::npos);
  EXPECT_NE(ran.output.find(",recipient,yes,10,550,5.1.1,,\n"), std::string::npos) << ran.output;
}

TEST_F(ClassifyProgramTest, OrderIsKeptOverManyBatchesAndThreads) {
  std::string input;
  for (int i = 0; i < 3000; ++i) {
    input += (i % 7 == 0 ? "550 unknown " : "451 greylisting ") + std::to_string(i) + "\n";
  }
  Write("many.txt", input);
  const Ran many = Classify("--json --threads 8 --file many.txt");
  ASSERT_EQ(many.exit_code, 0) << many.errors;
  EXPECT_EQ(Split(many.output, '\n').size(), 3001u);
  EXPECT_EQ(many.output, Classify("--json --threads 1 --file many.txt").output);
}

TEST_F(ClassifyProgramTest, ALineBeyondTheLimitIsToldAndTheNextOnesGoOn) {
  Write("long.txt", std::string((size_t{3} << 20), 'x') + "\n550 unknown\n");
  const Ran ran = Classify("--json --file long.txt");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.errors,
            "long.txt:1: the line has more than 1048576 bytes: give one text a line, or a message "
            "with --eml\n");
  const auto lines = Lines(ran.output);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(GetJsonString(lines[1], "label"), "user_unknown");
}

TEST_F(ClassifyProgramTest, PackedInputIsUnpackedAndABrokenOneIsTold) {
  Write("a.txt", "550 unknown\n451 greylisting\n");
  EXPECT_EQ(Shell("gzip -k a.txt").exit_code, 0);
  EXPECT_EQ(Classify("--json --file a.txt.gz").output, Classify("--json --file a.txt").output);
  EXPECT_EQ(Shell("head -c 30 a.txt.gz > cut.gz").exit_code, 0);
  const Ran ran = Classify("--json --file cut.gz");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.errors.find("cut.gz: cannot be unpacked: "), std::string::npos) << ran.errors;
}

TEST_F(ClassifyProgramTest, WhoeverStopsReadingEndsItQuietly) {
  Write("many.txt", [] {
    std::string lines;
    for (int i = 0; i < 20000; ++i) lines += "550 unknown\n";
    return lines;
  }());
  const Ran ran = Shell("rebound classify --json --file many.txt --models '" + models().string() +
                        "' | head -1 | cut -c1-10");
  EXPECT_EQ(ran.output, "{\"message\"\n");
  EXPECT_EQ(ran.errors, "");
}

TEST_F(ClassifyProgramTest, OutputThatCannotBeWrittenIsAnError) {
  const Ran ran = Classify("x >/dev/full");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.errors, "rebound: cannot write standard output\n");
}

TEST_F(ClassifyProgramTest, AnInterruptPrintsTheSummarySoFar) {
  // The answer to the first line tells that it runs; the pipe stays open until it has ended.
  const Ran ran = Shell(
      "mkfifo in out; exec 9<>in; REBOUND_MODELS='" + models().string() +
      "' rebound classify --json --summary <in >out & pid=$!; exec 8<out; echo '550 unknown' >&9; "
      "head -1 <&8 >/dev/null; kill -INT $pid; cat <&8; wait $pid");
  EXPECT_EQ(ran.exit_code, 130) << ran.errors;
  const auto lines = Lines(ran.output);
  ASSERT_EQ(lines.size(), 1u) << ran.output;
  EXPECT_TRUE(GetJsonBool(GetJson(lines[0], "summary"), "interrupted"));
  EXPECT_EQ(GetJsonInt(GetJson(lines[0], "summary"), "texts"), 1);
}

TEST_F(ClassifyProgramTest, DebugTellsClassAndRuleOfEveryText) {
  Write("rules.ovr", ",22,over quota\n");
  const Ran quiet = Classify("--overrides rules.ovr --json '552 over quota'");
  EXPECT_EQ(quiet.errors, "");
  const Ran ran = Classify("--overrides rules.ovr --json --debug '552 over quota'");
  EXPECT_NE(ran.errors.find("Mailbox Full"), std::string::npos) << ran.errors;
  EXPECT_NE(ran.errors.find(",22,over quota"), std::string::npos) << ran.errors;
}

TEST_F(ClassifyProgramTest, FactsNeedNoModels) {
  const Ran ran = Rebound("facts --json '451 4.7.1 greylisting, try again in 5 minutes'");
  EXPECT_EQ(ran.output,
            "{\"message\":\"451 4.7.1 greylisting, try again in 5 minutes\",\"smtp\":{\"code\":"
            "\"451\",\"enhanced_code\":\"4.7.1\"},\"retry_after\":300}\n");
  EXPECT_EQ(Rebound("facts '   '").errors, "text 1: the text is empty or blank\n");
}

TEST_F(ClassifyProgramTest, ABundleIsShownAndChecked) {
  std::filesystem::copy(models(), folder_.path(), std::filesystem::copy_options::recursive);
  const std::string bundle = BundleStore(folder_.path()).BundleFolder(Task::kBnac, 1).string();
  const Ran sound = Rebound("bundle inspect '" + bundle + "' --json");
  ASSERT_EQ(sound.exit_code, 0) << sound.errors;
  EXPECT_EQ(GetJsonString(GetJson(ParseJson(sound.output), "config"), "task"), "bnac");
  WriteFileDurably(bundle + "/golden.jsonl", "{}\n");
  const Ran broken = Rebound("bundle inspect '" + bundle + "'");
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_NE(broken.errors.find("golden.jsonl"), std::string::npos) << broken.errors;
}

}  // namespace
}  // namespace rebound
