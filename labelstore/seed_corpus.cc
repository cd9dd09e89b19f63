#include "labelstore/seed_corpus.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, kSlotCount> kSlotNames = {
    "email", "sender", "user",  "domain",   "sdomain", "host",    "shost", "ip",   "ip6",
    "rip",   "id",     "uuid",  "num",      "size",    "url",     "date",  "secs", "mins",
    "hours", "dnsbl",  "uribl", "listname", "file",    "country", "name",  "virus"};

constexpr std::string_view kHeader = "server\tlang\tbnac\tbackoff\tlabel\ttext";
constexpr size_t kTellingWords = 3;
constexpr size_t kFewWords = 3;

[[noreturn]] void Refuse(const std::string& why) { throw Error(ErrorCode::kInvalidArgument, why); }

std::optional<Slot> FindSlot(std::string_view name) {
  for (size_t i = 0; i < kSlotNames.size(); ++i) {
    if (kSlotNames[i] == name) return static_cast<Slot>(i);
  }
  return std::nullopt;
}

Piece MakePiece(std::string_view inside) {
  Piece piece;
  if (inside.find('|') != std::string_view::npos) {
    piece.kind = Piece::Kind::kChoice;
    for (const std::string_view choice : Split(inside, '|')) piece.choices.emplace_back(choice);
    return piece;
  }
  const auto slot = FindSlot(inside);
  if (!slot) Refuse("unknown slot {" + std::string(inside) + "} ({{ is a brace)");
  piece.kind = Piece::Kind::kSlot;
  piece.slot = *slot;
  return piece;
}

// Words with a letter go to `words`, those of digits alone to `numbers`.
void AddWords(std::string_view text, std::set<std::string>* words, std::set<std::string>* numbers) {
  std::string word;
  bool has_letter = false;
  const auto end_word = [&] {
    if (word.size() > 1) (has_letter ? words : numbers)->insert(word);
    word.clear();
    has_letter = false;
  };
  while (!text.empty()) {
    const CodePoint point = DecodeUtf8(text);
    const char32_t c = LowerCase(point.value);
    const bool letter = (c >= 'a' && c <= 'z') || c >= 0x80;
    if (letter || (c >= '0' && c <= '9')) {
      AppendUtf8(c, &word);
      has_letter |= letter;
    } else {
      end_word();
    }
    text.remove_prefix(point.bytes);
  }
  end_word();
}

std::string Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == 'n') {
      out += '\n';
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

Template ParseLine(std::string_view line) {
  const std::vector<std::string_view> fields = Split(line, '\t');
  if (fields.size() != 6) {
    Refuse("has " + std::to_string(fields.size()) +
           " fields instead of 6: server, lang, bnac, backoff, label, text with tabs between them");
  }
  for (size_t i = 0; i < fields.size(); ++i) {
    if (Trim(fields[i]).empty()) Refuse("field " + std::to_string(i + 1) + " is empty");
  }
  Template result;
  result.server = fields[0];
  result.language = fields[1];
  for (const Task task : kTasks) {
    const std::string_view name = fields[2 + Index(task)];
    const auto label = FindLabel(task, name);
    if (!label) {
      Refuse("'" + std::string(name) + "' is no " + std::string(TaskKey(task)) + " label");
    }
    result.labels[Index(task)] = *label;
  }
  result.text = Unescape(fields[5]);
  result.pieces = ParsePieces(result.text);
  result.id = Sha256Hex(result.text).substr(0, 12);
  return result;
}

// Where something is wrong, one line a fault, so that an author sees all of them at once.
using Faults = std::vector<std::string>;

void LoadFile(const fs::path& path, std::vector<Template>* templates, Faults* faults) {
  const std::string bytes = ReadFile(path);
  const std::string file = path.filename().string();
  bool header_seen = false;
  int number = 0;
  for (std::string_view line : Split(bytes, '\n')) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (Trim(line).empty() || line.front() == '#') continue;
    try {
      if (!IsValidUtf8(line)) Refuse("is no valid UTF-8");
      if (!header_seen) {
        if (line != kHeader) Refuse("is not the header (server lang bnac backoff label text)");
        header_seen = true;
        continue;
      }
      templates->push_back(ParseLine(line));
      templates->back().file = file;
      templates->back().line = number;
    } catch (const Error& e) {
      faults->push_back(file + ":" + std::to_string(number) + ": " + e.what());
      if (!header_seen) return;
    }
  }
}

void FindDoubles(const std::vector<Template>& templates, Faults* faults) {
  std::map<std::string_view, const Template*> seen;
  for (const Template& each : templates) {
    const auto [at, is_new] = seen.try_emplace(each.id, &each);
    if (is_new) continue;
    faults->push_back(each.file + ":" + std::to_string(each.line) + ": the same text stands in " +
                      at->second->file + ":" + std::to_string(at->second->line));
  }
}

void ThrowFaults(const Faults& faults) {
  constexpr size_t kShown = 20;
  std::string message;
  for (size_t i = 0; i < faults.size() && i < kShown; ++i) {
    if (i > 0) message += '\n';
    message += faults[i];
  }
  if (faults.size() > kShown) {
    message += "\nand " + std::to_string(faults.size() - kShown) + " more";
  }
  Refuse(message);
}

// Groups, and which templates differ from a near copy in their labels. Likeness is passed on: a
// template that is like two groups joins them, or a near copy would stand on the other side.
void GroupTemplates(const std::vector<std::set<std::string>>& words,
                    std::vector<Template>* templates) {
  DisjointGroups groups(templates->size());
  for (size_t i = 0; i < templates->size(); ++i) {
    (*templates)[i].codes_decide = words[i].size() < kFewWords;
  }
  FindAlike(words, kSameGroup, [&](size_t i, size_t j, double) {
    groups.Join(i, j);
    Template& each = (*templates)[i];
    Template& earlier = (*templates)[j];
    if (earlier.labels != each.labels) earlier.codes_decide = each.codes_decide = true;
  });
  for (size_t i = 0; i < templates->size(); ++i) {
    (*templates)[i].group = (*templates)[groups.FirstOf(i)].id;
  }
}

// A word tells the more the surer it makes the labels, against how common they are anyway.
void FindTellingWords(const std::vector<std::set<std::string>>& words,
                      std::vector<Template>* templates) {
  std::map<std::string_view, double> total;
  std::map<size_t, double> of_label;  // labels are numbered over all tasks
  std::map<std::pair<std::string_view, size_t>, double> together;
  const auto number = [](const Template& each, size_t task) {
    return task * 100 + each.labels[task];
  };
  for (size_t i = 0; i < templates->size(); ++i) {
    for (const std::string& word : words[i]) ++total[word];
    for (size_t task = 0; task < kTaskCount; ++task) {
      const size_t label = number((*templates)[i], task);
      ++of_label[label];
      for (const std::string& word : words[i]) ++together[{word, label}];
    }
  }
  for (size_t i = 0; i < templates->size(); ++i) {
    std::vector<std::pair<double, std::string>> scored;
    for (const std::string& word : words[i]) {
      if (word.size() < 3) continue;
      double score = 0;
      for (size_t task = 0; task < kTaskCount; ++task) {
        const size_t label = number((*templates)[i], task);
        const double share = of_label[label] / static_cast<double>(templates->size());
        // Two imagined templates of the usual shares keep a rare word from looking sure.
        score += (together[{word, label}] + 2 * share) / (total[word] + 2) - share;
      }
      scored.emplace_back(-score, word);
    }
    std::sort(scored.begin(), scored.end());
    // Of a short text every word may be the one.
    const size_t keep =
        words[i].size() <= 6 ? scored.size() : std::min(kTellingWords, scored.size());
    for (size_t k = 0; k < keep; ++k) (*templates)[i].telling_words.push_back(scored[k].second);
  }
}

}  // namespace

std::string_view SlotName(Slot slot) { return kSlotNames[static_cast<size_t>(slot)]; }

std::vector<Piece> ParsePieces(std::string_view text) {
  std::vector<Piece> pieces;
  std::string words;
  const auto end_words = [&] {
    if (words.empty()) return;
    Piece piece;
    piece.text = std::move(words);
    pieces.push_back(std::move(piece));
    words.clear();
  };
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '{') {
      words += text[i];
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == '{') {
      words += '{';
      ++i;
      continue;
    }
    const size_t end = text.find('}', i);
    if (end == std::string_view::npos) Refuse("a brace is not closed ({{ is a brace)");
    end_words();
    pieces.push_back(MakePiece(text.substr(i + 1, end - i - 1)));
    i = end;
  }
  end_words();
  return pieces;
}

std::set<std::string> WordsOf(const std::vector<Piece>& pieces) {
  std::set<std::string> words, numbers;
  for (const Piece& piece : pieces) {
    AddWords(piece.text, &words, &numbers);
    for (const std::string& choice : piece.choices) AddWords(choice, &words, &numbers);
  }
  return words.empty() ? numbers : words;
}

std::set<std::string> WordsOf(std::string_view text) {
  std::set<std::string> words, numbers;
  AddWords(text, &words, &numbers);
  return words.empty() ? numbers : words;
}

std::vector<Template> LoadSeedCorpus(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".tsv") files.push_back(entry.path());
  }
  if (error || files.empty()) {
    throw Error(ErrorCode::kNotFound,
                "no templates (*.tsv) in " + folder.string() + ": check --templates");
  }
  std::sort(files.begin(), files.end());
  std::vector<Template> templates;
  Faults faults;
  for (const fs::path& path : files) LoadFile(path, &templates, &faults);
  FindDoubles(templates, &faults);
  if (!faults.empty()) ThrowFaults(faults);
  if (templates.empty()) Refuse(folder.string() + " holds no template");
  std::vector<std::set<std::string>> words;
  for (const Template& each : templates) words.push_back(WordsOf(each.pieces));
  GroupTemplates(words, &templates);
  FindTellingWords(words, &templates);
  return templates;
}

fs::path FindSeedFolder() {
  std::error_code error;
  const fs::path binary = fs::read_symlink("/proc/self/exe", error);
  for (fs::path at = binary.parent_path(); !error && !at.empty(); at = at.parent_path()) {
    for (const char* name : {"share/rebound/seed", "labelstore/seed"}) {
      if (fs::is_directory(at / name / "templates")) return at / name;
    }
    if (at == at.root_path()) break;
  }
  throw Error(ErrorCode::kNotFound,
              "the seed corpus is not beside this program: name its folder with --templates");
}

}  // namespace rebound
