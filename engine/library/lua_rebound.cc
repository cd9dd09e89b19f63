// The Lua module `rebound`, over rebound.h alone: opening clients, and what needs no models.
// docs/library.md describes it for its users, lua_box.h how its functions are written.
#include <cstdlib>
#include <cstring>
#include <lua.hpp>

#include "engine/library/lua_box.h"
#include "engine/library/lua_calls.h"
#include "engine/library/rebound.h"

namespace rebound {
namespace {

// --- Clients ---

int CloseClient(lua_State* L) {
  auto* const of = static_cast<LuaClient*>(luaL_checkudata(L, 1, kLuaClientType));
  rebound_close(of->client);
  of->client = nullptr;
  return 0;
}

int DescribeClient(lua_State* L) {
  const auto* const of = static_cast<LuaClient*>(luaL_checkudata(L, 1, kLuaClientType));
  lua_pushfstring(L, of->client == nullptr ? "rebound.client (closed)" : "rebound.client (%p)",
                  static_cast<void*>(of->client));
  return 1;
}

struct Option {
  const char* name;
  rebound_status (*set)(rebound_client*, const char*);  // null: the models
};
constexpr Option kOptions[] = {{"models", nullptr},
                               {"overrides", rebound_set_overrides},
                               {"text_rules", rebound_set_text_rules},
                               {"backoff_policy", rebound_set_backoff_policy}};

// A mistyped option must not pass for one that was left out.
void CheckOptions(lua_State* L, int table) {
  lua_pushnil(L);
  while (lua_next(L, table) != 0) {
    if (lua_type(L, -2) != LUA_TSTRING) luaL_argerror(L, table, "has an option without a name");
    const char* const name = lua_tostring(L, -2);
    bool known = false;
    for (const Option& option : kOptions) known = known || std::strcmp(option.name, name) == 0;
    if (!known) luaL_error(L, "there is no option '%s'", name);
    if (lua_type(L, -1) != LUA_TSTRING) {
      luaL_error(L, "the option '%s' is %s, not a string", name, luaL_typename(L, -1));
    }
    if (std::strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1)) {
      luaL_error(L, "the option '%s' holds a NUL byte", name);
    }
    lua_pop(L, 1);
  }
}

// {models = DIR, ...} or DIR or nothing at 1. Pushes the client, or nil and what is wrong.
int Open(lua_State* L) {
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) {
    lua_newtable(L);
    lua_replace(L, 1);
  } else if (lua_type(L, 1) == LUA_TSTRING) {
    lua_createtable(L, 0, 1);
    lua_insert(L, 1);
    lua_setfield(L, 1, "models");
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  CheckOptions(L, 1);
  auto* const of = static_cast<LuaClient*>(lua_newuserdatauv(L, sizeof(LuaClient), 0));
  of->client = nullptr;
  luaL_setmetatable(L, kLuaClientType);
  for (const Option& option : kOptions) {
    lua_getfield(L, 1, option.name);
    const char* value = lua_tostring(L, -1);
    rebound_status status = REBOUND_OK;
    if (option.set == nullptr) {
      if (value == nullptr) value = std::getenv("REBOUND_MODELS");
      if (value == nullptr) {
        return PushFailure(L, "there are no models: give models = DIR or set REBOUND_MODELS",
                           REBOUND_INVALID_ARGUMENT);
      }
      status = rebound_open(value, &of->client);
    } else if (value != nullptr) {
      status = option.set(of->client, value);
    }
    if (status != REBOUND_OK) {
      rebound_close(of->client);
      of->client = nullptr;
      return PushFailure(L, rebound_last_error(), status);
    }
    lua_pop(L, 1);
  }
  return 1;
}

int Init(lua_State* L) {
  const int results = Open(L);
  if (results != 1) return results;
  lua_rawsetp(L, LUA_REGISTRYINDEX, &kDefaultLuaClient);
  lua_pushboolean(L, 1);
  return 1;
}

// --- Without models ---

// The facts of the text at 1; null where it is blank, so that nothing is in it.
const rebound_answer* FactsOf(lua_State* L, LuaBox* box) {
  size_t length = 0;
  const char* const text = luaL_checklstring(L, 1, &length);
  const rebound_status status = rebound_facts(text, length, &box->answer);
  if (status != REBOUND_OK && status != REBOUND_INVALID_ARGUMENT) {
    luaL_error(L, "%s", rebound_last_error());
  }
  return box->answer;
}

int ExtractRetryTiming(lua_State* L) {
  lua_settop(L, 1);
  LuaBox* const box = PushLuaBox(L);
  const long seconds = rebound_answer_retry_after(FactsOf(L, box));
  if (seconds == 0) {
    lua_pushnil(L);
  } else {
    lua_pushinteger(L, seconds);
  }
  return DoneWith(box, 1);
}

int IdentifyBlocklist(lua_State* L) {
  lua_settop(L, 1);
  LuaBox* const box = PushLuaBox(L);
  if (rebound_answer_blocklist_count(FactsOf(L, box)) == 0) {
    lua_pushnil(L);
  } else {
    PushJsonValue(L, box, rebound_answer_postalsys_json(box->answer), "blocklist");
  }
  return DoneWith(box, 1);
}

int ExtractSmtpCodes(lua_State* L) {
  lua_settop(L, 1);
  LuaBox* const box = PushLuaBox(L);
  const rebound_answer* const facts = FactsOf(L, box);
  lua_createtable(L, 0, 2);
  lua_pushstring(L, rebound_answer_smtp_code(facts));  // nil for NULL: no field
  lua_setfield(L, -2, "mainCode");
  lua_pushstring(L, rebound_answer_enhanced_code(facts));
  lua_setfield(L, -2, "extendedCode");
  return DoneWith(box, 1);
}

int Facts(lua_State* L) {
  lua_settop(L, 1);
  LuaBox* const box = PushLuaBox(L);
  if (FactsOf(L, box) == nullptr) {
    lua_newtable(L);
  } else {
    PushJsonValue(L, box, rebound_answer_json(box->answer));
  }
  return DoneWith(box, 1);
}

int GetAction(lua_State* L) {
  lua_pushstring(L, rebound_recommended_action(NameArgument(L, 1, false)));
  return 1;
}

int Labels(lua_State* L) {
  static const char* const kTasks[] = {"bnac", "backoff", "label", nullptr};
  const int task = luaL_checkoption(L, 1, "label", kTasks);
  lua_newtable(L);
  for (size_t i = 0; const char* const name = rebound_label_name(task, i); ++i) {
    lua_pushstring(L, name);
    lua_rawseti(L, -2, static_cast<lua_Integer>(i) + 1);
  }
  return 1;
}

int Version(lua_State* L) {
  lua_pushstring(L, rebound_version());
  return 1;
}

constexpr luaL_Reg kClientEvents[] = {{"__gc", CloseClient},
                                      {"__close", CloseClient},
                                      {"__tostring", DescribeClient},
                                      {nullptr, nullptr}};
constexpr luaL_Reg kFunctions[] = {{"open", Open},
                                   {"init", Init},
                                   {"extract_retry_timing", ExtractRetryTiming},
                                   {"identify_blocklist", IdentifyBlocklist},
                                   {"extract_smtp_codes", ExtractSmtpCodes},
                                   {"facts", Facts},
                                   {"get_action", GetAction},
                                   {"labels", Labels},
                                   {"version", Version},
                                   {nullptr, nullptr}};

}  // namespace
}  // namespace rebound

extern "C" int luaopen_rebound(lua_State* L) {
  rebound::RegisterLuaBox(L);
  luaL_newmetatable(L, rebound::kLuaClientType);
  luaL_setfuncs(L, rebound::kClientEvents, 0);
  lua_newtable(L);
  rebound::AddLuaMethods(L);
  lua_pushcfunction(L, rebound::CloseClient);
  lua_setfield(L, -2, "close");
  lua_setfield(L, -2, "__index");
  luaL_newlib(L, rebound::kFunctions);
  rebound::AddLuaFunctions(L);
  return 1;
}
