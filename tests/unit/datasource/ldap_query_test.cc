#include "datasource/ldap_query.h"

#include <gtest/gtest.h>

#include "tests/integration/labelstore/errors.h"

namespace rebound {
namespace {

// "base|attribute,attribute|scope|filter"
std::string Parse(std::string_view text) {
  const LdapQuery query = ParseLdapQuery(text, "X");
  std::string told = query.base + "|";
  for (const std::string& name : query.attributes) told += name + ",";
  return told + "|" + std::to_string(query.scope) + "|" + query.filter;
}

TEST(LdapQuery, ReadsTheTailOfAnUrlOrAWholeOne) {
  EXPECT_EQ(Parse("dc=a,dc=b?x,y,z?sub?(&(x=*)(!(y=1)))"), "dc=a,dc=b|x,y,z,|2|(&(x=*)(!(y=1)))");
  EXPECT_EQ(Parse(" ldap:///dc=a?x?one "), "dc=a|x,|1|(objectClass=*)");
  EXPECT_EQ(Parse("ldaps:///dc=a?x"), "dc=a|x,|0|(objectClass=*)");
  EXPECT_EQ(Parse("?x"), "|x,|0|(objectClass=*)");
  EXPECT_EQ(Parse("cn=a%20b%3F?x?base?(url=http://x%3fy)"), "cn=a b?|x,|0|(url=http://x?y)");
}

TEST(LdapQuery, WithoutAttributesThereAreNoColumns) {
  EXPECT_EQ(Parse("dc=a"), "dc=a||0|(objectClass=*)");
  EXPECT_EQ(Parse(""), "||0|(objectClass=*)");
}

TEST(LdapQuery, RefusesWhatIsNoColumnOrNoQuery) {
  const std::string form =
      ": write it like ou=rules,dc=example,dc=org?domain,code,rule?sub?(objectClass=*)";
  for (const char* query : {"dc=a?x?deep", "http:///dc=a?x", "dc=a?x?sub?(x=1)?e?f"}) {
    EXPECT_EQ(ErrorOf([&] { Parse(query); }),
              "invalid_argument: the query to X cannot be read" + form)
        << query;
  }
  EXPECT_EQ(ErrorOf([] { Parse("dc=a?x,+"); }),
            "invalid_argument: the query to X asks for '+': name an attribute a column" + form);
  EXPECT_EQ(ErrorOf([] { Parse("ldap://h/dc=a?x"); }),
            "invalid_argument: the query to X names a host of its own: leave it out, as in "
            "ldap:///base");
}

}  // namespace
}  // namespace rebound
