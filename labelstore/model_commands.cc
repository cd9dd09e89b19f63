#include "labelstore/model_commands.h"

#include <pwd.h>
#include <unistd.h>

#include <iostream>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "labelstore/command_line.h"
#include "labelstore/model_registry.h"
#include "labelstore/must_pass.h"

namespace rebound {
namespace {

namespace po = boost::program_options;

using Words = std::vector<std::string>;

void AddWords(CommandLine* line) {
  line->options.add_options()("words", po::value<Words>()->value_name("WORD"),
                              "what to do (may stand without --words)");
  line->positional.add("words", -1);
}

Words TakeWords(const po::variables_map& values) {
  return values.count("words") != 0 ? values["words"].as<Words>() : Words();
}

void AddText(CommandLine* line, const char* name, const char* value, const char* help) {
  line->options.add_options()(name, po::value<std::string>()->value_name(value), help);
}

std::string Text(const po::variables_map& values, const char* name) {
  return values.count(name) != 0 ? values[name].as<std::string>() : std::string();
}

// Throws kInvalidArgument where it is not given.
std::string Required(const po::variables_map& values, const char* name) {
  std::string text = Text(values, name);
  if (text.empty()) {
    throw Error(ErrorCode::kInvalidArgument, "give --" + std::string(name) + " (see --help)");
  }
  return text;
}

Task TaskOf(const po::variables_map& values) {
  const std::string name = Required(values, "task");
  const auto task = ParseTask(name);
  if (!task) {
    throw Error(ErrorCode::kInvalidArgument,
                "--task: '" + name + "' is none of bnac, backoff, action");
  }
  return *task;
}

// Whoever sits at the terminal, unless --who says it.
std::string WhoOf(const po::variables_map& values) {
  std::string who = Text(values, "who");
  if (!who.empty()) return who;
  const passwd* user = getpwuid(getuid());
  return user != nullptr ? user->pw_name : std::to_string(getuid());
}

void AddWho(CommandLine* line) {
  AddText(line, "who", "NAME", "whose decision it is (default: the user of this terminal)");
}

[[noreturn]] void ThrowUsage(const std::string& command) {
  throw Error(ErrorCode::kInvalidArgument, "see rebound-labels " + command + " --help");
}

// --- must-pass -----------------------------------------------------------------------------------

MustPass EntryOf(const Words& words, const po::variables_map& values) {
  MustPass entry;
  entry.task = TaskOf(values);
  entry.text = words[1];
  entry.reason = Required(values, "why");
  entry.added_by = WhoOf(values);
  const std::string must = Text(values, "must");
  const std::string never = Text(values, "never");
  if (must.empty() == never.empty()) {
    throw Error(ErrorCode::kInvalidArgument, "give one of --must and --never");
  }
  entry.must = never.empty();
  const std::string& name = entry.must ? must : never;
  const auto label = FindLabel(entry.task, name);
  if (!label) {
    throw Error(ErrorCode::kInvalidArgument,
                "task " + std::string(TaskName(entry.task)) + " has no label '" + name + "'");
  }
  entry.label = *label;
  return entry;
}

// 0: every current bundle passes; 1: some does not.
int Check(const po::variables_map& values, const std::vector<MustPass>& entries) {
  const BundleStore bundles(Required(values, "models"));
  size_t checked = 0;
  std::vector<std::string> failed;
  for (const Task task : kTasks) {
    const auto version = bundles.Current(task);
    if (!version) continue;
    const auto classifier = Classifier::Load(bundles.BundleFolder(task, *version));
    for (const MustPassResult& result : CheckMustPass(*classifier, entries)) {
      ++checked;
      if (!result.passed) {
        failed.push_back(std::string(TaskName(task)) + " version " + std::to_string(*version) +
                         ": " + Describe(result));
      }
    }
  }
  if (values["json"].as<bool>()) {
    PrintJson([&](JsonWriter& w) {
      w.Key("checked").Int(static_cast<int64_t>(checked));
      w.Key("failed").Array([&](JsonWriter& a) {
        for (const std::string& each : failed) a.String(each);
      });
    });
  } else {
    for (const std::string& each : failed) std::cout << each << "\n";
    std::cout << checked << " checked, " << failed.size() << " failed\n";
  }
  return failed.empty() ? 0 : 1;
}

// --- promote and rollback ------------------------------------------------------------------------

// The bundle in the models folder, fetched where it is not there, and proven to load.
void BringTo(const std::string& models, Task task, int version, ModelRegistry* registry) {
  BundleStore bundles(models);
  const auto folder = bundles.BundleFolder(task, version);
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) registry->Fetch(task, version, &bundles);
  const auto loaded = Classifier::Load(folder);
  const auto known = registry->Find(task, version);
  if (known && known->weights_sha256 != loaded->config().sha256.at("weights.safetensors")) {
    throw Error(ErrorCode::kConflict, folder.string() +
                                          " has other weights than the version that the store "
                                          "registered: move it away to fetch that one");
  }
}

void AddModels(CommandLine* line) {
  AddText(line, "models", "DIR", "also what serves from this folder (or $REBOUND_MODELS)");
}

void PrintServing(const po::variables_map& values, Task task, int version, bool changed) {
  if (values["json"].as<bool>()) {
    PrintJson([&](JsonWriter& w) {
      w.Key("task").String(TaskName(task));
      w.Key("version").Int(version);
      w.Key("changed").Bool(changed);
    });
  } else {
    std::cout << TaskName(task) << " version " << version
              << (changed ? " serves now\n" : " serves already\n");
  }
}

// --- registry ------------------------------------------------------------------------------------

void PrintModels(ModelRegistry* registry, bool json) {
  std::string out;
  JsonWriter writer(&out);
  writer.StartArray();
  for (const Task task : kTasks) {
    const auto current = registry->Current(task);
    for (const RegisteredModel& model : registry->Versions(task)) {
      const bool serves = current && current->version == model.version;
      writer.Object([&](JsonWriter& w) {
        w.Key("task").String(TaskName(task));
        w.Key("version").Int(model.version);
        w.Key("current").Bool(serves);
        w.Key("weights_sha256").String(model.weights_sha256);
        w.Key("digest");
        model.digest.empty() ? w.Null() : w.String(model.digest);
        w.Key("bytes").Int(model.bytes);
        w.Key("stored").Bool(model.stored);
        w.Key("registered_at").String(model.registered_at);
      });
      if (json) continue;
      std::cout << TaskName(task) << " " << model.version << " "
                << model.weights_sha256.substr(0, 16) << " " << model.registered_at << ", "
                << (model.stored ? std::to_string(model.bytes) + " bytes stored" : "not stored")
                << (serves ? ", serves\n" : "\n");
    }
  }
  writer.EndArray();
  if (json) std::cout << out << "\n";
}

void PrintHistory(const std::vector<Promotion>& history, bool json) {
  for (const Promotion& each : history) {
    if (json) {
      PrintJson([&](JsonWriter& w) {
        w.Key("task").String(TaskName(each.task));
        w.Key("version").Int(each.version);
        w.Key("rollback").Bool(each.rollback);
        w.Key("at").String(each.at);
        w.Key("by").String(each.by);
        w.Key("reason").String(each.reason);
      });
      continue;
    }
    std::cout << each.at << " " << TaskName(each.task) << " version " << each.version
              << (each.rollback ? ", rolled back" : "")
              << (each.by.empty() ? "" : ", by " + each.by)
              << (each.reason.empty() ? "" : ": " + each.reason) << "\n";
  }
}

}  // namespace

int RunMustPass(int argc, const char* const* argv) {
  CommandLine line = MakeLine("must-pass", "Keeps texts that every model must get right.",
                              " add TEXT | list | remove ID | import FILE | check");
  AddStore(&line);
  AddJson(&line);
  AddText(&line, "task", "NAME", "of add: bnac, backoff or action");
  AddText(&line, "must", "LABEL", "of add: the text must get this label");
  AddText(&line, "never", "LABEL", "of add: the text must never get this label");
  AddText(&line, "why", "TEXT", "of add: why it matters");
  AddText(&line, "models", "DIR", "of check: the current bundles of this folder");
  AddWho(&line);
  AddWords(&line);
  line.epilogue =
      "A candidate that fails one is not promoted. Texts are masked before they are stored. import "
      "reads JSON Lines\n(task, text, must or never, reason, by), as list prints them; check exits "
      "with 1 where a bundle fails.\n  rebound-labels must-pass add '550 5.1.1 no such user' "
      "--task "
      "bnac --must RECIPIENT_NOT_FOUND --why 'ticket 81'\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  const Words words = TakeWords(*values);
  if (words.empty()) ThrowUsage("must-pass");
  PostgresConnection connection(StoreUri(*values));
  MustPassList list(&connection);
  if (words[0] == "add" && words.size() == 2) {
    std::cout << "must-pass " << list.Add(EntryOf(words, *values)) << "\n";
  } else if (words[0] == "list" && words.size() == 1) {
    for (const MustPass& entry : list.Read()) std::cout << WriteMustPass(entry);
  } else if (words[0] == "remove" && words.size() == 2) {
    const std::string& id = words[1];
    if (id.empty() || id.size() > 18 || id.find_first_not_of("0123456789") != std::string::npos) {
      throw Error(ErrorCode::kInvalidArgument, "'" + id + "' is no number of an entry");
    }
    list.Remove(std::stoll(id), WhoOf(*values));
  } else if (words[0] == "import" && words.size() == 2) {
    const auto entries = ParseMustPass(ReadFile(words[1]), WhoOf(*values));
    std::cout << list.AddAll(entries) << " new, " << entries.size() << " in the file\n";
  } else if (words[0] == "check" && words.size() == 1) {
    return Finish(Check(*values, list.Read()));
  } else {
    ThrowUsage("must-pass");
  }
  return Finish();
}

int RunPromote(int argc, const char* const* argv) {
  CommandLine line = MakeLine("promote", "Makes a version the one that serves.");
  AddStore(&line);
  AddJson(&line);
  AddText(&line, "task", "NAME", "bnac, backoff or action");
  line.options.add_options()("version", po::value<int>()->value_name("N"),
                             "the version (see registry list)");
  AddModels(&line);
  AddText(&line, "why", "TEXT", "for the history");
  AddWho(&line);
  line.epilogue =
      "Recorded in the store, which tells every server that follows it. Where DIR lacks the bundle "
      "it is\nfetched; one that does not load is not promoted.\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  const Task task = TaskOf(*values);
  if (values->count("version") == 0) {
    throw Error(ErrorCode::kInvalidArgument, "give --version (see --help)");
  }
  const int version = (*values)["version"].as<int>();
  const std::string models = Text(*values, "models");
  ModelRegistry registry(StoreUri(*values));
  if (!models.empty()) {
    registry.Adopt(task, BundleStore(models));
    BringTo(models, task, version, &registry);
  }
  const bool changed = registry.Promote(task, version, WhoOf(*values), Text(*values, "why"));
  if (!models.empty()) BundleStore(models).Promote(task, version);
  PrintServing(*values, task, version, changed);
  return Finish();
}

int RunRollback(int argc, const char* const* argv) {
  CommandLine line = MakeLine("rollback", "Goes back to the version that served before.");
  AddStore(&line);
  AddJson(&line);
  AddText(&line, "task", "NAME", "bnac, backoff or action");
  AddModels(&line);
  AddText(&line, "why", "TEXT", "for the history");
  AddWho(&line);
  line.epilogue =
      "Twice in a row goes back two versions. Recorded in the store with who and when.\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  const Task task = TaskOf(*values);
  const std::string models = Text(*values, "models");
  ModelRegistry registry(StoreUri(*values));
  if (!models.empty()) {
    // Before it is recorded: what cannot be loaded is nothing to go back to.
    const auto before = VersionBefore(registry.History(task));
    if (before) BringTo(models, task, *before, &registry);
  }
  const int version = registry.Rollback(task, WhoOf(*values), Text(*values, "why"));
  if (!models.empty()) BundleStore(models).Promote(task, version);
  PrintServing(*values, task, version, true);
  return Finish();
}

int RunRegistry(int argc, const char* const* argv) {
  CommandLine line = MakeLine("registry", "Keeps the bundles of a fleet in the store.",
                              " list | history | upload DIR | fetch | prune");
  AddStore(&line);
  AddJson(&line);
  AddText(&line, "task", "NAME", "of history and fetch: bnac, backoff or action");
  line.options.add_options()("version", po::value<int>()->value_name("N"),
                             "of fetch (default: the one that serves)");
  AddText(&line, "models", "DIR", "of fetch: where the bundle goes (or $REBOUND_MODELS)");
  line.options.add_options()("keep", po::value<int>()->default_value(5)->value_name("N"),
                             "of prune: the newest so many of each task, at least 1");
  AddWords(&line);
  line.epilogue =
      "upload takes the folder of one bundle; the same again changes nothing. prune removes files "
      "of "
      "old\nversions, never of the one that serves nor of the one before it.\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  const Words words = TakeWords(*values);
  if (words.empty()) ThrowUsage("registry");
  ModelRegistry registry(StoreUri(*values));
  const bool json = (*values)["json"].as<bool>();
  if (words[0] == "list" && words.size() == 1) {
    PrintModels(&registry, json);
  } else if (words[0] == "history" && words.size() == 1) {
    PrintHistory(registry.History(TaskOf(*values)), json);
  } else if (words[0] == "upload" && words.size() == 2) {
    const RegisteredModel model = registry.Upload(words[1]);
    std::cout << TaskName(model.task) << " version " << model.version << ": " << model.bytes
              << " bytes, digest " << model.digest << "\n";
  } else if (words[0] == "fetch" && words.size() == 1) {
    const Task task = TaskOf(*values);
    const auto current = registry.Current(task);
    if (values->count("version") == 0 && !current) {
      throw Error(ErrorCode::kNotFound, "no version of " + std::string(TaskName(task)) + " serves");
    }
    const int version =
        values->count("version") != 0 ? (*values)["version"].as<int>() : current->version;
    BundleStore bundles(Required(*values, "models"));
    std::cout << registry.Fetch(task, version, &bundles).string() << "\n";
  } else if (words[0] == "prune" && words.size() == 1) {
    const int keep = (*values)["keep"].as<int>();
    if (keep < 1) throw Error(ErrorCode::kInvalidArgument, "--keep: at least 1");
    for (const RegisteredModel& model : registry.Prune(keep)) {
      std::cout << "pruned " << TaskName(model.task) << " version " << model.version << "\n";
    }
  } else {
    ThrowUsage("registry");
  }
  return Finish();
}

}  // namespace rebound
