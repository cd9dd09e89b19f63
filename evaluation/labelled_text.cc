#include "evaluation/labelled_text.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

namespace rebound {
namespace {

std::vector<std::string> ReadClasses(const JsonValue& row, const std::string& key) {
  const JsonValue* value = FindJson(row, key);
  if (value == nullptr || value->IsNull()) return {};
  if (value->IsString()) return {std::string(JsonText(*value))};
  return GetJsonStrings(row, key);
}

std::string ReadOptionalString(const JsonValue& row, std::string_view key) {
  const JsonValue* value = FindJson(row, key);
  return value != nullptr && value->IsString() ? std::string(JsonText(*value)) : std::string();
}

LabelledText ReadRow(std::string_view line, size_t number, const std::vector<std::string>& keys) {
  const JsonDocument row = ParseJson(line);
  LabelledText text;
  text.text = GetJsonString(row, "text");
  text.id = ReadOptionalString(row, "id");
  if (text.id.empty()) text.id = std::to_string(number);
  text.source = ReadOptionalString(row, "source");
  text.language = ReadOptionalString(row, "lang");
  if (FindJson(row, "sure") != nullptr) text.sure = GetJsonBool(row, "sure");
  for (const std::string& key : keys) {
    std::vector<std::string> classes = ReadClasses(row, key);
    if (!classes.empty()) text.classes.emplace(key, std::move(classes));
  }
  return text;
}

struct ScriptRange {
  char32_t first, last;
  const char* name;
};
// Unicode's blocks; kana decides for Japanese, whose texts hold Han letters too.
constexpr std::array<ScriptRange, 14> kScripts = {{
    {0x0041, 0x007A, "Latin"},
    {0x00C0, 0x024F, "Latin with accents"},
    {0x0370, 0x03FF, "Greek"},
    {0x0400, 0x052F, "Cyrillic"},
    {0x0590, 0x05FF, "Hebrew"},
    {0x0600, 0x06FF, "Arabic"},
    {0x0900, 0x097F, "Devanagari"},
    {0x0E00, 0x0E7F, "Thai"},
    {0x1E00, 0x1EFF, "Latin with accents"},
    {0x3040, 0x30FF, "Japanese"},
    {0x3400, 0x4DBF, "Han"},
    {0x4E00, 0x9FFF, "Han"},
    {0xAC00, 0xD7AF, "Hangul"},
    {0xF900, 0xFAFF, "Han"},
}};

}  // namespace

std::string SourceName(std::string_view source) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (source.substr(0, scheme.size()) != scheme) continue;
    source.remove_prefix(scheme.size());
    source = source.substr(0, source.find_first_of("/?#: "));
    break;
  }
  const std::string_view name = Trim(source.substr(0, source.find_first_of(":[")));
  return name.empty() ? "not said" : std::string(name);
}

std::string ScriptOf(std::string_view text) {
  std::map<std::string, int> letters;
  while (!text.empty()) {
    const CodePoint point = DecodeUtf8(text);
    text.remove_prefix(point.bytes);
    if (point.value > 'Z' && point.value < 'a') continue;
    for (const ScriptRange& range : kScripts) {
      if (point.value >= range.first && point.value <= range.last) ++letters[range.name];
    }
  }
  // Addresses, hosts and codes are Latin in every language: a quarter of other letters decides.
  const int latin = letters["Latin"];
  const int accents = letters["Latin with accents"];
  letters.erase("Latin");
  letters.erase("Latin with accents");
  if (letters["Japanese"] > 0) letters["Japanese"] += letters["Han"];
  const auto most = std::max_element(letters.begin(), letters.end(),
                                     [](auto& a, auto& b) { return a.second < b.second; });
  if (most->second > 0 && 4 * most->second >= latin) return most->first;
  if (latin + accents == 0) return "other";
  return accents > 0 ? "Latin with accents" : "Latin";
}

std::vector<LabelledText> ParseLabelledTexts(std::string_view jsonl,
                                             const std::vector<std::string>& keys) {
  std::vector<LabelledText> rows;
  size_t number = 0;
  for (const std::string_view line : Split(jsonl, '\n')) {
    ++number;
    if (Trim(line).empty()) continue;
    try {
      rows.push_back(ReadRow(line, number, keys));
    } catch (const Error& e) {
      throw Error(ErrorCode::kInvalidArgument, "line " + std::to_string(number) + ": " + e.what());
    }
  }
  return rows;
}

}  // namespace rebound
