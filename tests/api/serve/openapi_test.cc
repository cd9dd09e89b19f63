// Holds /openapi.json to the routes that the server really has, and the routes to it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>

#include "base/text.h"
#include "serve/key_file.h"
#include "serve/web_files.h"
#include "tests/api/serve/json_shape.h"
#include "tests/api/serve/served.h"
#include "tests/support/bundles.h"

namespace rebound::test {
namespace {

constexpr std::string_view kKey = "the-key-of-the-test";

// The released models, and one key that may do everything but read metrics.
class OpenApiTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const char* source = std::getenv("REBOUND_SOURCE");
    const std::filesystem::path released =
        std::filesystem::path(source == nullptr ? "." : source) / "models/released";
    // A copy: promoting writes.
    folder_ = new TempFolder;
    std::filesystem::copy(released, folder_->path(), std::filesystem::copy_options::recursive);
    BundleStore models(folder_->path());
    InstallTwin(models.BundleFolder(Task::kBnac, 1), 2, &models);  // for a shadow
    keys_ = new TempFolder;
    WriteFileDurably(keys_->path() / "keys",
                     "all classify,contribute,admin " + KeyField(kKey) + "\n" + "none contribute " +
                         KeyField("of-no-use") + "\n" + "other classify " +
                         KeyField("of-other-use") + "\n" + "few classify,admin " +
                         KeyField("slow") + " rate=1/h burst=1\n");
    Served::Options options;
    options.models = folder_->path();
    options.api.max_batch = 3;
    options.api.gate.keys.file = keys_->path() / "keys";
    options.api.gate.keys.metrics_key = DigestOfKey("metrics-key");
    const std::filesystem::path rules = released / "../../tests/testdata/overrides";
    options.api.overrides = rules / "overrides.conf";
    options.api.text_rules = rules / "text-rules.txt";
    options.api.trainer = TrainerOptions{"/bin/true", keys_->path() / "run", {}, {}};
    served_ = new Served(options);
    document_ = new JsonDocument(ParseJson(served_->Ask("GET", "/openapi.json").body));
  }
  static void TearDownTestSuite() {
    delete document_;
    delete served_;
    delete keys_;
    delete folder_;
  }

  struct Operation {
    std::string method;  // "POST"
    std::string path;    // with {parameter}
    const JsonValue* json;
    std::string target() const {  // with the parameter's example in its place
      std::string filled = path;
      const JsonValue* parameters = FindJson(*json, "parameters");
      if (parameters == nullptr) return filled;
      for (const JsonValue& parameter : parameters->GetArray()) {
        if (GetJsonString(parameter, "in") != "path") continue;
        const std::string name = "{" + std::string(GetJsonString(parameter, "name")) + "}";
        filled.replace(filled.find(name), name.size(), GetJsonString(parameter, "example"));
      }
      return filled;
    }
    // Answered 503 without a label store; tests/integration/serve asks with one.
    bool needs_store() const { return FindJson(*json, "x-needs-store") != nullptr; }
    // "" where it is open.
    std::string scope() const {
      const JsonValue& security = GetJson(*json, "security");
      return security.Empty() ? "" : security[0].MemberBegin()->value[0].GetString();
    }
  };

  static std::vector<Operation> Operations() {
    std::vector<Operation> operations;
    for (const auto& path : GetJson(*document_, "paths").GetObject()) {
      for (const auto& method : path.value.GetObject()) {
        std::string name(JsonText(method.name));
        for (char& c : name) c = static_cast<char>(c - 'a' + 'A');
        operations.push_back({name, std::string(JsonText(path.name)), &method.value});
      }
    }
    return operations;
  }
  static const JsonValue* ResponseOf(const Operation& operation, int status) {
    const JsonValue* response =
        FindJson(GetJson(*operation.json, "responses"), std::to_string(status));
    return response == nullptr ? nullptr : &Resolve(*document_, *response);
  }
  // The first media type of a request's or a response's content, and what stands there; null: none.
  static const JsonValue* ContentOf(const JsonValue* part, std::string* media) {
    const JsonValue* content = part == nullptr ? nullptr : FindJson(*part, "content");
    if (content == nullptr) return nullptr;
    *media = JsonText(content->MemberBegin()->name);
    return &content->MemberBegin()->value;
  }
  static std::string Text(const JsonValue& value) {
    if (value.IsString()) return std::string(JsonText(value));  // a body that is no JSON
    std::string text;
    JsonWriter(&text).Value(value);
    return text;
  }
  static Response Ask(const Operation& operation, const std::string& body,
                      std::string_view key = kKey, HeaderList headers = {}) {
    if (operation.scope() == "metrics" && key == kKey) key = "metrics-key";
    if (!key.empty()) headers.emplace_back("x-api-key", key);
    return served_->Ask(operation.method, operation.target(), body, headers);
  }
  // The answer must be one that is described, in the shape that is described.
  static void ExpectDescribed(const Operation& operation, const Response& response) {
    const std::string what = operation.method + " " + operation.path + " " +
                             std::to_string(response.status) + " " + response.body.substr(0, 500);
    const JsonValue* described = ResponseOf(operation, response.status);
    ASSERT_NE(described, nullptr) << "not described: " << what;
    std::string media;
    const JsonValue* content = ContentOf(described, &media);
    ASSERT_NE(content, nullptr) << what;
    EXPECT_EQ(response.content_type.substr(0, response.content_type.find(';')), media) << what;
    if (media.find("json") == std::string::npos) return;
    const JsonDocument answer = ParseJson(response.body);
    if (const JsonValue* schema = FindJson(*content, "schema")) {
      EXPECT_EQ(ShapeProblem(*document_, *schema, answer), "") << what;
    }
  }

  static TempFolder* folder_;
  static TempFolder* keys_;
  static Served* served_;
  static JsonDocument* document_;
};
TempFolder* OpenApiTest::folder_ = nullptr;
TempFolder* OpenApiTest::keys_ = nullptr;
Served* OpenApiTest::served_ = nullptr;
JsonDocument* OpenApiTest::document_ = nullptr;

TEST_F(OpenApiTest, DescribesEveryRouteThatThereIsAndNoOther) {
  EXPECT_EQ(GetJsonString(*document_, "openapi"), "3.1.0");
  std::map<std::string, std::string> real;
  for (const Route& route : served_->api().router().routes()) {
    const bool open = route.scope == Scope::kOpen;
    real[std::string(route.method) + " " + std::string(route.path)] =
        open ? "" : ScopeName(route.scope);
  }
  std::map<std::string, std::string> described;
  std::set<std::string> ids;
  for (const Operation& operation : Operations()) {
    described[operation.method + " " + operation.path] = operation.scope();
    EXPECT_TRUE(ids.insert(std::string(GetJsonString(*operation.json, "operationId"))).second);
    EXPECT_NE(GetJsonString(*operation.json, "summary"), "");
  }
  EXPECT_EQ(described, real);
}

TEST_F(OpenApiTest, DescribesParametersThatStandInThePath) {
  for (const Operation& operation : Operations()) {
    EXPECT_EQ(operation.target().find('{'), std::string::npos) << operation.path;
  }
}

// "class" and "label" of the example must be what the released models say.
void CollectClasses(const JsonValue& value, std::vector<std::string>* classes) {
  if (value.IsArray()) {
    for (const JsonValue& one : value.GetArray()) CollectClasses(one, classes);
  } else if (value.IsObject()) {
    for (const auto& member : value.GetObject()) {
      const std::string_view key = JsonText(member.name);
      if ((key == "class" || key == "label") && member.value.IsString()) {
        classes->emplace_back(JsonText(member.value));
      }
      CollectClasses(member.value, classes);
    }
  }
}

TEST_F(OpenApiTest, ItsExamplesAreAnsweredAsItShows) {
  int answered = 0;
  for (const Operation& operation : Operations()) {
    std::string media;
    const JsonValue* body = ContentOf(FindJson(*operation.json, "requestBody"), &media);
    if (operation.needs_store()) {
      const Response response = Ask(operation, "{}");
      EXPECT_EQ(response.status, 503) << operation.path;
      ExpectDescribed(operation, response);
      continue;
    }
    if (body == nullptr) {
      const Response response = Ask(operation, "");
      ExpectDescribed(operation, response);
      EXPECT_EQ(response.status, 200) << operation.path;
      continue;
    }
    for (const auto& example : GetJson(*body, "examples").GetObject()) {
      const std::string name(JsonText(example.name));
      const JsonValue& value = GetJson(example.value, "value");
      EXPECT_EQ(ShapeProblem(*document_, GetJson(*body, "schema"), value), "") << operation.path;
      const Response response = Ask(operation, Text(value));
      EXPECT_EQ(response.status, 200) << operation.path << " " << response.body;
      ExpectDescribed(operation, response);
      const JsonValue& shown = *ContentOf(ResponseOf(operation, 200), &media);
      const JsonValue* examples = FindJson(shown, "examples");
      if (examples == nullptr) continue;
      const JsonValue& expected = GetJson(GetJson(*examples, name), "value");
      EXPECT_EQ(ShapeProblem(*document_, GetJson(shown, "schema"), expected), "")
          << operation.path << " " << name;
      std::vector<std::string> expected_classes;
      std::vector<std::string> classes;
      CollectClasses(expected, &expected_classes);
      CollectClasses(ParseJson(response.body), &classes);
      EXPECT_EQ(classes, expected_classes) << operation.path << " " << name;
      ++answered;
    }
  }
  EXPECT_GE(answered, 15);
}

TEST_F(OpenApiTest, DescribesEveryErrorThatBadRequestsGet) {
  for (const Operation& operation : Operations()) {
    const std::string what = operation.method + " " + operation.path;
    const bool open = operation.scope().empty();
    const bool has_body = FindJson(*operation.json, "requestBody") != nullptr;
    if (!open) {
      const Response no_key = Ask(operation, "{}", "");
      EXPECT_EQ(no_key.status, 401) << what;
      ExpectDescribed(operation, no_key);
      const bool contributes = operation.scope() == "contribute";
      const Response wrong = Ask(operation, "{}", contributes ? "of-other-use" : "of-no-use");
      EXPECT_EQ(wrong.status, 403) << what;
      ExpectDescribed(operation, wrong);
    }
    if (!has_body || operation.needs_store()) continue;
    const auto expect = [&](const std::string& body, int status, HeaderList headers = {}) {
      const Response response = Ask(operation, body, kKey, std::move(headers));
      EXPECT_EQ(response.status, status) << what << " " << body;
      ExpectDescribed(operation, response);
    };
    std::string media;
    ContentOf(FindJson(*operation.json, "requestBody"), &media);
    const bool is_json = media == "application/json";
    expect("{}", 415, {{"content-type", "text/plain"}});
    if (is_json) {
      expect("{", 400);
      expect("[]", 422);
      if (GetJsonBool(GetJson(*operation.json, "requestBody"), "required")) expect("{}", 422);
    } else {
      expect(" ", 422);
      expect("{}", 415, {{"content-type", "application/json"}});
    }
    const std::string batch = R"({"messages":["a","b","c","d"]})";
    ExpectDescribed(operation, Ask(operation, batch));
    ExpectDescribed(operation, Ask(operation, R"({"messages":["a"," "],"message":null})"));
    ExpectDescribed(operation, Ask(operation, R"({"version":999})"));
  }
}

TEST_F(OpenApiTest, DescribesWhatACallerBeyondItsRateGets) {
  bool limited = false;
  for (const Operation& operation : Operations()) {
    if (operation.scope() != "classify" && operation.scope() != "admin") continue;
    const Response response = Ask(operation, "{}", "slow");
    limited = limited || response.status == 429;
    ExpectDescribed(operation, response);
  }
  EXPECT_TRUE(limited);
}

TEST_F(OpenApiTest, DescribesWhatAServerWithoutModelsAnswers) {
  const TempFolder empty;
  Served::Options options;
  options.models = empty.path();
  Served without(options);
  for (const Operation& operation : Operations()) {
    std::string media;
    std::string body;
    if (const JsonValue* content = ContentOf(FindJson(*operation.json, "requestBody"), &media)) {
      body = Text(GetJson(GetJson(*content, "examples").MemberBegin()->value, "value"));
    }
    ExpectDescribed(operation, without.Ask(operation.method, operation.target(), body));
  }
}

// ---- the pages ---------------------------------------------------------------------------------

const std::string* FindHeader(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return &value;
  }
  return nullptr;
}

TEST_F(OpenApiTest, ThePagesNeedNothingFromElsewhereAndNoInlineScript) {
  for (const WebFile& file : WebFiles()) {
    const bool html = file.name.find(".html") != std::string_view::npos;
    if (file.name == "openapi.json") continue;
    for (const std::string_view foreign : {"http://", "https://", "//cdn", "@import", "eval("}) {
      const size_t at = file.bytes.find(foreign);
      const bool allowed = at == std::string_view::npos ||
                           file.bytes.substr(at).find("http://www.w3.org/") == 0 ||
                           file.bytes.substr(at).find("http://SERVER/") == 0;
      EXPECT_TRUE(allowed) << file.name << " " << foreign;
    }
    if (!html) continue;
    for (const std::string_view inline_code :
         {"<script>", " onclick", " onload", " style=", "<style", "javascript:"}) {
      EXPECT_EQ(file.bytes.find(inline_code), std::string_view::npos) << file.name << inline_code;
    }
    // Every address of the page is a route.
    for (size_t at = 0; (at = file.bytes.find("=\"/", at)) != std::string_view::npos;) {
      const size_t end = file.bytes.find('"', at + 2);
      const std::string target(file.bytes.substr(at + 2, end - at - 2));
      EXPECT_NE(served_->Ask("GET", target).status, 404) << file.name << " " << target;
      at = end;
    }
  }
}

TEST_F(OpenApiTest, ThePagesBearAStrictPolicyAndTheirTypes) {
  for (const auto& [target, type] :
       std::map<std::string, std::string>{{"/", "text/html; charset=utf-8"},
                                          {"/docs", "text/html; charset=utf-8"},
                                          {"/web/docs.js", "text/javascript; charset=utf-8"},
                                          {"/web/style.css", "text/css; charset=utf-8"},
                                          {"/web/icon.svg", "image/svg+xml"}}) {
    const Response response = served_->Ask("GET", target);  // no key: pages are open
    EXPECT_EQ(response.status, 200) << target;
    EXPECT_EQ(response.content_type, type);
    const std::string* policy = FindHeader(response, "Content-Security-Policy");
    ASSERT_NE(policy, nullptr) << target;
    EXPECT_EQ(policy->find("default-src 'none'; script-src 'self'; "), 0U);
    EXPECT_EQ(policy->find("unsafe"), std::string::npos);
    ASSERT_NE(FindHeader(response, "X-Content-Type-Options"), nullptr);
  }
  EXPECT_EQ(served_->Ask("GET", "/web/none.js").status, 404);
  EXPECT_EQ(served_->Ask("GET", "/web/..%2Fapi.cc").status, 404);
}

}  // namespace
}  // namespace rebound::test
