#include "engine/retry_after.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "engine/retry_words.h"
#include "engine/word_index.h"

namespace rebound {
namespace {

using enum RetryWord;

using ascii::IsDigit;
using ascii::IsLetter;
using ascii::IsUpper;

unsigned char Byte(char c) { return static_cast<unsigned char>(c); }

constexpr size_t kMaxWordBytes = 40;

// A word in lower case. Of the letters beyond ASCII those of two bytes alone have cases that matter
// here: Latin, Greek, Cyrillic.
struct Word {
  std::array<char, kMaxWordBytes + 4> letters;
  size_t bytes = 0;  // in the text
  size_t size = 0;   // of `letters`
  std::string_view view() const { return {letters.data(), size}; }
};

void AppendLower(char first, char second, Word* word) {
  unsigned a = Byte(first);
  unsigned b = Byte(second);
  if (a == 0xC3 && b >= 0x80 && b <= 0x9E) b += 0x20;  // À
  if (a == 0xC4 || (a == 0xC5 && b < 0xB8)) {
    const unsigned code = ((a & 0x1FU) << 6U) | (b & 0x3FU);
    const bool odd_is_upper = (code >= 0x139 && code <= 0x148) || code >= 0x179;
    if (odd_is_upper == ((code & 1U) != 0) && code != 0x130 && code != 0x131) ++b;
    if (b == 0xC0) a = 0xC5, b = 0x80;
  } else if (a == 0xCE && b >= 0x91 && b <= 0xA9) {  // Α to Ω
    b += 0x20;
    if (b >= 0xC0) a = 0xCF, b -= 0x40;
  } else if (a == 0xD0 && b >= 0x90 && b <= 0x9F) {  // А to П
    b += 0x20;
  } else if (a == 0xD0 && b >= 0xA0 && b <= 0xAF) {  // Р to Я
    a = 0xD1, b -= 0x20;
  } else if (a == 0xD0 && b >= 0x80 && b <= 0x8F) {  // Ѐ to Џ
    a = 0xD1, b += 0x10;
  }
  word->letters[word->size++] = static_cast<char>(a);
  word->letters[word->size++] = static_cast<char>(b);
}

// Letters of three bytes that stand in words with blanks between them (Vietnamese, Greek).
bool IsLatinOfThree(std::string_view text) {
  return text.size() >= 3 && Byte(text[0]) == 0xE1 && Byte(text[1]) >= 0xB8 &&
         Byte(text[1]) <= 0xBF;
}

// The word that starts here; "retryAfter" is two.
Word ReadWord(std::string_view text) {
  Word word;
  size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    const bool fits = word.size < kMaxWordBytes;
    if (IsLetter(c)) {
      if (IsUpper(c) && i > 0 && !IsUpper(text[i - 1])) break;
      if (fits) word.letters[word.size++] = IsUpper(c) ? static_cast<char>(c + 32) : c;
      ++i;
    } else if (Byte(c) >= 0xC3 && Byte(c) <= 0xDF && i + 1 < text.size()) {
      if (fits) AppendLower(c, text[i + 1], &word);
      i += 2;
    } else if (IsLatinOfThree(text.substr(i))) {
      for (size_t k = 0; k < 3; ++k) {
        if (fits) word.letters[word.size++] = text[i + k];
      }
      i += 3;
    } else {
      break;
    }
  }
  word.bytes = i;
  return word;
}

// The value of the digit at the start and its bytes: ASCII, full-width and Arabic digits.
int DigitAt(std::string_view text, size_t* bytes) {
  *bytes = 1;
  if (text.empty()) return -1;
  if (IsDigit(text[0])) return text[0] - '0';
  if (text.size() >= 3 && Byte(text[0]) == 0xEF && Byte(text[1]) == 0xBC && Byte(text[2]) >= 0x90 &&
      Byte(text[2]) <= 0x99) {
    *bytes = 3;
    return Byte(text[2]) - 0x90;
  }
  if (text.size() >= 2 && Byte(text[0]) == 0xD9 && Byte(text[1]) >= 0xA0 && Byte(text[1]) <= 0xA9) {
    *bytes = 2;
    return Byte(text[1]) - 0xA0;
  }
  return -1;
}

struct Number {
  double value = 0;
  size_t bytes = 0;    // 0: none here
  bool clock = false;  // "0:05:00"
};

// A plain number, or a time as a clock shows it. What is neither (an IP address, a version, a
// number of many digits) has bytes and no value.
Number ReadNumber(std::string_view text) {
  std::array<double, 4> parts{};
  std::array<size_t, 4> digits{};
  std::array<char, 4> marks{};
  size_t count = 0;
  size_t i = 0;
  Number number;
  while (true) {
    double value = 0;
    size_t n = 0;
    size_t bytes = 0;
    for (int digit = 0; (digit = DigitAt(text.substr(i), &bytes)) >= 0; ++n, i += bytes) {
      if (n < 9) value = value * 10 + digit;
    }
    if (count < parts.size()) {
      parts[count] = value;
      digits[count] = n;
    }
    ++count;
    const bool more = i + 1 < text.size() && (text[i] == '.' || text[i] == ',' || text[i] == ':') &&
                      IsDigit(text[i + 1]);
    if (!more) break;
    if (count < marks.size()) marks[count] = text[i];
    ++i;
  }
  number.bytes = i;
  if (count > 3 || digits[0] > 6) return number;
  if (count == 1) {
    number.value = parts[0];
  } else if (marks[1] == ':') {
    if (digits[1] != 2 || (count == 3 && (marks[2] != ':' || digits[2] != 2))) return number;
    number.clock = true;
    number.value = parts[0] * 60 + parts[1];
    if (count == 3) number.value = number.value * 60 + parts[2];
  } else if (count == 2 && digits[1] == 3) {
    number.value = parts[0] * 1000 + parts[1];
  } else if (count == 2 && digits[1] < 3) {
    number.value = parts[0] + parts[1] / (digits[1] == 1 ? 10 : 100);
  }
  return number;
}

// Characters after which a number counts something else: an hour of the day, a date, an ordinal.
bool EndsInCounter(std::string_view text) {
  static constexpr std::string_view kCounters[] = {"時", "时", "月", "年", "点", "點", "第", "시"};
  return text.size() >= 3 && std::find(std::begin(kCounters), std::end(kCounters),
                                       text.substr(text.size() - 3)) != std::end(kCounters);
}

bool IsRun(char c) { return IsLetter(c) || IsDigit(c) || c == '_'; }

class Search {
 public:
  explicit Search(std::string_view text) : text_(text) {}

  std::optional<std::chrono::seconds> Run();

 private:
  struct Time {
    double seconds = 0;
    double unit = 0;
    size_t end = 0;         // 0: none
    std::string_view word;  // the unit's
  };

  char At(size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  std::string_view From(size_t i) const { return text_.substr(std::min(i, text_.size())); }
  bool IsWordAt(size_t i) const;
  size_t SkipBlanks(size_t i) const;
  // Behind the letters, digits and marks of an id or a name that goes on at `i`.
  size_t SkipRun(size_t i) const;
  size_t SkipToBlank(size_t i) const;

  void TakeNumber();
  void TakeWord();
  void TakeCharacter();
  void TakePunctuation();
  void Learn(const RetryMeaning& meaning);
  void EndSentence();

  RetryMeaning MeaningHere(size_t i, size_t* bytes) const;
  Time UnitAt(size_t i, double number) const;
  Time Join(Time time) const;
  bool IsKeyed(size_t start, size_t end, double value) const;
  void Judge(const Time& time);
  void Asked(double seconds) { Keep(seconds, &asked_); }
  void Told(double seconds) { Keep(seconds, &told_); }
  static void Keep(double seconds, double* kept) {
    if (*kept == 0 && seconds >= 1 && seconds <= kLongestRetry.count()) *kept = seconds;
  }

  const std::string_view text_;
  size_t at_ = 0;
  RetryWord cue_ = kNone;     // the nearest of this sentence
  RetryWord before_ = kNone;  // of the word directly before, fillers aside
  bool over_ = false;         // that word is "over"
  bool per_ = false;          // it is "per"
  bool next_ = false;         // it is "next"
  bool slash_ = false;        // a slash stands there
  bool us_ = false;           // it is "us"
  bool in_ = false;           // it is "in"
  size_t since_count_ = 9;    // words since a number that counts something
  double pending_ = 0;        // a time that waits for the words behind it
  bool pending_for_ = false;
  bool pending_in_ = false;
  double asked_ = 0;  // the first time that is asked for
  double told_ = 0;   // the first for which something lasts
};

bool Search::IsWordAt(size_t i) const {
  const unsigned char c = Byte(At(i));
  return IsLetter(At(i)) || (c >= 0xC3 && c <= 0xDF) || IsLatinOfThree(From(i));
}

size_t Search::SkipBlanks(size_t i) const {
  while (At(i) == ' ' || At(i) == '\t' || At(i) == '\n' || At(i) == '\r') ++i;
  if (Byte(At(i)) == 0xC2 && Byte(At(i + 1)) == 0xA0) i += 2;
  return i;
}

size_t Search::SkipRun(size_t i) const {
  while (IsRun(At(i)) || ((At(i) == '.' || At(i) == '-' || At(i) == ':') && IsRun(At(i + 1)))) ++i;
  return i;
}

size_t Search::SkipToBlank(size_t i) const {
  while (i < text_.size() && !(text_[i] >= 0 && text_[i] <= ' ') && text_[i] != '>' &&
         text_[i] != '"' && text_[i] != ')') {
    ++i;
  }
  return i;
}

std::optional<std::chrono::seconds> Search::Run() {
  size_t bytes = 0;
  while (at_ < text_.size() && asked_ == 0) {
    if (text_[at_] == ' ') {
      ++at_;
    } else if (IsLetter(text_[at_])) {
      TakeWord();
    } else if (DigitAt(From(at_), &bytes) >= 0) {
      TakeNumber();
    } else if (IsWordAt(at_)) {
      TakeWord();
    } else if (Byte(text_[at_]) >= 0xE0) {
      TakeCharacter();
    } else {
      TakePunctuation();
    }
  }
  const double found = asked_ > 0 ? asked_ : told_;
  if (found == 0) return std::nullopt;
  return std::chrono::seconds(static_cast<int64_t>(found));
}

// The word or the character at `i`.
RetryMeaning Search::MeaningHere(size_t i, size_t* bytes) const {
  *bytes = 0;
  if (IsWordAt(i)) {
    const Word word = ReadWord(From(i));
    *bytes = word.bytes;
    return MeaningOfWord(word.view());
  }
  if (Byte(At(i)) < 0xE0) return {};
  const RetryMeaning meaning = MeaningAtStart(From(i));
  *bytes = meaning.unit > 0 ? meaning.unit_bytes : meaning.bytes;
  return meaning;
}

// `number` times the unit that follows at `i`: "300s", "5 more minutes", "half an hour".
Search::Time Search::UnitAt(size_t i, double number) const {
  bool attached = true;
  for (int tries = 0; tries < 3; ++tries) {
    size_t j = SkipBlanks(i);
    if (j == i && (At(i) == '-' || At(i) == '\'') && !IsDigit(At(i + 1))) ++j;
    attached = attached && j == i;
    size_t bytes = 0;
    const RetryMeaning meaning = MeaningHere(j, &bytes);
    if (bytes == 0) return {};
    size_t end = j + bytes;
    if (meaning.unit > 0) {
      const std::string_view word = text_.substr(j, bytes);
      if (word.size() == 1 && (IsUpper(word[0]) || (!attached && word != "s" && word != "h"))) {
        return {};
      }
      if (At(end) == '(') {  // "hour(s)"
        size_t close = end + 1;
        while (close < end + 4 && IsLetter(At(close))) ++close;
        if (At(close) == ')') end = close + 1;
      }
      const bool latin = Byte(word[0]) < 0xE0;
      if (latin && (At(end) == '_' || At(end) == '@' || (IsDigit(At(end)) && word.size() > 1))) {
        return {};
      }
      if (latin && At(end) == '.' && IsRun(At(end + 1))) return {};
      if (word.size() <= 2 && At(end) == '-' && IsRun(At(end + 1))) return {};
      return {number * meaning.unit, meaning.unit, end, word};
    }
    const bool article = number < 1 && meaning.number == 1;
    if (attached || !(article || meaning.before == kFiller)) return {};
    i = end;
  }
  return {};
}

// With the smaller units that follow: "1 hour and 30 minutes", "1h30m".
Search::Time Search::Join(Time time) const {
  for (int more = 0; more < 3; ++more) {
    size_t i = SkipBlanks(time.end);
    if (At(i) == ',') i = SkipBlanks(i + 1);
    if (IsWordAt(i)) {
      static constexpr std::string_view kAnds[] = {"and", "und", "et", "y", "e", "en", "i", "и"};
      const Word word = ReadWord(From(i));
      if (std::find(std::begin(kAnds), std::end(kAnds), word.view()) == std::end(kAnds)) break;
      i = SkipBlanks(i + word.bytes);
    }
    size_t bytes = 0;
    if (DigitAt(From(i), &bytes) < 0) break;
    const Number number = ReadNumber(From(i));
    const Time next = UnitAt(i + number.bytes, number.value);
    if (number.clock || next.end == 0 || next.unit >= time.unit) break;
    time.seconds += next.seconds;
    time.unit = next.unit;
    time.end = next.end;
  }
  return time;
}

// Whether a number without a unit is the value of a key whose unit is known: "retry_after=300",
// "Retry-After: 120"; also "retry after 300" at the end of a text.
bool Search::IsKeyed(size_t start, size_t end, double value) const {
  size_t i = start;
  bool sign = false;
  while (i > 0 && start - i < 4) {
    const char c = text_[i - 1];
    if (c == '=' || c == ':') {
      sign = true;
    } else if (c != ' ' && c != '"' && c != '\'') {
      break;
    }
    --i;
  }
  if (IsRun(At(end)) || At(end) == '-' || At(end) == '/' || At(end) == '%') return false;
  if (At(end) == ':' || (At(end) == '.' && IsRun(At(end + 1)))) return false;
  std::array<char, 16> key{};
  size_t size = std::min(i, key.size());
  for (size_t k = 0; k < size; ++k) {
    const char c = text_[i - size + k];
    key[k] = c == '_' || c == '-' ? ' ' : IsUpper(c) ? static_cast<char>(c + 32) : c;
  }
  const std::string_view name(key.data(), size);
  static constexpr std::string_view kKeys[] = {
      "retry after", "retryafter", "retry seconds", "retry in", "wait", "delay", "delay seconds"};
  for (const std::string_view known : kKeys) {
    if (!name.ends_with(known)) continue;
    if (sign) return true;
    const bool code = value >= 400 && value < 600;
    const size_t rest = SkipBlanks(At(end) == '.' || At(end) == ')' ? end + 1 : end);
    return known == "retry after" && i < start && rest >= text_.size() && value >= 60 && !code;
  }
  return sign && name.ends_with("remaining");
}

void Search::TakeNumber() {
  const size_t start = at_;
  const char left = start == 0 ? ' ' : text_[start - 1];
  const Number number = ReadNumber(From(start));
  const size_t end = start + number.bytes;
  at_ = end;
  const bool range = left == '-' && start >= 2 && IsDigit(text_[start - 2]);
  static constexpr std::string_view kNeverBefore = "_#@.$%+\\~&?";
  const bool part = IsLetter(left) || kNeverBefore.find(left) != std::string_view::npos ||
                    (left == '-' && !range && start >= 2 && text_[start - 2] != ' ') ||
                    EndsInCounter(text_.substr(0, start));
  if (part || number.value <= 0) {
    at_ = SkipRun(end);
    return;
  }
  if (number.clock) {
    at_ = SkipRun(end);
    const bool asked = in_ && (cue_ == kRetry || cue_ == kWait);
    if (asked && at_ == end) Asked(number.value);
    return;
  }
  const Time time = Join(UnitAt(end, number.value));
  if (time.end > 0) {
    Judge(time);
    return;
  }
  if (IsKeyed(start, end, number.value)) Asked(number.value);
  if (At(end) == ' ') since_count_ = 0;
  if (IsRun(At(end))) at_ = SkipRun(end);
}

void Search::TakeWord() {
  const size_t start = at_;
  const Word word = ReadWord(From(start));
  at_ = start + std::max<size_t>(word.bytes, 1);
  if (At(at_) == '@') {
    at_ = SkipToBlank(at_);
    return;
  }
  const RetryMeaning meaning = MeaningOfWord(word.view());
  if (meaning.number > 0) {
    const Time time = UnitAt(at_, meaning.number);
    if (time.end > 0) return Judge(Join(time));
  }
  const Time whole = {meaning.unit, meaning.unit, at_, text_.substr(start, word.bytes)};
  if (meaning.unit > 0 && word.size > 1 && (next_ || before_ == kThen)) return Judge(whole);
  if (meaning.alone > 0) return Judge({meaning.alone, meaning.alone, at_, whole.word});
  Learn(meaning);
  if (meaning.before == kFiller && word.view() != "next") return;
  next_ = word.view() == "next";
  us_ = word.view() == "us";
  in_ = word.view() == "in";
  over_ = word.view() == "over";
  per_ = word.view() == "per";
}

void Search::TakeCharacter() {
  const std::string_view rest = From(at_);
  if (rest.starts_with("。") || rest.starts_with("！") || rest.starts_with("？")) EndSentence();
  const RetryMeaning meaning = MeaningAtStart(rest);
  if (meaning.number > 0) {
    const Time time = UnitAt(at_ + meaning.number_bytes, meaning.number);
    if (time.end > 0) {
      Judge(time);
      return;
    }
  }
  Learn(meaning);
  at_ += std::max<size_t>(meaning.bytes, 3);
}

void Search::TakePunctuation() {
  const char c = text_[at_++];
  if (c == ' ' || c == '\n' || c == '\r' || c == '\t') return;
  if (c == ':' && At(at_) == '/' && At(at_ + 1) == '/') {
    at_ = SkipToBlank(at_);
    return;
  }
  slash_ = c == '/';
  us_ = false;
  if (c == '.' || c == '!' || c == '?') {
    const char next = At(at_);
    if (next == '\0' || next == ' ' || next == '\n' || next == '\r') EndSentence();
  } else if (c == ';') {
    pending_ = 0;
  }
  if (c != '\'' && c != '-' && c != '(' && c != '[' && c != '~') before_ = kNone;
}

void Search::EndSentence() {
  cue_ = kNone;
  before_ = kNone;
  pending_ = 0;
}

void Search::Learn(const RetryMeaning& meaning) {
  slash_ = false;
  if (meaning.cue != kNone) {
    if (pending_ > 0) {
      if (meaning.cue == kRetry && !pending_for_) Asked(pending_);
      if (meaning.cue == kWait) Asked(pending_);
      if (meaning.cue == kHold && !pending_in_) Told(pending_);
      pending_ = 0;
    }
    cue_ = us_ ? kOver : meaning.cue;  // "let us wait"
    since_count_ = 9;
  }
  since_count_ = meaning.before == kFiller ? 9 : since_count_ + 1;  // "5 to 10"
  if (meaning.before != kFiller) before_ = meaning.before;
}

void Search::Judge(const Time& time) {
  RetryWord before = before_;
  const bool slash = slash_;
  static constexpr std::string_view kDutch[] = {"minuten", "uur", "seconden", "uren"};
  static constexpr std::string_view kItalian[] = {"minuti", "ore", "secondi", "ora", "giorno"};
  const auto is_one_of = [&time](const auto& words) {
    return std::find(std::begin(words), std::end(words), time.word) != std::end(words);
  };
  if (over_ && is_one_of(kDutch)) before = kThen;
  if (per_ && is_one_of(kItalian)) before = kFor;
  at_ = time.end;
  before_ = kNone;
  slash_ = false;
  over_ = per_ = next_ = false;
  size_t bytes = 0;
  const size_t behind = SkipBlanks(time.end);
  const RetryMeaning after = MeaningHere(behind, &bytes);
  const bool abbreviated = At(at_) == '.' && time.word.size() <= 6 && At(at_ + 1) == ' ';
  if (abbreviated && !IsUpper(At(at_ + 2))) ++at_;  // not the end of a sentence
  const bool lasting = before == kIn && text_.substr(behind, bytes) == "of";  // "after 4 hours of"
  const bool rate = before == kIn && since_count_ <= 2;  // "100 times in 60 seconds"
  if (slash || At(time.end) == '/' || before == kLimit || lasting || rate) return;
  if (after.after == kLater) return Asked(time.seconds);
  if (after.after == kGone && cue_ != kWait) return;
  if (before == kSoftLimit && cue_ != kWait) return;
  if (cue_ == kOver) return;
  if (cue_ == kWait || before == kThen) return Asked(time.seconds);
  if (cue_ == kRetry) {
    if (before != kFor) Asked(time.seconds);
  } else if (cue_ == kHold) {
    Told(time.seconds);
  } else {
    pending_ = time.seconds;
    pending_for_ = before == kFor;
    pending_in_ = before == kIn;
  }
}

}  // namespace

std::optional<std::chrono::seconds> FindRetryAfter(std::string_view text) {
  return Search(text).Run();
}

}  // namespace rebound
