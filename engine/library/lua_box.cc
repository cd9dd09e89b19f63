#include "engine/library/lua_box.h"

#include <cstring>

namespace rebound {
namespace {

constexpr char kBoxType[] = "rebound.box";

int FreeBox(lua_State* L) {
  return DoneWith(static_cast<LuaBox*>(luaL_checkudata(L, 1, kBoxType)), 0);
}

}  // namespace

void RegisterLuaBox(lua_State* L) {
  luaL_newmetatable(L, kBoxType);
  lua_pushcfunction(L, FreeBox);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

LuaBox* PushLuaBox(lua_State* L) {
  LuaBox* const box = static_cast<LuaBox*>(lua_newuserdatauv(L, sizeof(LuaBox), 0));
  *box = LuaBox{};
  luaL_setmetatable(L, kBoxType);
  return box;
}

int DoneWith(LuaBox* box, int results) {
  rebound_answer_free(box->answer);
  rebound_report_free(box->report);
  rebound_free(box->text);
  FreeLuaJson(box->json);
  *box = LuaBox{};
  return results;
}

int PushFailure(lua_State* L, const char* message, rebound_status status) {
  lua_pushnil(L);
  lua_pushstring(L, message);
  lua_pushstring(L, rebound_status_name(status));
  return 3;
}

void PushJsonValue(lua_State* L, LuaBox* box, const char* json, const char* key) {
  box->json = ParseLuaJson(json);
  if (box->json == nullptr) luaL_error(L, "out of memory");
  PushLuaJson(L, *box->json, key);
}

const char* NameArgument(lua_State* L, int index, bool may_be_nil) {
  if (may_be_nil && lua_isnoneornil(L, index)) return nullptr;
  size_t length = 0;
  const char* const name = luaL_checklstring(L, index, &length);
  luaL_argcheck(L, std::strlen(name) == length, index, "holds a NUL byte");
  return name;
}

}  // namespace rebound
