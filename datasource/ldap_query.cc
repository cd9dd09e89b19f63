#include "datasource/ldap_query.h"

#include <ldap.h>

#include <memory>

#include "base/error.h"
#include "base/text.h"

namespace rebound {
namespace {

[[noreturn]] void Refuse(const std::string& why) { throw Error(ErrorCode::kInvalidArgument, why); }

}  // namespace

LdapQuery ParseLdapQuery(std::string_view text, const std::string& source) {
  const std::string form =
      ": write it like ou=rules,dc=example,dc=org?domain,code,rule?sub?(objectClass=*)";
  text = Trim(text);
  const size_t slashes = text.find("://");
  const bool is_whole = slashes < text.find('?');
  const std::string url = is_whole ? std::string(text) : "ldap:///" + std::string(text);
  LDAPURLDesc* parsed = nullptr;
  if (text.find('\0') != text.npos || ldap_url_parse(url.c_str(), &parsed) != LDAP_URL_SUCCESS) {
    Refuse("the query to " + source + " cannot be read" + form);
  }
  const std::unique_ptr<LDAPURLDesc, void (*)(LDAPURLDesc*)> owner(parsed, ldap_free_urldesc);
  if (parsed->lud_host != nullptr && *parsed->lud_host != '\0') {
    Refuse("the query to " + source + " names a host of its own: leave it out, as in ldap:///base");
  }
  if (parsed->lud_crit_exts > 0) {
    Refuse("the query to " + source + " asks for an extension, and none is known");
  }
  LdapQuery query;
  query.scope = parsed->lud_scope == LDAP_SCOPE_DEFAULT ? LDAP_SCOPE_BASE : parsed->lud_scope;
  query.base = parsed->lud_dn == nullptr ? "" : parsed->lud_dn;
  for (char** name = parsed->lud_attrs; name != nullptr && *name != nullptr; ++name) {
    query.attributes.emplace_back(*name);
  }
  const bool has_filter = parsed->lud_filter != nullptr && *parsed->lud_filter != '\0';
  query.filter = has_filter ? parsed->lud_filter : "(objectClass=*)";
  for (const std::string& name : query.attributes) {
    if (name == "*" || name == "+" || name == LDAP_NO_ATTRS) {
      Refuse("the query to " + source + " asks for '" + name + "': name an attribute a column" +
             form);
    }
  }
  return query;
}

}  // namespace rebound
