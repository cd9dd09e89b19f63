#include "engine/block_list.h"

#include <algorithm>
#include <vector>

#include "engine/word_index.h"

namespace rebound {
namespace {

using ascii::IsAlnum;
using ascii::IsDigit;
using ascii::IsLetter;
using ascii::IsUpper;
using ascii::Lower;

char At(std::string_view text, size_t i) { return i < text.size() ? text[i] : '\0'; }

bool StartsWithNoCase(std::string_view text, std::string_view lower) {
  if (text.size() < lower.size()) return false;
  for (size_t i = 0; i < lower.size(); ++i) {
    if (Lower(text[i]) != lower[i]) return false;
  }
  return true;
}

// A list by a host (`path`: which page of it) or by a name.
struct Row {
  std::string_view word;
  std::string_view path;
  const BlockList* list;
};

template <class Body>
void ForEach(std::string_view words, char separator, Body body) {
  while (!words.empty()) {
    const size_t end = std::min(words.find(separator), words.size());
    body(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
}

const WordIndex<Row>& Zones() {
  static const WordIndex<Row> index = [] {
    std::vector<Row> rows;
    for (const BlockList& list : KnownBlockLists()) {
      ForEach(list.zones, ' ', [&](std::string_view zone) {
        const size_t slash = std::min(zone.find('/'), zone.size());
        rows.push_back({zone.substr(0, slash), zone.substr(slash), &list});
      });
    }
    // Of one host the pages come before the host.
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Row& a, const Row& b) { return a.path.size() > b.path.size(); });
    return WordIndex<Row>(std::move(rows));
  }();
  return index;
}

// Rows of names; `word` in lower case where `path` is empty, else `path` is how it must be written.
const WordIndex<Row>& Names() {
  static const WordIndex<Row> index = [] {
    static std::vector<std::string> lowered;
    std::vector<Row> rows;
    lowered.reserve(64);
    for (const BlockList& list : KnownBlockLists()) {
      ForEach(list.words, '|', [&](std::string_view name) {
        if (!IsUpper(name[0])) return rows.push_back({name, "", &list});
        std::string lower(name);
        for (char& c : lower) c = Lower(c);
        lowered.push_back(std::move(lower));
        rows.push_back({lowered.back(), name, &list});
      });
    }
    return WordIndex<Row>(std::move(rows));
  }();
  return index;
}

// Bytes of `name` at the start of `text`; 0 where it does not stand there as words of its own.
size_t NameAt(std::string_view text, const Row& row) {
  size_t i = 0;
  for (const char c : row.word) {
    if (c == ' ') {
      const char mark = At(text, i);
      if (mark == ' ' || mark == '-' || mark == '_' || mark == '.') ++i;
    } else if (Lower(At(text, i)) == c) {
      ++i;
    } else {
      return 0;
    }
  }
  if (IsAlnum(At(text, i))) return 0;
  if (!row.path.empty() && text.substr(0, i) != row.path) return 0;
  return i;
}

// Whether the next word begins with one of `words`.
template <size_t kCount>
bool BeginsWithOne(std::string_view rest, const std::string_view (&words)[kCount]) {
  const size_t word = rest.find_first_not_of(" -_'\"");
  if (word == std::string_view::npos || word > 3) return false;
  return std::any_of(std::begin(words), std::end(words),
                     [&](std::string_view w) { return StartsWithNoCase(rest.substr(word), w); });
}

enum class Word : uint8_t { kOther, kListed, kFound, kLink, kContent };

struct WordRow {
  std::string_view word;
  Word kind;
  bool stem;
};

Word KindOf(std::string_view word) {
  static const WordIndex<WordRow> index = [] {
    std::vector<WordRow> rows;
    const auto add = [&rows](Word kind, std::string_view words) {
      ForEach(words, ' ', [&](std::string_view w) {
        const bool stem = w.ends_with('-');
        if (stem) w.remove_suffix(1);
        rows.push_back({w, kind, stem});
      });
    };
    add(Word::kListed,
        "listed listing blocked blacklisted blacklist- blocklist- denylist- banned listee listed- "
        "liste noire listado listada lista negra nera gelistet geblockt blockiert bloque- bloccat- "
        "bloqueado zablokow-");
    add(Word::kFound,
        "found present appears rejected refused denied positive hit matched rejecting");
    add(Word::kLink,
        "by using on in at with from and or of the an via per to our your its these those "
        "following "
        "is are was one more least two several public database databases list lists dns "
        "sur par dans de bei von auf der die das en por da na via black block provider locally "
        "reputation ip");
    add(Word::kContent, "virus malware content attachment phishing spam trojan");
    return WordIndex<WordRow>(std::move(rows));
  }();
  char lower[16];
  if (word.size() < 2 || word.size() > sizeof(lower)) return Word::kOther;
  const auto near = index.Near(Lower(word[0]), Lower(word[1]));
  if (near.empty()) return Word::kOther;
  for (size_t i = 0; i < word.size(); ++i) lower[i] = Lower(word[i]);
  const std::string_view key(lower, word.size());
  for (const WordRow& row : near) {
    if (row.stem ? key.starts_with(row.word) : key == row.word) return row.kind;
  }
  return Word::kOther;
}

constexpr size_t kMaxZoneBytes = 48;

// The row of the longest known host that ends `host`.
const Row* ZoneOf(std::string_view host, std::string_view rest) {
  char lower[kMaxZoneBytes];
  const size_t size = std::min(host.size(), kMaxZoneBytes);
  const size_t cut = host.size() - size;
  for (size_t i = 0; i < size; ++i) lower[i] = Lower(host[cut + i]);
  for (size_t i = 0; i + 4 < size; ++i) {
    const bool border = i == 0 ? (cut == 0 || host[cut - 1] == '.') : lower[i - 1] == '.';
    if (!border) continue;
    const std::string_view suffix(lower + i, size - i);
    for (const Row& row : Zones().Near(suffix[0], suffix[1])) {
      if (row.word == suffix && StartsWithNoCase(rest, row.path)) return &row;
    }
  }
  return nullptr;
}

// Stands in for lists of nobody known, by the labels of their hosts.
const BlockList* UnknownList(std::string_view host) {
  static constexpr BlockList kRbl = {"RBL", "", ListedKind::kIp, "", "", true, ""};
  static constexpr BlockList kRhsbl = {"RBL", "", ListedKind::kDomain, "", "", true, ""};
  static constexpr BlockList kUribl = {"RBL", "", ListedKind::kUri, "", "", true, ""};
  const BlockList* found = nullptr;
  ForEach(host, '.', [&](std::string_view label) {
    while (!label.empty() && (IsDigit(label.back()) || label.back() == '-')) label.remove_suffix(1);
    const auto is = [&](std::string_view word) {
      return label.size() == word.size() && StartsWithNoCase(label, word);
    };
    if (is("rbl") || is("dnsbl") || is("bl") || is("blacklist") || is("blocklist")) {
      if (found == nullptr) found = &kRbl;
    }
    if (is("dbl") || is("rhsbl")) found = &kRhsbl;
    if (is("uribl") || is("surbl")) found = &kUribl;
  });
  return found;
}

class Search {
 public:
  explicit Search(std::string_view text) : text_(text) {}
  FoundLists Run();

 private:
  void TakeRun();
  size_t TakeName(size_t i);
  bool Counts(const BlockList& list, std::string_view rest) const;
  void Add(const BlockList* list, bool host, size_t at);

  const std::string_view text_;
  size_t at_ = 0;
  bool listed_ = false;   // "blocked by …": names may follow
  bool found_ = false;    // "found in …"
  bool content_ = false;  // of spam or viruses: what blocks these is a filter
  FoundLists lists_;
};

void Search::Add(const BlockList* list, bool host, size_t at) {
  for (size_t i = 0; i < lists_.count; ++i) {
    if (lists_.all[i].list->name != list->name || lists_.all[i].list->kind != list->kind) continue;
    lists_.all[i].host |= host;
    if (host && !list->zones.empty()) lists_.all[i].list = list;
    return;
  }
  if (lists_.count < FoundLists::kMost) lists_.all[lists_.count++] = {list, host, at};
}

// Whether a name stands for the list here.
bool Search::Counts(const BlockList& list, std::string_view rest) const {
  static constexpr std::string_view kLookups[] = {"check fail",  "check timed",  "lookup fail",
                                                  "check error", "lookup timed", "lookup error",
                                                  "query fail",  "query timed",  "query error"};
  if (BeginsWithOne(rest, kLookups)) return false;
  if (!list.vendor) return true;
  if (list.name == "RBL") return listed_ || found_;
  static constexpr std::string_view kLists[] = {
      "block list", "blocklist", "blacklist", "black list", "denylist", "rbl", "dnsbl"};
  if (BeginsWithOne(rest, kLists)) return true;
  static constexpr std::string_view kFilters[] = {"spam",   "content", "virus",    "anti",
                                                  "filter", "policy",  "firewall", "email"};
  return listed_ && !content_ && !BeginsWithOne(rest, kFilters);
}

// Behind the name of a list that begins at `i`; `i` where there is none.
size_t Search::TakeName(size_t i) {
  const std::string_view rest = text_.substr(i);
  for (const Row& row : Names().Near(Lower(At(rest, 0)), Lower(At(rest, 1)))) {
    const size_t bytes = NameAt(rest, row);
    if (bytes == 0) continue;
    if (Counts(*row.list, rest.substr(bytes))) Add(row.list, false, i);
    return i + bytes;
  }
  return i;
}

// A run of letters, digits and the marks within host names.
void Search::TakeRun() {
  const size_t start = at_;
  size_t end = start;
  bool dots = false;
  while (IsAlnum(At(text_, end)) ||
         ((At(text_, end) == '.' || At(text_, end) == '-' || At(text_, end) == '_') &&
          IsAlnum(At(text_, end + 1)))) {
    dots = dots || text_[end] == '.';
    ++end;
  }
  at_ = end;
  if (dots) {
    const std::string_view host = text_.substr(start, end - start);
    if (start > 0 && text_[start - 1] == '@') return;
    if (const Row* row = ZoneOf(host, text_.substr(end)); row != nullptr) {
      Add(row->list, true, start);
      return;
    }
    if (listed_ || found_) {
      const BlockList* list = host.size() > 255 ? nullptr : UnknownList(host);
      if (list != nullptr) Add(list, true, start);
    }
    return;
  }
  for (size_t i = start; i < end;) {
    const size_t behind = TakeName(i);
    if (behind > i) {
      i = behind;
      at_ = std::max(at_, behind);
      continue;
    }
    size_t word = i;
    while (word < end && IsAlnum(text_[word])) ++word;
    const Word kind = KindOf(text_.substr(i, word - i));
    if (kind == Word::kListed) listed_ = true;
    if (kind == Word::kFound) found_ = true;
    if (kind == Word::kContent) content_ = true;
    if (kind == Word::kOther || kind == Word::kContent) listed_ = found_ = false;
    i = word + 1;
  }
}

// What a list is part of; null: of none.
const BlockList* ParentOf(const BlockList& list) {
  if (list.parent.empty()) return nullptr;
  static const std::vector<const BlockList*> parents = [] {
    std::vector<const BlockList*> all;
    for (const BlockList& part : KnownBlockLists()) {
      const auto known = KnownBlockLists();
      const auto parent = std::find_if(known.begin(), known.end(), [&](const BlockList& whole) {
        return whole.name == part.parent;
      });
      all.push_back(parent == known.end() ? nullptr : &*parent);
    }
    return all;
  }();
  return parents[static_cast<size_t>(&list - KnownBlockLists().data())];
}

// Whether `list` is what `of` is a part of.
bool IsAncestor(const BlockList& list, const BlockList& of) {
  for (const BlockList* p = ParentOf(of); p != nullptr; p = ParentOf(*p)) {
    if (p->name == list.name) return true;
  }
  return false;
}

size_t Depth(const BlockList& list) {
  if (list.name == "RBL") return 0;
  size_t depth = 1;
  for (const BlockList* p = ParentOf(list); p != nullptr; p = ParentOf(*p)) ++depth;
  return depth;
}

FoundLists Search::Run() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (IsAlnum(c)) {
      TakeRun();
      continue;
    }
    const bool ends = (c == '.' || c == '!' || c == '?') && !IsAlnum(At(text_, at_ + 1));
    if (ends || c == ';') listed_ = found_ = content_ = false;
    ++at_;
  }
  // What is part of something named too: the part stays, and keeps that it was named by a host.
  FoundLists kept;
  for (const FoundList& found : lists_.view()) {
    bool covered = found.list->name == "RBL" && !found.host && lists_.count > 1;
    for (size_t i = 0; i < lists_.count; ++i) {
      if (!IsAncestor(*found.list, *lists_.all[i].list)) continue;
      lists_.all[i].host |= found.host;
      covered = true;
    }
    covered = covered || (found.list->name == "RBL" && lists_.all[0].list->name != "RBL");
    if (!covered) kept.all[kept.count++] = found;
  }
  for (size_t i = 0; i < kept.count; ++i) {
    for (const FoundList& found : lists_.view()) {
      if (found.list == kept.all[i].list) kept.all[i].host = found.host;
    }
  }
  std::stable_sort(
      kept.all.begin(), kept.all.begin() + static_cast<std::ptrdiff_t>(kept.count),
      [](const FoundList& a, const FoundList& b) { return Depth(*a.list) > Depth(*b.list); });
  return kept;
}

}  // namespace

std::string_view ListedKindName(ListedKind kind) {
  switch (kind) {
    case ListedKind::kIp:
      return "ip";
    case ListedKind::kDomain:
      return "domain";
    case ListedKind::kUri:
      break;
  }
  return "uri";
}

FoundLists FindBlockLists(std::string_view text) { return Search(text).Run(); }

std::string DelistPage(const BlockList& list, std::string_view listed) {
  std::string page(list.delist);
  if (!page.ends_with("{}")) return page;
  page.resize(page.size() - 2);
  if (listed.empty()) {
    page.resize(page.find('/', page.find("//") + 2) + 1);  // the site, where there is no subject
  } else {
    page += listed;
  }
  return page;
}

}  // namespace rebound
