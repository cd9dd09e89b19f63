#include "labelstore/contributed_text.h"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "base/text.h"
#include "labelstore/hide_accounts.h"
#include "labelstore/hide_addresses.h"
#include "labelstore/hide_names.h"
#include "labelstore/hide_places.h"
#include "tokenizer/characters.h"
#include "tokenizer/mask.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

// Hiding one thing may uncover another; texts that people write settle in three rounds.
constexpr int kMostRounds = 8;

// What stays where no round settles, which only hostile texts bring about: words of letters, one
// blank between them, in which no step finds anything.
std::string WordsAlone(std::string_view text) {
  std::string words;
  for (const char c : text) {
    if (IsLetter(c)) {
      words += Lower(c);
    } else if (!words.empty() && words.back() != ' ') {
      words += ' ';
    }
  }
  return words;
}

std::string Hide(std::string_view text, bool is_comment, std::unordered_set<std::string>* owners) {
  AddOwnersOfAddresses(text, owners);
  std::string hidden = HideOddAddresses(HideEncodedWords(text));
  hidden = HideMachines(HidePaths(HideFields(HideTelephones(hidden))));
  hidden = HideLogins(HidePages(Mask(hidden)));
  hidden = HideAddressedNames(HideDisplayNames(hidden));
  if (is_comment) hidden = HideUnknownNames(hidden);
  return HideWords(hidden, *owners);
}

std::string MaskAll(std::string_view text, bool is_comment) {
  // PostgreSQL stores no NUL, and what follows is about text.
  std::string clean = RepairUtf8(text);
  std::replace(clean.begin(), clean.end(), '\0', ' ');
  std::string kept(CutUtf8(Trim(clean), kMaxTextBytes));
  // Kept over the rounds, so that a text that has settled settles at once when it comes again.
  std::unordered_set<std::string> owners;
  for (int round = 0; round < kMostRounds; ++round) {
    const std::string next = Hide(kept, is_comment, &owners);
    std::string cut(CutUtf8(Trim(next), kMaxTextBytes));
    if (cut == kept) return kept;
    kept = std::move(cut);
  }
  const std::string words = WordsAlone(kept);
  return std::string(Trim(words));
}

}  // namespace

std::string MaskContribution(std::string_view text) { return MaskAll(text, false); }

std::string MaskComment(std::string_view comment) { return MaskAll(comment, true); }

}  // namespace rebound
