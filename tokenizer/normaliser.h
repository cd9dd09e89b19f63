// A bounce text in the model's canonical form.
//
// One linear pass, pure, versioned: a bundle names the version it was trained with and the loader
// refuses another. Joins multi-line replies, lower-cases (Unicode), masks what varies between two
// copies of the same bounce and keeps what decides a class: reply codes, enhanced codes as one word
// (`5_7_1`), provider codes, names of block lists and providers, durations as a class.
// Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rebound {

// Raised whenever the canonical form of any text changes. 2: block lists of domains have names of
// their own (`__host__ spamhausdbl`).
inline constexpr int kNormaliserVersion = 2;

// Texts are cut to this many bytes (on a code point border) before anything else.
inline constexpr size_t kMaxTextBytes = 10000;

// The tokens that stand for masked things; the tokenizer keeps each as one piece.
// __email__ __ipvfour__ __ipvsix__ __host__ __url__ __uuid__ __id__ __num__ __date__ __duration__
extern const std::string_view kMaskTokens[10];

// Writes the canonical form of `text` into `*out` (cleared first; its memory is reused, so there is
// no allocation once it has grown). Invalid UTF-8 is read as U+FFFD. Never fails; blank text gives
// "". Invariant: Normalise(Mask(x)) == Normalise(x).
void Normalise(std::string_view text, std::string* out);
std::string Normalise(std::string_view text);

// A word of a canonical form (what stands between blanks) and the bytes of the text that it stands
// for: the whole address for `__email__` and for the name behind it, `5.1.1` for `5_1_1`.
struct SourceWord {
  size_t begin, end;  // in the canonical form
  size_t from, to;    // in the text
};

// Normalise, and where each word came from. Replaces `*words` with the words of `*out` in order:
// spans are not empty, stay inside the text and cut no character of it. They are in order and apart
// but for one case: all words of one token have the token's span, or (the page of a known site) a
// part of it. What has no word has left no trace in the canonical form: punctuation, dropped codes
// of continued lines, bytes that are no UTF-8, what lies beyond kMaxTextBytes.
void NormaliseWithSpans(std::string_view text, std::string* out, std::vector<SourceWord>* words);

}  // namespace rebound
