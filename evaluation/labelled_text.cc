#include "evaluation/labelled_text.h"

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

LabelledText ReadRow(std::string_view line, size_t number, const std::vector<std::string>& keys) {
  const JsonDocument row = ParseJson(line);
  LabelledText text;
  text.text = GetJsonString(row, "text");
  const JsonValue* id = FindJson(row, "id");
  text.id = id != nullptr && id->IsString() ? std::string(JsonText(*id)) : std::to_string(number);
  if (FindJson(row, "sure") != nullptr) text.sure = GetJsonBool(row, "sure");
  for (const std::string& key : keys) {
    std::vector<std::string> classes = ReadClasses(row, key);
    if (!classes.empty()) text.classes.emplace(key, std::move(classes));
  }
  return text;
}

}  // namespace

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
