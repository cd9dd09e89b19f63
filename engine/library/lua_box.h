// What the functions of the Lua module share.
//
// A Lua error is a longjmp over the frames of C++, so no function of the module holds an object
// with a destructor while it calls Lua: what has to be freed stands in a Box, which the garbage
// collector knows. Errors of data come back as nil, message, status name; wrong types of arguments
// are Lua errors.
#pragma once

#include <lua.hpp>

#include "engine/library/lua_json.h"
#include "engine/library/rebound.h"

namespace rebound {

// What one call has to free, whatever happens.
struct LuaBox {
  rebound_answer* answer;
  rebound_report* report;
  char* text;
  LuaJson* json;
};

// Once a state, before any other of these.
void RegisterLuaBox(lua_State* L);
// Stays on the stack until the C function returns.
LuaBox* PushLuaBox(lua_State* L);
// Frees what the call held, before the collector comes to it, and gives `results` back.
int DoneWith(LuaBox* box, int results);

// Pushes nil, message and the status's name: 3 results.
int PushFailure(lua_State* L, const char* message, rebound_status status);
// Pushes the JSON's value, or the one of `key`.
void PushJsonValue(lua_State* L, LuaBox* box, const char* json, const char* key = nullptr);
// A string that becomes a C string; null where it is nil and may be.
const char* NameArgument(lua_State* L, int index, bool may_be_nil = true);

}  // namespace rebound
