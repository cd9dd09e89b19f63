// The lists of a running program: loading, refreshing, failing, counting. Time is told, not slept.
#include "engine/overrides/overrides.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using Rows = std::vector<std::vector<std::string>>;

void Write(const fs::path& path, const std::string& text) {
  // As an editor does: a new file in the old one's place.
  std::ofstream(path.string() + ".new") << text;
  fs::rename(path.string() + ".new", path);
}

std::string ErrorOf(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

// A data source that the test holds in its hand.
struct FakeSource {
  Rows rows;
  std::optional<Error> error;
  std::vector<std::string> asked;  // "uri query columns"

  DatasourceReader Reader() {
    return [this](const std::string& uri, const std::string& query, size_t columns,
                  const std::function<void(std::span<const std::string_view>)>& row) {
      asked.push_back(uri + " " + query + " " + std::to_string(columns));
      if (error) throw *error;
      for (const auto& fields : rows) {
        row(std::vector<std::string_view>(fields.begin(), fields.end()));
      }
    };
  }
};

OverrideConfig OfFile(const fs::path& file) {
  OverrideConfig config;
  config.sources[0][0] = {file, "", "", true};
  return config;
}

OverrideConfig OfDatasource(seconds cache_life = seconds(0)) {
  OverrideConfig config;
  config.datasources["db"] = {{"postgresql://me:secret@host/db"}, cache_life};
  config.sources[0][0] = {{}, "db", "SELECT d, c, r FROM o", true};
  return config;
}

std::string Pattern(const Overrides& overrides, std::string_view text,
                    std::string_view domain = "") {
  const OverrideMatch match = overrides.Find(BounceKind::kSmtp, text, domain);
  return match ? match.rule().pattern : "none";
}

class OverridesTest : public testing::Test {
 protected:
  const TempFolder folder_;
  const fs::path file_ = folder_.path() / "rules.ovr";
  const Overrides::Clock::time_point start_ = Overrides::Clock::now();
};

TEST_F(OverridesTest, LoadsTheListsAndTellsOfThem) {
  Write(file_, ",22,full\nbad\n");
  const Overrides overrides(OfFile(file_), {}, false);
  EXPECT_EQ(Pattern(overrides, "mailbox FULL"), "full");
  const auto status = overrides.Status(start_ + seconds(90));
  ASSERT_EQ(status.size(), 1U);
  EXPECT_EQ(status[0].source, file_.string());
  EXPECT_TRUE(status[0].is_user);
  EXPECT_EQ(status[0].rules, 1U);
  EXPECT_EQ(status[0].bad_count, 1U);
  EXPECT_EQ(status[0].bad[0].what,
            file_.string() +
                ":2: 1 fields instead of 3 (domain,bounce_code,rule): put a rule with commas in "
                "double quotes");
  EXPECT_TRUE(status[0].loaded_at);
  EXPECT_NEAR(static_cast<double>(status[0].age.count()), 90, 2);
  EXPECT_EQ(status[0].refreshes, 1U);
  EXPECT_EQ(status[0].failures, 0U);
  EXPECT_FALSE(status[0].stale);
}

TEST_F(OverridesTest, DoesNotMissAFileAtItsDefaultPlace) {
  OverrideConfig config = OfFile(file_);
  config.sources[0][0].is_given = false;
  Overrides overrides(config, {}, false);
  EXPECT_EQ(Pattern(overrides, "full"), "none");
  EXPECT_TRUE(overrides.Status()[0].missing);
  EXPECT_EQ(overrides.Status()[0].last_error, "");
  Write(file_, ",22,full\n");
  overrides.Tick(start_ + seconds(1));
  EXPECT_EQ(Pattern(overrides, "full"), "full");
  fs::remove(file_);
  overrides.Tick(start_ + seconds(2));
  EXPECT_EQ(Pattern(overrides, "full"), "none");
  EXPECT_TRUE(overrides.Status()[0].missing);
}

TEST_F(OverridesTest, RefusesAFileThatWasNamedAndIsNotThere) {
  EXPECT_EQ(ErrorOf([&] { Overrides(OfFile(file_), {}, false); }),
            "the overrides' user smtp rules: there is no file " + file_.string());
}

TEST_F(OverridesTest, TakesAChangedFileAtTheNextLook) {
  Write(file_, ",22,full\n");
  Overrides overrides(OfFile(file_), {}, false);
  overrides.Tick(start_ + seconds(1));
  EXPECT_EQ(overrides.Status()[0].refreshes, 1U);
  Write(file_, ",22,fall\n");
  overrides.Tick(start_ + seconds(2));
  EXPECT_EQ(overrides.Status()[0].refreshes, 2U);
  EXPECT_EQ(Pattern(overrides, "full"), "none");
  EXPECT_EQ(Pattern(overrides, "fall"), "fall");
}

TEST_F(OverridesTest, KeepsTheRulesOfAFileThatIsGone) {
  Write(file_, ",22,full\n");
  Overrides overrides(OfFile(file_), {}, false);
  fs::remove(file_);
  for (int i = 1; i < 5; ++i) overrides.Tick(start_ + seconds(i));
  EXPECT_EQ(Pattern(overrides, "full"), "full");
  auto status = overrides.Status()[0];
  EXPECT_TRUE(status.stale);
  EXPECT_FALSE(status.expired);
  EXPECT_EQ(status.failures, 1U);  // it is looked at again when it changes or a refresh is due
  EXPECT_EQ(status.last_error, "there is no file " + file_.string());
  Write(file_, ",22,full\n");
  overrides.Tick(start_ + seconds(6));
  status = overrides.Status()[0];
  EXPECT_FALSE(status.stale);
  EXPECT_EQ(status.last_error, "");
}

TEST_F(OverridesTest, ReadsADatasourceAgainEveryRefresh) {
  FakeSource source{{{"x.org", "22", "full"}, {"", "77", "bad"}}, {}, {}};
  Overrides overrides(OfDatasource(), source.Reader(), false);
  EXPECT_EQ(source.asked,
            std::vector<std::string>{"postgresql://me:secret@host/db SELECT d, c, r FROM o 3"});
  EXPECT_EQ(Pattern(overrides, "full", "x.org"), "full");
  EXPECT_EQ(overrides.Status()[0].bad[0].what,
            ":datasource:db:SELECT d, c, r FROM o:2: there is no bounce code 77: use one of the "
            "twenty, or name it under custom_classes");
  source.rows = {{"", "22", "quota"}};
  overrides.Tick(start_ + seconds(299));
  EXPECT_EQ(source.asked.size(), 1U);
  overrides.Tick(start_ + seconds(301));
  EXPECT_EQ(source.asked.size(), 2U);
  EXPECT_EQ(Pattern(overrides, "full", "x.org"), "none");
  EXPECT_EQ(Pattern(overrides, "quota"), "quota");
}

TEST_F(OverridesTest, ReadsEverythingOnCommand) {
  FakeSource source{{{"", "22", "full"}}, {}, {}};
  Overrides overrides(OfDatasource(), source.Reader(), false);
  source.rows = {{"", "22", "quota"}, {"", "22", "size"}};
  EXPECT_EQ(overrides.Reload()[0].rules, 2U);
  source.error =
      Error(ErrorCode::kUnavailable, "postgresql://me:secret@host/db is away (password secret)");
  const auto status = overrides.Reload()[0];
  EXPECT_EQ(status.rules, 2U);
  EXPECT_EQ(status.last_error, "datasource \"db\" is away (password ***)");
  EXPECT_TRUE(status.stale);
}

TEST_F(OverridesTest, OutlivesASourceThatIsAwayForCacheLife) {
  FakeSource source{{{"", "22", "full"}}, {}, {}};
  Overrides overrides(OfDatasource(seconds(1000)), source.Reader(), false);
  const auto loaded = Overrides::Clock::now();
  source.error = Error(ErrorCode::kUnavailable, "away");
  overrides.Tick(loaded + seconds(301));
  EXPECT_TRUE(overrides.Status()[0].stale);
  overrides.Tick(loaded + seconds(999));
  EXPECT_EQ(Pattern(overrides, "full"), "full");
  overrides.Tick(loaded + seconds(1001));
  EXPECT_EQ(Pattern(overrides, "full"), "none");
  auto status = overrides.Status()[0];
  EXPECT_TRUE(status.expired);
  EXPECT_FALSE(status.stale);
  EXPECT_EQ(status.rules, 0U);
  EXPECT_EQ(status.last_error, "away");
  source.error.reset();
  overrides.Reload();
  EXPECT_EQ(Pattern(overrides, "full"), "full");
  status = overrides.Status()[0];
  EXPECT_FALSE(status.expired);
  EXPECT_EQ(status.rules, 1U);
  EXPECT_EQ(overrides.Uses()[0].hits, 2U);  // what it counted before went on
}

TEST_F(OverridesTest, OutlivesASourceForEverWithoutCacheLife) {
  FakeSource source{{{"", "22", "full"}}, {}, {}};
  Overrides overrides(OfDatasource(), source.Reader(), false);
  source.error = Error(ErrorCode::kUnavailable, "away");
  overrides.Tick(start_ + std::chrono::hours(24 * 365));
  EXPECT_EQ(Pattern(overrides, "full"), "full");
  EXPECT_TRUE(overrides.Status()[0].stale);
}

TEST_F(OverridesTest, StartsWithoutASourceThatIsAway) {
  FakeSource source{{{"", "22", "full"}}, Error(ErrorCode::kUnavailable, "away"), {}};
  Overrides overrides(OfDatasource(), source.Reader(), false);
  EXPECT_EQ(Pattern(overrides, "full"), "none");
  EXPECT_EQ(overrides.Status()[0].last_error, "away");
  EXPECT_FALSE(overrides.Status()[0].stale);
  source.error.reset();
  overrides.Tick(start_ + seconds(301));
  EXPECT_EQ(Pattern(overrides, "full"), "full");
}

TEST_F(OverridesTest, RefusesASourceThatIsWrong) {
  FakeSource source{{}, Error(ErrorCode::kInvalidArgument, "no such table o"), {}};
  EXPECT_EQ(ErrorOf([&] { Overrides(OfDatasource(), source.Reader(), false); }),
            "the overrides' user smtp rules: no such table o");
  EXPECT_EQ(ErrorOf([&] { Overrides(OfDatasource(), {}, false); }),
            "the overrides' user smtp rules: :datasource:db:SELECT d, c, r FROM o: this program "
            "reads no data sources; use a file");
}

TEST_F(OverridesTest, AsksTheNextUriWhereOneIsAway) {
  OverrideConfig config = OfDatasource();
  config.datasources["db"].uris = {"a", "b"};
  std::vector<std::string> asked;
  const Overrides overrides(
      config,
      [&](const std::string& uri, const std::string&, size_t,
          const std::function<void(std::span<const std::string_view>)>& row) {
        asked.push_back(uri);
        const std::string rule = "half an answer of " + uri;
        row(std::vector<std::string_view>{"", "22", rule});
        if (uri == "a") throw Error(ErrorCode::kUnavailable, "away");
      },
      false);
  EXPECT_EQ(asked, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(overrides.Status()[0].rules, 1U);
  EXPECT_EQ(Pattern(overrides, "half an answer of b"), "half an answer of b");
}

TEST_F(OverridesTest, RefusesASourceWithoutEnd) {
  const std::string large(4000, 'a');
  EXPECT_EQ(ErrorOf([&] {
              Overrides(
                  OfDatasource(),
                  [&](const std::string&, const std::string&, size_t,
                      const std::function<void(std::span<const std::string_view>)>& row) {
                    while (true) row(std::vector<std::string_view>{"", "22", large});
                  },
                  false);
            }),
            "the overrides' user smtp rules: :datasource:db:SELECT d, c, r FROM o gives more than "
            "the 33554432 bytes allowed in one list");
}

TEST_F(OverridesTest, CountsHitsAndShowsTheMostUsedFirst) {
  Write(file_, ",22,full\n,10,unknown\n,51,spam\n");
  Overrides overrides(OfFile(file_), {}, false);
  const auto before = std::chrono::system_clock::now();
  Pattern(overrides, "full");
  Pattern(overrides, "unknown");
  Pattern(overrides, "unknown");
  EXPECT_TRUE(overrides.Test(BounceKind::kSmtp, "spam", ""));  // a test counts nothing
  Write(file_, ",10,unknown\n,40,new\n,22,full\n");
  overrides.Tick(start_ + seconds(1));
  Pattern(overrides, "unknown");
  const auto uses = overrides.Uses();
  ASSERT_EQ(uses.size(), 2U);
  EXPECT_EQ(uses[0].rule.pattern, "unknown");
  EXPECT_EQ(uses[0].rule.line, 1U);
  EXPECT_EQ(uses[0].hits, 3U);
  EXPECT_GE(*uses[0].last_hit + seconds(1), before);
  EXPECT_EQ(uses[1].hits, 1U);
  EXPECT_EQ(overrides.Uses(1).size(), 1U);
  EXPECT_EQ(overrides.Status()[0].hits, 4U) << "of the list, whatever became of its rules";
}

TEST_F(OverridesTest, TestsATextForPeople) {
  Write(file_, "# rules\nyahoo.com,51,TSS04\n,99,profanity\n");
  OverrideConfig config = OfFile(file_);
  config.codes.Add(99, "profanity");
  const Overrides overrides(config, {}, false);
  const auto verdict = overrides.Test(BounceKind::kSmtp, "421 [TSS04] deferred", "Yahoo.com");
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->code.number, 51);
  EXPECT_EQ(verdict->code.name, "Spam Block");
  EXPECT_EQ(verdict->code.category, BounceCategory::kBlock);
  EXPECT_EQ(verdict->rule.pattern, "TSS04");
  EXPECT_EQ(verdict->rule.domain, "yahoo.com");
  EXPECT_EQ(verdict->source, file_.string());
  EXPECT_EQ(verdict->rule.line, 2U);
  EXPECT_TRUE(verdict->is_user);
  EXPECT_EQ(overrides.Test(BounceKind::kSmtp, "profanity", "")->code.name, "profanity");
  EXPECT_FALSE(overrides.Test(BounceKind::kSmtp, "421 [TSS04] deferred", "gmail.com"));
  EXPECT_FALSE(overrides.Test(BounceKind::kMdn, "profanity", ""));
}

TEST_F(OverridesTest, LogsTheClassAndTheRuleOfAMessageAtDebugOnly) {
  testing::internal::CaptureStderr();
  LogClassified("550 some text", "SPF", "x.org,51,TSS04");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  SetLog(LogLevel::kDebug);
  testing::internal::CaptureStderr();
  LogClassified("550 some text", "SPF", "x.org,51,TSS04");
  LogClassified("550", "SPF", "");
  SetLog(LogLevel::kInfo);
  const std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_NE(lines.find("classified class=SPF rule=x.org,51,TSS04 text=\"550 some text\"\n"),
            std::string::npos)
      << lines;
  EXPECT_NE(lines.find("classified class=SPF rule=none text=550\n"), std::string::npos) << lines;
}

// Answers come from one set or the next, never from a mix, while sets change.
TEST_F(OverridesTest, AnswersWhileListsChange) {
  Write(file_, ",22,one two\n,22,two\n");
  Overrides overrides(OfFile(file_), {}, true);
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        const std::string found = Pattern(overrides, "one two");
        if (found != "one two" && found != "one") ++wrong;
        overrides.Status();
        overrides.Uses();
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    Write(file_, i % 2 == 0 ? ",22,one\n,22,one two\n" : ",22,one two\n,22,two\n");
    overrides.Reload();
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace rebound
