// Nothing personal of a contribution is kept anywhere: not in a table of the store, the audit
// among them, nor in a byte of the spool, nor in the log, nor in what the API answers.
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "datasource/postgres_tools.h"
#include "labelstore/contributed_text.h"
#include "labelstore/server_words.h"
#include "tests/api/serve/served.h"
#include "tests/support/bundles.h"
#include "tests/support/masking_fixtures.h"
#include "tests/support/metrics_page.h"
#include "tests/support/postgres.h"

namespace rebound::test {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostComment = 1000;
constexpr size_t kSingles = 5;

// Whole words: a digest in hexadecimal holds any three letters.
std::set<std::string> WordsOf(std::string_view text) {
  std::set<std::string> words;
  ForEachWord(text, [&](TextWord word) {
    const bool is_part =
        word.begin > 0 && text[word.begin - 1] >= '0' && text[word.begin - 1] <= '9';
    const bool goes_on = word.end < text.size() && text[word.end] >= '0' && text[word.end] <= '9';
    if (is_part || goes_on) return;
    words.insert(LowerUtf8(text.substr(word.begin, word.end - word.begin)));
  });
  return words;
}

class MaskingContract : public testing::Test {
 protected:
  MaskingContract() : uri_(SharedCluster().NewStore()), fixtures_(LoadPersonalTexts()) {
    BundleStore store(models_.path());
    for (const Task task : kTasks) {
      TestBundle bundle;
      bundle.task = task;
      PublishTestBundle(&store, bundle);
    }
    for (const MaskingFixture& comment : LoadPersonalComments()) fixtures_.push_back(comment);
    FindPersonalWords();
    // Everything that is ever logged.
    SetLog(LogLevel::kDebug);
    testing::internal::CaptureStderr();
    Served::Options options;
    options.models = models_.path();
    options.api.contributions.emplace();
    options.api.contributions->store = {uri_, std::chrono::seconds(20)};
    options.api.contributions->spool.folder = spool();
    served_ = std::make_unique<Served>(options);
  }
  ~MaskingContract() override {
    served_.reset();
    if (!log_taken_) testing::internal::GetCapturedStderr();
    SetLog(LogLevel::kInfo);
  }

  // The words that must be nowhere: those of the hidden fragments, but for the few that another
  // fixture may keep ("example", "park").
  void FindPersonalWords() {
    std::set<std::string> kept;
    for (const MaskingFixture& fixture : fixtures_) {
      kept.merge(WordsOf(MaskContribution(fixture.text)));
      kept.merge(WordsOf(MaskComment(fixture.text)));
    }
    for (const MaskingFixture& fixture : fixtures_) {
      for (const std::string& fragment : fixture.hidden) {
        for (const std::string& word : WordsOf(fragment)) {
          if (word.size() < 3) continue;
          (kept.contains(word) ? left_out_ : personal_).insert(word);
        }
      }
    }
  }

  void ExpectNothingPersonal(std::string_view where, std::string_view bytes) {
    for (const std::string& word : WordsOf(bytes)) {
      EXPECT_FALSE(personal_.contains(word)) << "'" << word << "' stands in " << where;
    }
  }

  fs::path spool() const { return folder_.path() / "spool"; }
  std::string TakeLog() {
    log_taken_ = true;
    return testing::internal::GetCapturedStderr();
  }

  Response Post(const std::string& target, const std::string& body,
                const std::string& type = "application/json", const std::string& method = "POST") {
    Response response = served_->Ask(method, target, body, {{"content-type", type}});
    ExpectNothingPersonal(method + " " + target, response.body);
    return response;
  }
  std::string BodyOf(const std::string& text) const {
    std::string body;
    JsonWriter(&body).Object([&](JsonWriter& w) {
      w.Key("message").String(text).Key("label").String("user_unknown");
      w.Key("comment").String(CutUtf8(text, kMostComment));
    });
    return body;
  }
  // Proposes every fixture in a CSV, and each of kSingles alone; previews all.
  void ContributeAll(int status) {
    std::string csv = "label,message,comment\n";
    for (size_t i = 0; i < fixtures_.size(); ++i) {
      const std::string& text = fixtures_[i].text;
      Post("/api/proposals/preview", BodyOf(text));
      if (i % kSingles == 0) {
        const Response response = Post("/api/proposals", BodyOf(text));
        ASSERT_TRUE(response.status == status || response.status == 200) << response.body;
      }
      std::string quoted;
      for (const char c : "451 csv " + text) quoted.append(c == '"' ? 2 : 1, c);
      csv += "user_unknown,\"" + quoted + "\",\"" + quoted + "\"\n";
    }
    const Response response = Post("/api/proposals/bulk-csv", csv, "text/csv");
    ASSERT_EQ(response.status, status) << response.body;
  }
  std::string Dump() {
    const fs::path file = folder_.path() / "dump.sql";
    RunPostgresTool("pg_dump", {"--no-owner", "--file", file.string()}, uri_);
    return ReadFile(file);
  }
  double Waiting() {
    return ReadMetricsPage(served_->Ask("GET", "/metrics").body).Value("rebound_spool_depth", {});
  }

  std::string uri_;
  std::vector<MaskingFixture> fixtures_;
  std::set<std::string> personal_, left_out_;
  TempFolder models_, folder_;
  std::unique_ptr<Served> served_;
  bool log_taken_ = false;
};

TEST_F(MaskingContract, TheStoreTheAnswersAndTheLogHoldNothingPersonal) {
  EXPECT_GE(personal_.size(), 150U);
  EXPECT_TRUE(personal_.contains("ottilie"));
  EXPECT_LE(left_out_.size(), 12U) << "too many words are not looked for";
  ContributeAll(201);
  // Notes of a reviewer, who may quote.
  const JsonDocument page = ParseJson(Post("/admin/api/proposals?limit=1000", "", "", "GET").body);
  const auto& proposals = GetJson(page, "proposals").GetArray();
  EXPECT_GE(proposals.Size(), fixtures_.size() / 2);
  for (unsigned i = 0; i < proposals.Size(); i += kSingles) {
    std::string body;
    JsonWriter(&body).Object([&](JsonWriter& w) {
      w.Key("status").String(i % 2 == 0 ? "approved" : "rejected");
      w.Key("notes").String(CutUtf8(fixtures_[i % fixtures_.size()].text, kMostComment));
    });
    const std::string path =
        "/admin/api/proposals/" + std::to_string(GetJsonInt(proposals[i], "id"));
    EXPECT_EQ(Post(path, body, "application/json", "PATCH").status, 200);
  }
  EXPECT_EQ(Post("/admin/api/export", "").status, 200);
  const std::string dump = Dump();
  EXPECT_NE(dump.find("COPY rebound.audit "), std::string::npos);
  EXPECT_NE(dump.find("<__email__>"), std::string::npos);
  ExpectNothingPersonal("the store", dump);
  ExpectNothingPersonal("the log", TakeLog());
}

TEST_F(MaskingContract, TheSpoolAndWhatIsDeliveredFromItHoldNothingPersonal) {
  SharedCluster().Kill();
  ContributeAll(202);
  size_t files = 0;
  for (const auto& entry : fs::directory_iterator(spool())) {
    ExpectNothingPersonal(entry.path().filename().string(), ReadFile(entry.path()));
    ++files;
  }
  EXPECT_GE(files, 1U);
  SharedCluster().Start();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (Waiting() > 0 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  ASSERT_EQ(Waiting(), 0);
  ExpectNothingPersonal("the store", Dump());
  ExpectNothingPersonal("the log", TakeLog());
}

}  // namespace
}  // namespace rebound::test
