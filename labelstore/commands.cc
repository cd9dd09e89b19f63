#include "labelstore/commands.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/program_options.h"
#include "base/text.h"
#include "labelstore/content.h"
#include "labelstore/generator.h"
#include "labelstore/import.h"
#include "labelstore/label_store.h"
#include "labelstore/progress.h"
#include "labelstore/schema.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

constexpr size_t kSeedBlock = 5000;
constexpr int64_t kBadRowsShown = 50;

CommandLine MakeLine(const std::string& command, const std::string& summary,
                     const std::string& arguments = "") {
  CommandLine line;
  line.summary = summary;
  line.usage = "rebound-labels " + command + arguments + " [OPTIONS]";
  return line;
}

void AddStore(CommandLine* line) {
  line->options.add_options()("store", po::value<std::string>()->value_name("URI"),
                              "the PostgreSQL database (or $REBOUND_STORE)");
}

void AddJson(CommandLine* line) {
  line->options.add_options()("json", po::bool_switch(), "print one JSON object");
}

std::string StoreUri(const po::variables_map& values) {
  if (values.count("store") == 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "no database: give --store URI or set REBOUND_STORE (./run prints it)");
  }
  return values["store"].as<std::string>();
}

void PrintJson(const std::function<void(JsonWriter&)>& body) {
  std::string out;
  JsonWriter(&out).Object(body);
  std::cout << out << "\n";
}

// Standard output that could not be written is a failure, not a detail.
int Finish(int code = 0) {
  std::cout.flush();
  if (!std::cout) throw Error(ErrorCode::kUnavailable, "cannot write standard output");
  return code;
}

void WriteResult(const ImportResult& result, JsonWriter& w) {
  w.Key("inserted").Int(result.inserted);
  w.Key("duplicates").Int(result.duplicates);
  w.Key("relabelled").Int(result.relabelled);
  w.Key("voted").Int(result.voted);
}

std::string Describe(const ImportResult& result) {
  return std::to_string(result.inserted) + " new, " + std::to_string(result.voted) +
         " with a first label of this contributor, " + std::to_string(result.relabelled) +
         " relabelled, " + std::to_string(result.duplicates) + " known already";
}

// --- the seed corpus -----------------------------------------------------------------------------

struct Corpus {
  std::vector<Template> templates;
  SlotLists lists;
};

void AddTemplates(CommandLine* line) {
  line->options.add_options()("templates", po::value<std::string>()->value_name("DIR"),
                              "folder of the *.tsv templates (default: the project's own)");
}

Corpus LoadCorpus(const po::variables_map& values) {
  if (values.count("templates") == 0) {
    const fs::path seed = FindSeedFolder();
    return {LoadSeedCorpus(seed / "templates"), LoadSlotLists(seed / "slots")};
  }
  const fs::path folder = values["templates"].as<std::string>();
  const fs::path beside = folder / ".." / "slots";
  return {LoadSeedCorpus(folder),
          LoadSlotLists(fs::is_directory(beside) ? beside : FindSeedFolder() / "slots")};
}

Submission MakeSeed(const GeneratedText& generated) {
  Submission submission;
  submission.text = generated.text;
  submission.origin = LabelOrigin::kSeed;
  submission.contributor = "seed";
  submission.group = generated.origin->group;
  for (size_t task = 0; task < kTaskCount; ++task) {
    submission.labels[task] = generated.origin->labels[task];
  }
  return submission;
}

void PrintSeed(const GeneratedText& generated) {
  std::string out;
  JsonWriter(&out).Object([&](JsonWriter& w) {
    w.Key("text").String(RepairUtf8(generated.text));
    for (const Task task : kTasks) {
      w.Key(TaskKey(task)).String(TaskLabels(task)[generated.origin->labels[Index(task)]]);
    }
    w.Key("group").String(generated.origin->group);
    w.Key("server").String(generated.origin->server);
    w.Key("language").String(generated.origin->language);
  });
  std::cout << out << "\n";
}

// What is counted over templates, in order of name.
using Counts = std::map<std::string, int64_t>;

struct NearCopy {
  const Template* a;
  const Template* b;
  double similarity;
};

std::vector<NearCopy> FindNearCopies(const std::vector<Template>& templates) {
  constexpr double kNear = 0.8;
  std::vector<std::set<std::string>> words;
  for (const Template& each : templates) words.push_back(WordsOf(each.pieces));
  std::vector<NearCopy> found;
  FindAlike(words, kNear, [&](size_t i, size_t j, double similarity) {
    found.push_back({&templates[j], &templates[i], similarity});
  });
  return found;
}

void WriteCounts(const char* key, const Counts& counts, JsonWriter& w) {
  w.Key(key).Object([&](JsonWriter& inner) {
    for (const auto& [name, count] : counts) inner.Key(name).Int(count);
  });
}

void PrintCounts(const std::string& title, const Counts& counts) {
  std::cout << "\n" << title << "\n";
  for (const auto& [name, count] : counts) {
    std::string shown = name;
    shown.resize(std::max<size_t>(shown.size(), 46), ' ');
    std::cout << "  " << shown << " " << count << "\n";
  }
}

std::string PlaceOf(const Template& each) { return each.file + ":" + std::to_string(each.line); }

}  // namespace

int RunMigrate(int argc, const char* const* argv) {
  CommandLine line = MakeLine("migrate", "Makes the schema `rebound` or brings it up to date.");
  AddStore(&line);
  AddJson(&line);
  line.epilogue =
      "Safe to run at any time and by several processes at once; changes nothing twice.\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  PostgresConnection connection(StoreUri(*values));
  const std::vector<int> applied = MigrateSchema(&connection);
  if ((*values)["json"].as<bool>()) {
    PrintJson([&](JsonWriter& w) {
      w.Key("applied").Array([&](JsonWriter& inner) {
        for (const int version : applied) inner.Int(version);
      });
      w.Key("version").Int(static_cast<int64_t>(Migrations().size()));
    });
    return Finish();
  }
  for (const int version : applied) {
    std::cout << "applied " << Migrations()[static_cast<size_t>(version - 1)].name << "\n";
  }
  if (applied.empty()) std::cout << "the schema is up to date\n";
  return Finish();
}

int RunSeed(int argc, const char* const* argv) {
  CommandLine line =
      MakeLine("seed", "Expands the seed corpus into labelled texts and stores them.");
  AddStore(&line);
  line.options.add_options()("expand", po::value<int64_t>()->default_value(20000)->value_name("N"),
                             "about how many texts; at least one of every template");
  line.options.add_options()("seed", po::value<uint64_t>()->default_value(1)->value_name("S"),
                             "the same S gives the same texts on every machine");
  AddTemplates(&line);
  line.options.add_options()("print", po::value<int64_t>()->value_name("N"),
                             "print N texts as JSON Lines instead of storing any");
  AddJson(&line);
  line.epilogue =
      "Seeding again adds what is new and changes nothing else.\n"
      "  rebound-labels seed --expand 100000\n"
      "  rebound-labels seed --print 20 --seed 7\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  const auto expand = (*values)["expand"].as<int64_t>();
  if (expand < 1) throw Error(ErrorCode::kInvalidArgument, "--expand must be at least 1");
  const Corpus corpus = LoadCorpus(*values);
  const Generator generator(corpus.templates, corpus.lists, (*values)["seed"].as<uint64_t>());
  if (values->count("print") != 0) {
    const auto wanted = (*values)["print"].as<int64_t>();
    if (wanted < 1) throw Error(ErrorCode::kInvalidArgument, "--print must be at least 1");
    // Of every template in turn, so that few texts show many templates.
    const auto count = static_cast<int64_t>(corpus.templates.size());
    for (int64_t i = 0; i < wanted; ++i) {
      const Template& origin = corpus.templates[static_cast<size_t>((i * count / wanted) % count)];
      const auto copy = static_cast<uint64_t>(wanted > count ? i % (wanted / count + 1) : 1);
      PrintSeed({&origin, generator.MakeCopy(origin, copy)});
    }
    return Finish();
  }
  const auto store = OpenLabelStore(StoreUri(*values));
  Progress progress("seeding",
                    std::max<int64_t>(expand, static_cast<int64_t>(corpus.templates.size())));
  ImportResult total;
  int64_t texts = 0;
  std::vector<Submission> block;
  const auto flush = [&] {
    const ImportResult result = store->Submit(block);
    total.inserted += result.inserted;
    total.duplicates += result.duplicates;
    total.relabelled += result.relabelled;
    total.voted += result.voted;
    block.clear();
    progress.Update(texts);
  };
  generator.Expand(static_cast<size_t>(expand), [&](GeneratedText generated) {
    block.push_back(MakeSeed(generated));
    ++texts;
    if (block.size() >= kSeedBlock) flush();
  });
  if (!block.empty()) flush();
  if ((*values)["json"].as<bool>()) {
    PrintJson([&](JsonWriter& w) {
      w.Key("templates").Uint(corpus.templates.size());
      w.Key("texts").Int(texts);
      WriteResult(total, w);
    });
  } else {
    std::cout << texts << " texts of " << corpus.templates.size()
              << " templates: " << Describe(total) << "\n";
  }
  return Finish();
}

int RunImport(int argc, const char* const* argv) {
  CommandLine line =
      MakeLine("import", "Stores the labelled texts of a file.", " FILE.csv|FILE.jsonl");
  AddStore(&line);
  line.options.add_options()(
      "file", po::value<std::string>()->value_name("FILE"),
      "the file (may stand without --file); - reads JSON Lines from standard input");
  line.options.add_options()(
      "origin", po::value<std::string>()->default_value("contribution")->value_name("O"),
      "contribution, review (outranks contributions) or seed");
  line.options.add_options()("contributor", po::value<std::string>()->value_name("NAME"),
                             "whose labels these are (default: import)");
  AddJson(&line);
  line.positional.add("file", 1);
  line.epilogue =
      "Columns of CSV (first line names them) and keys of JSON Lines: message (or text), and at\n"
      "least one of bnac, backoff, label. A bad row is reported by its line; the others go in, and "
      "the\n"
      "exit code is 1. The same file again changes nothing.\n"
      "  rebound-labels import bounces.csv --contributor alice\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  if (values->count("file") == 0) throw Error(ErrorCode::kInvalidArgument, "name a file to import");
  const auto file = (*values)["file"].as<std::string>();
  const auto format = file == "-" ? ImportFormat::kJsonLines : FormatOf(file);
  if (!format) {
    throw Error(ErrorCode::kInvalidArgument, file + ": the name must end in .csv or .jsonl");
  }
  ImportOptions options;
  const auto origin = ParseOrigin((*values)["origin"].as<std::string>());
  if (!origin) {
    throw Error(ErrorCode::kInvalidArgument, "--origin must be contribution, review or seed");
  }
  options.origin = *origin;
  options.contributor =
      values->count("contributor") != 0 ? (*values)["contributor"].as<std::string>() : "import";
  std::ifstream opened;
  if (file != "-") {
    opened.open(file, std::ios::binary);
    if (!opened || fs::is_directory(file)) {
      throw Error(ErrorCode::kInvalidArgument, "cannot open " + file);
    }
  }
  const auto store = OpenLabelStore(StoreUri(*values));
  Progress progress("importing", 0);
  int64_t bad = 0;
  options.on_progress = [&](int64_t rows) { progress.Update(rows); };
  options.on_bad_row = [&](int64_t at, const std::string& why) {
    if (++bad <= kBadRowsShown) std::cerr << file << ":" << at << ": " << why << "\n";
  };
  const ImportReport report =
      Import(file == "-" ? std::cin : opened, *format, options, store.get());
  if (bad > kBadRowsShown) std::cerr << file << ": " << bad - kBadRowsShown << " more bad rows\n";
  if ((*values)["json"].as<bool>()) {
    PrintJson([&](JsonWriter& w) {
      w.Key("rows").Int(report.rows);
      w.Key("bad_rows").Int(report.bad_rows);
      WriteResult(report.result, w);
    });
  } else {
    std::cout << report.rows << " rows: " << Describe(report.result) << ", " << report.bad_rows
              << " bad\n";
  }
  return Finish(report.bad_rows == 0 ? 0 : 1);
}

int RunExport(int argc, const char* const* argv) {
  CommandLine line = MakeLine("export", "Writes what training sees as JSON Lines.");
  AddStore(&line);
  line.options.add_options()("output", po::value<std::string>()->value_name("FILE"),
                             "where to (default: standard output); replaced whole");
  line.options.add_options()("snapshot", po::value<int64_t>()->value_name("ID"),
                             "an earlier snapshot (default: a new one of what is there now)");
  line.epilogue = "Texts are masked, as stored. `rebound-labels import` reads the file back.\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  const auto store = OpenLabelStore(StoreUri(*values));
  const int64_t id = values->count("snapshot") != 0 ? (*values)["snapshot"].as<int64_t>()
                                                    : store->MakeSnapshot().id;
  std::string out;
  if (values->count("output") != 0) {
    store->ReadSnapshot(id, [&](const SnapshotRow& row) { AppendExportLine(row, &out); });
    WriteFileDurably((*values)["output"].as<std::string>(), out);
    return 0;
  }
  store->ReadSnapshot(id, [&](const SnapshotRow& row) {
    AppendExportLine(row, &out);
    std::cout << out;
    out.clear();
  });
  return Finish();
}

int RunStats(int argc, const char* const* argv) {
  CommandLine line = MakeLine("stats", "Counts what the store holds.");
  AddStore(&line);
  AddJson(&line);
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  const std::string json = OpenLabelStore(StoreUri(*values))->StatsJson();
  if ((*values)["json"].as<bool>()) {
    std::cout << json << "\n";
    return Finish();
  }
  const JsonDocument stats = ParseJson(json);
  for (const char* key :
       {"messages", "held_out", "groups", "votes", "changed_votes", "snapshots"}) {
    std::string shown = key;
    shown.resize(48, ' ');
    std::cout << shown << " " << GetJsonInt(stats, key) << "\n";
  }
  const auto print = [](const std::string& title, const JsonValue& object) {
    Counts counts;
    for (const auto& [name, value] : object.GetObject()) {
      counts[std::string(JsonText(name))] = value.IsNull() ? 0 : value.GetInt64();
    }
    PrintCounts(title, counts);
  };
  print("votes by origin", GetJson(stats, "votes_by_origin"));
  for (const Task task : kTasks) {
    const std::string name(TaskName(task));
    print("messages by label of task " + name, GetJson(GetJson(stats, "labels"), name));
  }
  print("training runs", GetJson(stats, "runs"));
  print("promoted versions (0: none)", GetJson(stats, "current"));
  return Finish();
}

int RunSnapshot(int argc, const char* const* argv) {
  CommandLine line = MakeLine("snapshot", "Freezes what the store holds for a training run.");
  AddStore(&line);
  AddJson(&line);
  line.epilogue = "The same content gives the same digest, in every database.\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  const SnapshotInfo info = OpenLabelStore(StoreUri(*values))->MakeSnapshot();
  if ((*values)["json"].as<bool>()) {
    PrintJson([&](JsonWriter& w) {
      w.Key("id").Int(info.id);
      w.Key("digest").String(info.digest);
      w.Key("rows").Int(info.rows);
      w.Key("created_at").String(info.created_at);
    });
  } else {
    std::cout << "snapshot " << info.id << ": " << info.rows << " rows, " << info.digest << ", "
              << info.created_at << "\n";
  }
  return Finish();
}

int RunCorpus(int argc, const char* const* argv) {
  CommandLine line =
      MakeLine("corpus", "Counts the templates of the seed corpus and finds near copies.");
  AddTemplates(&line);
  AddJson(&line);
  line.epilogue =
      "Near copies share more than 80 % of their words. Those with other labels need a reason.\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  const Corpus corpus = LoadCorpus(*values);
  std::array<Counts, kTaskCount> labels;
  Counts servers, languages;
  std::set<std::string> groups, held_out;
  for (const Task task : kTasks) {
    for (const std::string_view name : TaskLabels(task)) labels[Index(task)][std::string(name)] = 0;
  }
  for (const Template& each : corpus.templates) {
    for (const Task task : kTasks) {
      ++labels[Index(task)][std::string(TaskLabels(task)[each.labels[Index(task)]])];
    }
    ++servers[each.server];
    ++languages[each.language];
    groups.insert(each.group);
    if (IsHeldOut(each.group)) held_out.insert(each.group);
  }
  const std::vector<NearCopy> copies = FindNearCopies(corpus.templates);
  if ((*values)["json"].as<bool>()) {
    PrintJson([&](JsonWriter& w) {
      w.Key("templates").Uint(corpus.templates.size());
      w.Key("groups").Uint(groups.size());
      w.Key("held_out_groups").Uint(held_out.size());
      for (const Task task : kTasks) {
        WriteCounts(std::string(TaskKey(task)).c_str(), labels[Index(task)], w);
      }
      WriteCounts("servers", servers, w);
      WriteCounts("languages", languages, w);
      w.Key("near_copies").Array([&](JsonWriter& list) {
        for (const NearCopy& copy : copies) {
          list.Object([&](JsonWriter& one) {
            one.Key("a").String(PlaceOf(*copy.a));
            one.Key("b").String(PlaceOf(*copy.b));
            one.Key("similarity").Double(copy.similarity);
            one.Key("same_labels").Bool(copy.a->labels == copy.b->labels);
          });
        }
      });
    });
    return Finish();
  }
  std::cout << corpus.templates.size() << " templates in " << groups.size() << " groups, "
            << held_out.size() << " of them held out\n";
  for (const Task task : kTasks) {
    PrintCounts("by " + std::string(TaskKey(task)), labels[Index(task)]);
  }
  PrintCounts("by server", servers);
  PrintCounts("by language", languages);
  std::cout << "\nnear copies: " << copies.size() << "\n";
  for (const NearCopy& copy : copies) {
    std::cout << "  " << PlaceOf(*copy.a) << " and " << PlaceOf(*copy.b)
              << (copy.a->labels == copy.b->labels ? "" : "  (other labels)") << "\n";
  }
  return Finish();
}

}  // namespace rebound
