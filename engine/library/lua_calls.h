// What a client does for Lua: methods of clients, and functions of the module on its default
// client.
#pragma once

#include <lua.hpp>

#include "engine/library/rebound.h"

namespace rebound {

// The userdata of kLuaClientType.
struct LuaClient {
  rebound_client* client;  // null: closed
};
inline constexpr char kLuaClientType[] = "rebound.client";
// Its address is the key of the default client in the registry.
extern const char kDefaultLuaClient;

// Set the calls as fields of the table on top of the stack.
void AddLuaMethods(lua_State* L);
void AddLuaFunctions(lua_State* L);

}  // namespace rebound
