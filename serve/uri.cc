#include "serve/uri.h"

#include <algorithm>
#include <cstdint>

#include "base/error.h"
#include "base/text.h"

namespace rebound {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string Decode(std::string_view text, bool plus_is_space) {
  const auto is_coded = [&](char c) { return c == '%' || (plus_is_space && c == '+'); };
  if (std::none_of(text.begin(), text.end(), is_coded)) return std::string(text);
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 1 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        throw Error(ErrorCode::kInvalidArgument,
                    "the URL holds a % without two hexadecimal digits");
      }
      decoded.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      decoded.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return decoded;
}

}  // namespace

Target ParseTarget(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.starts_with('/')) break;
    if (AsciiLower(target.substr(0, scheme.size())) != scheme) continue;
    const size_t path = target.find_first_of("/?", scheme.size());
    target = path == std::string_view::npos ? "/" : target.substr(path);
  }
  Target parsed;
  const size_t question = target.find('?');
  parsed.path = Decode(target.substr(0, question), false);
  if (parsed.path.empty() || parsed.path[0] != '/') {
    throw Error(ErrorCode::kInvalidArgument, "the URL's path does not begin with /");
  }
  if (question == std::string_view::npos) return parsed;
  for (const std::string_view part : Split(target.substr(question + 1), '&')) {
    if (part.empty()) continue;
    const size_t equals = part.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
    parsed.query.emplace_back(Decode(part.substr(0, equals), true), Decode(value, true));
  }
  return parsed;
}

std::optional<bool> FindBool(const Target& target, std::string_view name) {
  std::optional<bool> found;
  for (const auto& [key, value] : target.query) {
    if (key != name) continue;
    if (found) {
      throw Error(ErrorCode::kInvalidArgument, "query parameter '" + key + "' is given twice");
    }
    if (value == "true" || value == "1") {
      found = true;
    } else if (value == "false" || value == "0") {
      found = false;
    } else {
      throw Error(ErrorCode::kInvalidArgument,
                  "query parameter '" + key + "' must be true, false, 1 or 0");
    }
  }
  return found;
}

}  // namespace rebound
