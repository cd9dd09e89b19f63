#include "serve/proxies.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace rebound {
namespace {

Request From(std::string peer, HeaderList headers) {
  Request request;
  request.peer = std::move(peer);
  request.headers = std::move(headers);
  return request;
}

class TrustedProxiesTest : public testing::Test {
 protected:
  const TrustedProxies proxies_ = TrustedProxies::Parse("10.0.0.0/8, 2001:db8:1::/48,192.0.2.1");

  std::string Client(HeaderList headers, std::string peer = "10.0.0.1") const {
    return proxies_.ClientOf(From(std::move(peer), std::move(headers)));
  }
  std::string ByList(std::string value) const {
    return Client({{"x-forwarded-for", std::move(value)}});
  }
  std::string Forwarded(std::string value) const {
    return Client({{"forwarded", std::move(value)}});
  }
};

TEST_F(TrustedProxiesTest, BelieveNobodyElse) {
  EXPECT_EQ(Client({{"x-forwarded-for", "203.0.113.9"}}, "198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(Client({{"x-forwarded-for", "203.0.113.9"}}, "192.0.2.2"), "192.0.2.2");
  EXPECT_EQ(Client({{"x-forwarded-for", "203.0.113.9"}}, ""), "");
  EXPECT_EQ(TrustedProxies().ClientOf(From("10.0.0.1", {{"x-forwarded-for", "203.0.113.9"}})),
            "10.0.0.1");
}

TEST_F(TrustedProxiesTest, TellTheRightMostAddressThatIsNoProxy) {
  EXPECT_EQ(ByList("203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(ByList("203.0.113.9, 10.1.2.3,192.0.2.1"), "203.0.113.9");
  EXPECT_EQ(Client({{"x-forwarded-for", "203.0.113.9"}}, "2001:db8:1::7"), "203.0.113.9");
  EXPECT_EQ(Client({{"x-forwarded-for", "203.0.113.9"}}, "::ffff:10.0.0.1"), "203.0.113.9");
  EXPECT_EQ(Client({{"x-forwarded-for", "203.0.113.9"}, {"x-forwarded-for", "10.1.2.3"}}),
            "203.0.113.9")
      << "several headers are one list";
  EXPECT_EQ(Client({}), "10.0.0.1") << "the proxy asks for itself";
  EXPECT_EQ(ByList("10.9.9.9, 10.1.2.3"), "10.9.9.9") << "a client within the proxies' network";
}

TEST_F(TrustedProxiesTest, IgnoreWhatTheClientInventedLeftOfIt) {
  EXPECT_EQ(ByList("127.0.0.1, 198.51.100.7, 203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(ByList("10.0.0.1, 203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(ByList("garbage\x01\xff, , \"quoted, 203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(Client({{"x-forwarded-for", "127.0.0.1"}, {"x-forwarded-for", "203.0.113.9"}}),
            "203.0.113.9");
  EXPECT_EQ(Forwarded("for=127.0.0.1, for=203.0.113.9;proto=https"), "203.0.113.9");
}

TEST_F(TrustedProxiesTest, ReadPortsBracketsAndIpv6) {
  EXPECT_EQ(ByList("203.0.113.9:4711"), "203.0.113.9");
  EXPECT_EQ(ByList("2001:db8:2::1"), "2001:db8:2::1");
  EXPECT_EQ(ByList("[2001:db8:2::1]"), "2001:db8:2::1");
  EXPECT_EQ(ByList("[2001:DB8:2:0::1]:4711"), "2001:db8:2::1");
  EXPECT_EQ(ByList("::ffff:203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(ByList("203.0.113.9, [2001:db8:1::5]:80"), "203.0.113.9") << "a proxy with a port";
  EXPECT_EQ(Forwarded("for=203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(Forwarded("For=\"[2001:db8:2::1]:4711\";proto=http;by=10.0.0.1"), "2001:db8:2::1");
  EXPECT_EQ(Forwarded("proto=http;for=\"203.0.113.9:_port\""), "203.0.113.9");
  EXPECT_EQ(Forwarded("for=203.0.113.9, by=\"a,b;c\\\"d\";for=10.0.0.2"), "203.0.113.9");
}

TEST_F(TrustedProxiesTest, KnowTheLastProxyAloneWhereTheTrailBreaks) {
  for (const char* broken :
       {"", ",", "unknown", "_hidden", "203.0.113.9.1", "203.0.113.9:", "203.0.113.9:x",
        "203.0.113.9:123456", "[203.0.113.9]", "[2001:db8:2::1", "[2001:db8:2::1]4711",
        "[2001:db8:2::1]:x", "2001:db8:2::1::", "203.0.113.9 198.51.100.1", "\"203.0.113.9\"",
        "1.2.3", "0x7f.1", "<script>"}) {
    EXPECT_EQ(ByList(std::string("198.51.100.1, ") + broken), "10.0.0.1") << broken;
    EXPECT_EQ(ByList(std::string("198.51.100.1, ") + broken + ", 10.7.7.7"), "10.7.7.7") << broken;
  }
  for (const char* broken :
       {"", "for", "for=", "for=unknown", "for=_x", "proto=http", "for=1.2.3.4;for=203.0.113.9",
        "for=\"203.0.113.9", "for=\"", "for=\"\\", "203.0.113.9"}) {
    EXPECT_EQ(Forwarded(broken), "10.0.0.1") << broken;
  }
}

TEST_F(TrustedProxiesTest, TakeTheProxyWhereTheTwoHeadersDisagree) {
  EXPECT_EQ(Client({{"x-forwarded-for", "203.0.113.9"}, {"forwarded", "for=203.0.113.9"}}),
            "203.0.113.9");
  EXPECT_EQ(Client({{"x-forwarded-for", "203.0.113.9"}, {"forwarded", "for=198.51.100.1"}}),
            "10.0.0.1");
}

TEST_F(TrustedProxiesTest, FollowNoTrailForEver) {
  std::string proxies = "203.0.113.9";
  for (int i = 0; i < 2000; ++i) proxies += ",10.0.0.2";
  EXPECT_EQ(ByList(proxies), "10.0.0.2");
  std::string elements = "for=203.0.113.9";
  for (int i = 0; i < 2000; ++i) elements += ",for=10.0.0.2";
  EXPECT_EQ(Forwarded(elements), "10.0.0.2");
  EXPECT_EQ(ByList(std::string(100'000, ',') + "203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(ByList(std::string(100'000, '[')), "10.0.0.1");
  EXPECT_EQ(Client(HeaderList(5000, {"x-forwarded-for", "10.0.0.3"})), "10.0.0.3");
}

std::string ErrorOf(std::string_view list) {
  try {
    TrustedProxies::Parse(list);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(TrustedProxies, SayWhatIsWrongWithAList) {
  EXPECT_TRUE(TrustedProxies::Parse(" ").empty());
  EXPECT_EQ(TrustedProxies::Parse("127.0.0.1, ::1,10.0.0.0/8").size(), 3U);
  for (const std::string bad :
       {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "10.0.0/8", "proxy.example.com", "",
        "fe80::1%eth0", "2001:db8::/129", "10.0.0.0/-1", "::ffff:10.0.0.0/104"}) {
    EXPECT_EQ(ErrorOf("127.0.0.1," + bad),
              "a network is an address or ADDRESS/BITS, such as 10.0.0.0/8 or 2001:db8::/32; it is "
              "'" +
                  bad + "'");
  }
  EXPECT_EQ(ErrorOf("10.1.0.0/8"),
            "'10.1.0.0/8' has bits set behind its network: did you mean 10.0.0.0/8?");
  EXPECT_EQ(ErrorOf("2001:db8::1/33"),
            "'2001:db8::1/33' has bits set behind its network: did you mean 2001:db8::/33?");
  EXPECT_EQ(ErrorOf("0.0.0.0/0"),
            "'0.0.0.0/0' would believe everybody: name the networks of the proxies");
}

}  // namespace
}  // namespace rebound
