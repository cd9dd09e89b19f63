// Addresses as bounces write them. Pure, linear in the text, Thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace rebound {

struct FoundAddress {
  std::string_view address;  // a view into the text, without brackets
  size_t begin, end;         // with its brackets or quotes
};
// The first address at or behind `from`: local part, @, domain. An apostrophe or a dot around it is
// no part of it.
std::optional<FoundAddress> FindAddress(std::string_view text, size_t from = 0);

// The address of an RFC 3464 field: "rfc822; <user@example.com>" and what servers make of it.
std::string AddressOfField(std::string_view value);
// The same of Original-Recipient, which is xtext (RFC 3461): "user+2Btag@x" is user+tag@x. What
// cannot be xtext stays as it is.
std::string OriginalAddressOfField(std::string_view value);

// "example.com" of "user@Example.COM."; empty without one.
std::string DomainOfAddress(std::string_view address);

// mailer-daemon, postmaster and their like: who sends bounces, not who gets them.
bool IsMailSystem(std::string_view address);

}  // namespace rebound
