// JSON by RapidJSON (tests/bench/base measures it against the other packaged libraries on the API's
// bodies).
//
// Parsing is strict: one value, valid UTF-8, full-precision numbers, bounded depth on the heap.
// Objects keep their order. Look-ups throw an Error that names the key, so callers read fields in
// one line each. Functions are Thread-safe; a document is Thread-compatible.
#pragma once

// A wrong type is our fault or the input's: an Error, never an abort.
#include "base/error.h"
#ifndef RAPIDJSON_ASSERT
#define RAPIDJSON_ASSERT(x)                                             \
  ((x) ? static_cast<void>(0)                                           \
       : throw ::rebound::Error(::rebound::ErrorCode::kInvalidArgument, \
                                "JSON of another type than expected: " #x))
#define RAPIDJSON_NOEXCEPT_ASSERT(x) static_cast<void>(x)
#define RAPIDJSON_HAS_STDSTRING 1
#endif
#include <rapidjson/document.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rebound {

using JsonDocument = rapidjson::Document;
using JsonValue = rapidjson::Value;

// Throws kInvalidArgument: "JSON at byte 17: Missing a comma or }".
JsonDocument ParseJson(std::string_view text);

// Each throws kInvalidArgument "key 'x' ..." where the key is missing or of another type.
const JsonValue* FindJson(const JsonValue& object, std::string_view key);  // null where missing
const JsonValue& GetJson(const JsonValue& object, std::string_view key);
std::string_view GetJsonString(const JsonValue& object, std::string_view key);
int64_t GetJsonInt(const JsonValue& object, std::string_view key);
double GetJsonDouble(const JsonValue& object, std::string_view key);
bool GetJsonBool(const JsonValue& object, std::string_view key);
std::vector<std::string> GetJsonStrings(const JsonValue& object, std::string_view key);

inline std::string_view JsonText(const JsonValue& value) {
  return {value.GetString(), value.GetStringLength()};
}

// Appends JSON to a string as it is told, with commas and escapes right. Strings must be valid
// UTF-8. Thread-compatible. Calls out of order throw kInvalidArgument or make wrong JSON.
//
//   std::string out;
//   JsonWriter(&out).Object([&](JsonWriter& w) { w.Key("class").String("SPF"); });
class JsonWriter {
 public:
  explicit JsonWriter(std::string* out, bool pretty = false);
  ~JsonWriter();
  JsonWriter(const JsonWriter&) = delete;
  JsonWriter& operator=(const JsonWriter&) = delete;

  JsonWriter& StartObject();
  JsonWriter& EndObject();
  JsonWriter& StartArray();
  JsonWriter& EndArray();
  JsonWriter& Key(std::string_view key);
  JsonWriter& String(std::string_view value);
  JsonWriter& Int(int64_t value);
  JsonWriter& Uint(uint64_t value);
  JsonWriter& Double(double value);  // shortest text that reads back; null for NaN and infinity
  JsonWriter& Float(float value);    // shortest text that reads back to this float32
  JsonWriter& Bool(bool value);
  JsonWriter& Null();
  JsonWriter& Raw(std::string_view json);  // a complete JSON value
  JsonWriter& Value(const JsonValue& value);

  template <class Body>
  JsonWriter& Object(Body body) {
    StartObject();
    body(*this);
    return EndObject();
  }
  template <class Body>
  JsonWriter& Array(Body body) {
    StartArray();
    body(*this);
    return EndArray();
  }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// `text` as a JSON string with its quotes.
void AppendJsonString(std::string_view text, std::string* out);

}  // namespace rebound
