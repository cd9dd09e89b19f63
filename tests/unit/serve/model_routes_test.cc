// Reload, promote, roll back, take away: what needs more than one version.
#include "serve/model_routes.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <map>

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/api/serve/served.h"
#include "tests/support/bundles.h"

namespace rebound {
namespace {

using test::Served;

class ModelRoutesTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const Task task : kTasks) Publish(task);
    Served::Options options;
    options.models = folder_.path();
    served_.emplace(options);
  }
  int Publish(Task task, std::string always = "") {
    test::TestBundle bundle;
    bundle.task = task;
    bundle.always = std::move(always);
    return test::PublishTestBundle(&store_, bundle);
  }
  Response Promote(const std::string& task, int version) {
    return served_->Ask("POST", "/v3/models/" + task + "/promote",
                        R"({"version":)" + std::to_string(version) + "}");
  }
  std::string Class() {
    return std::string(GetJsonString(
        ParseJson(served_->Ask("POST", "/v1/bnac/single", R"({"message":"virus"})").body),
        "class"));
  }
  static std::string Detail(const Response& response) {
    return std::string(GetJsonString(ParseJson(response.body), "detail"));
  }

  TempFolder folder_;
  BundleStore store_{folder_.path()};
  std::optional<Served> served_;
};

TEST_F(ModelRoutesTest, PromotesAndRollsBackAtOnce) {
  const int next = Publish(Task::kBnac, "SPF");
  store_.Promote(Task::kBnac, 1);
  EXPECT_EQ(Class(), "VIRUS");
  const Response promoted = Promote("bnac", next);
  ASSERT_EQ(promoted.status, 200) << promoted.body;
  EXPECT_EQ(promoted.body.substr(0, promoted.body.find("\"hash\"")),
            R"({"task":"bnac","version":2,)");
  EXPECT_EQ(GetJsonInt(ParseJson(promoted.body), "previous"), 1);
  EXPECT_EQ(Class(), "SPF");
  EXPECT_EQ(store_.Current(Task::kBnac), next);

  const Response back = Promote("bnac", 1);
  ASSERT_EQ(back.status, 200) << back.body;
  EXPECT_EQ(GetJsonInt(ParseJson(back.body), "previous"), 2);
  EXPECT_EQ(Class(), "VIRUS");
  EXPECT_EQ(Promote("bnac", 1).status, 200) << "once more changes nothing";
}

TEST_F(ModelRoutesTest, AVersionThatDoesNotVerifyIsRefusedWithoutTellingAPath) {
  const int bad = Publish(Task::kBnac, "SPF");
  store_.Promote(Task::kBnac, 1);
  std::ofstream(store_.BundleFolder(Task::kBnac, bad) / "tokenizer.model", std::ios::app) << "x";
  const Response refused = Promote("bnac", bad);
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(Detail(refused).rfind("version 2 of task 'bnac' does not verify: ", 0), 0u)
      << refused.body;
  EXPECT_NE(Detail(refused).find("tokenizer.model"), std::string::npos) << refused.body;
  EXPECT_EQ(refused.body.find(folder_.path().string()), std::string::npos) << refused.body;
  EXPECT_EQ(store_.Current(Task::kBnac), 1);
  EXPECT_EQ(Class(), "VIRUS");
}

TEST_F(ModelRoutesTest, ABundleOfAnotherTaskInTheFolderIsRefused) {
  std::filesystem::copy(store_.BundleFolder(Task::kAction, 1), store_.BundleFolder(Task::kBnac, 2),
                        std::filesystem::copy_options::recursive);
  const Response refused = Promote("bnac", 2);
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(Detail(refused),
            "version 2 of task 'bnac' does not verify: bnac/000002 holds version 1 of task action: "
            "restore or promote another version");
}

TEST_F(ModelRoutesTest, AReloadTakesOverWhatSomebodyElsePromoted) {
  Publish(Task::kBnac, "SPF");
  EXPECT_EQ(Class(), "VIRUS");
  const Response reloaded = served_->Ask("POST", "/v3/models/reload");
  EXPECT_EQ(reloaded.status, 200);
  const JsonDocument body = ParseJson(reloaded.body);
  EXPECT_EQ(GetJsonInt(GetJson(body, "models")[0], "version"), 2);
  EXPECT_EQ(GetJson(GetJson(body, "models")[0], "versions").Size(), 2u);
  EXPECT_EQ(Class(), "SPF");
}

// name -> bytes
std::map<std::string, std::string> Unpack(const std::string& tar_gz) {
  std::map<std::string, std::string> files;
  archive* reader = archive_read_new();
  archive_read_support_filter_gzip(reader);
  archive_read_support_format_tar(reader);
  EXPECT_EQ(archive_read_open_memory(reader, tar_gz.data(), tar_gz.size()), ARCHIVE_OK);
  archive_entry* entry = nullptr;
  while (archive_read_next_header(reader, &entry) == ARCHIVE_OK) {
    EXPECT_EQ(archive_entry_filetype(entry), static_cast<unsigned>(AE_IFREG));
    std::string& bytes = files[archive_entry_pathname(entry)];
    bytes.resize(static_cast<size_t>(archive_entry_size(entry)));
    EXPECT_EQ(archive_read_data(reader, bytes.data(), bytes.size()),
              static_cast<la_ssize_t>(bytes.size()));
  }
  archive_read_free(reader);
  return files;
}

TEST_F(ModelRoutesTest, TheArchiveIsABundleThatServes) {
  const Response response = served_->Ask("GET", "/api/model");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.content_type, "application/gzip");
  TempFolder elsewhere;
  for (const auto& [name, bytes] : Unpack(response.body)) {
    const auto path = elsewhere.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
  }
  const auto loaded =
      Classifier::Load(BundleStore(elsewhere.path()).BundleFolder(Task::kAction, 1));
  EXPECT_EQ(loaded->hash(), served_->engine().Take().Get(Task::kAction)->hash());
  EXPECT_EQ(served_->Ask("GET", "/api/model").body, response.body) << "the same bytes";
}

TEST_F(ModelRoutesTest, TheArchiveHoldsNothingElseThatLiesInTheFolder) {
  std::ofstream(store_.BundleFolder(Task::kBnac, 1) / "notes.txt") << "mine";
  const auto files = Unpack(served_->Ask("GET", "/api/model?task=bnac").body);
  EXPECT_EQ(files.size(), 6u);
  EXPECT_EQ(files.count("bnac/000001/config.json"), 1u);
  EXPECT_EQ(files.count("bnac/000001/notes.txt"), 0u);
}

TEST_F(ModelRoutesTest, AnArchiveIsNeverOfWhatDoesNotServe) {
  const auto card = store_.BundleFolder(Task::kAction, 1) / "MODEL_CARD.md";
  std::ofstream(card) << "changed";
  const Response response = served_->Ask("GET", "/api/model");
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body.find(folder_.path().string()), std::string::npos) << response.body;
}

TEST_F(ModelRoutesTest, SlowRequestsBeyondWhatMayWaitAreAnsweredUnavailable) {
  constexpr int kRequests = 200;
  std::atomic<int> answered{0};
  std::atomic<int> unavailable{0};
  std::atomic<int> others{0};
  for (int i = 0; i < kRequests; ++i) {
    Request request;
    request.method = "GET";
    request.target = "/api/model";
    request.peer = "127.0.0.1";
    served_->api().Handle(std::move(request), [&](const Response& response) {
      if (response.status == 503) {
        ++unavailable;
      } else if (response.status != 200) {
        ++others;
      }
      ++answered;
    });
  }
  EXPECT_EQ(Class(), "VIRUS") << "a worker is free meanwhile";
  served_.reset();  // waits for what was taken
  EXPECT_EQ(answered, kRequests) << "each exactly once";
  EXPECT_GT(unavailable, 0);
  EXPECT_LT(unavailable, kRequests);
  EXPECT_EQ(others, 0);
}

}  // namespace
}  // namespace rebound
