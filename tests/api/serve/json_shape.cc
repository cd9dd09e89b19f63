#include "tests/api/serve/json_shape.h"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace rebound::test {
namespace {

void CheckKeywords(const JsonValue& schema) {
  static const std::set<std::string_view> kKnown = {
      "type",    "description", "properties", "required", "additionalProperties",
      "items",   "enum",        "oneOf",      "minimum",  "maximum",
      "default", "format"};
  for (const auto& member : schema.GetObject()) {
    if (kKnown.count(JsonText(member.name)) == 0) {
      throw std::runtime_error("the keyword is not known: " + std::string(JsonText(member.name)));
    }
  }
}

bool IsOfType(const JsonValue& value, std::string_view type) {
  if (type == "object") return value.IsObject();
  if (type == "array") return value.IsArray();
  if (type == "string") return value.IsString();
  if (type == "boolean") return value.IsBool();
  if (type == "null") return value.IsNull();
  if (type == "integer") return value.IsInt64();
  if (type == "number") return value.IsNumber();
  throw std::runtime_error("the type is not known: " + std::string(type));
}

// `type`: a type's name, or an array of them.
bool IsOfOneType(const JsonValue& value, const JsonValue& type) {
  if (type.IsString()) return IsOfType(value, JsonText(type));
  return std::any_of(type.Begin(), type.End(),
                     [&](const JsonValue& one) { return IsOfType(value, JsonText(one)); });
}

std::string ObjectProblem(const JsonValue& document, const JsonValue& schema,
                          const JsonValue& value, const std::string& place) {
  if (const JsonValue* required = FindJson(schema, "required")) {
    for (const JsonValue& name : required->GetArray()) {
      if (FindJson(value, JsonText(name)) == nullptr) {
        return place + " lacks " + std::string(JsonText(name));
      }
    }
  }
  const JsonValue* properties = FindJson(schema, "properties");
  const JsonValue* additional = FindJson(schema, "additionalProperties");
  for (const auto& member : value.GetObject()) {
    const std::string at = place + "/" + std::string(JsonText(member.name));
    const JsonValue* shape =
        properties == nullptr ? nullptr : FindJson(*properties, JsonText(member.name));
    if (shape == nullptr && additional != nullptr) {
      if (additional->IsBool()) {
        if (!additional->GetBool()) return at + " is not described";
        continue;
      }
      shape = additional;
    }
    if (shape == nullptr) continue;
    const std::string problem = ShapeProblem(document, *shape, member.value, at);
    if (!problem.empty()) return problem;
  }
  return "";
}

}  // namespace

const JsonValue& Resolve(const JsonValue& document, const JsonValue& value) {
  const JsonValue* ref = value.IsObject() ? FindJson(value, "$ref") : nullptr;
  if (ref == nullptr) return value;
  const std::string_view path = JsonText(*ref);
  const JsonValue* at = &document;
  if (path.substr(0, 2) != "#/") throw std::runtime_error("a foreign $ref: " + std::string(path));
  for (size_t begin = 2; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    at = at == nullptr ? nullptr : FindJson(*at, path.substr(begin, end - begin));
    begin = end + 1;
  }
  if (at == nullptr) throw std::runtime_error("there is no " + std::string(path));
  return *at;
}

std::string ShapeProblem(const JsonValue& document, const JsonValue& any_schema,
                         const JsonValue& value, const std::string& place) {
  const JsonValue& schema = Resolve(document, any_schema);
  CheckKeywords(schema);
  if (const JsonValue* choices = FindJson(schema, "oneOf")) {
    int fitting = 0;
    std::string problems;
    for (const JsonValue& choice : choices->GetArray()) {
      const std::string problem = ShapeProblem(document, choice, value, place);
      fitting += problem.empty();
      problems += "; " + problem;
    }
    return fitting == 1 ? "" : place + " fits " + std::to_string(fitting) + " forms" + problems;
  }
  const JsonValue* type = FindJson(schema, "type");
  if (type != nullptr && !IsOfOneType(value, *type)) {
    return place + " is no " + (type->IsString() ? std::string(JsonText(*type)) : "such value");
  }
  if (const JsonValue* known = FindJson(schema, "enum")) {
    bool found = false;
    for (const JsonValue& one : known->GetArray()) found = found || one == value;
    if (!found) return place + " is none of the values";
  }
  if (value.IsNumber()) {
    const JsonValue* least = FindJson(schema, "minimum");
    const JsonValue* most = FindJson(schema, "maximum");
    if (least != nullptr && value.GetDouble() < least->GetDouble()) return place + " is too small";
    if (most != nullptr && value.GetDouble() > most->GetDouble()) return place + " is too large";
  }
  if (value.IsArray()) {
    const JsonValue* items = FindJson(schema, "items");
    for (rapidjson::SizeType i = 0; items != nullptr && i < value.Size(); ++i) {
      const std::string problem =
          ShapeProblem(document, *items, value[i], place + "/" + std::to_string(i));
      if (!problem.empty()) return problem;
    }
  }
  return value.IsObject() ? ObjectProblem(document, schema, value, place) : "";
}

}  // namespace rebound::test
