#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

#include "base/error.h"
#include "serve/options.h"

namespace rebound {
namespace {

ServeOptions Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), {"rebound-serve", "--models", "m"});
  return ParseServeOptions(static_cast<int>(arguments.size()), arguments.data()).value();
}

TEST(CacheOptions, AreInMemoryByDefault) {
  const ServeOptions options = Parse({});
  EXPECT_TRUE(options.cache.enabled);
  EXPECT_EQ(options.cache.max_bytes, 104'857'600u);
  EXPECT_FALSE(options.cache.timed);
  EXPECT_EQ(options.cache_saver.folder, "");
  EXPECT_EQ(options.cache_saver.every, std::chrono::minutes(5));
  EXPECT_FALSE(options.cache.secret == Parse({}).cache.secret) << "a new one each time";
}

TEST(CacheOptions, SetUpTheSnapshot) {
  setenv("HALON_BNAC_CACHE_FOLDER", "/from/variable", 1);
  const ServeOptions by_variable = Parse({});
  const ServeOptions by_flag = Parse({"--cache-folder", "/from/flag", "--cache-save-every", "1.5"});
  unsetenv("HALON_BNAC_CACHE_FOLDER");
  EXPECT_EQ(by_variable.cache_saver.folder, "/from/variable");
  EXPECT_EQ(by_flag.cache_saver.folder, "/from/flag");
  EXPECT_EQ(by_flag.api.cache.folder, "/from/flag") << "as /v1/cache/info tells it";
  EXPECT_EQ(by_flag.cache_saver.every, std::chrono::milliseconds(1500));
  EXPECT_NE(by_flag.cache_saver.program, "");
}

TEST(CacheOptions, NameWhatIsWrong) {
  const auto error_of = [](std::vector<const char*> arguments) -> std::string {
    try {
      Parse(std::move(arguments));
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(error_of({"--cache-size", "-1"}),
            "--cache-size must be between 0 and 1099511627776 (see --help)");
  EXPECT_NE(error_of({"--cache-save-every", "0"}), "");
  EXPECT_EQ(error_of({"--cache", "perhaps"}),
            "--cache must be true or false; it is 'perhaps' (see --help)");
}

}  // namespace
}  // namespace rebound
