#include "engine/overrides/bounce_code.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"

namespace rebound {
namespace {

using enum BounceCategory;

constexpr std::array<BounceCode, 20> kCodes = {{
    {1, "Undetermined", kUndetermined, false},
    {10, "Invalid Recipient", kHard, true},
    {20, "Soft Bounce", kSoft, false},
    {21, "DNS Failure", kSoft, false},
    {22, "Mailbox Full", kSoft, false},
    {23, "Too Large", kSoft, false},
    {24, "Timeout", kSoft, false},
    {25, "Admin Failure", kAdmin, false},
    {30, "Generic Bounce: No RCPT", kHard, true},
    {40, "Generic Bounce", kSoft, false},
    {50, "Mail Block", kBlock, false},
    {51, "Spam Block", kBlock, false},
    {52, "Spam Content", kBlock, false},
    {53, "Prohibited Attachment", kBlock, false},
    {54, "Relaying Denied", kBlock, false},
    {60, "Auto-Reply", kSoft, false},
    {70, "Transient Failure", kSoft, false},
    {80, "Subscribe", kAdmin, false},
    {90, "Unsubscribe", kHard, true},
    {100, "Challenge-Response", kSoft, false},
}};

}  // namespace

std::string_view BounceCategoryName(BounceCategory category) {
  switch (category) {
    case kHard:
      return "Hard";
    case kSoft:
      return "Soft";
    case kBlock:
      return "Block";
    case kAdmin:
      return "Admin";
    case kUndetermined:
      break;
  }
  return "Undetermined";
}

std::span<const BounceCode> BounceCodes() { return kCodes; }

const BounceCode* FindBounceCode(int number) {
  const auto it = std::lower_bound(kCodes.begin(), kCodes.end(), number,
                                   [](const BounceCode& c, int n) { return c.number < n; });
  return it != kCodes.end() && it->number == number ? &*it : nullptr;
}

void CodeBook::Add(int number, std::string name) {
  const std::string which = "custom class " + std::to_string(number);
  if (number <= 0 || number >= 100) {
    throw Error(ErrorCode::kInvalidArgument, which + ": the number must be from 1 to 99");
  }
  if (const BounceCode* internal = FindBounceCode(number)) {
    throw Error(ErrorCode::kInvalidArgument, which + ": that number is an internal code, '" +
                                                 std::string(internal->name) +
                                                 "'; choose one that is free");
  }
  if (name.empty()) throw Error(ErrorCode::kInvalidArgument, which + " has an empty name");
  if (!custom_.emplace(number, std::move(name)).second) {
    throw Error(ErrorCode::kInvalidArgument, which + " is given twice");
  }
}

std::optional<BounceCode> CodeBook::Find(int number) const {
  if (const BounceCode* internal = FindBounceCode(number)) return *internal;
  const auto it = custom_.find(number);
  if (it == custom_.end()) return std::nullopt;
  return BounceCode{number, it->second, kUndetermined, false};
}

}  // namespace rebound
