#include "serve/cors.h"

#include <gtest/gtest.h>

#include <map>

#include "base/error.h"
#include "serve/trace.h"

namespace rebound {
namespace {

std::map<std::string, std::string> Headers(const CorsOptions& options, HeaderList asked,
                                           std::string_view allow = "") {
  Request request;
  request.headers = std::move(asked);
  HeaderList headers;
  AddCorsHeaders(options, request, allow, &headers);
  return {headers.begin(), headers.end()};
}

TEST(Cors, IsOffByDefault) {
  EXPECT_TRUE(Headers({}, {{"origin", "https://a.example"}}).empty());
  EXPECT_TRUE(Headers(ParseCorsOrigins(" "), {{"origin", "https://a.example"}}, "GET").empty());
}

TEST(Cors, ListedOriginsAreAllowedByNameAndCachesAreTold) {
  const CorsOptions options = ParseCorsOrigins("https://a.example, http://b.example:8080");
  const auto allowed = Headers(options, {{"origin", "http://b.example:8080"}});
  EXPECT_EQ(allowed.at("Access-Control-Allow-Origin"), "http://b.example:8080");
  EXPECT_EQ(allowed.at("Vary"), "Origin");
  EXPECT_NE(allowed.at("Access-Control-Expose-Headers").find("X-Request-ID"), std::string::npos);
  EXPECT_EQ(allowed.count("Access-Control-Allow-Credentials"), 0u);
  for (const char* other :
       {"https://b.example:8080", "https://a.example.evil", "null", "https://a.example:443", ""}) {
    const auto refused = Headers(options, {{"origin", other}});
    EXPECT_EQ(refused.size(), 1u) << other;
    EXPECT_EQ(refused.at("Vary"), "Origin");
  }
  EXPECT_EQ(Headers(options, {}).at("Vary"), "Origin");
}

TEST(Cors, AStarAllowsEverybodyAndNeverCredentials) {
  CorsOptions options = ParseCorsOrigins("*");
  options.credentials = true;
  const auto headers = Headers(options, {{"origin", "https://a.example"}});
  EXPECT_EQ(headers.at("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(headers.count("Vary"), 0u);
  EXPECT_EQ(headers.count("Access-Control-Allow-Credentials"), 0u);
}

TEST(Cors, CredentialsAreForListedOrigins) {
  CorsOptions options = ParseCorsOrigins("https://a.example");
  options.credentials = true;
  EXPECT_EQ(
      Headers(options, {{"origin", "https://a.example"}}).at("Access-Control-Allow-Credentials"),
      "true");
  EXPECT_EQ(
      Headers(options, {{"origin", "https://b.example"}}).count("Access-Control-Allow-Credentials"),
      0u);
}

TEST(Cors, APreflightHearsMethodsAndHeaders) {
  const auto headers =
      Headers(ParseCorsOrigins("https://a.example"),
              {{"origin", "https://a.example"}, {"access-control-request-method", "POST"}},
              "POST, OPTIONS");
  EXPECT_EQ(headers.at("Access-Control-Allow-Methods"), "POST, OPTIONS");
  EXPECT_NE(headers.at("Access-Control-Allow-Headers").find("X-API-Key"), std::string::npos);
  EXPECT_EQ(headers.at("Access-Control-Max-Age"), "7200");
  EXPECT_EQ(headers.at("Vary"),
            "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
}

TEST(ParseCorsOrigins, RefusesWhatNoBrowserSends) {
  for (const char* bad : {"a.example", "https://", "https://a.example/", "https://a.example/x",
                          "null", "https://a.example,", "://x", "https://a b", "https://*.a"}) {
    EXPECT_THROW(ParseCorsOrigins(bad), Error) << bad;
  }
  try {
    ParseCorsOrigins("*,https://a.example");
    FAIL() << "it was taken";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "* allows every origin: name it alone");
  }
  EXPECT_EQ(ParseCorsOrigins("HTTPS://A.Example").origins.at(0), "https://a.example");
}

constexpr const char* kTrace = "0af7651916cd43dd8448eb211c80319c";
constexpr const char* kParent = "b7ad6b7169203331";

std::string Parent(const std::string& version = "00", const std::string& trace = kTrace,
                   const std::string& parent = kParent, const std::string& rest = "01") {
  return version + "-" + trace + "-" + parent + "-" + rest;
}

TEST(TraceParent, IsReadWhereItIsValid) {
  const auto trace = ParseTraceParent(Parent());
  ASSERT_TRUE(trace.has_value());
  EXPECT_EQ(trace->trace_id, kTrace);
  EXPECT_EQ(trace->parent_id, kParent);
  EXPECT_TRUE(ParseTraceParent(Parent("01")).has_value());
  EXPECT_TRUE(ParseTraceParent(Parent("cc") + "-what-comes-later").has_value());
}

TEST(TraceParent, IsIgnoredWhereItIsNot) {
  const std::string good = Parent();
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(ParseTraceParent(good.substr(0, length)).has_value()) << length;
  }
  for (size_t i = 0; i < good.size(); ++i) {
    for (const char c : {'G', 'A', ' ', '_', '\0', '\xff'}) {
      std::string bad = good;
      bad[i] = c;
      EXPECT_FALSE(ParseTraceParent(bad).has_value()) << bad;
    }
  }
  EXPECT_FALSE(ParseTraceParent(Parent("ff")).has_value());
  EXPECT_FALSE(ParseTraceParent(good + "-more").has_value());
  EXPECT_FALSE(ParseTraceParent(good + " ").has_value());
  EXPECT_FALSE(ParseTraceParent(Parent("01") + "more").has_value());
  EXPECT_FALSE(ParseTraceParent(Parent("00", std::string(32, '0'))).has_value());
  EXPECT_FALSE(ParseTraceParent(Parent("00", kTrace, std::string(16, '0'))).has_value());
}

TEST(TraceParent, TwoAreNone) {
  Request request;
  EXPECT_FALSE(TraceParentOf(request).has_value());
  request.headers = {{"traceparent", Parent()}};
  EXPECT_TRUE(TraceParentOf(request).has_value());
  request.headers.emplace_back("traceparent", Parent());
  EXPECT_FALSE(TraceParentOf(request).has_value());
}

}  // namespace
}  // namespace rebound
