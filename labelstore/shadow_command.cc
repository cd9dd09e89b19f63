// rebound-labels shadow: which candidate runs beside what serves from a folder.
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "labelstore/command_line.h"
#include "labelstore/model_commands.h"
#include "labelstore/model_registry.h"
#include "models/bundle_store.h"
#include "models/classifier.h"

namespace rebound {
namespace {

namespace po = boost::program_options;

[[noreturn]] void Refuse(const std::string& why) { throw Error(ErrorCode::kInvalidArgument, why); }

std::string Text(const po::variables_map& values, const char* name) {
  return values.count(name) != 0 ? values[name].as<std::string>() : std::string();
}

std::optional<Task> TaskOf(const po::variables_map& values) {
  const std::string name = Text(values, "task");
  if (name.empty()) return std::nullopt;
  const auto task = ParseTask(name);
  if (!task) Refuse("--task: '" + name + "' is none of bnac, backoff, action");
  return task;
}

// In the folder, fetched from the store where it is not there, and proven to load.
void BringTo(BundleStore* bundles, Task task, int version, const po::variables_map& values) {
  const auto folder = bundles->BundleFolder(task, version);
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) {
    if (Text(values, "store").empty()) {
      throw Error(ErrorCode::kNotFound,
                  "there is no " + folder.string() +
                      ": name a version that is there, or the store to fetch it from (--store)");
    }
    ModelRegistry(StoreUri(values)).Fetch(task, version, bundles);
  }
  const auto loaded = Classifier::Load(folder);
  if (loaded->config().task == task && loaded->config().version == version) return;
  throw Error(ErrorCode::kCorrupt, folder.string() + " holds version " +
                                       std::to_string(loaded->config().version) + " of task " +
                                       std::string(TaskName(loaded->config().task)));
}

void Print(const BundleStore& bundles, const std::vector<Task>& tasks, bool json) {
  for (const Task task : tasks) {
    const auto shadow = bundles.Shadow(task);
    const auto current = bundles.Current(task);
    if (json) {
      PrintJson([&](JsonWriter& w) {
        w.Key("task").String(TaskName(task)).Key("shadow");
        shadow ? w.Int(*shadow) : w.Null();
        w.Key("serves");
        current ? w.Int(*current) : w.Null();
      });
      continue;
    }
    const std::string beside =
        current ? "version " + std::to_string(*current) : "nothing that serves";
    std::cout << TaskName(task) << " "
              << (shadow ? "version " + std::to_string(*shadow) + " runs beside " + beside
                         : "has no shadow")
              << "\n";
  }
}

}  // namespace

int RunShadow(int argc, const char* const* argv) {
  CommandLine line = MakeLine("shadow", "Runs a candidate beside what serves, unseen by users.");
  AddStore(&line);
  AddJson(&line);
  const auto text = [&](const char* name, const char* value, const char* help) {
    line.options.add_options()(name, po::value<std::string>()->value_name(value), help);
  };
  text("task", "NAME", "bnac, backoff or action");
  line.options.add_options()("version", po::value<int>()->value_name("N"), "the candidate");
  line.options.add_options()("end", po::bool_switch(), "there shall be none any more");
  text("models", "DIR", "the folder that servers serve from (or $REBOUND_MODELS)");
  line.epilogue =
      "Without --version and --end it tells which there are. Servers of DIR take the candidate up "
      "by\nthemselves, compare its answers with those that users get, and send disagreements to "
      "review;\nGET /v3/models/TASK/shadow tells how it does (docs/promotion.md). Where DIR lacks "
      "the bundle it\nis fetched from the store; one that does not load is refused. Promoting it "
      "ends the shadow.\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  if (Text(*values, "models").empty()) Refuse("give --models (see --help)");
  BundleStore bundles(Text(*values, "models"));
  const std::optional<Task> task = TaskOf(*values);
  const bool names = values->count("version") != 0;
  const bool ends = (*values)["end"].as<bool>();
  if ((names || ends) && !task) Refuse("give --task (see --help)");
  if (names && ends) Refuse("give one of --version and --end");
  if (names) {
    const int version = (*values)["version"].as<int>();
    BringTo(&bundles, *task, version, *values);
    bundles.SetShadow(*task, version);
  } else if (ends) {
    bundles.EndShadow(*task);
  }
  Print(bundles, task ? std::vector<Task>{*task} : std::vector<Task>(kTasks.begin(), kTasks.end()),
        (*values)["json"].as<bool>());
  return Finish();
}

}  // namespace rebound
