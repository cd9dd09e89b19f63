// How rules and texts are compared: without case. Pure, Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace rebound {

// Each code point in lower case by Unicode's simple mapping (base/text), each invalid byte as
// U+FFFD: Fold(text) == Fold(RepairUtf8(text)), and folding twice changes nothing more. Replaces
// *out, whose memory is used again.
void FoldInto(std::string_view text, std::string* out);
std::string Fold(std::string_view text);

// A domain as it is compared: folded, without one trailing dot. Nothing is converted between
// Unicode and `xn--` forms.
std::string FoldDomain(std::string_view domain);

}  // namespace rebound
