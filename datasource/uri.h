// The parts of a datasource's address. Pure but for the environment; Thread-safe while nobody sets
// variables.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace rebound {

// Replaces every ${NAME} (letters, digits and _; no digit first) by quote(value of that environment
// variable, the text before it). Any other $ stays. Throws kInvalidArgument naming a variable that
// is unset or empty.
using QuoteVariable = std::function<std::string(std::string_view value, std::string_view before)>;
std::string ExpandEnvironment(std::string_view text, const QuoteVariable& quote);

// All but unreserved characters (RFC 3986) as %XX.
std::string PercentEncode(std::string_view text);
// Throws kInvalidArgument where a % is not followed by two hexadecimal digits, or for %00.
std::string PercentDecode(std::string_view text);

// scheme://[user[:password]@]host[:port]/[rest], all but `rest` decoded.
struct Authority {
  std::string user;
  std::string password;
  std::string host;  // as written: [::1] keeps its brackets, an encoded socket path its %2F
  std::string port;
  std::string rest;
};
// `text` starts behind "scheme://". Throws kInvalidArgument without repeating it.
Authority ParseAuthority(std::string_view text);

}  // namespace rebound
