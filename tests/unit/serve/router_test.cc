#include "serve/router.h"

#include <gtest/gtest.h>

namespace rebound {
namespace {

Router MakeRouter() {
  Router router;
  const auto answer = [](const Call&) { return Response(); };
  router.Add({kGet, "/v3/models", Scope::kClassify, answer});
  router.Add({kPost, "/v3/models/{task}/promote", Scope::kAdmin, answer});
  router.Add({kGet, "/v3/models/{task}", Scope::kClassify, answer});
  router.Add({kPost, "/v3/models/reload", Scope::kAdmin, answer});
  router.Add({kGet, "/things", Scope::kOpen, answer});
  router.Add({kPost, "/things", Scope::kOpen, answer});
  return router;
}

TEST(Router, FindsARouteByPathAndMethod) {
  const Router router = MakeRouter();
  const Router::Match match = router.Find("GET", "/v3/models");
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.route->path, "/v3/models");
  EXPECT_EQ(match.parameter, "");
  ASSERT_NE(router.Find("HEAD", "/v3/models").route, nullptr);
}

TEST(Router, HandsOutTheParameterOfAPath) {
  const Router router = MakeRouter();
  const Router::Match match = router.Find("POST", "/v3/models/bnac/promote");
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.route->scope, Scope::kAdmin);
  EXPECT_EQ(match.parameter, "bnac");
}

TEST(Router, TakesAParameterForOneSegmentThatIsNotEmpty) {
  const Router router = MakeRouter();
  for (const char* path : {"/v3/models//promote", "/v3/models/a/b/promote", "/v3/models/promote/",
                           "/v3/models/", "/v3"}) {
    EXPECT_EQ(router.Find("POST", path).allow, "") << path;
  }
}

TEST(Router, PrefersThePathWithoutAParameter) {
  const Router router = MakeRouter();
  EXPECT_EQ(router.Find("POST", "/v3/models/reload").route->path, "/v3/models/reload");
  const Router::Match get = router.Find("GET", "/v3/models/reload");
  EXPECT_EQ(get.route, nullptr);
  EXPECT_EQ(get.allow, "POST");
}

TEST(Router, TellsTheMethodsOfAPathThatHasNotTheOneAsked) {
  const Router router = MakeRouter();
  const Router::Match match = router.Find("DELETE", "/things");
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allow, "GET, HEAD, POST");
  EXPECT_EQ(router.Find("GET", "/nothing").allow, "");
}

}  // namespace
}  // namespace rebound
