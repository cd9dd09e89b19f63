#include "serve/trace.h"

#include <algorithm>
#include <random>

#include "base/random.h"

namespace rebound {
namespace {

std::string MakeRequestId() {
  thread_local Random random = [] {
    std::random_device device;
    return Random(uint64_t{device()} << 32 | device());
  }();
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id;
  id.reserve(32);
  for (int half = 0; half < 2; ++half) {
    uint64_t bits = random.Next();
    for (int i = 0; i < 16; ++i, bits >>= 4) id.push_back(kDigits[bits & 15]);
  }
  return id;
}

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsZero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

}  // namespace

std::string RequestIdOf(const Request& request) {
  constexpr size_t kMostBytes = 128;
  const std::string* id = request.FindHeader("x-request-id");
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (id != nullptr && !id->empty() && id->size() <= kMostBytes &&
      std::all_of(id->begin(), id->end(), printable)) {
    return *id;
  }
  return MakeRequestId();
}

std::optional<TraceParent> ParseTraceParent(std::string_view text) {
  constexpr size_t kBytes = 55;  // of version 00: "00-TRACE-PARENT-FLAGS"
  if (text.size() < kBytes || text[2] != '-' || text[35] != '-' || text[52] != '-') {
    return std::nullopt;
  }
  const std::string_view version = text.substr(0, 2), trace = text.substr(3, 32),
                         parent = text.substr(36, 16), flags = text.substr(53, 2);
  if (!IsLowerHex(version) || !IsLowerHex(trace) || !IsLowerHex(parent) || !IsLowerHex(flags)) {
    return std::nullopt;
  }
  // A later version may append fields; ff is none.
  if (version == "ff" || IsZero(trace) || IsZero(parent)) return std::nullopt;
  if (text.size() > kBytes && (version == "00" || text[kBytes] != '-')) return std::nullopt;
  return TraceParent{std::string(trace), std::string(parent)};
}

std::optional<TraceParent> TraceParentOf(const Request& request) {
  const std::string* found = nullptr;
  for (const auto& [name, value] : request.headers) {
    if (name != "traceparent") continue;
    if (found != nullptr) return std::nullopt;
    found = &value;
  }
  return found == nullptr ? std::nullopt : ParseTraceParent(*found);
}

}  // namespace rebound
