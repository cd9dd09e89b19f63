#include "labelstore/generator.h"

#include <unordered_set>

#include "base/digest.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

// What stands in these slots may be the whole reason.
bool Decides(Slot slot) {
  switch (slot) {
    case Slot::kDnsbl:
    case Slot::kUribl:
    case Slot::kListName:
    case Slot::kVirus:
    case Slot::kCountry:
      return true;
    default:
      return false;
  }
}

}  // namespace

CleanText Fill(const Template& origin, Scene* scene, Random* random) {
  CleanText clean;
  clean.codes_decide = origin.codes_decide;
  for (const Piece& piece : origin.pieces) {
    switch (piece.kind) {
      case Piece::Kind::kText:
        clean.text += piece.text;
        break;
      case Piece::Kind::kChoice:
        clean.text += random->Pick(piece.choices);
        break;
      case Piece::Kind::kSlot: {
        const std::string value = scene->Value(piece.slot, clean.text);
        if (Decides(piece.slot)) clean.keep.merge(WordsOf(value));
        clean.text += value;
      }
    }
  }
  // Of a choice only the words that were chosen stand here.
  const std::set<std::string> words = WordsOf(clean.text);
  for (const std::string& word : origin.telling_words) {
    if (words.count(word) != 0) clean.keep.insert(word);
  }
  for (auto word = clean.keep.begin(); word != clean.keep.end();) {
    word = words.count(*word) != 0 ? std::next(word) : clean.keep.erase(word);
  }
  return clean;
}

std::string Generator::MakeCopy(const Template& origin, uint64_t number) const {
  Random random(
      StableHash("copy:" + std::to_string(seed_) + ":" + origin.id + ":" + std::to_string(number)));
  Scene scene(lists_, &random);
  CleanText clean = Fill(origin, &scene, &random);
  if (number == 0) return std::move(clean.text);
  NoiseContext context{&random, &scene};
  const Damage damage = DrawDamage(&random);
  return Distort(clean, damage, context);
}

void Generator::Expand(size_t count, const std::function<void(GeneratedText)>& text) const {
  const size_t share = count / templates_.size();
  const size_t extra = count % templates_.size();
  std::string normalised;
  for (size_t i = 0; i < templates_.size(); ++i) {
    const size_t wanted = std::max<size_t>(1, share + (i < extra ? 1 : 0));
    std::unordered_set<uint64_t> seen;
    // A template without slots has few forms: three tries a copy, then it is left at that.
    for (uint64_t number = 0; seen.size() < wanted && number < 3 * wanted + 10; ++number) {
      std::string copy = MakeCopy(templates_[i], number);
      Normalise(copy, &normalised);
      if (seen.insert(StableHash(normalised)).second) text({&templates_[i], std::move(copy)});
    }
  }
}

}  // namespace rebound
