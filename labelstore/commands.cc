#include "labelstore/commands.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/progress_line.h"
#include "labelstore/command_line.h"
#include "labelstore/content.h"
#include "labelstore/import.h"
#include "labelstore/schema.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

constexpr int64_t kBadRowsShown = 50;

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
  ProgressLine progress("importing", 0);
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

}  // namespace rebound
