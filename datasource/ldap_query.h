// What to ask an LDAP server for. Pure, Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rebound {

struct LdapQuery {
  std::string base;                     // a DN; "" is the server itself
  std::vector<std::string> attributes;  // in the order of the columns
  int scope = 0;                        // as libldap numbers them: base, one, sub
  std::string filter;
};

// RFC 4516: base?attributes?scope?filter, alone or as a whole URL that names no host
// (ldap:///base?...). Without scope it is the base alone, without filter every entry. Throws
// kInvalidArgument; `source` names the server in its message.
LdapQuery ParseLdapQuery(std::string_view text, const std::string& source);

}  // namespace rebound
