// Checked reading of option values: whole numbers and seconds within sane bounds; boost would let
// -1 wrap to a huge count. All throw kInvalidArgument naming the option.
#pragma once

#include <boost/program_options.hpp>
#include <chrono>
#include <cstdint>
#include <string>

#include "base/error.h"

namespace rebound {

[[noreturn]] inline void BadOption(const std::string& what) {
  throw Error(ErrorCode::kInvalidArgument, what + " (see --help)");
}

template <class Number>
Number BoundedOption(const boost::program_options::variables_map& values, const char* name,
                     Number least, Number most) {
  const auto value = values[name].as<Number>();
  if (value >= least && value <= most) return value;
  BadOption("--" + std::string(name) + " must be between " + std::to_string(least) + " and " +
            std::to_string(most));
}

inline std::chrono::milliseconds SecondsOption(const boost::program_options::variables_map& values,
                                               const char* name, double least = 0.001) {
  const auto seconds = BoundedOption<double>(values, name, least, 86400.0);
  return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
}

}  // namespace rebound
