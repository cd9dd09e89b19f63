// Runs library_test.lua in a Lua of this process, so that the sanitizers see the module too.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <lua.hpp>
#include <string>

#include "base/file.h"
#include "tests/support/bundles.h"

namespace rebound {
namespace {

std::string ModulePath() {
  const char* const bin = std::getenv("REBOUND_BIN");
  return std::string(bin == nullptr ? "build/release/bin" : bin) + "/../lib/lua/5.4/?.so";
}

class LuaModuleTest : public testing::Test {
 protected:
  LuaModuleTest() : store_(folder_.path() / "models") {
    for (const Task task : kTasks) {
      test::TestBundle bundle;
      bundle.task = task;
      bundle.fallback_threshold = 0.5;
      test::PublishTestBundle(&store_, bundle);
    }
  }
  // Libraries, package.cpath, and the globals MODELS and FOLDER.
  void Prepare(lua_State* L) {
    luaL_openlibs(L);
    lua_pushstring(L, store_.root().c_str());
    lua_setglobal(L, "MODELS");
    lua_pushstring(L, folder_.path().c_str());
    lua_setglobal(L, "FOLDER");
    lua_getglobal(L, "package");
    lua_pushstring(L, ModulePath().c_str());
    lua_setfield(L, -2, "cpath");
    lua_pop(L, 1);
  }

  TempFolder folder_;
  BundleStore store_;
};

TEST_F(LuaModuleTest, EveryTestOfTheLuaFilePasses) {
  lua_State* const L = luaL_newstate();
  Prepare(L);
  ASSERT_EQ(luaL_dofile(L, "tests/unit/engine/library_test.lua"), LUA_OK) << lua_tostring(L, -1);
  int tests = 0;
  for (lua_pushnil(L); lua_next(L, -2) != 0; ++tests) {
    // The collector at its busiest: what a call forgot to hold would be gone.
    lua_gc(L, LUA_GCINC, 1, 1000, 1);
    EXPECT_EQ(lua_pcall(L, 0, 0, 0), LUA_OK)
        << lua_tostring(L, -2) << ": " << lua_tostring(L, -1) << (lua_pop(L, 1), "");
  }
  EXPECT_GT(tests, 10);
  lua_close(L);
}

// What Lua's memory is counted by.
struct Budget {
  size_t used = 0;
  size_t most = SIZE_MAX;
};

void* Allocate(void* budget, void* block, size_t old_size, size_t new_size) {
  auto* const of = static_cast<Budget*>(budget);
  if (block == nullptr) old_size = 0;  // Lua tells the kind of object there
  if (new_size > old_size && of->used + new_size - old_size > of->most) return nullptr;
  of->used += new_size - old_size;
  if (new_size != 0) return std::realloc(block, new_size);
  std::free(block);
  return nullptr;
}

TEST_F(LuaModuleTest, MemoryThatEndsAnywhereIsALuaErrorAndLeaksNothing) {
  Budget budget;
  lua_State* const L = lua_newstate(Allocate, &budget);
  Prepare(L);
  ASSERT_EQ(luaL_dostring(L, R"(
      local rebound = require "rebound"
      assert(rebound.init{models = MODELS})
      return function()
        local client <close> = assert(rebound.open{models = MODELS})
        rebound.answer("554 listed by zen.spamhaus.org")
        rebound.classify_smtp_response("550 unknown", "one.example")
        rebound.message("From: MAILER-DAEMON@one.example\n\n<a@b.example>: 550 unknown\n")
        rebound.identify_blocklist("listed by zen.spamhaus.org")
        rebound.model_info()
        rebound.register_text_fallback{pattern = "(", label = "spam_blocked"}
      end)"),
            LUA_OK)
      << lua_tostring(L, -1);
  int failures = 0;
  int status = LUA_ERRMEM;
  for (size_t room = 0; status != LUA_OK && room < 200'000; room += 256) {
    lua_gc(L, LUA_GCCOLLECT, 0);
    lua_pushvalue(L, -1);
    budget.most = budget.used + room;
    status = lua_pcall(L, 0, 0, 0);
    budget.most = SIZE_MAX;
    if (status == LUA_OK) break;
    EXPECT_NE(std::string(lua_tostring(L, -1)).find("memory"), std::string::npos)
        << lua_tostring(L, -1);
    lua_pop(L, 1);
    ++failures;
  }
  EXPECT_EQ(status, LUA_OK);
  EXPECT_GT(failures, 5);
  lua_close(L);
  EXPECT_EQ(budget.used, 0u);
}

}  // namespace
}  // namespace rebound
