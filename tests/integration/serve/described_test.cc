// What openapi.json describes of the routes that need a label store, asked with one.
#include "contributions.h"
#include "labelstore/model_registry.h"
#include "tests/api/serve/json_shape.h"

namespace rebound::test {
namespace {

class DescribedTest : public ContributionsTest {
 protected:
  // The path with the examples of its parameters, and those of the query that must be there.
  static std::string TargetOf(const std::string& path, const JsonValue& operation) {
    std::string target = path;
    const JsonValue* parameters = FindJson(operation, "parameters");
    if (parameters == nullptr) return target;
    for (const JsonValue& parameter : parameters->GetArray()) {
      const std::string name(GetJsonString(parameter, "name"));
      if (GetJsonString(parameter, "in") == "path") {
        target.replace(target.find("{" + name + "}"), name.size() + 2,
                       GetJsonString(parameter, "example"));
      } else if (FindJson(parameter, "required") != nullptr) {
        target += "?" + name + "=true";
      }
    }
    return target;
  }

  void ExpectDescribed(const std::string& method, const std::string& path,
                       const JsonValue& operation, const JsonValue* body) {
    std::string text;
    if (body != nullptr) JsonWriter(&text).Value(*body);
    const std::string target = TargetOf(path, operation);
    const Answer answer = Ask("", method, target, text);
    const std::string what = method + " " + target + " " + text + "\n" + answer.response.body;
    EXPECT_EQ(answer.status() / 100, 2) << what;
    const JsonValue* described =
        FindJson(GetJson(operation, "responses"), std::to_string(answer.status()));
    ASSERT_NE(described, nullptr) << what;
    const JsonValue* content =
        FindJson(GetJson(*described, "content"), answer.response.content_type);
    ASSERT_NE(content, nullptr) << what;
    if (answer.response.content_type != "application/json") return;
    EXPECT_EQ(ShapeProblem(document_, GetJson(*content, "schema"), answer.json), "") << what;
  }

  // A history to go back by: version 2 of bnac after 1.
  void PromoteTwice() {
    BundleStore store(models_.path());
    ModelRegistry registry(uri_);
    registry.Adopt(Task::kBnac, store);
    TestBundle next;
    next.variant = 1;
    PublishTestBundle(&store, next);
    registry.Upload(store.BundleFolder(Task::kBnac, 2));
    registry.Promote(Task::kBnac, 2, "anna", "");
  }

  JsonDocument document_;
};

TEST_F(DescribedTest, TheExamplesOfTheDescriptionAreAnsweredAsItShows) {
  Start(1 << 20, false);
  for (const char* word : {"one", "two", "three"}) {
    Propose(std::string("550 ") + word, "user_unknown", {}, "");
  }
  Sql("INSERT INTO rebound.contributors (name, held_reason, held_at) "
      "VALUES ('portal', 'flood', now())");
  Sql("ALTER TABLE rebound.contributed_texts ADD CHECK (text NOT LIKE '%poison%')");
  for (const char* word : {"one", "two"}) {
    Propose(std::string("550 poison ") + word, "user_unknown", {}, "");
  }
  ASSERT_TRUE(EventuallyDelivered());
  PromoteTwice();
  document_ = ParseJson(served_->Ask("GET", "/openapi.json").body);
  size_t asked = 0;
  for (const auto& path : GetJson(document_, "paths").GetObject()) {
    for (const auto& one : path.value.GetObject()) {
      if (FindJson(one.value, "x-needs-store") == nullptr) continue;
      ++asked;
      std::string method(JsonText(one.name));
      for (char& c : method) c = static_cast<char>(c - 'a' + 'A');
      const JsonValue* request = FindJson(one.value, "requestBody");
      if (request == nullptr) {
        ExpectDescribed(method, std::string(JsonText(path.name)), one.value, nullptr);
        continue;
      }
      const JsonValue& content = GetJson(GetJson(*request, "content"), "application/json");
      for (const auto& example : GetJson(content, "examples").GetObject()) {
        const JsonValue& body = GetJson(example.value, "value");
        EXPECT_EQ(ShapeProblem(document_, GetJson(content, "schema"), body), "");
        ExpectDescribed(method, std::string(JsonText(path.name)), one.value, &body);
      }
    }
  }
  EXPECT_GE(asked, 20U);
}

}  // namespace
}  // namespace rebound::test
