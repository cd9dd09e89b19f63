#include "serve/options.h"

#include <charconv>
#include <random>
#include <string>
#include <thread>

#include "base/error.h"
#include "base/program_options.h"
#include "base/text.h"

namespace rebound {
namespace {

namespace po = boost::program_options;

[[noreturn]] void Bad(const std::string& what) {
  throw Error(ErrorCode::kInvalidArgument, what + " (see --help)");
}

// "HOST:PORT" or "[IPV6]:PORT".
void ParseListen(const std::string& text, DoorOptions* door) {
  const size_t colon = text.rfind(':');
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), door->port);
  if (colon == 0 || port.empty() || error != std::errc() || end != port.data() + port.size()) {
    Bad("--listen must be HOST:PORT, such as 127.0.0.1:8080; it is '" + text + "'");
  }
  door->host = text.substr(0, colon);
}

bool ParseBool(const char* name, const std::string& text) {
  const std::string lower = AsciiLower(text);
  if (lower == "true" || lower == "1" || lower == "yes" || lower == "on") return true;
  if (lower == "false" || lower == "0" || lower == "no" || lower == "off") return false;
  Bad(std::string(name) + " must be true or false; it is '" + text + "'");
}

std::vector<Task> ParseTasks(const std::string& text) {
  std::vector<Task> tasks;
  for (const std::string_view name : Split(text, ',')) {
    const auto task = ParseTask(Trim(name));
    if (!task) Bad("--tasks: there is no task '" + std::string(name) + "'");
    tasks.push_back(*task);
  }
  return tasks;
}

// Whole numbers and seconds within sane bounds; boost would let -1 wrap to a huge count.
template <class Number>
Number Bounded(const po::variables_map& values, const char* name, Number least, Number most) {
  const auto value = values[name].as<Number>();
  if (value >= least && value <= most) return value;
  Bad("--" + std::string(name) + " must be between " + std::to_string(least) + " and " +
      std::to_string(most));
}

std::chrono::milliseconds Seconds(const po::variables_map& values, const char* name) {
  const auto seconds = Bounded<double>(values, name, 0.001, 86400.0);
  return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
}

CommandLine MakeCommandLine() {
  CommandLine line;
  line.summary = "Serves the models of --models over HTTP.";
  line.usage = "rebound-serve --models DIR [--listen HOST:PORT] [options]";
  line.epilogue =
      "Starts with missing or broken models too: /readyz tells which and why. SIGHUP looks for "
      "new\n"
      "models at once, SIGTERM and SIGINT finish what is in flight and exit 0.\n"
      "API_KEY, HALON_BNAC_CACHE, HALON_BNAC_CACHE_FOLDER and HALON_BNAC_CACHE_SIZE are read too.";
  line.other_variables = {{"API_KEY", "api-key"},
                          {"HALON_BNAC_CACHE", "cache"},
                          {"HALON_BNAC_CACHE_FOLDER", "cache-folder"},
                          {"HALON_BNAC_CACHE_SIZE", "cache-size"}};
  const auto text = [](const char* initial) {
    return po::value<std::string>()->default_value(initial);
  };
  const auto number = [](int64_t initial) { return po::value<int64_t>()->default_value(initial); };
  const auto seconds = [](double initial) { return po::value<double>()->default_value(initial); };
  auto add = line.options.add_options();
  add("listen", text("127.0.0.1:8080")->value_name("HOST:PORT"),
      "where to listen; port 0 takes a free one");
  add("models", text("")->value_name("DIR"), "the folder of model bundles");
  add("tasks", text("bnac,backoff,action")->value_name("LIST"),
      "the tasks that must serve to be ready");
  add("threads", number(0), "worker threads; 0: one a core");
  add("max-body", number(4 * 1024 * 1024)->value_name("BYTES"), "largest request body");
  add("max-batch", number(1000), "most texts in a request");
  add("max-connections", number(4096), "most connections at once");
  add("idle-timeout", seconds(60)->value_name("SECONDS"),
      "how long a connection may wait between requests");
  add("request-timeout", seconds(30)->value_name("SECONDS"),
      "how long a request may take to arrive, and its answer to leave");
  add("drain-timeout", seconds(30)->value_name("SECONDS"),
      "how long a stop waits for what is in flight");
  add("cache", text("true")->value_name("BOOL"), "remember the models' outputs");
  add("cache-folder", text("")->value_name("DIR"),
      "told by /v1/cache/info; the cache is in memory");
  add("cache-size", number(100 * 1024 * 1024)->value_name("BYTES"),
      "memory that the cache may take");
  add("cache-stats", po::bool_switch(), "count hits and misses for /v1/cache/stats");
  add("cache-timer", po::bool_switch(), "measure the cache for /v1/cache/stats");
  add("api-key", text("")->value_name("KEY"),
      "ask clients for this key; prefer API_KEY in the environment, where ps does not show it");
  add("log-level", text("info"), "debug, info, warning or error");
  add("log-format", text("text"), "text or json");
  add("check-config", po::bool_switch(), "check the options and exit");
  return line;
}

}  // namespace

std::optional<ServeOptions> ParseServeOptions(int argc, const char* const* argv) {
  const auto parsed = ParseOptions(argc, argv, MakeCommandLine());
  if (!parsed) return std::nullopt;
  const po::variables_map& values = *parsed;
  const auto text = [&](const char* name) { return values[name].as<std::string>(); };
  const auto count = [&](const char* name, int64_t least, int64_t most) {
    return static_cast<size_t>(Bounded<int64_t>(values, name, least, most));
  };
  constexpr int64_t kMaxBody = int64_t{1} << 30;
  constexpr int64_t kMaxCache = int64_t{1} << 40;

  ServeOptions options;
  ParseListen(text("listen"), &options.door);
  options.models = text("models");
  if (options.models.empty()) Bad("--models DIR is needed: the folder of model bundles");
  options.tasks = ParseTasks(text("tasks"));
  options.door.threads = static_cast<int>(count("threads", 0, 1024));
  if (options.door.threads == 0) {
    options.door.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  }
  options.door.limits.max_body = count("max-body", 1, kMaxBody);
  options.door.max_connections = count("max-connections", 1, 1'000'000);
  options.door.idle_timeout = Seconds(values, "idle-timeout");
  options.door.request_timeout = Seconds(values, "request-timeout");
  options.drain_timeout = Seconds(values, "drain-timeout");
  options.cache.enabled = ParseBool("--cache", text("cache"));
  options.cache.max_bytes = count("cache-size", 0, kMaxCache);
  options.cache.timed = values["cache-timer"].as<bool>();
  options.cache.seed = std::random_device{}();
  options.api.max_batch = count("max-batch", 1, 1'000'000);
  options.api.api_key = text("api-key");
  options.api.cache.folder = text("cache-folder");
  options.api.cache.max_bytes = options.cache.max_bytes;
  options.api.cache.stats = values["cache-stats"].as<bool>();
  options.api.cache.timer = options.cache.timed;
  options.log_level = ParseLogLevel(text("log-level"));
  if (text("log-format") == "json") {
    options.log_format = LogFormat::kJson;
  } else if (text("log-format") != "text") {
    Bad("--log-format must be text or json; it is '" + text("log-format") + "'");
  }
  options.check_config = values["check-config"].as<bool>();
  return options;
}

}  // namespace rebound
