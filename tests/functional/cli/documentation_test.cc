// The examples of docs/command-line.md do what the page says.
//
// A block ```file NAME is written as that file. Of a block ```console every line `$ COMMAND` is run
// and the lines below it are what it prints; of ```console sketch the exit code alone counts.
// `# exits N` behind a command names another exit code than 0.
#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/functional/cli/rebound_program.h"

namespace rebound {
namespace {

class DocumentationTest : public ReboundTest {
 protected:
  void RunBlock(const std::string& block, bool is_sketch) {
    size_t at = 0;
    while (at < block.size()) {
      ASSERT_EQ(block.substr(at, 2), "$ ") << block;
      const size_t line_end = block.find('\n', at);
      std::string command = block.substr(at + 2, line_end - at - 2);
      at = std::min(block.find("\n$ ", line_end), block.size() - 1) + 1;
      const std::string expected = block.substr(line_end + 1, at - line_end - 1);
      int exit_code = 0;
      const size_t mark = command.find("   # exits ");
      if (mark != std::string::npos) {
        exit_code = std::stoi(command.substr(mark + 11));
        command.resize(mark);
      }
      const test::Ran ran = Shell("export REBOUND_MODELS='" + models().string() + "'; " + command);
      EXPECT_EQ(ran.exit_code, exit_code) << command << "\n" << ran.errors;
      if (!is_sketch) {
        EXPECT_EQ(ran.output, expected) << command;
      }
      ++commands_;
    }
  }

  int commands_ = 0;
};

TEST_F(DocumentationTest, EveryExampleDoesWhatItSays) {
  const std::string page = ReadFile(test::SourcePath("docs/command-line.md"));
  constexpr std::string_view kFence = "```";
  size_t at = 0;
  while ((at = page.find("\n```", at)) != std::string::npos) {
    const size_t head_end = page.find('\n', at + 1);
    const size_t end = page.find("\n```\n", head_end);
    ASSERT_NE(end, std::string::npos);
    const std::string head = page.substr(at + 4, head_end - at - 4);
    const std::string body = page.substr(head_end + 1, end - head_end);
    at = end + 1 + kFence.size();
    if (head.starts_with("file ")) {
      Write(head.substr(5), body);
    } else {
      RunBlock(body, head == "console sketch");
    }
  }
  EXPECT_GE(commands_, 12);
}

TEST_F(DocumentationTest, EveryCommandHelps) {
  for (const std::string command :
       {"", "classify", "facts", "overrides", "overrides test", "overrides lint",
        "overrides status", "overrides reload", "bundle", "bundle inspect", "bundle diff"}) {
    const test::Ran ran = Rebound(command + " --help");
    EXPECT_EQ(ran.exit_code, 0) << command << ran.errors;
    EXPECT_NE(ran.output.find("Usage: rebound"), std::string::npos) << command;
    EXPECT_NE(ran.output.find("\n  rebound "), std::string::npos) << command << " has an example";
  }
}

}  // namespace
}  // namespace rebound
