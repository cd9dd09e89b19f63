// The one exception type of the project.
//
// Foreign exceptions stop in the folder that owns the library and leave it as an Error, which names
// the thing and the remedy. Expected outcomes are values, never errors. A code says what the caller
// should do; serve/ maps codes to HTTP in one table.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace rebound {

enum class ErrorCode {
  kInvalidArgument,  // the caller's input is wrong: mend it, do not repeat it
  kNotFound,         // the named thing is not there
  kConflict,         // the thing is there already, or another run holds it
  kTooLarge,         // a limit was exceeded: send less
  kUnavailable,      // a passing fault (database away, disk full): the same call may work later
  kCorrupt,          // stored data does not hold what it promised: restore or retrain
  kCancelled,        // the user stopped it
  kInternal,         // a fault of ours
};

// "invalid_argument", "not_found", ...: stable names for logs and JSON.
std::string_view ErrorCodeName(ErrorCode code);

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace rebound
