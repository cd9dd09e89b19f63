#include "tokenizer/normaliser.h"

#include "base/text.h"
#include "tokenizer/scanner.h"

namespace rebound {

const std::string_view kMaskTokens[10] = {"__email__", "__ipvfour__", "__ipvsix__", "__host__",
                                          "__url__",   "__uuid__",    "__id__",     "__num__",
                                          "__date__",  "__duration__"};

namespace {

// Does not care where words come from; costs nothing.
struct NoWords {
  void Wrote(size_t, size_t, std::string_view) {}
  void Rollback(size_t) {}
};

// Notes where words come from.
class Words {
 public:
  Words(std::string_view text, std::vector<SourceWord>* words) : text_(text), words_(words) {}

  // Bytes `begin` to `end` of the canonical form, none a blank, stand for `source`.
  void Wrote(size_t begin, size_t end, std::string_view source) {
    const auto from = static_cast<size_t>(source.data() - text_.data());
    const size_t to = from + source.size();
    if (!words_->empty() && words_->back().end == begin) {
      words_->back().end = end;
      words_->back().to = to;
    } else {
      words_->push_back({begin, end, from, to});
    }
  }
  void Rollback(size_t mark) {
    while (!words_->empty() && words_->back().end > mark) words_->pop_back();
  }

 private:
  const std::string_view text_;
  std::vector<SourceWord>* const words_;
};

// Writes segments as words between single blanks.
template <class Spans>
class CanonicalSink {
 public:
  CanonicalSink(std::string* out, Spans spans) : out_(out), spans_(spans) {}

  void Add(const Segment& s) {
    switch (s.kind) {
      case SegmentKind::kGap:
      case SegmentKind::kInvalid:
      case SegmentKind::kDropped:
        return;
      case SegmentKind::kWord:
        AddWord(s.bytes, /*underscore=*/' ', {});
        return;
      case SegmentKind::kCode:
        AddWord(s.bytes, /*underscore=*/'_', {});
        return;
      case SegmentKind::kJoined: {
        StartWord();
        const size_t begin = out_->size();
        for (const char c : s.bytes) out_->push_back(IsPunct(c) ? '_' : Lower(c));
        spans_.Wrote(begin, out_->size(), s.bytes);
        return;
      }
      case SegmentKind::kToken: {
        StartWord();
        const size_t begin = out_->size();
        out_->append(kMaskTokens[static_cast<size_t>(s.token)]);
        spans_.Wrote(begin, out_->size(), s.bytes);
        if (!s.name.empty()) AddWord(s.name, '_', s.bytes);
        if (!s.hint.empty()) AddWord(s.hint, '_', {});
        return;
      }
    }
  }
  size_t Mark() const { return out_->size(); }
  void Rollback(size_t mark) {
    out_->resize(mark);
    spans_.Rollback(mark);
  }

 private:
  void StartWord() {
    if (!out_->empty() && out_->back() != ' ') out_->push_back(' ');
  }

  // `source`: what all of `word` stands for; without one `word` is of the text and stands for
  // itself.
  void AddWord(std::string_view word, char underscore, std::string_view source) {
    StartWord();
    for (size_t i = 0; i < word.size();) {
      const char c = word[i];
      const size_t begin = out_->size();
      size_t bytes = 1;
      if (IsHigh(c)) {
        const CodePoint point = DecodeUtf8(word.substr(i));
        bytes = point.bytes;
        if (point.value == 0x2019) {
          out_->push_back('\'');
        } else {
          const char32_t lower = LowerCase(point.value);
          // A word in capitals has no final sigma.
          AppendUtf8(lower == 0x3c2 ? char32_t{0x3c3} : lower, out_);
        }
      } else if (c != '_') {
        out_->push_back(Lower(c));
      } else if (underscore == '_') {
        out_->push_back('_');
      } else {
        StartWord();
        ++i;
        continue;
      }
      spans_.Wrote(begin, out_->size(), source.data() == nullptr ? word.substr(i, bytes) : source);
      i += bytes;
    }
  }

  std::string* const out_;
  Spans spans_;
};

template <class Spans>
void WriteCanonical(std::string_view text, std::string* out, Spans spans) {
  using Sink = CanonicalSink<Spans>;
  out->clear();
  Sink sink(out, spans);
  Scanner<Sink>(text, &sink).Run();
  while (!out->empty() && out->back() == ' ') out->pop_back();
}

}  // namespace

void Normalise(std::string_view text, std::string* out) { WriteCanonical(text, out, NoWords()); }

void NormaliseWithSpans(std::string_view text, std::string* out, std::vector<SourceWord>* words) {
  words->clear();
  WriteCanonical(text, out, Words(text, words));
}

std::string Normalise(std::string_view text) {
  std::string out;
  Normalise(text, &out);
  return out;
}

}  // namespace rebound
