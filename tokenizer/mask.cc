#include "tokenizer/mask.h"

#include "tokenizer/scanner.h"

namespace rebound {
namespace {

// Writes the text as it is but for tokens.
class MaskSink {
 public:
  explicit MaskSink(std::string* out) : out_(out) {}

  void Add(const Segment& s) {
    if (s.kind == SegmentKind::kInvalid) {
      out_->append("\xef\xbf\xbd");
      return;
    }
    if (s.kind != SegmentKind::kToken) {
      out_->append(s.bytes);
      return;
    }
    if (s.pad_before) out_->push_back(' ');
    out_->append(kMaskTokens[static_cast<size_t>(s.token)]);
    if (!s.name.empty()) out_->append(" ").append(s.name);
    if (!s.hint.empty()) out_->append(" ").append(s.hint);
    if (s.pad_after) out_->push_back(' ');
  }
  size_t Mark() const { return out_->size(); }
  void Rollback(size_t mark) { out_->resize(mark); }

 private:
  std::string* const out_;
};

}  // namespace

std::string Mask(std::string_view text) {
  std::string out;
  out.reserve(text.size() < kMaxTextBytes ? text.size() + 64 : kMaxTextBytes);
  MaskSink sink(&out);
  Scanner<MaskSink>(text, &sink).Run();
  return out;
}

}  // namespace rebound
