// JSON as Lua values: objects and arrays as tables, numbers as integers where they are.
#pragma once

struct lua_State;

namespace rebound {

// Parsed JSON that outlives a Lua error: whoever holds it frees it in a __gc.
struct LuaJson;
// Null where there is no memory, or it is no JSON. Never throws.
LuaJson* ParseLuaJson(const char* json) noexcept;
void FreeLuaJson(LuaJson* json) noexcept;

// Pushes the value, or the one of `key` (nil where it has none). May raise a Lua error, which jumps
// over this frame and its callers: none of them may hold an object with a destructor.
void PushLuaJson(lua_State* L, const LuaJson& json, const char* key = nullptr);

}  // namespace rebound
