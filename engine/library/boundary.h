// Where C++ ends and C begins: no exception passes, and what went wrong is told to the thread that
// asked. Thread-safe.
#pragma once

#include <exception>
#include <new>
#include <string_view>

#include "base/error.h"
#include "engine/library/rebound.h"

namespace rebound {

rebound_status StatusOf(ErrorCode code);
// Keeps the text for rebound_last_error and gives `status` back. Never throws.
rebound_status Fail(rebound_status status, std::string_view text) noexcept;

// Runs `body`, whose Errors become statuses.
template <class Body>
rebound_status Bounded(Body body) noexcept {
  try {
    body();
    return REBOUND_OK;
  } catch (const Error& error) {
    return Fail(StatusOf(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    return Fail(REBOUND_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return Fail(REBOUND_INTERNAL, error.what());
  } catch (...) {
    return Fail(REBOUND_INTERNAL, "an exception of an unknown kind");
  }
}

[[noreturn]] inline void Misused(const std::string& why) {
  throw Error(ErrorCode::kInvalidArgument, why);
}

template <class Pointer>
void CheckGiven(Pointer pointer, const char* name) {
  if (pointer == nullptr) Misused(std::string(name) + " is NULL");
}

// The bytes of a text argument. Throws kInvalidArgument for NULL (of length 0 too).
std::string_view TextArgument(const char* text, size_t length, const char* name);

}  // namespace rebound
