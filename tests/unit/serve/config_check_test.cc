#include "serve/config_check.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/file.h"
#include "serve/key_file.h"
#include "tests/support/bundles.h"

namespace rebound {
namespace {

class ConfigCheckTest : public testing::Test {
 protected:
  ConfigCheckTest() {
    options_.models = folder_.path();
    options_.tasks = {Task::kBnac};
    test::PublishTestBundle(&store_, {});
  }
  std::string Run(bool valid) {
    std::ostringstream out;
    EXPECT_EQ(ChecksOf(options_).Run(&out), valid) << out.str();
    return out.str();
  }
  void ExpectLine(const std::string& said, const std::string& line) {
    EXPECT_NE(said.find(line), std::string::npos) << said;
  }

  TempFolder folder_;
  TempFolder other_;
  BundleStore store_{folder_.path()};
  ServeOptions options_;
};

TEST(ConfigChecksTest, RunsAllThatWereAddedAndTellsOfEach) {
  ConfigChecks checks;
  checks.Add("first", [] { return "found"; });
  checks.Add("not asked for", [] { return ""; });
  checks.Add("second", []() -> std::string {
    throw Error(ErrorCode::kNotFound, "it is not there: make it");
  });
  checks.Add("third", [] { return "found too"; });
  std::ostringstream out;
  EXPECT_FALSE(checks.Run(&out));
  EXPECT_EQ(out.str(),
            "ok    first: found\nFAIL  second: it is not there: make it\nok    third: found too\n"
            "the configuration is not valid: 1 of its parts failed\n");
}

TEST_F(ConfigCheckTest, TellsWhatItFound) {
  const std::string said = Run(true);
  ExpectLine(said, "ok    door: 127.0.0.1:0, 2 threads, 4096 connections");
  ExpectLine(said, "ok    keys: none: everyone may classify");
  ExpectLine(said, "ok    model bnac: version 1, hash ");
  ExpectLine(said, "\nthe configuration is valid\n");
}

TEST_F(ConfigCheckTest, LoadsTheModels) {
  options_.tasks = {Task::kBnac, Task::kAction};
  std::ofstream(store_.BundleFolder(Task::kBnac, 1) / "weights.safetensors") << "broken";
  const std::string said = Run(false);
  ExpectLine(said, "FAIL  model bnac: bundle ");
  ExpectLine(said, "FAIL  model action: " + (folder_.path() / "action/CURRENT").string() +
                       " is not there: train a model (rebound-train --task action) or copy");
  ExpectLine(said, "2 of its parts failed");
}

TEST_F(ConfigCheckTest, LoadsTheShadowsToo) {
  EXPECT_EQ(Run(true).find("shadow"), std::string::npos) << "none is named";
  test::PublishTestBundle(&store_, {});
  store_.Promote(Task::kBnac, 1);
  store_.SetShadow(Task::kBnac, 2);
  ExpectLine(Run(true), "ok    shadow bnac: version 2, hash ");
  std::ofstream(store_.BundleFolder(Task::kBnac, 2) / "weights.safetensors") << "broken";
  ExpectLine(Run(false), "FAIL  shadow bnac: bundle ");
}

TEST_F(ConfigCheckTest, ReadsTheKeysFile) {
  options_.api.gate.keys.file = other_.path() / "keys";
  ExpectLine(Run(false), "FAIL  keys: ");
  WriteFileDurably(options_.api.gate.keys.file, "mta classify nonsense\n");
  ExpectLine(Run(false), "keys:1: ");
  WriteFileDurably(options_.api.gate.keys.file, "mta classify " + KeyField("a") +
                                                    "\nold classify " + KeyField("b") +
                                                    " not_after=2020-01-01\n");
  ExpectLine(Run(true), "ok    keys: 2 keys in " + options_.api.gate.keys.file.string() +
                            ", 1 of them expired\n");
}

TEST_F(ConfigCheckTest, ReadsThePolicyFile) {
  options_.api.backoff_policy = other_.path() / "policy.yaml";
  WriteFileDurably(options_.api.backoff_policy, "nonsense: [\n");
  ExpectLine(Run(false), "FAIL  backoff policy: ");
}

TEST_F(ConfigCheckTest, LoadsTheCertificate) {
  options_.door.tls.certificate = other_.path() / "cert.pem";
  options_.door.tls.key = other_.path() / "key.pem";
  ExpectLine(Run(false), "FAIL  tls: ");
}

TEST_F(ConfigCheckTest, AsksWhetherTheCacheCanBeWritten) {
  options_.cache_saver.folder = other_.path() / "made/by/the/server";
  ExpectLine(Run(true), "kept through restarts in ");
  EXPECT_FALSE(std::filesystem::exists(other_.path() / "made"));  // a check changes nothing
  WriteFileDurably(other_.path() / "file", "");
  options_.cache_saver.folder = other_.path() / "file/cache";
  ExpectLine(Run(false), "FAIL  cache: --cache-folder: ");
}

TEST_F(ConfigCheckTest, AsksWhetherTheAccessLogCanBeWritten) {
  options_.api.gate.access_log = AccessLogOptions{other_.path() / "missing/access.log"};
  ExpectLine(Run(false), "FAIL  access log: --access-log: the folder ");
  options_.api.gate.access_log = AccessLogOptions{other_.path() / "access.log"};
  ExpectLine(Run(true), "ok    access log: ");
  EXPECT_FALSE(std::filesystem::exists(other_.path() / "access.log"));
}

}  // namespace
}  // namespace rebound
