// Expands the seed corpus into as many varied texts as asked: slots filled, noise applied.
//
// The same corpus, slots and seed give the same texts on every machine. A copy depends on the seed,
// its template and its number alone: a template more or a larger N leaves the copies of the others
// as they are, so seeding again adds and never doubles. Thread-compatible.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "labelstore/noise.h"
#include "labelstore/scene.h"
#include "labelstore/seed_corpus.h"

namespace rebound {

struct GeneratedText {
  const Template* origin;
  std::string text;
};

class Generator {
 public:
  // `templates` and `lists` must outlive the generator.
  Generator(const std::vector<Template>& templates, const SlotLists& lists, uint64_t seed)
      : templates_(templates), lists_(lists), seed_(seed) {}

  // About `count` texts, at least one of every template: the templates share evenly, the first copy
  // of each is clean, and no two of one template have the same normalised form (a template that has
  // no more forms gives fewer). Template by template.
  void Expand(size_t count, const std::function<void(GeneratedText)>& text) const;

  // Copy `number` of a template; 0 is clean.
  std::string MakeCopy(const Template& origin, uint64_t number) const;

 private:
  const std::vector<Template>& templates_;
  const SlotLists& lists_;
  uint64_t seed_;
};

// The template with its slots filled from `scene`, and the words that noise must keep.
CleanText Fill(const Template& origin, Scene* scene, Random* random);

}  // namespace rebound
