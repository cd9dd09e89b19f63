// Every word of a canonical form tells truthfully which bytes of the text it stands for.
//
// Arguments: how many texts.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/text.h"
#include "tests/fuzz/tokenizer/texts.h"
#include "tokenizer/characters.h"
#include "tokenizer/normaliser.h"
#include "tokenizer/recognise.h"

namespace rebound {
namespace {

size_t texts_to_try = 200000;

std::string_view Cut(std::string_view text, size_t begin, size_t end) {
  return text.substr(begin, end - begin);
}

bool CutsNoCharacter(std::string_view text, size_t at) {
  return at == text.size() || (text[at] & 0xc0) != 0x80;
}

// Whether `word` is `source` in lower case, a joint of a code an underscore.
bool StandsForItself(std::string_view word, std::string_view source) {
  while (!word.empty() && !source.empty()) {
    const CodePoint a = DecodeUtf8(word);
    const CodePoint b = DecodeUtf8(source);
    const char32_t lower = LowerCase(b.value);
    const bool apostrophe = a.value == U'\'' && b.value == 0x2019;
    const bool sigma = a.value == 0x3c3 && lower == 0x3c2;
    const bool joint = a.value == U'_' && b.bytes == 1 && IsPunct(source[0]);
    if (a.value != lower && !apostrophe && !sigma && !joint) return false;
    word.remove_prefix(a.bytes);
    source.remove_prefix(b.bytes);
  }
  return word.empty() && source.empty();
}

// "" where the map of `text` is true; else what is wrong with it.
std::string Fault(const std::string& text) {
  static std::string out;
  static std::vector<SourceWord> words;
  NormaliseWithSpans(text, &out, &words);
  if (out != Normalise(text)) return "another canonical form: " + out;
  const bool valid = IsValidUtf8(text);
  size_t at = 0;
  const SourceWord* token = nullptr;  // the last word of this kind
  for (const SourceWord& word : words) {
    const std::string form(Cut(out, word.begin, word.end));
    if (word.begin != at || form.empty() || form.find(' ') != std::string::npos) {
      return "no word: " + form;
    }
    at = word.end + 1;
    if (at <= out.size() && out[at - 1] != ' ') return "half a word: " + form;
    if (word.from >= word.to || word.to > text.size()) return "no bytes of the text: " + form;
    const std::string_view source = Cut(text, word.from, word.to);
    if (valid && !(CutsNoCharacter(text, word.from) && CutsNoCharacter(text, word.to))) {
      return "half a character: " + form;
    }
    if (FindMaskToken(form) != MaskToken::kNone) {
      if (token != nullptr && word.from < token->to) return "a token behind its end: " + form;
      token = &word;
      continue;
    }
    const bool of_token = token != nullptr && word.from < token->to;
    if (of_token && (word.from < token->from || word.to > token->to)) {
      return "half of a token's: " + form;
    }
    const bool whole = of_token && word.from == token->from && word.to == token->to;
    if (!whole && !StandsForItself(form, source)) return "other words: " + form;
    if (!of_token && &word != words.data() && word.from < (&word - 1)->to) {
      return "out of order: " + form;
    }
  }
  if (at != out.size() + 1 && !out.empty()) return "words without a source at the end";
  return "";
}

TEST(SpansFuzz, WordsStandForTheBytesThatTheyCameFrom) {
  for (uint64_t seed = 1; seed <= texts_to_try; ++seed) {
    Random random(seed);
    const std::string made = MakeText(&random);
    const std::string text = seed % 2 == 0 ? made : Damage(made, &random);
    ASSERT_EQ(Fault(text), "") << "seed " << seed << ": " << text;
  }
}

TEST(SpansFuzz, TextsBeyondTheLimitHaveSpansOfTheirFirstBytes) {
  for (uint64_t seed = 1; seed <= texts_to_try / 1000; ++seed) {
    Random random(~seed);
    const size_t size = kMaxTextBytes / 2 + random.Below(2 * kMaxTextBytes);
    std::string text;
    while (text.size() < size) {
      const std::string made = MakeText(&random);
      text += seed % 2 == 0 ? made : Damage(made, &random);
    }
    ASSERT_EQ(Fault(text), "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc > 1) rebound::texts_to_try = std::strtoull(argv[1], nullptr, 10);
  return RUN_ALL_TESTS();
}
