#include "engine/library/lua_json.h"

#include <lua.hpp>

#include "base/json.h"

namespace rebound {

struct LuaJson {
  JsonDocument document;
};

LuaJson* ParseLuaJson(const char* json) noexcept {
  if (json == nullptr) return nullptr;
  try {
    return new LuaJson{ParseJson(json)};
  } catch (...) {
    return nullptr;
  }
}

void FreeLuaJson(LuaJson* json) noexcept { delete json; }

namespace {

void Push(lua_State* L, const JsonValue& value) {
  luaL_checkstack(L, 4, "the answer is nested too deeply");
  switch (value.GetType()) {
    case rapidjson::kNullType:
      lua_pushnil(L);
      return;
    case rapidjson::kFalseType:
    case rapidjson::kTrueType:
      lua_pushboolean(L, value.GetBool() ? 1 : 0);
      return;
    case rapidjson::kStringType:
      lua_pushlstring(L, value.GetString(), value.GetStringLength());
      return;
    case rapidjson::kNumberType:
      if (value.IsInt64()) {
        lua_pushinteger(L, value.GetInt64());
      } else {
        lua_pushnumber(L, value.GetDouble());
      }
      return;
    case rapidjson::kArrayType:
      lua_createtable(L, static_cast<int>(value.Size()), 0);
      for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
        Push(L, value[i]);
        lua_rawseti(L, -2, static_cast<lua_Integer>(i) + 1);
      }
      return;
    case rapidjson::kObjectType:
      lua_createtable(L, 0, static_cast<int>(value.MemberCount()));
      for (auto member = value.MemberBegin(); member != value.MemberEnd(); ++member) {
        lua_pushlstring(L, member->name.GetString(), member->name.GetStringLength());
        Push(L, member->value);
        lua_rawset(L, -3);
      }
      return;
  }
}

}  // namespace

void PushLuaJson(lua_State* L, const LuaJson& json, const char* key) {
  if (key == nullptr) {
    Push(L, json.document);
    return;
  }
  const auto found = json.document.FindMember(key);
  if (found == json.document.MemberEnd()) {
    lua_pushnil(L);
  } else {
    Push(L, found->value);
  }
}

}  // namespace rebound
