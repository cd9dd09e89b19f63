#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>

#include "base/error.h"
#include "base/program_options.h"
#include "base/progress_line.h"
#include "engine/answer.h"
#include "engine/cli/commands.h"
#include "engine/cli/prediction_memory.h"
#include "engine/cli/result_sink.h"
#include "engine/cli/text_source.h"
#include "engine/load.h"
#include "engine/overrides/datasource_reader.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

[[noreturn]] void Misused(const std::string& why) { throw Error(ErrorCode::kInvalidArgument, why); }

CommandLine MakeCommandLine() {
  CommandLine line;
  line.summary = "Classifies bounces: texts, files, columns of CSV.";
  line.usage = "rebound classify [TEXT...] [--file FILE] [OPTIONS]";
  const auto text = [] { return po::value<std::string>()->default_value(""); };
  auto add = line.options.add_options();
  add("text", po::value<std::vector<std::string>>()->value_name("TEXT"),
      "what a server answered (may stand without --text)");
  add("models", text()->value_name("DIR"), "the folder of model bundles (or $REBOUND_MODELS)");
  add("file", text()->value_name("FILE"),
      "a text a line; - or nothing at all: standard input; FILE.csv: a column of it");
  add("column", po::value<std::string>()->default_value("message")->value_name("NAME"),
      "the column of FILE.csv that holds the texts");
  add("domain-column", text()->value_name("NAME"), "the column of the recipients' domains");
  add("domain", text()->value_name("NAME"), "the recipients' domain, where no column tells it");
  add("backoff-policy", text()->value_name("FILE"), "fields and actions by backoff class");
  add("overrides", text()->value_name("FILE"), "rules that go before the models");
  add("text-rules", text()->value_name("FILE"), "patterns that go after the overrides");
  add("json", po::bool_switch(), "JSON Lines: an object a text, as the server answers");
  add("csv", po::bool_switch(), "CSV: the columns of the input, then those of the answer");
  add("scores", po::bool_switch(), "with --json: the probability of every class");
  add("explain", po::bool_switch(), "with --json: which bytes of the text decided");
  add("summary", po::bool_switch(), "counts by class at the end");
  add("quiet", po::bool_switch(), "no line a text: with --summary");
  line.positional.add("text", -1);
  line.epilogue =
      "  rebound classify '451 4.7.1 greylisted, come back in 5 minutes'\n"
      "  rebound classify --file bounces.txt --json\n"
      "  rebound classify --file bounces.csv --column reply --csv > classified.csv\n"
      "Exit codes: 0 done, 1 some input could not be read (standard error tells), 2 wrong usage.\n";
  return line;
}

size_t TerminalWidth() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

bool WantsColours() {
  const char* const no_color = std::getenv("NO_COLOR");  // no-color.org
  return isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
}

// One run of the command.
class Classification {
 public:
  explicit Classification(const po::variables_map& values) : values_(values) {
    if (Given("json") && Given("csv")) Misused("give --json or --csv, not both");
    if (Text("models").empty()) {
      Misused("no models: give --models DIR or set REBOUND_MODELS (a clone has models/released)");
    }
    policy_.emplace(Text("backoff-policy"));
    LoadRules();
    OpenSource();
    models_ = LoadCurrent(Text("models"));
    OpenSink();
  }

  // The exit code.
  int Run() {
    ProgressLine progress("classifying", total_bytes_ > 0 ? total_bytes_ : 0);
    SourceItem item;
    while (source_->Next(&item)) {
      progress.Update(source_->Position());
      if (item.skipped) continue;
      const std::string text = ReadableText(item.text);
      if (item.fault.empty() && text.empty()) item.fault = "the text is empty or blank";
      if (!item.fault.empty()) {
        Report(item);
        continue;
      }
      Classify(item, text);
    }
    sink_->Finish();
    if (Given("summary")) summary_.Print(Given("json") || Given("csv") ? &std::cerr : &std::cout);
    if (faults_ > kFaultsShown) {
      std::cerr << faults_ - kFaultsShown << " more could not be read\n";
    }
    return Finish(faults_ == 0 ? 0 : 1);
  }

 private:
  static constexpr int64_t kFaultsShown = 50;

  std::string Text(const char* name) const { return values_[name].as<std::string>(); }
  bool Given(const char* name) const { return values_[name].as<bool>(); }

  void LoadRules() {
    text_rules_.emplace(Text("text-rules"), false);
    for (const std::string& bad : text_rules_->GetStatus().bad) std::cerr << bad << "\n";
    if (Text("overrides").empty()) return;
    OverrideConfig config = LoadOverrideConfig(Text("overrides"));
    for (const std::string& warning : config.warnings) std::cerr << warning << "\n";
    overrides_ = std::make_unique<Overrides>(std::move(config), MakeDatasourceReader(), false);
    for (const OverrideListStatus& list : overrides_->Status()) {
      for (const BadLine& bad : list.bad) std::cerr << bad.what << "\n";
      if (!list.last_error.empty()) std::cerr << list.source << ": " << list.last_error << "\n";
    }
  }

  void OpenSource() {
    const std::string file = Text("file");
    if (values_.count("text") != 0) {
      if (!file.empty()) Misused("give texts or --file, not both");
      source_ = MakeWordsSource(values_["text"].as<std::vector<std::string>>());
      return;
    }
    if (file.empty() && isatty(STDIN_FILENO) == 1) {
      Misused("nothing to classify: give a text, or --file FILE (see rebound classify --help)");
    }
    std::istream* input = &std::cin;
    std::string name = "standard input";
    if (!file.empty() && file != "-") {
      opened_.open(file, std::ios::binary);
      if (!opened_ || fs::is_directory(file)) Misused("cannot open " + file);
      std::error_code unknown;
      const auto size = fs::file_size(file, unknown);
      if (!unknown) total_bytes_ = static_cast<int64_t>(size);
      input = &opened_;
      name = file;
    }
    source_ = fs::path(file).extension() == ".csv"
                  ? MakeCsvSource(input, name, Text("column"), Text("domain-column"))
                  : MakeLinesSource(input, name);
  }

  void OpenSink() {
    current_policy_ = policy_->Current();
    if (Given("json")) {
      sink_ = MakeJsonSink(&std::cout, current_policy_.get());
    } else if (Given("csv")) {
      sink_ = MakeCsvSink(&std::cout);
    } else {
      sink_ = MakeTableSink(&std::cout, WantsColours(), TerminalWidth());
    }
  }

  void Classify(const SourceItem& item, std::string_view text) {
    Question question;
    question.text = text;
    question.domain = item.domain.empty() ? std::string_view(domain_) : item.domain;
    question.kind = item.mdn ? BounceKind::kMdn : BounceKind::kSmtp;
    const Answer answer = AnswerQuestion(
        models_, {overrides_.get(), &*text_rules_}, question,
        {kTasks, Given("scores"), Given("explain")},
        [this](const ModelSet& models, Task task, Engine::Scratch* scratch) {
          return memory_.Predict(models, task, scratch);
        },
        &scratch_);
    summary_.Count(answer);
    if (!Given("quiet")) sink_->Write(item, text, answer);
  }

  void Report(const SourceItem& item) {
    if (++faults_ <= kFaultsShown) std::cerr << item.where << ": " << item.fault << "\n";
    sink_->WriteFault(item);
  }

  const po::variables_map& values_;
  std::optional<BackoffPolicyFile> policy_;
  std::shared_ptr<const BackoffPolicy> current_policy_;
  std::unique_ptr<Overrides> overrides_;
  std::optional<TextRuleFile> text_rules_;
  std::string domain_ = Text("domain");
  std::ifstream opened_;
  int64_t total_bytes_ = 0;
  std::unique_ptr<TextSource> source_;
  std::unique_ptr<ResultSink> sink_;
  ModelSet models_;
  PredictionMemory memory_;
  Engine::Scratch scratch_;
  Summary summary_;
  int64_t faults_ = 0;
};

}  // namespace

int RunClassify(int argc, const char* const* argv) {
  std::ios::sync_with_stdio(false);
  const auto values = ParseOptions(argc, argv, MakeCommandLine());
  if (!values) return 0;
  return Classification(*values).Run();
}

}  // namespace rebound
