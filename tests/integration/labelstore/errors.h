// What an error says, for tests that compare the whole of it.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace rebound {

// "code: message" of the Error that `body` throws.
template <class Body>
std::string ErrorOf(Body body) {
  try {
    body();
  } catch (const Error& e) {
    return std::string(ErrorCodeName(e.code())) + ": " + e.what();
  }
  return "no error";
}

inline testing::AssertionResult Holds(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << part << "' is not in '" << text << "'";
}

}  // namespace rebound
