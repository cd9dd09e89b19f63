#include "engine/provider.h"

#include <algorithm>
#include <vector>

#include "engine/provider_table.h"
#include "engine/word_index.h"

namespace rebound {
namespace {

using ascii::IsAlnum;
using ascii::IsDigit;
using ascii::IsUpper;
using ascii::Lower;

char At(std::string_view text, size_t i) { return i < text.size() ? text[i] : '\0'; }

template <class Row>
WordIndex<Row> MakeIndex(std::span<const Row> rows) {
  return WordIndex<Row>(std::vector<Row>(rows.begin(), rows.end()));
}

// Bytes of the code at the start of `text`; 0 where it is another one.
size_t CodeAt(std::string_view text, const ProviderCode& row) {
  if (!text.starts_with(row.word)) return 0;
  size_t i = row.word.size();
  for (const char p : row.pattern) {
    const char c = At(text, i);
    if (p == '*') {
      const size_t start = i;
      while ((IsAlnum(At(text, i)) || At(text, i) == '_' || At(text, i) == '-') && i < start + 16) {
        ++i;
      }
      continue;
    }
    const bool fits = p == '9'   ? IsDigit(c)
                      : p == 'A' ? IsUpper(c)
                      : p == 'X' ? IsUpper(c) || IsDigit(c)
                                 : c == p;
    if (!fits) return 0;
    ++i;
  }
  while (i > 0 && text[i - 1] == '-') --i;
  return IsAlnum(At(text, i)) || (At(text, i) == '_' && text[i - 1] != '_') ? 0 : i;
}

constexpr size_t kMaxHostBytes = 40;
constexpr size_t kMaxUrlBytes = 400;

const ProviderHost* OwnerOf(std::string_view host) {
  static const WordIndex<ProviderHost> index = MakeIndex(ProviderHosts());
  char lower[kMaxHostBytes];
  const size_t size = std::min(host.size(), kMaxHostBytes);
  const size_t cut = host.size() - size;
  for (size_t i = 0; i < size; ++i) lower[i] = Lower(host[cut + i]);
  for (size_t i = 0; i + 4 < size; ++i) {
    const bool border = i == 0 ? (cut == 0 || host[cut - 1] == '.') : lower[i - 1] == '.';
    if (!border) continue;
    const std::string_view suffix(lower + i, size - i);
    for (const ProviderHost& row : index.Near(suffix[0], suffix[1])) {
      if (row.word == suffix) return &row;
    }
  }
  return nullptr;
}

class Search {
 public:
  explicit Search(std::string_view text) : text_(text) {}
  Provider Run();

 private:
  void TakeRun();
  bool TakeCode();
  void TakeHost(size_t start, size_t end);
  void TakeUrl(size_t start, size_t host_end, std::string_view owner);
  void TakeWord(std::string_view word);

  const std::string_view text_;
  size_t at_ = 0;
  const ProviderCode* row_ = nullptr;
  std::string_view code_;
  std::string_view url_receiver_, host_receiver_, filter_;
  std::string_view help_, help_owner_, filter_help_, filter_help_owner_;
  bool gmail_ = false;
  bool telstra_ = false;
  bool reply_ = false;   // a reply code was the last word
  bool host_ = false;    // "host" was
  bool client_ = false;  // "client" was
};

bool Search::TakeCode() {
  static const WordIndex<ProviderCode> index = MakeIndex(ProviderCodes());
  const std::string_view rest = text_.substr(at_);
  const char left = at_ == 0 ? ' ' : text_[at_ - 1];
  const ProviderCode* found = nullptr;
  size_t bytes = 0;
  for (const ProviderCode& row : index.Near(At(rest, 0), At(rest, 1))) {
    if (row.opener != ' ' && row.opener != left) continue;
    const size_t length = CodeAt(rest, row);
    const char closer = row.opener == '[' ? ']' : ')';
    if (length == 0 || (row.opener != ' ' && At(rest, length) != closer && closer == ']')) continue;
    if (found != nullptr && (length < bytes || (!found->name.empty()))) continue;
    found = &row;
    bytes = length;
  }
  if (found == nullptr && left == '[') {  // "[XX01]" of nobody known
    size_t letters = 0;
    while (letters < 5 && IsUpper(At(rest, letters))) ++letters;
    const bool fits = letters >= 2 && letters <= 4 && IsDigit(At(rest, letters)) &&
                      IsDigit(At(rest, letters + 1)) && At(rest, letters + 2) == ']';
    if (fits && code_.empty()) code_ = rest.substr(0, letters + 2);
    if (fits) at_ += letters + 2;
    return fits;
  }
  if (found == nullptr) return false;
  if (code_.empty() || (row_ == nullptr && !found->name.empty())) {
    code_ = rest.substr(0, bytes);
    row_ = found->name.empty() ? nullptr : found;
  }
  at_ += bytes;
  return true;
}

// A link: its owner is known, and it may be the page that explains.
void Search::TakeUrl(size_t start, size_t host_end, std::string_view owner) {
  const size_t limit = std::min(text_.size(), host_end + kMaxUrlBytes);
  size_t end = host_end;
  while (end < limit && text_[end] > ' ' && text_[end] < '\x7F' &&
         std::string_view("<>\"')],;|").find(text_[end]) == std::string_view::npos) {
    ++end;
  }
  while (end > host_end && (text_[end - 1] == '.' || text_[end - 1] == ':')) --end;
  const std::string_view url = text_.substr(start, end - start);
  const size_t page = url.find("?p=");
  if (owner == "Google" && page != std::string_view::npos && code_.empty()) {
    code_ = url.substr(page + 3, url.find_first_of("&#", page) - page - 3);
  }
  const size_t cause = url.find("c=");
  const bool united = owner == "GMX" || owner == "WEB.DE" || owner == "IONOS";
  if (united && cause != std::string_view::npos && code_.empty() &&
      (url[cause - 1] == '?' || url[cause - 1] == '&')) {
    code_ = url.substr(cause + 2, url.find_first_of("&#", cause) - cause - 2);
  }
  if (end == limit && limit < text_.size()) return;  // cut
  help_ = url;
  help_owner_ = owner;
}

void Search::TakeHost(size_t start, size_t end) {
  const ProviderHost* owner = OwnerOf(text_.substr(start, end - start));
  if (owner == nullptr || (start > 0 && text_[start - 1] == '@')) return;
  const bool link = start >= 3 && text_.substr(start - 3, 3) == "://";
  if (owner->filter) {
    if (filter_.empty()) filter_ = owner->name;
  } else if (link) {
    if (url_receiver_.empty()) url_receiver_ = owner->name;
  } else {
    const std::string_view behind = text_.substr(end, std::min<size_t>(64, text_.size() - end));
    const bool said = behind.find("] said:") != std::string_view::npos ||
                      behind.starts_with(" said:") || behind.starts_with(" ESMTP");
    const std::string_view host = text_.substr(start, end - start);
    const bool front = host.ends_with(".prod.protection.outlook.com") ||
                       host.ends_with(".mail.protection.outlook.com");
    if ((host_ || reply_ || said || front) && host_receiver_.empty()) {
      host_receiver_ = owner->name;
    }
  }
  if (!link || !(owner->filter ? filter_help_ : help_).empty()) return;
  const size_t scheme = text_.substr(0, start).ends_with("https://") ? 8 : 7;
  if (start < scheme || !text_.substr(start - scheme).starts_with("http")) return;
  if (owner->filter) {
    const std::string_view help = help_;
    const std::string_view help_owner = help_owner_;
    TakeUrl(start - scheme, end, owner->name);
    filter_help_ = help_;
    filter_help_owner_ = help_owner_;
    help_ = help;
    help_owner_ = help_owner;
  } else {
    TakeUrl(start - scheme, end, owner->name);
  }
}

void Search::TakeWord(std::string_view word) {
  static const WordIndex<VendorName> vendors = MakeIndex(VendorNames());
  char lower[16];
  reply_ = word.size() == 3 && (word[0] == '4' || word[0] == '5') && IsDigit(word[1]) &&
           IsDigit(word[2]);
  if (word.size() < 4 || word.size() > sizeof(lower)) {
    host_ = false;
    return;
  }
  for (size_t i = 0; i < word.size(); ++i) lower[i] = Lower(word[i]);
  const std::string_view key(lower, word.size());
  host_ = key == "host" && !client_;  // a client's host is the sender's
  client_ = key == "client" || key == "helo";
  gmail_ = gmail_ || key == "gsmtp";
  telstra_ = telstra_ || key == "bigpond" || key == "telstra";
  for (const VendorName& row : vendors.Near(key[0], key[1])) {
    if (row.word == key && filter_.empty()) filter_ = row.name;
  }
}

void Search::TakeRun() {
  const size_t start = at_;
  size_t end = start;
  bool dots = false;
  while (IsAlnum(At(text_, end)) ||
         ((At(text_, end) == '.' || At(text_, end) == '-') && IsAlnum(At(text_, end + 1)))) {
    dots = dots || text_[end] == '.';
    ++end;
  }
  at_ = end;
  if (dots) {
    TakeHost(start, end);
    if (IsDigit(text_[start]) && end - start <= 8) return;  // "550 5.7.1 mx.example.com"
    reply_ = host_ = false;
    return;
  }
  for (size_t i = start; i < end;) {
    size_t word = i;
    while (word < end && text_[word] != '-') ++word;
    TakeWord(text_.substr(i, word - i));
    i = word + 1;
  }
}

Provider Search::Run() {
  while (at_ < text_.size()) {
    if (!IsAlnum(text_[at_])) {
      ++at_;
      continue;
    }
    if (IsUpper(text_[at_]) && TakeCode()) continue;
    TakeRun();
  }
  Provider found;
  found.filter = filter_;
  found.code = code_;
  if (row_ != nullptr) {
    (row_->filter ? found.filter : found.receiver) = row_->name;
    if (telstra_ && row_->name == "GoDaddy") found.receiver = "Telstra";
  }
  if (found.receiver.empty() && gmail_) found.receiver = "Google";
  if (found.receiver.empty()) found.receiver = url_receiver_;
  if (found.receiver.empty()) found.receiver = host_receiver_;
  if (!help_.empty() && help_owner_ == found.receiver) {
    found.help = help_;
  } else if (row_ != nullptr && found.receiver != "Telstra") {
    found.help = row_->help;
  }
  if (found.help.empty() && !filter_help_.empty() && filter_help_owner_ == found.filter) {
    found.help = filter_help_;
  }
  return found;
}

}  // namespace

Provider FindProvider(std::string_view text) { return Search(text).Run(); }

}  // namespace rebound
