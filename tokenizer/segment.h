// What the scanner hands on: a stretch of the text and what it is.
#pragma once

#include <cstdint>
#include <string_view>

#include "tokenizer/recognise.h"

namespace rebound {

enum class SegmentKind : uint8_t {
  kGap,      // blanks, separators, punctuation
  kInvalid,  // one byte that is no UTF-8
  kWord,     // letters (underscores join words)
  kCode,     // a word of letters and digits that stays as it is
  kJoined,   // a code whose joint becomes an underscore: 5.7.1, SC-001
  kDropped,  // a reply or enhanced code that a continuation line repeats
  kToken,    // masked
};

struct Segment {
  SegmentKind kind;
  MaskToken token;         // of kToken
  bool pad_before;         // a blank must part the token from what stands before it
  bool pad_after;          // the same behind its name
  std::string_view bytes;  // of the text
  std::string_view name;   // of kToken: whose host it is, or the unit of a size; may be empty
  std::string_view hint;   // of kToken: the page of a known site; may be empty
};

}  // namespace rebound
