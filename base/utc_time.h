// Times as people and programs read them. Thread-safe.
#pragma once

#include <chrono>
#include <string>

namespace rebound {

// "2026-05-01T12:00:00Z": ISO 8601, UTC, whole seconds.
std::string UtcTime(std::chrono::system_clock::time_point time);
inline std::string UtcNow() { return UtcTime(std::chrono::system_clock::now()); }

}  // namespace rebound
