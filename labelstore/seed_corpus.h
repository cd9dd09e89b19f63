// The seed corpus: templates of bounces written for this project, each with a label of every task.
//
// A file is TSV: the header `server lang bnac backoff label text`, one template a line, `#`
// comments,
// `\n` for a line break, `{slot}` for what varies, `{a|b|c}` for a choice, `{{` for a brace.
// Templates whose words are nearly the same share a group, so that near copies never stand on both
// sides of the held-out split. Immutable once loaded.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/near_copies.h"
#include "models/task.h"

namespace rebound {

// What a slot stands for; SlotName gives the word in braces.
enum class Slot : uint8_t {
  kEmail,
  kSender,
  kUser,
  kDomain,
  kSenderDomain,
  kHost,
  kSenderHost,
  kIp,
  kIp6,
  kRemoteIp,
  kId,
  kUuid,
  kNum,
  kSize,
  kUrl,
  kDate,
  kSecs,
  kMins,
  kHours,
  kDnsbl,
  kUribl,
  kListName,
  kFile,
  kCountry,
  kName,
  kVirus,
};
inline constexpr size_t kSlotCount = 26;
std::string_view SlotName(Slot slot);

// A part of a template: words as they stand, a slot, or one of several.
struct Piece {
  enum class Kind : uint8_t { kText, kSlot, kChoice };
  Kind kind = Kind::kText;
  std::string text;
  Slot slot = Slot::kEmail;
  std::vector<std::string> choices;
};

// Throws kInvalidArgument naming the slot for an unknown one, a brace without its end, an empty
// choice.
std::vector<Piece> ParsePieces(std::string_view text);

struct Template {
  std::string id;  // first 12 hex digits of the sha256 of the text
  std::string
      group;  // id of the first template (files in order of name) with nearly the same words
  std::string server;
  std::string language;
  std::string text;
  std::array<size_t, kTaskCount> labels = {};  // positions in TaskLabels
  std::vector<Piece> pieces;
  std::string file;
  int line = 0;
  // Words that noise must keep: those that speak most for the labels, over the whole corpus.
  std::vector<std::string> telling_words;  // lower case
  // Codes decide here: the words are few, or another template has the same words and other labels.
  bool codes_decide = false;
};

// The distinct words of a text in lower case, without slots and numbers; of a text without a single
// word its numbers, so that two bare codes are not alike.
std::set<std::string> WordsOf(const std::vector<Piece>& pieces);
std::set<std::string> WordsOf(std::string_view text);

// All *.tsv of `folder`, in order of file name and line. Throws kNotFound for no folder or no file,
// kInvalidArgument naming file and line for a wrong header, unknown label, wrong slot, missing
// field or a text that stands there twice.
std::vector<Template> LoadSeedCorpus(const std::filesystem::path& folder);

// The labelstore/seed folder: beside the binary's share, or in the source tree that the binary was
// built in. Throws kNotFound with the remedy.
std::filesystem::path FindSeedFolder();

}  // namespace rebound
