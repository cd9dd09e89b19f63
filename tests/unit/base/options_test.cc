#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/program_options.h"

namespace rebound {
namespace {

namespace po = boost::program_options;

class OptionsTest : public testing::Test {
 protected:
  OptionsTest() {
    line_.summary = "Tests.";
    line_.usage = "test [options]";
    line_.options.add_options()("listen", po::value<std::string>()->default_value("default"), "")(
        "max-body", po::value<int>()->default_value(1), "")("api-key", po::value<std::string>(),
                                                            "");
    line_.other_variables = {{"API_KEY", "api-key"}};
  }
  ~OptionsTest() override {
    for (const char* name : {"REBOUND_LISTEN", "REBOUND_MAX_BODY", "REBOUND_NONSENSE", "API_KEY"}) {
      ::unsetenv(name);
    }
  }
  std::optional<po::variables_map> Parse(std::vector<const char*> words) {
    words.insert(words.begin(), "test");
    return ParseOptions(static_cast<int>(words.size()), words.data(), line_);
  }
  std::string Listen(const std::vector<const char*>& words) {
    return (*Parse(words))["listen"].as<std::string>();
  }
  CommandLine line_;
};

TEST_F(OptionsTest, AFlagBeatsAVariableBeatsTheFile) {
  const TempFolder folder;
  const std::string file = (folder.path() / "conf").string();
  WriteFileDurably(file, "# comment\nlisten = from-file\n");
  EXPECT_EQ(Listen({}), "default");
  EXPECT_EQ(Listen({"--config", file.c_str()}), "from-file");
  ::setenv("REBOUND_LISTEN", "from-variable", 1);
  EXPECT_EQ(Listen({"--config", file.c_str()}), "from-variable");
  EXPECT_EQ(Listen({"--config", file.c_str(), "--listen", "from-flag"}), "from-flag");
}

TEST_F(OptionsTest, IgnoresVariablesOfOthersAndKnowsTheExtraNames) {
  ::setenv("REBOUND_NONSENSE", "1", 1);
  ::setenv("API_KEY", "secret", 1);
  EXPECT_EQ((*Parse({}))["api-key"].as<std::string>(), "secret");
}

TEST_F(OptionsTest, NamesWhatItDoesNotUnderstand) {
  const TempFolder folder;
  const std::string file = (folder.path() / "conf").string();
  WriteFileDurably(file, "lisen = typo\n");
  for (const std::vector<const char*>& words : {std::vector<const char*>{"--lisen", "x"},
                                                {"--max-body", "ten"},
                                                {"--config", file.c_str()},
                                                {"--config", "/none"}}) {
    try {
      Parse(words);
      ADD_FAILURE() << words[0];
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument) << e.what();
    }
  }
}

TEST_F(OptionsTest, HelpTeaches) {
  testing::internal::CaptureStdout();
  EXPECT_FALSE(Parse({"--help"}).has_value());
  const std::string help = testing::internal::GetCapturedStdout();
  EXPECT_NE(help.find("Usage: test [options]"), std::string::npos);
  EXPECT_NE(help.find("REBOUND_SOME_NAME"), std::string::npos);
}

TEST_F(OptionsTest, MainsExitByTheKindOfError) {
  const auto code = [](ErrorCode kind) {
    return RunMain("test", [=]() -> int { throw Error(kind, "x"); });
  };
  testing::internal::CaptureStderr();
  EXPECT_EQ(code(ErrorCode::kInvalidArgument), 2);
  EXPECT_EQ(code(ErrorCode::kUnavailable), 1);
  EXPECT_EQ(code(ErrorCode::kCancelled), 130);
  EXPECT_EQ(RunMain("test", []() -> int { throw std::runtime_error("y"); }), 1);
  EXPECT_EQ(RunMain("test", [] { return 3; }), 3);
  testing::internal::GetCapturedStderr();
}

}  // namespace
}  // namespace rebound
