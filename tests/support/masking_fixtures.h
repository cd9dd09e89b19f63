// What masking of contributions must hide and keep: tests/testdata/masking.
#pragma once

#include <string>
#include <vector>

namespace rebound::test {

struct MaskingFixture {
  std::string text;
  std::vector<std::string> hidden;  // fragments that must be gone, whatever their case
  std::vector<std::string> kept;    // what of a server's words must stay
};
// Of texts and of comments. Throws Error where a file cannot be read or a line is wrong.
std::vector<MaskingFixture> LoadPersonalTexts();
std::vector<MaskingFixture> LoadPersonalComments();

// Texts without a word that masking of contributions may take.
std::vector<std::string> LoadServerTexts();

// The first of `fragments` that stands in the text, in any case; "" where none does.
std::string FindFragment(const std::string& text, const std::vector<std::string>& fragments);

}  // namespace rebound::test
