// Momentum's bounce codes: the twenty that it knows, and the custom classes of a configuration.
// Numbers and names are wire values: never change one. All data is static and Immutable; a
// CodeBook is Thread-compatible.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rebound {

enum class BounceCategory : uint8_t { kUndetermined, kHard, kSoft, kBlock, kAdmin };

// "Hard", "Soft", "Block", "Admin", "Undetermined".
std::string_view BounceCategoryName(BounceCategory category);

struct BounceCode {
  int number;
  std::string_view name;
  BounceCategory category;
  bool suppress;  // the recipient gets no more mail: 10, 30 and 90
};

// The twenty, by number.
std::span<const BounceCode> BounceCodes();
// Null where it is none of the twenty.
const BounceCode* FindBounceCode(int number);

// The twenty and the custom classes of one configuration. A custom class has the category
// Undetermined and never suppresses: nothing but its name is known.
class CodeBook {
 public:
  // Throws kInvalidArgument where the number is not above 0 and below 100, is one of the twenty or
  // was added before, and where the name is empty.
  void Add(int number, std::string name);

  // The view of the name lives as long as the book.
  std::optional<BounceCode> Find(int number) const;
  const std::map<int, std::string>& custom() const { return custom_; }

 private:
  std::map<int, std::string> custom_;
};

}  // namespace rebound
