// Whose fault a bounce is and whether its recipient should get no more mail, from one pure table
// over the three answers, the codes of the reply and an override. docs/suppression.md tells why.
//
// Invariants, tested over every input: `yes` comes only where all three labels say that the address
// does not exist, each surely, and no code says that it may change, or where an override says so;
// labels that contradict each other never give it; `yes` and `after_repeats` come only with the
// recipient's fault. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/vocabulary.h"
#include "models/task.h"

namespace rebound {

enum class Suppress : uint8_t {
  kNo,            // the recipient is not why
  kAfterRepeats,  // the recipient is why, but it may change: when it has bounced so several times
  kYes,           // the address does not exist: remove it now
};
inline constexpr size_t kSuppressCount = 3;
// Its wire value: "no", "after_repeats", "yes".
std::string_view SuppressName(Suppress suppress);

// From which (calibrated) probability on an answer is sure enough to remove an address. One figure
// for the tasks, above every bundle's fallback threshold; docs/suppression.md has the measurement.
inline constexpr float kSureOfRecipient = 0.9F;
// `probability`: the model's, of the answered label. `by_people`: an override or a text rule said
// it, whatever the model thinks. `fallback_threshold`: the bundle's; below it nothing is sure.
inline bool IsSureOfRecipient(float probability, double fallback_threshold, bool by_people) {
  return by_people || (probability >= kSureOfRecipient && probability >= fallback_threshold);
}

struct VerdictInput {
  Labels labels;  // the answers, after overrides, rules and status codes
  std::array<bool, kTaskCount> sure = {};
  std::string_view reply_code;     // as FindStatusCodes gives it; empty: none
  std::string_view enhanced_code;  // likewise
  // Momentum's code or a custom class where an override decided. Its labels stand in `labels`
  // already, where it has any (FindMomentumMeaning).
  std::optional<int> override_code;
};

struct Verdict {
  Fault fault;
  Suppress suppress;
  bool operator==(const Verdict&) const = default;
};

// REQUIRES: labels of their tasks.
Verdict JudgeBounce(const VerdictInput& input);

}  // namespace rebound
