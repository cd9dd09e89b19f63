// Names that say something about a bounce: providers, filters and block lists by the domains that
// they write into it, and the top-level domains that tell a host name from dotted words. Pure,
// Thread-safe.
#pragma once

#include <string_view>

namespace rebound {

// The name of whoever owns `host` ("zen.spamhaus.org" -> "spamhaus"; its list of domains,
// "dbl.spamhaus.org", is another thing: "spamhausdbl"); "dnsbl" or, for domains, "uribl" for a host
// of nobody known whose labels say that it is a block list; empty for all others. Names are
// lower-case ASCII letters and digits and never a unit of time, a month or a weekday.
std::string_view NameOfHost(std::string_view host);

// Whether `label` ends host names: a country code, a generic or a private top-level domain. Country
// codes that are words ("it", "to") are not taken where they are written like the start of a
// sentence ("It").
bool IsTopLevelDomain(std::string_view label);

}  // namespace rebound
