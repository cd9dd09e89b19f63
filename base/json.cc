#include "base/json.h"

#include <rapidjson/error/en.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/writer.h>

#include <charconv>
#include <cmath>
#include <optional>

namespace rebound {
namespace {

// RapidJSON's output stream over a std::string.
struct Appender {
  using Ch = char;
  std::string* out;
  void Put(char c) { out->push_back(c); }
  void Flush() {}
};

[[noreturn]] void ThrowKey(std::string_view key, const char* what) {
  throw Error(ErrorCode::kInvalidArgument, "key '" + std::string(key) + "' " + what);
}

rapidjson::SizeType Size(std::string_view text) {
  return static_cast<rapidjson::SizeType>(text.size());
}

template <class Number>
std::string_view Shortest(Number value, char (&buffer)[40]) {
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, static_cast<size_t>(end - buffer)};
}

}  // namespace

JsonDocument ParseJson(std::string_view text) {
  JsonDocument document;
  constexpr unsigned kFlags = rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag;
  document.Parse<kFlags>(text.data(), text.size());
  if (document.HasParseError()) {
    throw Error(ErrorCode::kInvalidArgument,
                "JSON at byte " + std::to_string(document.GetErrorOffset()) + ": " +
                    rapidjson::GetParseError_En(document.GetParseError()));
  }
  return document;
}

const JsonValue* FindJson(const JsonValue& object, std::string_view key) {
  if (!object.IsObject()) ThrowKey(key, "is asked of a value that is no JSON object");
  const JsonValue name(rapidjson::StringRef(key.data(), Size(key)));
  const auto it = object.FindMember(name);
  return it == object.MemberEnd() ? nullptr : &it->value;
}

const JsonValue& GetJson(const JsonValue& object, std::string_view key) {
  const JsonValue* value = FindJson(object, key);
  if (value == nullptr) ThrowKey(key, "is missing");
  return *value;
}

std::string_view GetJsonString(const JsonValue& object, std::string_view key) {
  const JsonValue& value = GetJson(object, key);
  if (!value.IsString()) ThrowKey(key, "is not a string");
  return JsonText(value);
}

int64_t GetJsonInt(const JsonValue& object, std::string_view key) {
  const JsonValue& value = GetJson(object, key);
  if (!value.IsInt64()) ThrowKey(key, "is not an integer");
  return value.GetInt64();
}

double GetJsonDouble(const JsonValue& object, std::string_view key) {
  const JsonValue& value = GetJson(object, key);
  if (!value.IsNumber()) ThrowKey(key, "is not a number");
  return value.GetDouble();
}

bool GetJsonBool(const JsonValue& object, std::string_view key) {
  const JsonValue& value = GetJson(object, key);
  if (!value.IsBool()) ThrowKey(key, "is not true or false");
  return value.GetBool();
}

std::vector<std::string> GetJsonStrings(const JsonValue& object, std::string_view key) {
  const JsonValue& value = GetJson(object, key);
  if (!value.IsArray()) ThrowKey(key, "is not an array");
  std::vector<std::string> strings;
  for (const JsonValue& item : value.GetArray()) {
    if (!item.IsString()) ThrowKey(key, "holds something that is not a string");
    strings.emplace_back(JsonText(item));
  }
  return strings;
}

struct JsonWriter::State {
  Appender stream;
  std::optional<rapidjson::Writer<Appender>> compact;
  std::optional<rapidjson::PrettyWriter<Appender>> pretty;

  template <class Call>
  void Do(Call call) {
    if (compact) {
      call(*compact);
    } else {
      call(*pretty);
    }
  }
};

JsonWriter::JsonWriter(std::string* out, bool pretty) : state_(std::make_unique<State>()) {
  state_->stream.out = out;
  if (pretty) {
    state_->pretty.emplace(state_->stream).SetIndent(' ', 2);
  } else {
    state_->compact.emplace(state_->stream);
  }
}

JsonWriter::~JsonWriter() = default;

JsonWriter& JsonWriter::StartObject() {
  state_->Do([](auto& w) { w.StartObject(); });
  return *this;
}
JsonWriter& JsonWriter::EndObject() {
  state_->Do([](auto& w) { w.EndObject(); });
  return *this;
}
JsonWriter& JsonWriter::StartArray() {
  state_->Do([](auto& w) { w.StartArray(); });
  return *this;
}
JsonWriter& JsonWriter::EndArray() {
  state_->Do([](auto& w) { w.EndArray(); });
  return *this;
}
JsonWriter& JsonWriter::Key(std::string_view key) {
  state_->Do([&](auto& w) { w.Key(key.data(), Size(key)); });
  return *this;
}
JsonWriter& JsonWriter::String(std::string_view value) {
  state_->Do([&](auto& w) { w.String(value.data(), Size(value)); });
  return *this;
}
JsonWriter& JsonWriter::Int(int64_t value) {
  state_->Do([&](auto& w) { w.Int64(value); });
  return *this;
}
JsonWriter& JsonWriter::Uint(uint64_t value) {
  state_->Do([&](auto& w) { w.Uint64(value); });
  return *this;
}
JsonWriter& JsonWriter::Double(double value) {
  if (!std::isfinite(value)) return Null();
  char buffer[40];
  const std::string_view text = Shortest(value, buffer);
  state_->Do([&](auto& w) { w.RawValue(text.data(), text.size(), rapidjson::kNumberType); });
  return *this;
}
JsonWriter& JsonWriter::Float(float value) {
  if (!std::isfinite(value)) return Null();
  char buffer[40];
  const std::string_view text = Shortest(value, buffer);
  state_->Do([&](auto& w) { w.RawValue(text.data(), text.size(), rapidjson::kNumberType); });
  return *this;
}
JsonWriter& JsonWriter::Bool(bool value) {
  state_->Do([&](auto& w) { w.Bool(value); });
  return *this;
}
JsonWriter& JsonWriter::Null() {
  state_->Do([](auto& w) { w.Null(); });
  return *this;
}
JsonWriter& JsonWriter::Raw(std::string_view json) {
  state_->Do([&](auto& w) { w.RawValue(json.data(), json.size(), rapidjson::kObjectType); });
  return *this;
}
JsonWriter& JsonWriter::Value(const JsonValue& value) {
  state_->Do([&](auto& w) { value.Accept(w); });
  return *this;
}

void AppendJsonString(std::string_view text, std::string* out) {
  Appender stream{out};
  rapidjson::Writer<Appender> writer(stream);
  writer.String(text.data(), Size(text));
}

}  // namespace rebound
