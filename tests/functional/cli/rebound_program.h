// The real `rebound`, on small bundles whose answers are known.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "tests/support/bundles.h"
#include "tests/support/postgres.h"

namespace rebound {

class ReboundTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    models_ = new TempFolder();
    BundleStore store(models_->path());
    for (const Task task : kTasks) {
      test::TestBundle bundle;
      bundle.task = task;
      bundle.fallback_threshold = 0.5;
      test::PublishTestBundle(&store, bundle);
    }
  }
  static void TearDownTestSuite() {
    delete models_;
    models_ = nullptr;
  }

  // `words` as a shell takes them, in the folder of Write.
  test::Ran Rebound(const std::string& words, const std::string& input = "") {
    return Shell("printf '%s' '" + input + "' | rebound " + words);
  }
  test::Ran Classify(const std::string& words, const std::string& input = "") {
    return Rebound("classify --models '" + models().string() + "' " + words, input);
  }
  // A command line in which `rebound` is ours.
  test::Ran Shell(const std::string& command) {
    return test::RunCommand("cd '" + folder_.path().string() + "' && PATH=\"" +
                            test::BinaryPath("") + ":$PATH\" && " + command);
  }
  // A file that commands may call by its name.
  std::string Write(const std::string& name, const std::string& bytes) {
    WriteFileDurably(folder_.path() / name, bytes);
    return name;
  }
  static std::vector<JsonDocument> Lines(const std::string& output) {
    std::vector<JsonDocument> lines;
    for (const std::string_view line : Split(output, '\n')) {
      if (!line.empty()) lines.push_back(ParseJson(line));
    }
    return lines;
  }
  static const std::filesystem::path& models() { return models_->path(); }

  TempFolder folder_;

 private:
  static inline TempFolder* models_ = nullptr;
};

}  // namespace rebound
