#include <iostream>
#include <map>

#include "base/error.h"
#include "base/json.h"
#include "base/program_options.h"
#include "engine/cli/commands.h"
#include "models/classifier.h"

namespace rebound {
namespace {

namespace po = boost::program_options;

void Row(std::string_view name, const std::string& value) {
  std::string shown(name);
  shown.resize(20, ' ');
  std::cout << shown << value << "\n";
}

std::string Joined(const std::vector<std::string>& words) {
  std::string joined;
  for (const std::string& word : words) joined += (joined.empty() ? "" : " ") + word;
  return joined;
}

void PrintTable(const Classifier& model) {
  const BundleConfig& config = model.config();
  Row("task", std::string(TaskName(config.task)));
  Row("version", std::to_string(config.version));
  Row("hash", model.hash());
  Row("format", std::to_string(config.format_version));
  Row("labels", Joined(config.labels));
  Row("outputs", std::to_string(CountOutputs(config)));
  std::vector<std::string> sizes;
  for (const auto& [name, size] : config.sizes) sizes.push_back(name + "=" + std::to_string(size));
  Row("network", config.network + " " + Joined(sizes));
  Row("normaliser", std::to_string(config.normaliser_version));
  Row("temperature", std::to_string(config.temperature));
  Row("fallback below", std::to_string(config.fallback_threshold));
  Row("snapshot", std::to_string(config.snapshot_id) + " " + config.snapshot_digest);
  Row("seed", std::to_string(config.seed));
  Row("trained", config.trained_at + " by rebound " + config.code_version);
  Row("training texts", std::to_string(config.training_samples));
  Row("validation", std::to_string(config.validation_accuracy));
  for (const auto& [name, digest] : config.sha256) Row("sha256", digest + "  " + name);
  std::cout << "\nAll checks passed: checksums, labels, normaliser, every golden example.\n";
}

void PrintObject(const Classifier& model) {
  std::string config = WriteBundleConfig(model.config());
  PrintJson([&](JsonWriter& w) {
    w.Key("ok").Bool(true).Key("hash").String(model.hash());
    w.Key("config").Value(ParseJson(config));
  });
}

int RunInspect(int argc, const char* const* argv) {
  CommandLine line;
  line.summary = "Shows what a bundle is, and checks it as the server would before it serves.";
  line.usage = "rebound bundle inspect DIR [--json]";
  line.options.add_options()("bundle", po::value<std::string>()->value_name("DIR"),
                             "the bundle, such as models/released/bnac/000001");
  line.options.add_options()("json", po::bool_switch(), "print one JSON object");
  line.positional.add("bundle", 1);
  line.epilogue =
      "  rebound bundle inspect models/released/bnac/000001\n"
      "Exit codes: 0 sound, 1 not (standard error tells which check failed).\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  if (values->count("bundle") == 0) {
    throw Error(ErrorCode::kInvalidArgument, "name the bundle's folder");
  }
  const auto model = Classifier::Load((*values)["bundle"].as<std::string>());
  if ((*values)["json"].as<bool>()) {
    PrintObject(*model);
  } else {
    PrintTable(*model);
  }
  return Finish();
}

// What two bundles can be told apart by, in the order of PrintTable.
std::vector<std::pair<std::string, std::string>> TraitsOf(const Classifier& model) {
  const BundleConfig& config = model.config();
  std::vector<std::pair<std::string, std::string>> traits = {
      {"task", std::string(TaskName(config.task))},
      {"version", std::to_string(config.version)},
      {"hash", model.hash()},
      {"format", std::to_string(config.format_version)},
      {"labels", Joined(config.labels)},
      {"outputs", std::to_string(CountOutputs(config))},
      {"network", config.network},
      {"normaliser", std::to_string(config.normaliser_version)},
      {"temperature", std::to_string(config.temperature)},
      {"fallback below", std::to_string(config.fallback_threshold)},
      {"snapshot", std::to_string(config.snapshot_id) + " " + config.snapshot_digest},
      {"seed", std::to_string(config.seed)},
      {"trained", config.trained_at + " by rebound " + config.code_version},
      {"training texts", std::to_string(config.training_samples)},
      {"validation", std::to_string(config.validation_accuracy)}};
  for (const auto& [name, size] : config.sizes) {
    traits.emplace_back("size " + name, std::to_string(size));
  }
  for (const auto& [name, digest] : config.sha256) traits.emplace_back("sha256 " + name, digest);
  return traits;
}

int RunDiff(int argc, const char* const* argv) {
  CommandLine line;
  line.summary = "Shows what two bundles do not have in common; both are checked first.";
  line.usage = "rebound bundle diff A B [--json]";
  auto add = line.options.add_options();
  add("bundle", po::value<std::vector<std::string>>()->composing()->value_name("DIR"),
      "a bundle, twice");
  add("json", po::bool_switch(), "print one JSON object: {\"NAME\":[\"of A\",\"of B\"]}");
  line.positional.add("bundle", 2);
  line.epilogue =
      "  rebound bundle diff models/released/bnac/000001 models/released/bnac/000002\n"
      "Exit codes: 0 the same, 1 not (or one is not sound), 2 wrong usage.\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  if (values->count("bundle") == 0 ||
      (*values)["bundle"].as<std::vector<std::string>>().size() != 2) {
    throw Error(ErrorCode::kInvalidArgument, "name two bundles' folders");
  }
  // By name, what A and B have; the names in A's order, then those of B alone.
  std::vector<std::string> names;
  std::map<std::string, std::array<std::string, 2>> both;
  for (size_t side = 0; side < 2; ++side) {
    const auto& folder = (*values)["bundle"].as<std::vector<std::string>>()[side];
    for (auto& [name, value] : TraitsOf(*Classifier::Load(folder))) {
      if (both.count(name) == 0) names.push_back(name);
      both[name][side] = std::move(value);
    }
  }
  std::erase_if(names, [&](const std::string& name) { return both[name][0] == both[name][1]; });
  if ((*values)["json"].as<bool>()) {
    PrintJson([&](JsonWriter& w) {
      for (const std::string& name : names) {
        w.Key(name).StartArray().String(both[name][0]).String(both[name][1]).EndArray();
      }
    });
  } else {
    for (const std::string& name : names) {
      std::cout << name << "\n  - " << both[name][0] << "\n  + " << both[name][1] << "\n";
    }
  }
  return Finish(names.empty() ? 0 : 1);
}

constexpr std::array<Command, 2> kCommands = {
    {{"inspect", "show a bundle and check it", RunInspect},
     {"diff", "what two bundles do not have in common", RunDiff}}};

}  // namespace

int RunBundle(int argc, const char* const* argv) {
  return RunCommand("rebound bundle", "Bundles: a model and the proof that it works.", kCommands,
                    "  rebound bundle inspect models/released/bnac/000001\n", argc, argv);
}

}  // namespace rebound
