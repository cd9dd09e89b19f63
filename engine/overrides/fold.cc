#include "engine/overrides/fold.h"

#include "base/text.h"

namespace rebound {

void FoldInto(std::string_view text, std::string* out) {
  out->resize(text.size());
  char* to = out->data();
  // Nearly every text is ASCII alone; this loop is made of vector instructions.
  unsigned char any = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    any = static_cast<unsigned char>(any | c);
    const bool upper = static_cast<unsigned char>(c - 'A') < 26;
    to[i] = static_cast<char>(c | static_cast<unsigned char>(upper ? 0x20 : 0));
  }
  if (any < 0x80) return;
  out->clear();
  while (!text.empty()) {
    const CodePoint c = DecodeUtf8(text);
    AppendUtf8(LowerCase(c.value), out);
    text.remove_prefix(c.bytes);
  }
}

std::string Fold(std::string_view text) {
  std::string folded;
  FoldInto(text, &folded);
  return folded;
}

std::string FoldDomain(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  return Fold(domain);
}

}  // namespace rebound
