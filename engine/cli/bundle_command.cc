#include <iostream>

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
  line.epilogue = "Exit codes: 0 sound, 1 not (standard error tells which check failed).\n";
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

constexpr std::array<Command, 1> kCommands = {
    {{"inspect", "show a bundle and check it", RunInspect}}};

}  // namespace

int RunBundle(int argc, const char* const* argv) {
  return RunCommand("rebound bundle", "Bundles: a model and the proof that it works.", kCommands,
                    "  rebound bundle inspect models/released/bnac/000001\n", argc, argv);
}

}  // namespace rebound
