// A part of a run, judged whole: what it is, or where it splits. Pure, Thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

#include "tokenizer/recognise.h"

namespace rebound {

// What a part is made of.
struct Makeup {
  size_t letters = 0;
  size_t digits = 0;
  bool high = false;
  bool underscore = false;
  bool at = false;
  bool path = false;  // / ?
  bool colon = false;
  bool loose = false;  // # & * ! $ ^ ~ %
  bool equal = false;
  bool plus = false;
  bool dash = false;
  bool dot = false;
  bool apostrophe = false;

  bool AnyPunct() const {
    return at || path || colon || loose || equal || plus || dash || dot || apostrophe;
  }
  // recipient's
  bool IsWordWithApostrophe() const {
    return apostrophe && digits == 0 && !underscore && !at && !path && !colon && !loose && !equal &&
           !plus && !dash && !dot;
  }
};
Makeup LookAt(std::string_view part);

enum class VerdictKind : uint8_t {
  kNothing,   // split on
  kToken,     // masked, with a name where its host is known
  kUrl,       // an address of the web without a scheme
  kJoined,    // a provider's code with a joint: SC-001
  kEnhanced,  // 5.7.1
};
struct Verdict {
  VerdictKind kind = VerdictKind::kNothing;
  MaskToken token = MaskToken::kNone;
  std::string_view name;
};
// REQUIRES: `part` starts and ends with a word character and holds no mask token; m ==
// LookAt(part).
Verdict JudgePart(std::string_view part, const Makeup& m);

// Whether one of the words of `part` is a mask token.
bool HoldsMaskToken(std::string_view part);

// Joints from the loosest (0) to the tightest; a part splits at the loosest that it has.
int LoosestJoint(const Makeup& m);
bool IsJoint(char c, int level);

}  // namespace rebound
