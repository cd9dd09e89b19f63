// The pages against what the server has: every file and every route that they ask for is there, and
// nothing in them turns data into markup or keeps a key longer than the tab.
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <string>

#include "base/json.h"
#include "models/task.h"
#include "serve/key_file.h"
#include "serve/web_files.h"
#include "tests/api/serve/served.h"

namespace rebound::test {
namespace {

std::string BytesOf(std::string_view name) {
  for (const WebFile& file : WebFiles()) {
    if (file.name == name) return std::string(file.bytes);
  }
  ADD_FAILURE() << "no file " << name;
  return "";
}

bool IsScript(std::string_view name) { return name.ends_with(".js"); }

// What stands in the pattern's first group, of every match.
std::set<std::string> FindAll(const std::string& text, const char* pattern) {
  const std::regex regex(pattern);
  std::set<std::string> found;
  for (auto at = std::sregex_iterator(text.begin(), text.end(), regex);
       at != std::sregex_iterator(); ++at) {
    found.insert((*at)[1]);
  }
  return found;
}

// "GET /admin/api/proposals/{}": no query, every parameter {}.
std::string Plain(const std::string& path) {
  const std::string bare = path.substr(0, path.find('?'));
  return std::regex_replace(bare, std::regex(R"(\$?\{[^}]*\})"), "{}");
}

std::set<std::string> DescribedRoutes() {
  std::set<std::string> routes;
  const JsonDocument document = ParseJson(BytesOf("openapi.json"));
  for (const auto& path : GetJson(document, "paths").GetObject()) {
    for (const auto& method : path.value.GetObject()) {
      std::string name(JsonText(method.name));
      for (char& c : name) c = static_cast<char>(c - 'a' + 'A');
      routes.insert(name + " " + Plain(std::string(JsonText(path.name))));
    }
  }
  return routes;
}

TEST(Pages, EveryRouteThatAScriptAsksForIsDescribed) {
  const std::set<std::string> described = DescribedRoutes();
  std::set<std::string> asked;
  for (const WebFile& file : WebFiles()) {
    if (!IsScript(file.name)) continue;
    const std::string script(file.bytes);
    const std::regex call("\\bask\\('([A-Z]+)',\\s*['`](/[^'`]*)['`]");
    for (auto at = std::sregex_iterator(script.begin(), script.end(), call);
         at != std::sregex_iterator(); ++at) {
      const std::string route = (*at)[1].str() + " " + Plain((*at)[2]);
      EXPECT_TRUE(described.contains(route)) << file.name << " asks for " << route;
      asked.insert(route);
    }
    // No call is written in another way, which this test would not see.
    const std::set<std::string> calls = FindAll(script, "(\\bask\\([^)]{0,12})");
    for (const std::string& each : calls) {
      EXPECT_TRUE(std::regex_search(each, std::regex("^ask\\(('|method)"))) << file.name << each;
    }
    if (file.name != "page.js" && file.name != "docs.js") {
      EXPECT_EQ(script.find("fetch("), std::string::npos) << file.name;
    }
  }
  EXPECT_TRUE(asked.contains("POST /api/proposals/preview"));
  EXPECT_TRUE(asked.contains("PATCH /admin/api/proposals/{}"));
  EXPECT_GE(asked.size(), 15U);
}

TEST(Pages, EveryFileThatAPageOrAScriptLoadsIsThere) {
  std::set<std::string> names;
  for (const WebFile& file : WebFiles()) names.insert(std::string(file.name));
  std::set<std::string> loaded = {"openapi.json"};
  for (const WebFile& file : WebFiles()) {
    if (file.name.ends_with(".html")) loaded.insert(std::string(file.name));
    if (file.name == "openapi.json") continue;
    for (const std::string& name : FindAll(std::string(file.bytes), "['\"]/web/([^'\"]+)['\"]")) {
      EXPECT_TRUE(names.contains(name)) << file.name << " loads " << name;
      loaded.insert(name);
    }
  }
  EXPECT_EQ(loaded, names) << "a file that nothing loads";
}

TEST(Pages, EveryIdThatAScriptLooksForStandsInItsPage) {
  const std::map<std::string, std::string> pages = {{"index.js", "index.html"},
                                                    {"contribute.js", "index.html"},
                                                    {"contributions.js", "contributions.html"},
                                                    {"review.js", "review.html"},
                                                    {"review_queue.js", "review.html"}};
  for (const auto& [script, page] : pages) {
    const std::set<std::string> ids = FindAll(BytesOf(page), " id=\"([^\"]+)\"");
    const std::set<std::string> wanted = FindAll(BytesOf(script), "\\bbyId\\('([^']+)'\\)");
    EXPECT_FALSE(wanted.empty()) << script;
    for (const std::string& id : wanted) EXPECT_TRUE(ids.contains(id)) << script << " wants " << id;
  }
}

TEST(Pages, EveryFieldHasALabel) {
  for (const WebFile& file : WebFiles()) {
    if (!file.name.ends_with(".html")) continue;
    const std::string page(file.bytes);
    const std::set<std::string> labelled = FindAll(page, "<label[^>]* for=\"([^\"]+)\"");
    const std::set<std::string> wrapped = FindAll(page, "<label[^>]*><input id=\"([^\"]+)\"");
    for (const std::string& id : FindAll(page, "<(?:input|select|textarea)[^>]* id=\"([^\"]+)\"")) {
      EXPECT_TRUE(labelled.contains(id) || wrapped.contains(id)) << file.name << " " << id;
    }
    EXPECT_NE(page.find("<html lang=\"en\">"), std::string::npos) << file.name;
  }
}

TEST(Pages, DataNeverBecomesMarkupAndKeysGoWithTheTab) {
  for (const WebFile& file : WebFiles()) {
    if (!IsScript(file.name)) continue;
    for (const std::string_view risky :
         {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser",
          "localStorage", "document.cookie", "setAttribute('on", "setAttribute('style", "eval(",
          "new Function", "postMessage"}) {
      EXPECT_EQ(file.bytes.find(risky), std::string_view::npos) << file.name << " " << risky;
    }
  }
}

TEST(Pages, AreOpenAndBearThePolicyAlsoWhereEverythingElseAsksForAKey) {
  Served::Options options;
  options.api.gate.keys.api_key = DigestOfKey("secret");
  const TempFolder models;
  options.models = models.path();
  Served served(options);
  for (const std::string target : {"/", "/contributions", "/review", "/docs", "/web/review.js"}) {
    const Response response = served.Ask("GET", target);
    EXPECT_EQ(response.status, 200) << target;
    std::string policy;
    for (const auto& [name, value] : response.headers) {
      if (name == "Content-Security-Policy") policy = value;
    }
    EXPECT_NE(policy.find("default-src 'none'; script-src 'self'"), std::string::npos) << target;
    EXPECT_EQ(policy.find("unsafe"), std::string::npos) << target;
  }
}

TEST(Pages, TheMeaningsOfAllLabelsNeedNoKey) {
  Served::Options options;
  options.api.gate.keys.api_key = DigestOfKey("secret");
  const TempFolder models;
  options.models = models.path();
  Served served(options);
  const Response response = served.Ask("GET", "/api/labels/definitions");
  ASSERT_EQ(response.status, 200);
  const JsonDocument all = ParseJson(response.body);
  for (const Task task : kTasks) {
    const JsonValue& labels = GetJson(all, TaskKey(task));
    ASSERT_EQ(labels.Size(), TaskLabels(task).size());
    for (size_t i = 0; i < labels.Size(); ++i) {
      const JsonValue& label = labels[static_cast<rapidjson::SizeType>(i)];
      EXPECT_EQ(GetJsonString(label, "name"), TaskLabels(task)[i]);
      EXPECT_EQ(GetJsonString(label, "meaning"), LabelDescription(task, i));
    }
  }
}

}  // namespace
}  // namespace rebound::test
