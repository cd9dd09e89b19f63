#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <iostream>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/program_options.h"
#include "base/progress_line.h"
#include "engine/answer.h"
#include "engine/cli/answerer.h"
#include "engine/cli/batch_pool.h"
#include "engine/cli/commands.h"
#include "engine/cli/debug.h"
#include "engine/cli/interrupt.h"
#include "engine/cli/rules.h"
#include "engine/cli/terminal.h"
#include "engine/load.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

constexpr char kEpilogue[] =
    "Texts\n"
    "  rebound classify '451 4.7.1 greylisted, come back in 5 minutes'\n"
    "  rebound classify --file bounces.txt --json\n"
    "  rebound classify --file bounces.csv --column reply --csv > classified.csv\n"
    "  psql -Atc 'select reply from bounces' | rebound classify --summary --quiet\n"
    "Messages\n"
    "  rebound classify --eml bounce.eml\n"
    "  rebound classify --json --eml Maildir/new/* mbox\n"
    "Logs\n"
    "  rebound classify --log auto /var/log/mail.log* --quiet      the summary alone\n"
    "  tail -f /var/log/mail.log | rebound classify --log postfix - --json\n"
    "Your own rules\n"
    "  rebound classify --overrides rules.ovr --domain example.com '550 over quota'\n\n"
    "Files may be packed (gzip, bzip2, xz, zstd). Ctrl-C ends with the summary so far.\n"
    "Exit codes: 0 done, 1 some input could not be read (standard error tells), 2 wrong usage,\n"
    "130 interrupted.\n";

[[noreturn]] void Misused(const std::string& why) { throw Error(ErrorCode::kInvalidArgument, why); }

CommandLine MakeCommandLine() {
  CommandLine line;
  line.summary = "Classifies bounces: texts, files, columns of CSV, whole messages, mail logs.";
  line.usage =
      "rebound classify [TEXT...] [OPTIONS]\n"
      "       rebound classify --file FILE [OPTIONS]\n"
      "       rebound classify --eml FILE... [OPTIONS]\n"
      "       rebound classify --log FORMAT FILE... [OPTIONS]";
  const auto text = [] { return po::value<std::string>()->default_value(""); };
  const auto words = [] { return po::value<std::vector<std::string>>()->composing(); };
  auto add = line.options.add_options();
  add("text", words()->value_name("TEXT"),
      "what a server answered (may stand without --text; files behind --eml and --log)");
  add("models", text()->value_name("DIR"), "the folder of model bundles (or $REBOUND_MODELS)");
  add("file", text()->value_name("FILE"),
      "a text a line; - or nothing at all: standard input; FILE.csv: a column of it");
  add("column", po::value<std::string>()->default_value("message")->value_name("NAME"),
      "the column of FILE.csv that holds the texts");
  add("domain-column", text()->value_name("NAME"), "the column of the recipients' domains");
  add("domain", text()->value_name("NAME"), "the recipients' domain, where the input tells none");
  add("eml", words()->value_name("FILE"),
      "a message or an mbox of them, an answer a recipient; -: standard input");
  add("log", text()->value_name("FORMAT"),
      "mail logs: auto, postfix, exim, powermta or kumomta; -: standard input");
  add("all", po::bool_switch(), "with --log: tell of what was delivered too");
  add("backoff-policy", text()->value_name("FILE"), "fields and actions by backoff class");
  add("overrides", text()->value_name("FILE"), "rules that go before the models");
  add("text-rules", text()->value_name("FILE"), "patterns that go after the overrides");
  add("json", po::bool_switch(), "JSON Lines: an object a text, as the server answers");
  add("csv", po::bool_switch(), "CSV: the columns of the input, then those of the answer");
  add("scores", po::bool_switch(), "with --json: the probability of every class");
  add("explain", po::bool_switch(), "with --json: which bytes of the text decided");
  add("summary", po::bool_switch(),
      "counts at the end (--log has them always): with --json an object on the last line, with "
      "--csv on standard error");
  add("quiet", po::bool_switch(), "no line a text: the summary alone");
  add("threads", po::value<size_t>()->default_value(0)->value_name("N"), "0: one a core");
  add("debug", po::bool_switch(), "class and rule of every text on standard error");
  line.positional.add("text", -1);
  line.epilogue = kEpilogue;
  return line;
}

// One run of the command.
class Classification {
 public:
  explicit Classification(const po::variables_map& values) : values_(values) {
    CheckUse();
    policy_.emplace(Text("backoff-policy"));
    rules_.emplace(Text("overrides"), Text("text-rules"));
    OpenSource();
    answering_.models = LoadCurrent(Text("models"));
    answering_.rules = rules_->sources();
    answering_.options = {kTasks, Given("scores"), Given("explain")};
    answering_.domain = Text("domain");
    answering_.quiet = Given("quiet");
    answering_.debug = Given("debug");
    OpenRows();
    threads_ = values_["threads"].as<size_t>();
    if (threads_ == 0) threads_ = std::max(1U, std::thread::hardware_concurrency());
    for (size_t i = 0; i < threads_; ++i) {
      answerers_.push_back(std::make_unique<Answerer>(&answering_, kRemembered / threads_));
    }
  }

  // The exit code.
  int Run() {
    NoteInterrupts();
    // Rows on a terminal show how far the work is, and a line over them would tear them.
    const bool has_progress = answering_.quiet || isatty(STDOUT_FILENO) == 0;
    ProgressLine progress("classifying", total_bytes_);
    BatchPool pool(threads_ > 1 ? threads_ : 0,
                   [this](size_t thread, Batch* batch) { answerers_[thread]->Work(batch); });
    bool is_first = true;
    while (true) {
      std::unique_ptr<Batch> batch = NewBatch();
      const bool is_last = !Fill(batch.get());
      if (threads_ == 1 || (is_first && is_last)) {
        answerers_[0]->Work(batch.get());
        Show(std::move(batch));
      } else {
        pool.Start(std::move(batch));
        const bool all = is_last || source_->WouldWait();
        while (pool.size() > 0 && (all || pool.IsFull())) Show(pool.Take());
      }
      if (is_last) break;
      is_first = false;
      if (has_progress) progress.UpdateBytes(source_->Position(), source_->Lines());
    }
    return End();
  }

 private:
  static constexpr int64_t kFaultsShown = 50;
  static constexpr size_t kRemembered = 200'000;

  std::string Text(const char* name) const { return values_[name].as<std::string>(); }
  bool Given(const char* name) const { return values_[name].as<bool>(); }
  std::vector<std::string> Words(const char* name) const {
    return values_.count(name) == 0 ? std::vector<std::string>()
                                    : values_[name].as<std::vector<std::string>>();
  }

  void CheckUse() const {
    if (Given("json") && Given("csv")) Misused("give --json or --csv, not both");
    if (!Given("json") && (Given("scores") || Given("explain"))) {
      Misused("--scores and --explain want --json");
    }
    const int inputs = (Text("file").empty() ? 0 : 1) + (values_.count("eml") == 0 ? 0 : 1) +
                       (Text("log").empty() ? 0 : 1);
    if (inputs > 1) Misused("give --file, --eml or --log, one of them");
    if (Given("all") && Text("log").empty()) Misused("--all goes with --log");
    if (Text("models").empty()) {
      Misused("no models: give --models DIR or set REBOUND_MODELS (a clone has models/released)");
    }
  }

  void OpenSource() {
    std::vector<std::string> words = Words("text");
    if (!Text("log").empty() || values_.count("eml") != 0) {
      std::vector<std::string> files = Words("eml");
      files.insert(files.end(), words.begin(), words.end());
      if (files.empty()) files.push_back(StandardInput());
      total_bytes_ = TotalBytes(files);
      source_ = Text("log").empty() ? MakeMessageSource(std::move(files))
                                    : MakeLogSource(Text("log"), std::move(files), Given("all"));
      return;
    }
    std::string file = Text("file");
    if (!words.empty()) {
      if (!file.empty()) Misused("give texts or --file, not both");
      source_ = MakeWordsSource(std::move(words));
      return;
    }
    if (file.empty()) file = StandardInput();
    total_bytes_ = TotalBytes({file});
    const fs::path path = fs::path(file);
    const bool is_csv = path.extension() == ".csv" || path.stem().extension() == ".csv";
    try {
      source_ = is_csv ? MakeCsvSource(file, Text("column"), Text("domain-column"))
                       : MakeLinesSource(file);
    } catch (const Error& e) {
      Misused(e.what());
    }
  }
  static std::string StandardInput() {
    if (isatty(STDIN_FILENO) == 1) {
      Misused("nothing to classify: give a text, or a file (see rebound classify --help)");
    }
    return "-";
  }

  void OpenRows() {
    current_policy_ = policy_->Current();
    if (Given("json")) {
      rows_ = MakeJsonRows(current_policy_.get());
    } else if (Given("csv")) {
      rows_ = MakeCsvRows(isatty(STDOUT_FILENO) == 1);
    } else {
      rows_ = MakeTableRows(WantsColours(), TerminalWidth());
    }
    answering_.rows = rows_.get();
  }

  std::unique_ptr<Batch> NewBatch() {
    if (spare_.empty()) return std::make_unique<Batch>();
    std::unique_ptr<Batch> batch = std::move(spare_.back());
    spare_.pop_back();
    batch->count = 0;
    return batch;
  }

  // False at the end of the input. A batch ends early where the input has no more for now.
  bool Fill(Batch* batch) {
    size_t bytes = 0;
    while (batch->count < Batch::kMostItems && bytes < Batch::kMostBytes) {
      if (batch->count == batch->items.size()) batch->items.emplace_back();
      SourceItem& item = batch->items[batch->count];
      if (!source_->Next(&item)) return false;
      ++batch->count;
      bytes += item.text.size();
      if (source_->WouldWait()) return true;
    }
    return true;
  }

  void Show(std::unique_ptr<Batch> batch) {
    if (!batch->rows.empty()) {
      if (!has_head_) {
        std::string head;
        rows_->Head(source_->Columns(), &head);
        batch->rows.insert(0, head);
        has_head_ = true;
      }
      std::cout << batch->rows << std::flush;
      if (!std::cout) Finish();  // a full disk need not be written to for hours
    }
    for (size_t i = 0; i < batch->count; ++i) {
      const SourceItem& item = batch->items[i];
      if (item.skipped) continue;
      if (!item.warning.empty()) std::cerr << OneLine(item.where + ": " + item.warning) << "\n";
      if (item.fault.empty() || ++faults_ > kFaultsShown) continue;
      std::cerr << OneLine(FaultOf(item)) << "\n";
    }
    if (spare_.size() < 4 * threads_) spare_.push_back(std::move(batch));
  }

  int End() {
    Summary summary;
    for (const auto& answerer : answerers_) summary.Add(answerer->summary());
    const LogTotals* const totals = source_->Totals();
    const bool is_table = !Given("json") && !Given("csv");
    if (Given("summary") || (is_table && (totals != nullptr || answering_.quiet))) {
      if (Given("json")) {
        summary.PrintJson(totals, IsInterrupted(), &std::cout);
      } else {
        summary.Print(totals, IsInterrupted(), is_table ? &std::cout : &std::cerr);
      }
    }
    if (faults_ > kFaultsShown) {
      std::cerr << faults_ - kFaultsShown << " more could not be read\n";
    }
    return Finish(IsInterrupted() ? 130 : faults_ == 0 ? 0 : 1);
  }

  const po::variables_map& values_;
  std::optional<BackoffPolicyFile> policy_;
  std::shared_ptr<const BackoffPolicy> current_policy_;
  std::optional<Rules> rules_;
  int64_t total_bytes_ = 0;
  std::unique_ptr<TextSource> source_;
  std::unique_ptr<ResultRows> rows_;
  Answering answering_;
  size_t threads_ = 1;
  std::vector<std::unique_ptr<Answerer>> answerers_;
  std::vector<std::unique_ptr<Batch>> spare_;
  bool has_head_ = false;
  int64_t faults_ = 0;
};

}  // namespace

int RunClassify(int argc, const char* const* argv) {
  std::ios::sync_with_stdio(false);
  const auto values = ParseOptions(argc, argv, MakeCommandLine());
  if (!values) return 0;
  SetDebug((*values)["debug"].as<bool>());
  return Classification(*values).Run();
}

}  // namespace rebound
