// The one pass behind Normalise and Mask: cuts a text into segments that cover it without a gap.
//
// Masking must be stable (a masked text masks to itself and has the same canonical form), so every
// decision rests on the bytes of one stretch alone:
//   run   a stretch without blanks and separators. A phrase of several words (a date, a duration,
//   an
//         address with a blank inside) starts only where a run does.
//   part  a run, or a piece of one. It is judged whole; what is nothing known splits at its loosest
//         joint, and so on. A part that holds a mask token is never judged whole.
//   word  letters, digits, underscores: the last resort.
// A token takes the place of a whole part and holds no joint, so a masked text splits as before.
#pragma once

#include <string_view>

#include "tokenizer/characters.h"
#include "tokenizer/known_names.h"
#include "tokenizer/normaliser.h"
#include "tokenizer/part.h"
#include "tokenizer/recognise.h"
#include "tokenizer/segment.h"

namespace rebound {

// Sink: void Add(const Segment&), size_t Mark() const, void Rollback(size_t mark).
template <class Sink>
class Scanner {
 public:
  Scanner(std::string_view text, Sink* sink) : text_(CutText(text)), sink_(sink) {}

  void Run() {
    for (size_t i = 0; i < text_.size();) {
      const size_t mark = sink_->Mark();
      i = Step(i);
      // A masked text is cut like any other, so the limit must hold for both.
      if (masked_bytes_ > kMaxTextBytes) {
        sink_->Rollback(mark);
        return;
      }
    }
  }

 private:
  static std::string_view CutText(std::string_view text) {
    if (text.size() <= kMaxTextBytes) return text;
    size_t end = kMaxTextBytes;
    for (int i = 0; i < 3 && (text[end] & 0xc0) == 0x80; ++i) --end;
    return text.substr(0, end);
  }

  std::string_view Slice(size_t begin, size_t end) const {
    return text_.substr(begin, end - begin);
  }

  void Emit(SegmentKind kind, size_t begin, size_t end) {
    if (begin == end) return;
    masked_bytes_ += kind == SegmentKind::kInvalid ? 3 : end - begin;
    if (kind != SegmentKind::kGap && kind != SegmentKind::kInvalid) {
      after_dropped_ = false;
      line_start_ = false;
    }
    sink_->Add({kind, MaskToken::kNone, false, false, Slice(begin, end), {}, {}});
  }

  // A token that stands for a whole part. A name is written only where no word follows in the run:
  // its blank would cut the run at another place than its loosest joint.
  void EmitToken(MaskToken token, size_t begin, size_t end, std::string_view name = {}) {
    if (!name.empty() && WordFollows(end)) name = {};
    AddToken(token, begin, end, name, {}, false, false);
  }

  // A token for what is no part: phrases, addresses of the web. Their neighbours were judged
  // without them, so a blank must part the two.
  void EmitApart(MaskToken token, size_t begin, size_t end, std::string_view name = {},
                 std::string_view hint = {}) {
    AddToken(token, begin, end, name, hint, true, WordFollows(end));
  }

  void AddToken(MaskToken token, size_t begin, size_t end, std::string_view name,
                std::string_view hint, bool pad_before, bool pad_after) {
    // The name would be read as the start of an address: zen.spamhaus.org @ example.com.
    if (!name.empty() && GoesOnWithAt(end)) name = hint = {};
    const bool touches = begin > 0 && (IsWordByte(text_[begin - 1]) || IsPunct(text_[begin - 1]));
    const bool touches_token = begin > 0 && begin == token_end_;
    Segment s{SegmentKind::kToken,
              token,
              (pad_before && touches) || touches_token,
              pad_after,
              Slice(begin, end),
              name,
              hint};
    masked_bytes_ += kMaskTokens[static_cast<size_t>(token)].size() + (s.pad_before ? 1 : 0) +
                     (s.pad_after ? 1 : 0) + (name.empty() ? 0 : name.size() + 1) +
                     (hint.empty() ? 0 : hint.size() + 1);
    after_dropped_ = false;
    line_start_ = false;
    token_end_ = end;
    sink_->Add(s);
  }

  // Whether the run goes on to a word behind `i`.
  bool WordFollows(size_t i) const {
    while (i < text_.size() && IsPunct(text_[i])) ++i;
    if (i == text_.size() || !IsWordByte(text_[i])) return false;
    if (!IsHigh(text_[i])) return true;
    const HighKind kind = ClassifyHigh(text_.substr(i)).kind;
    return kind == HighKind::kSpaced || kind == HighKind::kApostrophe;
  }

  bool GoesOnWithAt(size_t i) const {
    while (i < text_.size() && IsPunct(text_[i])) {
      if (text_[i++] == '@') return true;
    }
    return text_.substr(i).starts_with(" @");
  }

  // Scans one blank, separator, run or phrase from `i` and gives its end.
  size_t Step(size_t i) {
    const char c = text_[i];
    switch (ClassOf(c)) {
      case CharClass::kBlank:
        if (c == '\n' || c == '\r') line_start_ = true;
        Emit(SegmentKind::kGap, i, i + 1);
        return i + 1;
      case CharClass::kSeparator:
        return Separator(i);
      case CharClass::kHigh:
        return High(i);
      case CharClass::kLetter: {
        // Most of a text: a word of letters alone.
        size_t end = i + 1;
        while (end < text_.size() && IsLetter(text_[end])) ++end;
        const CharClass next = end == text_.size() ? CharClass::kBlank : ClassOf(text_[end]);
        if ((next == CharClass::kBlank || next == CharClass::kSeparator) &&
            !MayStartPhrase(i, end)) {
          Emit(SegmentKind::kWord, i, end);
          return end;
        }
        return ScanRun(i);
      }
      default:
        return ScanRun(i);
    }
  }

  // A date starts with a weekday or month; an address with a blank inside goes on with " @".
  bool MayStartPhrase(size_t begin, size_t end) const {
    if (end + 1 < text_.size() && text_[end] == ' ' && text_[end + 1] == '@') return true;
    return end - begin >= 3 && end - begin <= 9 && IsUpper(text_[begin]) &&
           IsMonthOrWeekday(Slice(begin, end));
  }

  size_t Separator(size_t i) {
    const std::string_view rest = text_.substr(i);
    if (const size_t n = MatchHiddenAddress(rest); n > 0) {
      EmitApart(MaskToken::kEmail, i, i + n);
      return i + n;
    }
    if (const size_t n = MatchHalfAddress(rest); n > 0) {
      Emit(SegmentKind::kGap, i, i + 1);
      EmitToken(MaskToken::kEmail, i + 1, i + n);
      return i + n;
    }
    if (rest[0] == '\\' && rest.size() > 1 &&
        (rest[1] == 'n' || rest[1] == 'r' || rest[1] == 't')) {
      // A line's end as programs print it.
      line_start_ = rest[1] != 't';
      Emit(SegmentKind::kGap, i, i + 2);
      return i + 2;
    }
    Emit(SegmentKind::kGap, i, i + 1);
    return i + 1;
  }

  size_t High(size_t i) {
    HighChar c = ClassifyHigh(text_.substr(i));
    if (c.kind == HighKind::kSpaced) return ScanRun(i);
    if (c.kind == HighKind::kInvalid) {
      Emit(SegmentKind::kInvalid, i, i + 1);
      return i + 1;
    }
    if (c.kind != HighKind::kUnspaced) {
      Emit(SegmentKind::kGap, i, i + c.bytes);
      return i + c.bytes;
    }
    size_t end = i;
    while (c.kind == HighKind::kUnspaced) {
      end += c.bytes;
      if (end == text_.size() || !IsHigh(text_[end])) break;
      c = ClassifyHigh(text_.substr(end));
    }
    Emit(SegmentKind::kWord, i, end);
    return end;
  }

  size_t RunEnd(const size_t begin) const {
    size_t i = begin;
    while (i < text_.size()) {
      const CharClass k = ClassOf(text_[i]);
      if (k == CharClass::kBlank || k == CharClass::kSeparator) break;
      if (k == CharClass::kPunct && text_[i] == '&' && MatchEntity(text_.substr(i)) > 0) break;
      if (k != CharClass::kHigh) {
        ++i;
        continue;
      }
      const HighChar c = ClassifyHigh(text_.substr(i));
      const bool inside_word = c.kind == HighKind::kApostrophe && i > begin &&
                               (IsLetter(text_[i - 1]) || IsHigh(text_[i - 1])) &&
                               StartsLetter(i + c.bytes);
      if (c.kind != HighKind::kSpaced && !inside_word) break;
      i += c.bytes;
    }
    return i;
  }

  bool StartsLetter(size_t i) const {
    if (i >= text_.size()) return false;
    if (!IsHigh(text_[i])) return IsLetter(text_[i]);
    return ClassifyHigh(text_.substr(i)).kind == HighKind::kSpaced;
  }

  size_t ScanRun(size_t i) {
    if (const size_t entity = MatchEntity(text_.substr(i)); entity > 0) {
      Emit(SegmentKind::kGap, i, i + entity);
      return i + entity;
    }
    const size_t end = RunEnd(i);
    // john @ example.com
    if (end + 2 < text_.size() && text_[end] == ' ' && text_[end + 1] == '@' &&
        IsWordByte(text_[i]) && !HoldsMaskToken(Slice(i, end))) {
      const size_t domain = end + 2 + (text_[end + 2] == ' ' ? 1 : 0);
      if (domain < text_.size() && IsWordByte(text_[domain]) && !IsHigh(text_[domain])) {
        const size_t domain_end = TrimEnd(domain, RunEnd(domain));
        if (IsHost(Slice(domain, domain_end))) {
          EmitApart(MaskToken::kEmail, i, domain_end, NameOfHost(Slice(domain, domain_end)));
          return domain_end;
        }
      }
    }
    if (IsDigit(text_[i]) || IsLetter(text_[i])) {
      const std::string_view rest = text_.substr(i);
      if (IsDigit(text_[i])) {
        if (const size_t n = MatchDuration(rest); n > 0) {
          EmitApart(MaskToken::kDuration, i, i + n);
          return i + n;
        }
      }
      if (const size_t n = MatchDate(rest); n > 0) {
        EmitApart(MaskToken::kDate, i, i + n);
        return i + n;
      }
    }
    for (size_t at = i; (at = text_.substr(0, end).find("://", at)) != std::string_view::npos;
         ++at) {
      size_t start = at;
      while (start > i && IsLetter(text_[start - 1])) --start;
      if (start > i && IsWordByte(text_[start - 1])) continue;
      if (const size_t n = MatchUrl(text_.substr(start)); n > 0) {
        Part(i, start);
        EmitUrl(start, start + n);
        return start + n;
      }
    }
    Part(i, end);
    return end;
  }

  void EmitUrl(size_t begin, size_t end) {
    const UrlParts url = SplitUrl(Slice(begin, end));
    const std::string_view name = NameOfHost(url.host);
    EmitApart(MaskToken::kUrl, begin, end, name, name.empty() ? std::string_view() : url.hint);
  }

  size_t TrimEnd(size_t begin, size_t end) const {
    while (end > begin && IsPunct(text_[end - 1])) --end;
    return end;
  }

  void Part(size_t begin, size_t end) {
    size_t from = begin;
    while (from < end && IsPunct(text_[from])) ++from;
    const size_t to = TrimEnd(from, end);
    if (from == to) {
      Emit(SegmentKind::kGap, begin, end);
      return;
    }
    if (from - begin >= 2 && text_[from - 1] == ':' && text_[from - 2] == ':' &&
        IsIpv6(Slice(from - 2, to))) {
      Emit(SegmentKind::kGap, begin, from - 2);
      EmitToken(MaskToken::kIpv6, from - 2, to);
      Emit(SegmentKind::kGap, to, end);
      return;
    }
    Emit(SegmentKind::kGap, begin, from);
    size_t stop = to;
    while (stop < end && text_[stop] == '@') ++stop;
    if (stop > to && !HoldsMaskToken(Slice(from, to))) {
      EmitToken(MaskToken::kEmail, from, stop);  // half of an address
      Emit(SegmentKind::kGap, stop, end);
      return;
    }
    if (to - from > 4 && text_[from + 3] == '-' && IsReplyCode(Slice(from, from + 3))) {
      Reply(from, from + 3);
      from += 3;
      const size_t joint = from;
      while (from < to && IsPunct(text_[from])) ++from;
      Emit(SegmentKind::kGap, joint, from);
    }
    Core(from, stop);
    Emit(SegmentKind::kGap, stop, end);
  }

  // A part without punctuation around it but for @. REQUIRES: begin < end.
  void Core(size_t begin, size_t end) {
    const std::string_view part = Slice(begin, end);
    const Makeup m = LookAt(part);
    if (!m.AnyPunct()) {
      Word(begin, end, m);
      return;
    }
    if (m.IsWordWithApostrophe()) {
      Emit(SegmentKind::kWord, begin, end);
      return;
    }
    if (!m.underscore || !HoldsMaskToken(part)) {
      const Verdict verdict = JudgePart(part, m);
      switch (verdict.kind) {
        case VerdictKind::kNothing:
          break;
        case VerdictKind::kToken:
          return EmitToken(verdict.token, begin, end, verdict.name);
        case VerdictKind::kUrl:
          return EmitUrl(begin, end);
        case VerdictKind::kJoined:
          return Emit(SegmentKind::kJoined, begin, end);
        case VerdictKind::kEnhanced:
          return Enhanced(begin, end);
      }
    }
    const int level = LoosestJoint(m);
    for (size_t i = begin; i < end;) {
      size_t stop = i;
      while (stop < end && !IsJoint(text_[stop], level)) ++stop;
      Part(i, stop);
      if (stop < end) Emit(SegmentKind::kGap, stop, stop + 1);
      i = stop + 1;
    }
  }

  void Word(size_t begin, size_t end, const Makeup& m) {
    const std::string_view word = Slice(begin, end);
    if (m.letters == 0 && m.digits == 0 && !m.high) {
      Emit(SegmentKind::kGap, begin, end);  // underscores
      return;
    }
    if (m.underscore) {
      if (const MaskToken token = FindMaskToken(word); token != MaskToken::kNone) {
        EmitToken(token, begin, end);
        return;
      }
    }
    if (m.digits == 0 || m.high) {
      Emit(m.digits == 0 ? SegmentKind::kWord : SegmentKind::kCode, begin, end);
      return;
    }
    switch (ClassifyWord(word)) {
      case WordKind::kWord:
        Emit(SegmentKind::kCode, begin, end);
        return;
      case WordKind::kReply:
        Reply(begin, end);
        return;
      case WordKind::kNumber:
        EmitToken(MaskToken::kNumber, begin, end);
        return;
      case WordKind::kSize:
        EmitToken(MaskToken::kNumber, begin, end, SizeUnit(word));
        return;
      case WordKind::kDuration:
        EmitToken(MaskToken::kDuration, begin, end);
        return;
      case WordKind::kId:
        EmitToken(MaskToken::kId, begin, end);
        return;
    }
  }

  // The first reply code is the text's own; the same one at the head of a later line, or anywhere
  // once "550-" told that lines follow, is dropped with the enhanced code that it repeats.
  void Reply(size_t begin, size_t end) {
    const bool continues = end < text_.size() && text_[end] == '-';
    const std::string_view code = Slice(begin, end);
    if (reply_.empty()) {
      reply_ = code;
      several_lines_ = continues;
      Emit(SegmentKind::kCode, begin, end);
      return;
    }
    const bool repeats = code == reply_ && (line_start_ || several_lines_);
    Emit(repeats ? SegmentKind::kDropped : SegmentKind::kCode, begin, end);
    after_dropped_ = repeats;
    several_lines_ = several_lines_ || (repeats && continues);
  }

  void Enhanced(size_t begin, size_t end) {
    const std::string_view code = Slice(begin, end);
    const bool repeats = after_dropped_ && code == enhanced_;
    if (enhanced_.empty() && !reply_.empty()) enhanced_ = code;
    Emit(repeats ? SegmentKind::kDropped : SegmentKind::kJoined, begin, end);
  }

  const std::string_view text_;
  Sink* const sink_;
  size_t masked_bytes_ = 0;     // of the text so far as Mask writes it
  size_t token_end_ = 0;        // where the last token ended
  std::string_view reply_;      // the first reply code
  std::string_view enhanced_;   // the first enhanced code
  bool several_lines_ = false;  // "550-" was seen
  bool line_start_ = true;      // nothing but gaps since the line's start
  bool after_dropped_ = false;  // nothing but gaps since a dropped reply code
};

}  // namespace rebound
