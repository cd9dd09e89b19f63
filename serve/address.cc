#include "serve/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"

namespace rebound {

std::optional<Address> ParseAddress(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string whole(text.substr(0, text.find('%')));
  Address address;
  if (inet_pton(AF_INET, whole.c_str(), address.bytes.data()) == 1) return address;
  if (inet_pton(AF_INET6, whole.c_str(), address.bytes.data()) != 1) return std::nullopt;
  static constexpr std::array<unsigned char, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};
  if (std::equal(kMapped.begin(), kMapped.end(), address.bytes.begin())) {
    Address mapped;
    std::copy_n(address.bytes.begin() + 12, 4, mapped.bytes.begin());
    return mapped;
  }
  address.v6 = true;
  return address;
}

std::string AddressText(const Address& address) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(address.v6 ? AF_INET6 : AF_INET, address.bytes.data(), text, sizeof text);
  return text;
}

bool Network::Holds(const Address& address) const {
  return address.v6 == first.v6 && NetworkOf(address, bits).first == first;
}

Network NetworkOf(const Address& address, size_t bits) {
  Network network{address, bits};
  for (size_t i = 0; i < network.first.bytes.size(); ++i) {
    const size_t kept = std::clamp<size_t>(bits, 8 * i, 8 * i + 8) - 8 * i;
    network.first.bytes[i] &= static_cast<unsigned char>(0xff00 >> kept);
  }
  return network;
}

Network ParseNetwork(std::string_view text) {
  const auto bad = [&] {
    return Error(ErrorCode::kInvalidArgument,
                 "a network is an address or ADDRESS/BITS, such as 10.0.0.0/8 or 2001:db8::/32; it "
                 "is '" +
                     std::string(text) + "'");
  };
  const size_t slash = text.find('/');
  const auto address = ParseAddress(text.substr(0, slash));
  if (!address || text.find('%') != std::string_view::npos) throw bad();
  size_t bits = address->bits();
  if (slash != std::string_view::npos) {
    const std::string_view number = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), bits);
    if (error != std::errc() || end != number.data() + number.size() || bits > address->bits()) {
      throw bad();
    }
  }
  const Network network = NetworkOf(*address, bits);
  if (network.first != *address) {
    throw Error(ErrorCode::kInvalidArgument,
                "'" + std::string(text) + "' has bits set behind its network: did you mean " +
                    AddressText(network.first) + "/" + std::to_string(bits) + "?");
  }
  return network;
}

}  // namespace rebound
