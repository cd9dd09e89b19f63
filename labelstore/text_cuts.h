// A text with spans taken out or replaced. Thread-compatible.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace rebound {

class TextCuts {
 public:
  // `text` must outlive the cuts.
  explicit TextCuts(std::string_view text) : text_(text) {}

  // Spans come in order; one that starts before the end of the last is left as it is.
  void Replace(size_t begin, size_t end, std::string_view by) {
    if (begin < done_) return;
    out_.append(text_.substr(done_, begin - done_)).append(by);
    done_ = end;
  }
  // Where the last span ended.
  size_t done() const { return done_; }
  // What came of it. REQUIRES: called once, at the end.
  std::string Finish() { return std::move(out_.append(text_.substr(done_))); }

 private:
  const std::string_view text_;
  std::string out_;
  size_t done_ = 0;
};

}  // namespace rebound
