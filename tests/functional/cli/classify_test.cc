// The real `rebound`, on small bundles whose answers are known.
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "tests/functional/serve/server_process.h"
#include "tests/support/bundles.h"
#include "tests/support/postgres.h"
#include "tests/unit/serve/http_client.h"

namespace rebound {
namespace {

using test::Ran;

class ClassifyProgramTest : public testing::Test {
 protected:
  ClassifyProgramTest() : store_(folder_.path() / "models") {
    for (const Task task : kTasks) {
      test::TestBundle bundle;
      bundle.task = task;
      bundle.fallback_threshold = 0.5;
      test::PublishTestBundle(&store_, bundle);
    }
  }

  // `words` as a shell takes them.
  Ran Rebound(const std::string& words, const std::string& input = "") {
    return test::RunCommand("printf '%s' '" + input + "' | '" + test::BinaryPath("rebound") + "' " +
                            words);
  }
  Ran Classify(const std::string& words, const std::string& input = "") {
    return Rebound("classify --models '" + store_.root().string() + "' " + words, input);
  }
  std::string Write(const std::string& name, const std::string& bytes) {
    WriteFileDurably(folder_.path() / name, bytes);
    return "'" + (folder_.path() / name).string() + "'";
  }
  static std::vector<JsonDocument> Lines(const std::string& output) {
    std::vector<JsonDocument> lines;
    for (const std::string_view line : Split(output, '\n')) {
      if (!line.empty()) lines.push_back(ParseJson(line));
    }
    return lines;
  }

  TempFolder folder_;
  BundleStore store_;
};

TEST_F(ClassifyProgramTest, AnswersAsTheServerDoesToTheByte) {
  const std::vector<std::string> texts = {
      "550 5.1.1 user unknown", "451 greylisting in effect, try again in 5 minutes",
      "554 blocked using zen.spamhaus.org", "552 5.2.2 xyzzy", "550-one\\n550 mailbox \\u00fc"};
  std::string body;
  std::string words;
  for (const std::string& text : texts) body += (body.empty() ? "\"" : ",\"") + text + "\"";
  body = "{\"messages\":[" + body + "]}";
  const JsonDocument asked = ParseJson(body);
  for (const JsonValue& text : GetJson(asked, "messages").GetArray()) {
    words += " '" + std::string(JsonText(text)) + "'";
  }
  const Ran ran = Classify("--json --scores" + words);
  ASSERT_EQ(ran.exit_code, 0) << ran.errors;
  ServerProcess server(
      {"--listen", "127.0.0.1:0", "--models", store_.root(), "--log-level", "error"});
  const Reply reply = HttpClient(server.port())
                          .Ask(
                              "POST /v3/classify?scores=true HTTP/1.1\r\nHost: localhost\r\n"
                              "Content-Length: " +
                              std::to_string(body.size()) + "\r\n\r\n" + body);
  ASSERT_EQ(reply.status, 200) << reply.body;
  std::string lines;
  const auto split = Split(ran.output, '\n');
  ASSERT_EQ(split.size(), texts.size() + 1);
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::string message =
        "{\"message\":\"" + std::string(i == 4 ? "550-one\\n550 mailbox ü" : texts[i]) + "\",";
    ASSERT_EQ(split[i].substr(0, message.size()), message);
    lines += (i == 0 ? "{" : ",{") + std::string(split[i].substr(message.size()));
  }
  EXPECT_EQ(reply.body.substr(0, reply.body.find("],\"models\"")), "{\"results\":[" + lines);
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
  EXPECT_NE(ran.output.find("user_unknown                                          2   66.7%"),
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
  told(Rebound("clasify x"), "unknown command 'clasify'");
  const Ran none = Rebound("classify --models /nonexistent x");
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_NE(none.errors.find("no model of task bnac in /nonexistent"), std::string::npos)
      << none.errors;
}

TEST_F(ClassifyProgramTest, ABundleIsShownAndChecked) {
  const std::string bundle = store_.BundleFolder(Task::kBnac, 1).string();
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
