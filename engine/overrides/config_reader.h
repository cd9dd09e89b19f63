// Reads the configuration language of Momentum, as far as its override module needs it: options,
// blocks, lists and maps. What the words mean is config.h's business.
//
//     name = value            value: word, number, "text", ( list, ... ), [ key = value, ... ]
//     kind "name" { ... }     # a comment, to the end of the line
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rebound {

struct ConfigPlace {
  uint32_t line = 0;
  uint32_t column = 0;  // in bytes, from 1
};

struct ConfigEntry;

struct ConfigValue {
  enum class Type : uint8_t { kWord, kText, kList, kMap };

  Type type = Type::kWord;
  ConfigPlace place;
  std::string text;                  // of a word (numbers are words) or text
  std::vector<ConfigValue> items;    // of a list
  std::vector<ConfigEntry> entries;  // of a map
};

// `name = value`, or a block: `name { entries }`, `name "argument" { entries }`.
struct ConfigEntry {
  std::string name;
  ConfigPlace place;
  bool is_block = false;
  std::string argument;
  ConfigValue value;                 // where it is no block
  std::vector<ConfigEntry> entries;  // where it is
};

// Throws kInvalidArgument "NAME:LINE:COLUMN: what is wrong" for the first fault; `name` is the
// file's. Depth is bounded.
std::vector<ConfigEntry> ReadConfig(std::string_view text, const std::string& name);

// "NAME:LINE:COLUMN: what", the form of every message about a configuration.
std::string AtPlace(const std::string& name, ConfigPlace place, const std::string& what);

}  // namespace rebound
