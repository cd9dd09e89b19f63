// Who answered, by what a text shows of it: the receiving provider, the filter in front of it, the
// provider's own code, and the public page that explains it. docs/facts.md has the table and its
// sources. Linear in the text, no allocation. Pure, Thread-safe.
#pragma once

#include <string_view>

namespace rebound {

// Views into the text or into the table; each empty where the text does not show it.
struct Provider {
  std::string_view receiver;  // "Microsoft"
  std::string_view filter;    // "Mimecast": a vendor of filters
  std::string_view code;      // "S3150", "OFR_506", "AUP#1260"
  std::string_view help;      // a page of the receiver or of the filter's vendor

  bool empty() const { return receiver.empty() && filter.empty() && code.empty(); }
};

Provider FindProvider(std::string_view text);

}  // namespace rebound
