#include "train/recorded_options.h"

#include <charconv>
#include <functional>

#include "base/error.h"
#include "base/text.h"

namespace rebound {
namespace {

constexpr std::string_view kSizePrefix = "size.";

// The shortest text that reads back to the same value.
template <class T>
std::string WriteNumber(T value) {
  char text[64];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  return error == std::errc() ? std::string(text, end) : std::string();
}

template <class T>
void ReadNumber(const std::string& name, const std::string& text, T* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Error(ErrorCode::kCorrupt,
                "the recorded option " + name + " has the value '" + text + "', no number");
  }
}

// Calls visit(name, number) for every option that is one number.
template <class Options, class Visit>
void VisitNumbers(Options* options, Visit visit) {
  auto& fit = options->fit;
  auto& sampling = fit.sampling;
  visit("members", &options->members);
  visit("epochs", &fit.epochs);
  visit("patience", &fit.patience);
  visit("learning_rate", &fit.learning_rate);
  visit("label_smoothing", &fit.label_smoothing);
  visit("dropout", &fit.dropout);
  visit("batch_rows", &sampling.batch_rows);
  visit("copies_per_epoch", &sampling.copies_per_epoch);
  visit("word_dropout", &sampling.word_dropout);
  visit("crop", &sampling.crop);
  visit("split", &sampling.split);
  visit("code_dropout", &sampling.code_dropout);
  visit("group_power", &sampling.group_power);
  visit("class_power", &sampling.class_power);
}

std::string Join(const std::vector<std::string>& words) {
  std::string joined;
  for (const std::string& word : words) joined += (joined.empty() ? "" : ",") + word;
  return joined;
}

}  // namespace

std::map<std::string, std::string> RecordOptions(const TrainingOptions& options,
                                                 const TokenizerModel& tokenizer) {
  std::map<std::string, std::string> recorded;
  recorded["networks"] = Join(options.networks);
  for (const auto& [name, size] : options.sizes) {
    recorded[std::string(kSizePrefix) + name] = WriteNumber(size);
  }
  VisitNumbers(&options,
               [&](const char* name, const auto* value) { recorded[name] = WriteNumber(*value); });
  recorded["tokenizer"] = tokenizer.source;
  recorded["vocabulary"] = WriteNumber(tokenizer.vocabulary);
  return recorded;
}

RecordedTokenizer ApplyRecordedOptions(const std::map<std::string, std::string>& recorded,
                                       TrainingOptions* options) {
  std::map<std::string, std::string> left = recorded;
  const auto take = [&](const std::string& name) {
    auto node = left.extract(name);
    if (node.empty()) {
      throw Error(ErrorCode::kNotFound, "the bundle does not record the option " + name +
                                            " that it was trained with: another version of "
                                            "rebound-train made it, so verify it with that one");
    }
    return node.mapped();
  };
  options->networks.clear();
  const std::string networks = take("networks");
  for (const std::string_view kind : Split(networks, ',')) options->networks.emplace_back(kind);
  VisitNumbers(options,
               [&](const char* name, auto* value) { ReadNumber(name, take(name), value); });
  RecordedTokenizer tokenizer;
  tokenizer.source = take("tokenizer");
  ReadNumber("vocabulary", take("vocabulary"), &tokenizer.vocabulary);
  options->sizes.clear();
  for (const auto& [name, value] : left) {
    if (!name.starts_with(kSizePrefix)) {
      throw Error(ErrorCode::kNotFound, "the bundle records the option " + name +
                                            ", which this version of rebound-train does not know: "
                                            "verify it with the one that made it");
    }
    ReadNumber(name, value, &options->sizes[name.substr(kSizePrefix.size())]);
  }
  return tokenizer;
}

}  // namespace rebound
