// IP addresses and networks as values. Pure, Thread-safe.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace rebound {

struct Address {
  std::array<unsigned char, 16> bytes{};  // the first four for IPv4
  bool v6 = false;

  size_t bits() const { return v6 ? 128 : 32; }
  bool operator==(const Address&) const = default;
};

// "192.0.2.1", "2001:db8::1"; an IPv4 address within IPv6 is that IPv4 address, a zone (%eth0) is
// left out.
std::optional<Address> ParseAddress(std::string_view text);
std::string AddressText(const Address& address);

// All addresses whose first `bits` bits are those of `first`.
struct Network {
  Address first;
  size_t bits = 0;

  bool Holds(const Address& address) const;
};

// The network of an address: its first `bits` bits, then zeros. REQUIRES: bits <= address.bits().
Network NetworkOf(const Address& address, size_t bits);

// "10.0.0.0/8", "2001:db8::/32"; an address alone is a network of one. Throws kInvalidArgument
// where it is none or where bits behind the network are set.
Network ParseNetwork(std::string_view text);

}  // namespace rebound
