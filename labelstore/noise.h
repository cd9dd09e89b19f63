// What happens to a bounce on its way into a log: wrappers of mail servers, lost codes, cuts, case,
// escapes, typing. Each noise is one small function; the table says how often each comes.
//
// Noise never takes what decides: Distort undoes a step that loses a word to keep or leaves less
// than 60 % of all words, reply codes never change between 4xx and 5xx, and where the codes decide
// they stay as they are. Pure but for the Random; Thread-safe.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "base/random.h"
#include "labelstore/scene.h"

namespace rebound {

struct NoiseContext {
  Random* random;
  Scene* scene;
};

// Changes the text in place; leaves it as it is where the noise does not fit.
using NoiseFunction = void (*)(NoiseContext& context, std::string* text);

// Per mille of copies that get it, by how damaged the copy is meant to be.
struct Noise {
  std::string_view name;
  int light, medium, heavy;
  bool touches_codes;  // not where codes decide
  NoiseFunction function;
};
// In the order of application: the text first, what is around it last.
std::span<const Noise> NoiseTable();

// Of all copies 45 % are light, 37 % medium, 18 % heavy.
enum class Damage { kLight, kMedium, kHeavy };
Damage DrawDamage(Random* random);

// A template whose slots are filled.
struct CleanText {
  std::string text;
  std::set<std::string> keep;  // lower-case words that decide
  bool codes_decide = false;
};

// A copy with noise.
std::string Distort(const CleanText& clean, Damage damage, NoiseContext& context);

inline constexpr double kLeastWordsKept = 0.6;

}  // namespace rebound
