// The rules that a command was given, read once; what is wrong with them goes to standard error.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/ruling.h"

namespace rebound {

// Of --overrides. Tells of bad lines and sources that do not answer. Throws as Overrides does;
// kInvalidArgument where the file is not there. `path` empty: null.
std::unique_ptr<Overrides> LoadOverrides(const std::string& path);

// Thread-safe.
class Rules {
 public:
  Rules(const std::string& overrides, const std::string& text_rules);
  RuleSources sources() const { return {overrides_.get(), &*text_rules_}; }

 private:
  std::unique_ptr<Overrides> overrides_;
  std::optional<TextRuleFile> text_rules_;
};

}  // namespace rebound
