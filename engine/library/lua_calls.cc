#include "engine/library/lua_calls.h"

#include "engine/library/lua_box.h"

namespace rebound {

const char kDefaultLuaClient = 0;

namespace {

// `first` is the index of the first argument behind the client.
using Call = int (*)(lua_State* L, rebound_client* client, int first);

int Outcome(lua_State* L, rebound_status status) {
  if (status != REBOUND_OK) return PushFailure(L, rebound_last_error(), status);
  lua_pushboolean(L, 1);
  return 1;
}

int PushCode(lua_State* L, int code, const char* name, const char* description) {
  lua_pushinteger(L, code);
  lua_pushstring(L, name);
  lua_pushstring(L, description);
  return 3;
}

int ClassifySmtpResponse(lua_State* L, rebound_client* client, int first) {
  lua_settop(L, first + 1);
  LuaBox* const box = PushLuaBox(L);
  size_t length = 0;
  const char* const text = luaL_checklstring(L, first, &length);
  const rebound_status status = rebound_classify(client, text, length, NameArgument(L, first + 1),
                                                 REBOUND_SMTP, &box->answer);
  if (status != REBOUND_OK) return PushFailure(L, rebound_last_error(), status);
  return DoneWith(box, PushCode(L, rebound_answer_momentum_code(box->answer),
                                rebound_answer_momentum_name(box->answer),
                                rebound_answer_momentum_description(box->answer)));
}

rebound_status ReadMessage(lua_State* L, rebound_client* client, int first, LuaBox* box) {
  size_t length = 0;
  const char* const message = luaL_checklstring(L, first, &length);
  return rebound_classify_message(client, message, length, &box->report);
}

// A whole message: code, name and description as of a reply.
int ClassifyMessage(lua_State* L, rebound_client* client, int first) {
  lua_settop(L, first);
  LuaBox* const box = PushLuaBox(L);
  const rebound_status status = ReadMessage(L, client, first, box);
  if (status != REBOUND_OK) return PushFailure(L, rebound_last_error(), status);
  const rebound_report* const report = box->report;
  const int code = rebound_report_momentum_code(report);
  if (code != 0) {
    return DoneWith(box, PushCode(L, code, rebound_report_momentum_name(report),
                                  rebound_report_momentum_description(report)));
  }
  const char* const reason = rebound_report_reason(report);
  lua_pushnil(L);
  lua_pushstring(L, reason != nullptr ? reason : "the message tells of no failed delivery");
  lua_pushstring(L, rebound_report_kind(report));
  return DoneWith(box, 3);
}

int Message(lua_State* L, rebound_client* client, int first) {
  lua_settop(L, first);
  LuaBox* const box = PushLuaBox(L);
  const rebound_status status = ReadMessage(L, client, first, box);
  if (status != REBOUND_OK) return PushFailure(L, rebound_last_error(), status);
  PushJsonValue(L, box, rebound_report_json(box->report));
  return DoneWith(box, 1);
}

using JsonOf = const char* (*)(const rebound_answer*);

int AnswerAs(lua_State* L, rebound_client* client, int first, JsonOf json_of) {
  static const char* const kKinds[] = {"smtp", "mdn", nullptr};
  lua_settop(L, first + 2);
  LuaBox* const box = PushLuaBox(L);
  size_t length = 0;
  const char* const text = luaL_checklstring(L, first, &length);
  const char* const domain = NameArgument(L, first + 1);
  const int kind = luaL_checkoption(L, first + 2, "smtp", kKinds);
  const rebound_status status = rebound_classify(client, text, length, domain, kind, &box->answer);
  if (status != REBOUND_OK) return PushFailure(L, rebound_last_error(), status);
  PushJsonValue(L, box, json_of(box->answer));
  return DoneWith(box, 1);
}

int Answer(lua_State* L, rebound_client* client, int first) {
  return AnswerAs(L, client, first, rebound_answer_json);
}

int Postalsys(lua_State* L, rebound_client* client, int first) {
  return AnswerAs(L, client, first, rebound_answer_postalsys_json);
}

int RegisterTextFallback(lua_State* L, rebound_client* client, int first) {
  luaL_checktype(L, first, LUA_TTABLE);
  const int top = lua_gettop(L);
  static const char* const kKeys[] = {"pattern", "label"};
  for (const char* const key : kKeys) {
    if (lua_getfield(L, first, key) != LUA_TSTRING) {
      return luaL_error(L, "the field '%s' of the rule is %s, not a string", key,
                        luaL_typename(L, -1));
    }
  }
  return Outcome(L, rebound_register_text_rule(client, NameArgument(L, top + 1, false),
                                               NameArgument(L, top + 2, false)));
}

int ClearTextFallbacks(lua_State* L, rebound_client* client, int) {
  return Outcome(L, rebound_clear_text_rules(client));
}

int Reload(lua_State* L, rebound_client* client, int first) {
  return Outcome(L, rebound_reload(client, NameArgument(L, first)));
}

int ReloadRules(lua_State* L, rebound_client* client, int) {
  return Outcome(L, rebound_reload_rules(client));
}

int SetOverrides(lua_State* L, rebound_client* client, int first) {
  return Outcome(L, rebound_set_overrides(client, NameArgument(L, first)));
}

int SetTextRules(lua_State* L, rebound_client* client, int first) {
  return Outcome(L, rebound_set_text_rules(client, NameArgument(L, first)));
}

using InfoOf = rebound_status (*)(rebound_client*, char**);

int PushInfo(lua_State* L, rebound_client* client, InfoOf info_of) {
  LuaBox* const box = PushLuaBox(L);
  const rebound_status status = info_of(client, &box->text);
  if (status != REBOUND_OK) return PushFailure(L, rebound_last_error(), status);
  PushJsonValue(L, box, box->text);
  return DoneWith(box, 1);
}

int ModelInfo(lua_State* L, rebound_client* client, int) {
  return PushInfo(L, client, rebound_model_info_json);
}

int Rules(lua_State* L, rebound_client* client, int) {
  return PushInfo(L, client, rebound_rules_json);
}

template <Call kCall>
int AsMethod(lua_State* L) {
  const auto* const of = static_cast<LuaClient*>(luaL_checkudata(L, 1, kLuaClientType));
  luaL_argcheck(L, of->client != nullptr, 1, "the client is closed");
  return kCall(L, of->client, 2);
}

// On the client of rebound.init.
template <Call kCall>
int AsFunction(lua_State* L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &kDefaultLuaClient);
  const auto* const of = static_cast<LuaClient*>(luaL_testudata(L, -1, kLuaClientType));
  lua_pop(L, 1);  // the registry holds it
  if (of == nullptr || of->client == nullptr) {
    return PushFailure(L, "there are no models yet: call rebound.init{models = DIR} first",
                       REBOUND_UNAVAILABLE);
  }
  return kCall(L, of->client, 1);
}

struct CallOfBoth {
  const char* name;
  lua_CFunction method;    // of a client
  lua_CFunction function;  // of the module
};
template <Call kCall>
constexpr CallOfBoth Both(const char* name) {
  return {name, AsMethod<kCall>, AsFunction<kCall>};
}
constexpr CallOfBoth kCalls[] = {Both<ClassifySmtpResponse>("classify_smtp_response"),
                                 Both<ClassifyMessage>("classify"),
                                 Both<Message>("message"),
                                 Both<Answer>("answer"),
                                 Both<Postalsys>("postalsys"),
                                 Both<RegisterTextFallback>("register_text_fallback"),
                                 Both<ClearTextFallbacks>("clear_text_fallbacks"),
                                 Both<Reload>("reload"),
                                 Both<ReloadRules>("reload_rules"),
                                 Both<SetOverrides>("set_overrides"),
                                 Both<SetTextRules>("set_text_rules"),
                                 Both<ModelInfo>("model_info"),
                                 Both<Rules>("rules")};

void AddCalls(lua_State* L, lua_CFunction CallOfBoth::*form) {
  for (const CallOfBoth& call : kCalls) {
    lua_pushcfunction(L, call.*form);
    lua_setfield(L, -2, call.name);
  }
}

}  // namespace

void AddLuaMethods(lua_State* L) { AddCalls(L, &CallOfBoth::method); }
void AddLuaFunctions(lua_State* L) { AddCalls(L, &CallOfBoth::function); }

}  // namespace rebound
