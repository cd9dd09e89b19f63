// A store with a part of the seed corpus, and programs that work on it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "tests/support/postgres.h"

namespace rebound::test {

// A bag of pieces: a second a model.
inline constexpr const char* kQuickTraining =
    "--network bag --members 1 --epochs 25 --learning-rate 0.02 --vocabulary 2000";

class SmallCorpus : public testing::Test {
 protected:
  // Texts of a few families of servers that have every class; where REBOUND_CORPUS says a number,
  // so many of the whole corpus.
  SmallCorpus() {
    const char* wanted = std::getenv("REBOUND_CORPUS");
    if (wanted != nullptr) {
      Run("rebound-labels", "seed --expand " + std::string(wanted));
      return;
    }
    const std::filesystem::path templates = folder_.path() / "templates";
    std::filesystem::create_directory(templates);
    for (const std::string part :
         {"mta_postfix", "mta_exim", "filter_blocklists", "filter_gateways",
          "generic_sender_vs_recipient", "provider_google"}) {
      std::filesystem::copy_file(SourcePath("labelstore/seed/templates/" + part + ".tsv"),
                                 templates / (part + ".tsv"));
    }
    Run("rebound-labels", "seed --expand 3000 --templates " + templates.string());
  }

  void Run(const std::string& program, const std::string& options) {
    const Ran ran =
        RunCommand("'" + BinaryPath(program) + "' " + options + " --store '" + uri_ + "'");
    ASSERT_EQ(ran.exit_code, 0) << ran.errors;
  }

  const std::string uri_ = SharedCluster().NewStore();
  TempFolder folder_;
};

}  // namespace rebound::test
