// The words that FindRetryAfter knows. Pure, Thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

namespace rebound {

enum class RetryWord : uint8_t {
  kNone,
  kUnit,       // "minutes"; value: seconds
  kAlone,      // "godzinę": an hour where no number stands before it; value: seconds
  kNumber,     // "five"; value
  kRetry,      // "again": a time after it is asked for, but not after "for"
  kWait,       // "wait": any time after it is asked for
  kHold,       // "greylisted": a time after it is how long it lasts
  kOver,       // "tried": a time after it is over, or is a limit
  kLimit,      // "per", directly before a number: no waiting time
  kSoftLimit,  // "noch": the same unless somebody is to wait
  kFor,        // "for"
  kIn,         // "in"
  kThen,       // "через": the time directly after it is one to wait
  kFiller,     // "about": as if it were not there
  kLater,      // "後", directly after a time: it is one to wait
  kGone,       // "ago", directly after a time: no waiting time
};

// A word may mean several things: what it is decides where it stands.
struct RetryMeaning {
  double unit = 0;                      // seconds; 0: no unit
  double alone = 0;                     // seconds of a whole time in one word
  double number = 0;                    // 0: no number
  RetryWord cue = RetryWord::kNone;     // kRetry, kWait, kHold or kOver
  RetryWord before = RetryWord::kNone;  // directly before a time: kLimit to kFiller
  RetryWord after = RetryWord::kNone;   // directly after a time: kLater or kGone
  size_t unit_bytes = 0;
  size_t number_bytes = 0;
  size_t bytes = 0;  // of the longest word that was found
};

// The meaning of a whole word in lower case.
RetryMeaning MeaningOfWord(std::string_view word);
// The meaning of the longest known word at the start of `text`, for scripts without blanks.
RetryMeaning MeaningAtStart(std::string_view text);

}  // namespace rebound
