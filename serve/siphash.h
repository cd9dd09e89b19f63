// SipHash-2-4 with 128 bits of output: a hash that nobody without the secret can aim.
//
// Who does not know the secret finds no two texts of one hash and no texts that fall into one
// bucket (xxHash and its like promise neither). Pure. Thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

namespace rebound {

struct SipHash {
  uint64_t low = 0;   // the first eight bytes of the output, little-endian
  uint64_t high = 0;  // the last eight
  bool operator==(const SipHash&) const = default;
};

// A secret has the form of a hash, so that the hash of one thing can be the secret of the next.
using SipSecret = SipHash;

SipHash HashOf(const SipSecret& secret, std::string_view bytes);

// From the system's source of random numbers.
SipSecret NewSipSecret();

}  // namespace rebound
