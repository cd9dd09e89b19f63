#include "serve/options.h"

#include <string>

#include "base/code_version.h"
#include "base/error.h"
#include "base/program_options.h"
#include "base/text.h"
#include "engine/overrides/datasource_reader.h"
#include "serve/checked_options.h"
#include "serve/door_options.h"
#include "serve/gate_options.h"

namespace rebound {
namespace {

namespace po = boost::program_options;

bool ParseBool(const char* name, const std::string& text) {
  const std::string lower = AsciiLower(text);
  if (lower == "true" || lower == "1" || lower == "yes" || lower == "on") return true;
  if (lower == "false" || lower == "0" || lower == "no" || lower == "off") return false;
  BadOption(std::string(name) + " must be true or false; it is '" + text + "'");
}

std::vector<Task> ParseTasks(const std::string& text) {
  std::vector<Task> tasks;
  for (const std::string_view name : Split(text, ',')) {
    const auto task = ParseTask(Trim(name));
    if (!task) BadOption("--tasks: there is no task '" + std::string(name) + "'");
    tasks.push_back(*task);
  }
  return tasks;
}

CommandLine MakeCommandLine() {
  CommandLine line;
  line.summary = "Serves the models of --models over HTTP.";
  line.usage = "rebound-serve --models DIR [--listen HOST:PORT] [options]";
  line.epilogue =
      "Starts with missing or broken models too: /readyz tells which and why. SIGHUP looks for "
      "new\n"
      "models and certificates at once, SIGTERM and SIGINT finish what is in flight and exit 0.\n"
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
  AddDoorOptions(&line.options);
  AddGateOptions(&line.options);
  auto add = line.options.add_options();
  add("models", text("")->value_name("DIR"), "the folder of model bundles");
  add("tasks", text("bnac,backoff,action")->value_name("LIST"),
      "the tasks that must serve to be ready");
  add("max-batch", number(1000), "most texts in a request");
  add("backoff-policy", text("")->value_name("FILE"),
      "YAML or JSON: fields and actions by backoff class; read anew when it changes");
  add("overrides", text("")->value_name("FILE"),
      "rules that go before the models: a configuration of bounce_classifier_override, or a .ovr "
      "or "
      ".csv of SMTP rules (docs/overrides.md)");
  add("text-rules", text("")->value_name("FILE"),
      "patterns that go after the overrides (docs/text-rules.md); read anew when it changes");
  add("store", text("")->value_name("URI"),
      "the label store, a PostgreSQL connection string: for contributions, their review and "
      "training from the API");
  add("from-registry", po::bool_switch(),
      "serve what the registry of --store promotes, fetched into --models (docs/fleet.md)");
  add("store-timeout", seconds(3)->value_name("SECONDS"),
      "how long a contribution waits for the store before it goes to the spool");
  add("spool", text("")->value_name("DIR"),
      "where contributions wait on disk while the store is away; default: beside the folder of "
      "--work-folder, in .spool");
  add("spool-size", number(256 * 1024 * 1024)->value_name("BYTES"),
      "how much may wait there, then contributions are answered 503");
  add("shadow-sample", po::value<double>()->default_value(0.1, "0.1")->value_name("SHARE"),
      "the share of the texts of which a candidate that runs beside the served model is asked, 0 "
      "to 1 (docs/promotion.md)");
  add("shadow-review-per-hour", number(60)->value_name("N"),
      "most of its disagreements that an hour sends to review, where there is a store");
  add("trainer", text("")->value_name("FILE"),
      "rebound-train, for POST /admin/api/retrain; default: beside this program");
  add("work-folder", text("")->value_name("DIR"),
      "where a training run's log stands; default: DIR of --models, in .work");
  add("drain-grace", seconds(0)->value_name("SECONDS"),
      "how long a stop goes on serving with /readyz at 503, before it lets nobody in");
  add("drain-timeout", seconds(30)->value_name("SECONDS"),
      "how long it then waits for what is in flight");
  add("cache", text("true")->value_name("BOOL"), "remember the models' outputs");
  add("cache-folder", text("")->value_name("DIR"),
      "where the cache is kept through restarts; empty: in memory alone");
  add("cache-save-every", seconds(300)->value_name("SECONDS"),
      "how often the cache is written to --cache-folder, and once at the end");
  add("cache-size", number(100 * 1024 * 1024)->value_name("BYTES"),
      "memory that the cache may take");
  add("cache-stats", po::bool_switch(), "count hits and misses for /v1/cache/stats");
  add("cache-timer", po::bool_switch(), "measure the cache for /v1/cache/stats");
  add("log-level", text("info"), "debug, info, warning or error");
  add("log-format", text("text"), "text or json");
  add("check-config", po::bool_switch(), "check the options and exit");
  return line;
}

std::filesystem::path WorkFolderOf(const po::variables_map& values) {
  const std::string named = values["work-folder"].as<std::string>();
  if (!named.empty()) return named;
  return std::filesystem::path(values["models"].as<std::string>()) / ".work";
}

// nullopt without a store.
std::optional<ContributionOptions> ReadContributionOptions(const po::variables_map& values) {
  ContributionOptions options;
  options.store.uri = values["store"].as<std::string>();
  if (options.store.uri.empty()) return std::nullopt;
  options.store.submit_limit = SecondsOption(values, "store-timeout", 0.1);
  options.spool.folder = values["spool"].as<std::string>();
  if (options.spool.folder.empty()) {
    const std::filesystem::path work = std::filesystem::absolute(WorkFolderOf(values));
    options.spool.folder =
        (work.has_filename() ? work : work.parent_path()).parent_path() / ".spool";
  }
  options.spool.max_bytes =
      BoundedOption<int64_t>(values, "spool-size", 64 * 1024, int64_t{1} << 40);
  return options;
}

// What POST /admin/api/retrain runs; nullopt without a store.
std::optional<TrainerOptions> ReadTrainerOptions(const po::variables_map& values) {
  const auto text = [&](const char* name) { return values[name].as<std::string>(); };
  if (text("store").empty()) return std::nullopt;
  TrainerOptions trainer;
  trainer.program = text("trainer");
  if (trainer.program.empty()) {
    std::error_code unknown;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", unknown);
    trainer.program = self.parent_path() / "rebound-train";
  }
  trainer.folder = WorkFolderOf(values);
  trainer.arguments = {"--models", text("models")};
  // Not among the arguments: every user of the machine can read those.
  trainer.environment = {"REBOUND_STORE=" + text("store")};
  return trainer;
}

}  // namespace

std::optional<ServeOptions> ParseServeOptions(int argc, const char* const* argv) {
  const auto parsed = ParseOptions(argc, argv, MakeCommandLine());
  if (!parsed) return std::nullopt;
  const po::variables_map& values = *parsed;
  const auto text = [&](const char* name) { return values[name].as<std::string>(); };
  const auto count = [&](const char* name, int64_t least, int64_t most) {
    return static_cast<size_t>(BoundedOption<int64_t>(values, name, least, most));
  };
  constexpr int64_t kMaxCache = int64_t{1} << 40;

  if (AnswerKeyCommand(values)) return std::nullopt;
  ServeOptions options;
  options.door = ReadDoorOptions(values);
  options.models = text("models");
  if (options.models.empty()) BadOption("--models DIR is needed: the folder of model bundles");
  options.tasks = ParseTasks(text("tasks"));
  if (values["from-registry"].as<bool>()) {
    if (text("store").empty())
      BadOption("--from-registry needs --store URI: the registry is there");
    options.follower.emplace().uri = text("store");
  }
  options.drain_grace = SecondsOption(values, "drain-grace", 0);
  options.drain_timeout = SecondsOption(values, "drain-timeout");
  options.cache.enabled = ParseBool("--cache", text("cache"));
  options.cache.max_bytes = count("cache-size", 0, kMaxCache);
  options.cache.timed = values["cache-timer"].as<bool>();
  options.api.max_batch = count("max-batch", 1, 1'000'000);
  options.api.backoff_policy = text("backoff-policy");
  options.api.overrides = text("overrides");
  options.api.text_rules = text("text-rules");
  options.api.datasources = MakeDatasourceReader();
  options.api.trainer = ReadTrainerOptions(values);
  options.api.contributions = ReadContributionOptions(values);
  options.api.shadow.sample = BoundedOption<double>(values, "shadow-sample", 0, 1);
  options.api.shadow.reviews_per_hour =
      BoundedOption<int64_t>(values, "shadow-review-per-hour", 0, 100'000);
  options.api.gate = ReadGateOptions(values);
  options.api.cache.folder = text("cache-folder");
  options.cache_saver.folder = options.api.cache.folder;
  options.cache_saver.every = SecondsOption(values, "cache-save-every");
  options.cache_saver.program = CodeVersion();
  options.api.cache.max_bytes = options.cache.max_bytes;
  options.api.cache.stats = values["cache-stats"].as<bool>();
  options.api.cache.timer = options.cache.timed;
  options.log_level = ParseLogLevel(text("log-level"));
  if (text("log-format") == "json") {
    options.log_format = LogFormat::kJson;
  } else if (text("log-format") != "text") {
    BadOption("--log-format must be text or json; it is '" + text("log-format") + "'");
  }
  options.check_config = values["check-config"].as<bool>();
  return options;
}

}  // namespace rebound
