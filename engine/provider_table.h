// What FindProvider knows. Immutable.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace rebound {

// Receivers and vendors by the hosts that they answer from or link to.
struct ProviderHost {
  std::string_view word;  // a host; hosts below it count too
  std::string_view name;
  bool filter;
};
std::span<const ProviderHost> ProviderHosts();

// Vendors by their names in a text.
struct VendorName {
  std::string_view word;  // lower case
  std::string_view name;
};
std::span<const VendorName> VendorNames();

// Codes: a head in capitals and what follows it. In the pattern `9` is a digit, `X` a capital
// letter or a digit, `A` a capital letter, and a `*` at its end one or more of letters, digits, `_`
// and `-`; everything else stands for itself.
struct ProviderCode {
  std::string_view word;     // the head; two characters or more
  std::string_view pattern;  // what follows
  char opener;               // what must stand before it; a blank: anything but letters and digits
  std::string_view name;     // whose; empty: nobody's known
  bool filter;
  std::string_view help;
};
std::span<const ProviderCode> ProviderCodes();

}  // namespace rebound
