#include "engine/explain.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "engine/explain_json.h"
#include "models/bundle_store.h"
#include "tests/support/bundles.h"

namespace rebound {
namespace {

// The bundles that we ship.
const ModelSet& Released() {
  static const ModelSet* const kModels = [] {
    const char* source = std::getenv("REBOUND_SOURCE");
    const BundleStore store(std::filesystem::path(source == nullptr ? "." : source) /
                            "models/released");
    auto* models = new ModelSet;
    for (const Task task : kTasks) {
      models->by_task[Index(task)] =
          Classifier::Load(store.BundleFolder(task, store.Current(task).value()));
    }
    return models;
  }();
  return *kModels;
}

struct Explained {
  std::string label;
  std::vector<ExplainedSpan> spans;
  std::vector<std::string> words;  // what they cut out of the text

  bool Has(std::string_view word) const {
    return std::find(words.begin(), words.end(), word) != words.end();
  }
};

Explained Explain(const ModelSet& models, Task task, std::string_view text) {
  Engine::Scratch scratch;
  Engine::Prepare(text, &scratch);
  const Prediction prediction = Engine::Predict(models, task, &scratch);
  const TaskAnswer answer = Engine::Decide(models, task, prediction, text, &scratch);
  Explained explained;
  explained.label = TaskLabels(task)[answer.label];
  explained.spans = Explainer(text, &scratch).Explain(task, *models.Get(task), answer);
  for (const ExplainedSpan& span : explained.spans) {
    explained.words.emplace_back(text.substr(span.begin, span.end - span.begin));
  }
  return explained;
}

TEST(Explain, PutsTheGreylistingFirst) {
  constexpr std::string_view kText =
      "450 4.2.0 <user@example.com>: Recipient address rejected: Greylisting in effect, please "
      "come "
      "back later";
  for (const Task task : kTasks) {
    const Explained explained = Explain(Released(), task, kText);
    ASSERT_FALSE(explained.words.empty()) << TaskName(task);
    EXPECT_EQ(explained.words.front(), "Greylisting");
    EXPECT_GT(explained.spans.front().weight.value(), 3.0F);
  }
}

TEST(Explain, FindsWhatSaysThatAUserIsUnknown) {
  const Explained explained =
      Explain(Released(), Task::kAction,
              "550 5.1.1 <jane@example.com>: Recipient address rejected: User unknown in table");
  EXPECT_EQ(explained.label, "user_unknown");
  ASSERT_FALSE(explained.words.empty());
  EXPECT_EQ(explained.words.front(), "unknown");
  EXPECT_TRUE(explained.Has("5.1.1"));
}

TEST(Explain, ShowsTheWholeAddressOfABlockListOnTheLaterLineOfAReply) {
  const Explained explained =
      Explain(Released(), Task::kBnac,
              "550-5.7.1 Service unavailable; Client host [192.0.2.1]\r\n550 5.7.1 blocked using "
              "zen.spamhaus.org");
  EXPECT_EQ(explained.label, "BLOCK_LIST");
  ASSERT_FALSE(explained.words.empty());
  EXPECT_EQ(explained.words.front(), "zen.spamhaus.org");
}

TEST(Explain, TellsTheWordsOfTextsBeyondAscii) {
  EXPECT_EQ(Explain(Released(), Task::kAction, "452 Почтовый ящик ПЕРЕПОЛНЕН").words.front(),
            "ПЕРЕПОЛНЕН");
  // Pieces of a run without blanks.
  EXPECT_EQ(
      Explain(Released(), Task::kAction, "450 初回接続のためグレイリストにより一時拒否しました。")
          .words.front(),
      "グレイリスト");
}

TEST(Explain, SharesTheWeightBetweenWordsThatSayTheSame) {
  const auto weight = [](std::string_view text) {
    const Explained explained = Explain(Released(), Task::kBnac, text);
    for (size_t i = 0; i < explained.words.size(); ++i) {
      if (explained.words[i] == "greylisted") return explained.spans[i].weight.value();
    }
    return 0.0F;
  };
  const float once = weight("450 you are greylisted");
  const float twice = weight("450 you are greylisted, greylisted");
  EXPECT_GT(twice, 0.25F * once);
  EXPECT_LT(twice, once);
}

TEST(Explain, GivesFewSpansTheWeightiestFirstInsideTheTextAndApart) {
  constexpr std::string_view kText =
      "550-5.1.1 The email account that you tried to reach does not exist. Please try\n550-5.1.1 "
      "double-checking the recipient’s email address for typos or\n550-5.1.1 unnecessary spaces. "
      "Learn more at\n550 5.1.1  https://support.google.com/mail/?p=NoSuchUser g2si123.45 - gsmtp";
  for (const Task task : kTasks) {
    Explained explained = Explain(Released(), task, kText);
    ASSERT_EQ(explained.spans.size(), kMaxExplained);
    for (size_t i = 0; i < explained.spans.size(); ++i) {
      EXPECT_TRUE(IsValidUtf8(explained.words[i]));
      EXPECT_FALSE(explained.words[i].empty());
      EXPECT_EQ(explained.words[i], Trim(explained.words[i]));
      const float weight = std::abs(explained.spans[i].weight.value());
      EXPECT_GE(weight, kLeastWeight);
      if (i > 0) {
        EXPECT_LE(weight, std::abs(explained.spans[i - 1].weight.value()));
      }
    }
  }
}

TEST(Explain, FindsTheWordsAmongTenThousandBytes) {
  const auto filled = [](std::string_view filler, std::string_view text) {
    std::string whole;
    while (whole.size() < 4800) whole += filler;
    whole += text;
    while (whole.size() < kMaxTextBytes - filler.size()) whole += filler;
    return whole;
  };
  const Explained explained = Explain(
      Released(), Task::kBnac, filled("..... ,,,, ;; ", "450 4.2.0 greylisted, try again later "));
  EXPECT_EQ(explained.label, "GRAYLISTING");
  EXPECT_EQ(explained.words.front(), "greylisted");
  // 800 words around it.
  test::TestBundle bundle;
  const TempFolder folder;
  BundleStore store(folder.path());
  ModelSet models;
  models.by_task[Index(Task::kBnac)] =
      Classifier::Load(store.BundleFolder(Task::kBnac, test::PublishTestBundle(&store, bundle)));
  Engine::Scratch scratch;
  const std::string text = filled("to be or not ", "spamhaus ");
  Explainer explainer(text, &scratch);
  const Classifier& classifier = *models.Get(Task::kBnac);
  const auto& labels = classifier.config().labels;
  const auto label = std::find(labels.begin(), labels.end(), "BLOCK_LIST") - labels.begin();
  const auto spans = explainer.Weigh(classifier, static_cast<size_t>(label));
  ASSERT_FALSE(spans.empty());
  EXPECT_EQ(text.substr(spans[0].begin, spans[0].end - spans[0].begin), "spamhaus");
}

TEST(Explain, TakesHostileTextsOfAnyKind) {
  for (const std::string_view piece :
       {"a", "a ", "é-@.", "收", "收 ", "1 ", "\xff", "550-5.1.1 ", "_", "x1y2z3w4 ", "ｱ", "👍 "}) {
    std::string text;
    while (text.size() < 2 * kMaxTextBytes) text += piece;
    for (const Task task : kTasks) {
      const Explained explained = Explain(Released(), task, text);
      EXPECT_LE(explained.spans.size(), kMaxExplained);
      for (const ExplainedSpan& span : explained.spans) {
        EXPECT_LT(span.begin, span.end);
        EXPECT_LE(span.end, kMaxTextBytes);
      }
    }
  }
  EXPECT_TRUE(Explain(Released(), Task::kBnac, "").spans.empty());
}

TEST(Explain, SaysTheSameAgainWhateverWasExplainedBefore) {
  Engine::Scratch scratch;
  const auto explain = [&](std::string_view text) {
    Engine::Prepare(text, &scratch);
    const Prediction prediction = Engine::Predict(Released(), Task::kBnac, &scratch);
    return Explainer(text, &scratch).Weigh(*Released().Get(Task::kBnac), prediction.label);
  };
  const auto first = explain("550 5.1.1 User unknown");
  explain("421 4.7.0 too many connections, greylisted by 收件人");
  EXPECT_EQ(explain("550 5.1.1 User unknown"), first);
}

TEST(Explain, LeavesThePreparedTextAsItIs) {
  Engine::Scratch scratch;
  Engine::Prepare("550 5.1.1 User unknown", &scratch);
  const Prediction before = Engine::Predict(Released(), Task::kBnac, &scratch);
  Explainer("another text of some words", &scratch).Weigh(*Released().Get(Task::kBnac), 0);
  const Prediction after = Engine::Predict(Released(), Task::kBnac, &scratch);
  EXPECT_EQ(after.label, before.label);
  EXPECT_EQ(after.probability, before.probability);
}

ModelSet Unsure() {
  const TempFolder folder;
  BundleStore store(folder.path());
  ModelSet models;
  for (const Task task : kTasks) {
    test::TestBundle bundle;
    bundle.task = task;
    bundle.fallback_threshold = 0.6;
    if (task == Task::kAction) {
      // Of so many labels the model gives none of "xyzzy" a quarter.
      bundle.labels = {"spam_blocked", "policy_blocked", "user_unknown", "virus_detected",
                       "greylisting",  "mailbox_full",   "server_error", "rate_limited"};
    }
    models.by_task[Index(task)] =
        Classifier::Load(store.BundleFolder(task, test::PublishTestBundle(&store, bundle)));
  }
  return models;
}

TEST(Explain, ShowsTheCodeWhereTheCodeDecided) {
  const ModelSet models = Unsure();
  const Explained enhanced = Explain(models, Task::kBnac, "550 5.1.1 xyzzy");
  EXPECT_EQ(enhanced.label, "RECIPIENT_NOT_FOUND");
  EXPECT_EQ(enhanced.words, std::vector<std::string>{"5.1.1"});
  EXPECT_EQ(enhanced.spans, (std::vector<ExplainedSpan>{{4, 9, std::nullopt}}));
  EXPECT_EQ(Explain(models, Task::kBnac, "xyzzy 552").words, std::vector<std::string>{"552"});
  EXPECT_EQ(Explain(models, Task::kBnac, "552 5.0.0 xyzzy").words, std::vector<std::string>{"552"});
}

TEST(Explain, IsEmptyWhereNobodyWasSure) {
  const Explained explained = Explain(Unsure(), Task::kAction, "xyzzy plugh");
  EXPECT_EQ(explained.label, "unknown");
  EXPECT_TRUE(explained.spans.empty());
}

TEST(ExplainJson, CountsBytesOfTheTextAsItWasGiven) {
  std::string json;
  JsonWriter writer(&json);
  writer.StartObject();
  const std::vector<ExplainedSpan> spans = {{4, 11, 3.5F}, {0, 3, std::nullopt}};
  WriteExplained(Task::kAction, "550 unknown", 2, spans, &writer);
  WriteExplained(Task::kBnac, "550 unknown", 0, {}, &writer);
  writer.EndObject();
  EXPECT_EQ(json, R"({"label":[{"begin":6,"end":13,"text":"unknown","weight":3.5},)"
                  R"({"begin":2,"end":5,"text":"550"}],"bnac":[]})");
}

}  // namespace
}  // namespace rebound
