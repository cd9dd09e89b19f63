// The keys file: who may call, as lines of text. It holds digests alone, never a key.
//
//     # name   scopes                 key                        options
//     mta-1    classify               sha256:9f86d081884c7d65…   rate=500/s burst=2000
//     portal   classify,contribute    sha256:60303ae22b998861…   not_after=2027-03-31
//     ops      classify,admin         "cert:CN=Ops,O=Example Ltd"
//
// Fields are parted by blanks or tabs; one in double quotes may hold blanks, and `""` is a quote in
// it. A `#` at a field's begin starts a comment. Lines of one name are keys of one caller that are
// valid at once, for a rotation. Pure but for MakeKey. Thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/principal.h"

namespace rebound {

using KeyDigest = std::array<uint64_t, 4>;  // SHA-256

class ScopeSet {
 public:
  void Add(Scope scope) { bits_ |= 1U << static_cast<unsigned>(scope); }
  bool Has(Scope scope) const { return (bits_ >> static_cast<unsigned>(scope) & 1U) != 0; }
  bool empty() const { return bits_ == 0; }
  bool operator==(const ScopeSet&) const = default;

 private:
  unsigned bits_ = 0;
};

struct KeyEntry {
  Principal caller;
  ScopeSet scopes;
  std::optional<KeyDigest> digest;  // of a key, or
  std::string subject;              // of a client certificate, as the door tells it (RFC 2253)
  std::optional<std::chrono::system_clock::time_point> not_after;
};

KeyDigest DigestOfKey(std::string_view key);

// The most keys that a file may hold: each is compared at every request.
inline constexpr size_t kMostKeys = 10'000;

// In the order of the lines. Throws kInvalidArgument "NAME:LINE: what is wrong" for the first bad
// line, for a key that stands in two lines, and for lines of one name with different rates, and
// where there is no key at all. `name` is of the file, for the message.
std::vector<KeyEntry> ParseKeyFile(std::string_view text, std::string_view name);

// "classify,contribute". Throws kInvalidArgument for an unknown scope and for none.
ScopeSet ParseScopes(std::string_view text);

// "sha256:" and 64 digits: what stands in the file for this key.
std::string KeyField(std::string_view key);

// A key that nobody can guess: 256 random bits, with a prefix that secret scanners know it by.
std::string MakeKey();

}  // namespace rebound
