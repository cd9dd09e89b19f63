#include "tokenizer/normaliser.h"

#include "base/text.h"
#include "tokenizer/scanner.h"

namespace rebound {

const std::string_view kMaskTokens[10] = {"__email__", "__ipvfour__", "__ipvsix__", "__host__",
                                          "__url__",   "__uuid__",    "__id__",     "__num__",
                                          "__date__",  "__duration__"};

namespace {

// Writes segments as words between single blanks.
class CanonicalSink {
 public:
  explicit CanonicalSink(std::string* out) : out_(out) {}

  void Add(const Segment& s) {
    switch (s.kind) {
      case SegmentKind::kGap:
      case SegmentKind::kInvalid:
      case SegmentKind::kDropped:
        return;
      case SegmentKind::kWord:
        AddWord(s.bytes, /*underscore=*/' ');
        return;
      case SegmentKind::kCode:
        AddWord(s.bytes, /*underscore=*/'_');
        return;
      case SegmentKind::kJoined:
        StartWord();
        for (const char c : s.bytes) out_->push_back(IsPunct(c) ? '_' : Lower(c));
        return;
      case SegmentKind::kToken:
        StartWord();
        out_->append(kMaskTokens[static_cast<size_t>(s.token)]);
        if (!s.name.empty()) AddWord(s.name, '_');
        if (!s.hint.empty()) AddWord(s.hint, '_');
        return;
    }
  }
  size_t Mark() const { return out_->size(); }
  void Rollback(size_t mark) { out_->resize(mark); }

 private:
  void StartWord() {
    if (!out_->empty() && out_->back() != ' ') out_->push_back(' ');
  }

  void AddWord(std::string_view word, char underscore) {
    StartWord();
    for (size_t i = 0; i < word.size();) {
      const char c = word[i];
      if (IsHigh(c)) {
        const CodePoint point = DecodeUtf8(word.substr(i));
        if (point.value == 0x2019) {
          out_->push_back('\'');
        } else {
          const char32_t lower = LowerCase(point.value);
          // A word in capitals has no final sigma.
          AppendUtf8(lower == 0x3c2 ? char32_t{0x3c3} : lower, out_);
        }
        i += point.bytes;
        continue;
      }
      if (c != '_') {
        out_->push_back(Lower(c));
      } else if (underscore == '_') {
        out_->push_back('_');
      } else {
        StartWord();
      }
      ++i;
    }
  }

  std::string* const out_;
};

}  // namespace

void Normalise(std::string_view text, std::string* out) {
  out->clear();
  CanonicalSink sink(out);
  Scanner<CanonicalSink>(text, &sink).Run();
  while (!out->empty() && out->back() == ' ') out->pop_back();
}

std::string Normalise(std::string_view text) {
  std::string out;
  Normalise(text, &out);
  return out;
}

}  // namespace rebound
