// Turns canonical text into the token ids that libsentencepiece would give, without
// libsentencepiece.
//
// Reads SentencePiece's own `.model` (unigram). Ids are equal to libsentencepiece's
// EncodeAsIds token for token, on every input (held by a differential fuzz test).
// Immutable after Parse; Encode is Thread-safe with one Scratch a thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rebound {

class Encoder {
 public:
  // Buffers of one thread; grow to the longest text seen, then no call allocates.
  class Scratch {
   public:
    Scratch();
    ~Scratch();
    Scratch(Scratch&&) noexcept;
    Scratch& operator=(Scratch&&) noexcept;

   private:
    friend class Encoder;
    struct State;
    std::unique_ptr<State> state_;
  };

  // `model` is the bytes of a .model file; they are not needed afterwards.
  // Throws kCorrupt naming what is wrong (not a model, not unigram, scores missing).
  static std::shared_ptr<const Encoder> Parse(std::string_view model);

  ~Encoder();

  // Replaces `*ids` with the ids of `text`: [tokens] int32, each in [0, size()).
  void Encode(std::string_view text, Scratch* scratch, std::vector<int32_t>* ids) const;

  int32_t size() const;                      // pieces in the vocabulary
  std::string_view piece(int32_t id) const;  // REQUIRES: 0 <= id < size()
  int32_t unknown_id() const;

 private:
  struct State;
  explicit Encoder(std::unique_ptr<State> state);
  std::unique_ptr<const State> state_;
};

}  // namespace rebound
