#include "serve/plain_texts.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "base/text.h"

namespace rebound {
namespace {

constexpr uint64_t kOnes = 0x0101010101010101U;
constexpr uint64_t kHighs = 0x8080808080808080U;

// The highest bit of each byte that is zero; above the first of them, bits may be wrong.
uint64_t Zeros(uint64_t bytes) { return (bytes - kOnes) & ~bytes & kHighs; }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

class Reader {
 public:
  Reader(std::string_view body, PlainTexts* read)
      : begin_(body.data()), at_(begin_), end_(begin_ + body.size()), read_(read) {}

  bool Run() {
    if (!Take('{') || !Take('"') || !TakeWord("message")) return false;
    read_->single = !TakeWord("s");
    if (!TakeWord("\"") || !Take(':')) return false;
    if (!(read_->single ? String() : Strings()) || !Take('}')) return false;
    SkipBlanks();
    return at_ == end_;
  }

 private:
  void SkipBlanks() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  bool Take(char c) {
    SkipBlanks();
    return TakeWord({&c, 1});
  }
  bool TakeWord(std::string_view word) {
    if (!std::string_view(at_, static_cast<size_t>(end_ - at_)).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  bool Strings() {
    if (!Take('[')) return false;
    if (Take(']')) return true;
    do {
      if (!String()) return false;
    } while (Take(','));
    return Take(']');
  }

  bool String() {
    if (!Take('"')) return false;
    high_ = 0;
    const char* const begin = at_;
    SkipPlain();
    if (at_ == end_) return false;
    std::string_view text(begin, static_cast<size_t>(at_ - begin));
    if (*at_ == '\\' && !Unescape(&text)) return false;
    if (!TakeWord("\"")) return false;
    if ((high_ & kHighs) != 0 && !IsValidUtf8(text)) return false;
    read_->texts.push_back(text);
    return true;
  }

  // To the next quote, backslash or control character, which no string may hold.
  void SkipPlain() {
    for (; end_ - at_ >= 8; at_ += 8) {
      uint64_t bytes;
      std::memcpy(&bytes, at_, sizeof bytes);
      if constexpr (std::endian::native == std::endian::big) bytes = __builtin_bswap64(bytes);
      const uint64_t stops = Zeros(bytes ^ kOnes * '"') | Zeros(bytes ^ kOnes * '\\') |
                             ((bytes - kOnes * 0x20) & ~bytes & kHighs);
      if (stops != 0) {
        const int skipped = std::countr_zero(stops) / 8;
        high_ |= bytes & ((uint64_t{1} << 8 * skipped) - 1);
        at_ += skipped;
        return;
      }
      high_ |= bytes;
    }
    for (; at_ < end_ && *at_ != '"' && *at_ != '\\'; ++at_) {
      if (static_cast<unsigned char>(*at_) < 0x20) return;
      high_ |= static_cast<unsigned char>(*at_);
    }
  }

  // From the first backslash on; `*text` is what stands before it, and then the whole.
  bool Unescape(std::string_view* text) {
    // A string is never longer than what it is written as.
    if (out_ == nullptr) {
      read_->unescaped = std::make_unique_for_overwrite<char[]>(static_cast<size_t>(end_ - begin_));
      out_ = read_->unescaped.get();
    }
    const char* const begin = out_;
    Append(*text);
    while (at_ < end_ && *at_ == '\\') {
      if (end_ - ++at_ < 1 || !AppendEscaped(*at_++)) return false;
      const char* const plain = at_;
      SkipPlain();
      Append({plain, static_cast<size_t>(at_ - plain)});
    }
    *text = {begin, static_cast<size_t>(out_ - begin)};
    return true;
  }

  void Append(std::string_view bytes) { out_ += bytes.copy(out_, bytes.size()); }

  bool AppendEscaped(char c) {
    constexpr std::string_view kEscapes = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (c == 'u') return AppendUnit();
    const size_t escape = kEscapes.find(c);
    if (escape == std::string_view::npos) return false;
    *out_++ = kMeanings[escape];
    return true;
  }

  bool AppendUnit() {
    if (end_ - at_ < 4) return false;
    uint32_t unit = 0;
    for (const char* const end = at_ + 4; at_ < end; ++at_) {
      const int digit = HexDigit(*at_);
      if (digit < 0) return false;
      unit = unit << 4 | static_cast<uint32_t>(digit);
    }
    if (unit >= 0xD800 && unit <= 0xDFFF) return false;
    if (unit < 0x80) {
      *out_++ = static_cast<char>(unit);
    } else if (unit < 0x800) {
      *out_++ = static_cast<char>(0xc0 | unit >> 6);
      *out_++ = static_cast<char>(0x80 | (unit & 0x3f));
    } else {
      *out_++ = static_cast<char>(0xe0 | unit >> 12);
      *out_++ = static_cast<char>(0x80 | (unit >> 6 & 0x3f));
      *out_++ = static_cast<char>(0x80 | (unit & 0x3f));
    }
    return true;
  }

  const char* const begin_;
  const char* at_;
  const char* const end_;
  char* out_ = nullptr;  // in read_->unescaped
  uint64_t high_ = 0;    // the highest bits of a string's bytes
  PlainTexts* const read_;
};

}  // namespace

bool ReadPlainTexts(std::string_view body, PlainTexts* read) { return Reader(body, read).Run(); }

}  // namespace rebound
