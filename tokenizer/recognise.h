// What a piece of text is, judged by its own bytes alone: no recogniser looks beyond the text that
// it is given. That is what makes masking stable: a masked text is cut at the same places and each
// part that stayed is judged as before. Pure, Thread-safe, linear.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rebound {

// In the order of kMaskTokens.
enum class MaskToken : uint8_t {
  kEmail,
  kIpv4,
  kIpv6,
  kHost,
  kUrl,
  kUuid,
  kId,
  kNumber,
  kDate,
  kDuration,
  kNone,
};

// Which mask token `word` is, to the letter.
MaskToken FindMaskToken(std::string_view word);

// 550: three digits from 250 to 599.
bool IsReplyCode(std::string_view text);
// 5.7.1: class 2, 4 or 5, then two numbers of one to three digits.
bool IsEnhancedCode(std::string_view text);
// SC-001, AUP#1260, DOC-1369: capitals, one joint, two to four digits.
bool IsProviderCode(std::string_view text);
bool IsIpv4(std::string_view text);
bool IsIpv6(std::string_view text);
bool IsUuid(std::string_view text);
bool IsHost(std::string_view text);
// An id of several parts: 38308e7fff4ca-317d13bdb9esi41173941fa.224, 1mpXYZ-0001Ab-Cd.
bool IsJoinedId(std::string_view text);
// 2021-11-22, 22.11.2021, 22-Nov-2021, 2021-11-22T01:14:43Z.
bool IsDate(std::string_view text);
// 01:14, 01:14:43.
bool IsTime(std::string_view text);

// A word of ASCII letters, digits and underscores with at least one digit.
enum class WordKind : uint8_t {
  kWord,      // stays: tss04, s3150, ofr_506, 5xx
  kReply,     // 550
  kNumber,    // 12345
  kSize,      // 25MB: a number and a unit
  kDuration,  // 300s, 1h30m
  kId,        // 9441D8220E
};
WordKind ClassifyWord(std::string_view word);
// The unit of a kSize word. REQUIRES: ClassifyWord(word) == kSize.
std::string_view SizeUnit(std::string_view word);

// Patterns of several words; each gives the bytes that it takes from the start of `text`, or 0.
// "Mon, 22 Nov 2021 01:14:43 +0000", "Nov 22 01:14:43".
size_t MatchDate(std::string_view text);
// "300 seconds", "5 Minuten", "10 分钟".
size_t MatchDuration(std::string_view text);
bool IsMonthOrWeekday(std::string_view word);

// [email protected], as web pages print an address that they hide from robots.
size_t MatchHiddenAddress(std::string_view text);
// <jane.r EMAIL>, half masked by somebody else; without the closing bracket.
size_t MatchHalfAddress(std::string_view text);
// &lt; and its like: it separates like the character that it stands for.
size_t MatchEntity(std::string_view text);

// An address of the web at the start of `text`, as far as it goes; 0 where there is none.
size_t MatchUrl(std::string_view text);
struct UrlParts {
  std::string_view host;
  std::string_view hint;  // a word of letters that tells the page: ?p=NoSuchUser, /EXOSmtpErrors
};
UrlParts SplitUrl(std::string_view url);

}  // namespace rebound
