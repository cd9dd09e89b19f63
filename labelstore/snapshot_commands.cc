#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "labelstore/command_line.h"
#include "labelstore/lineage.h"
#include "labelstore/model_commands.h"
#include "labelstore/snapshots.h"

namespace rebound {
namespace {

namespace po = boost::program_options;

using Words = std::vector<std::string>;

void WriteSnapshot(const NamedSnapshot& snapshot, JsonWriter& w) {
  w.Key("id").Int(snapshot.info.id);
  w.Key("digest").String(snapshot.info.digest);
  w.Key("rows").Int(snapshot.info.rows);
  w.Key("created_at").String(snapshot.info.created_at);
  w.Key("names").Array([&](JsonWriter& names) {
    for (const std::string& name : snapshot.names) names.String(name);
  });
  w.Key("held_out").Int(snapshot.held_out);
  w.Key("rows_by_origin").Object([&](JsonWriter& origins) {
    for (const auto& [name, rows] : snapshot.rows_by_origin) origins.Key(name).Int(rows);
  });
}

void PrintSnapshot(const NamedSnapshot& snapshot) {
  std::cout << "snapshot " << snapshot.info.id << ": " << snapshot.info.rows << " rows, "
            << snapshot.info.digest << ", " << snapshot.info.created_at;
  for (const std::string& name : snapshot.names) std::cout << ", '" << name << "'";
  std::cout << "\n";
}

void Print(const NamedSnapshot& snapshot, bool json) {
  json ? PrintJson([&](JsonWriter& w) { WriteSnapshot(snapshot, w); }) : PrintSnapshot(snapshot);
}

void Freeze(const po::variables_map& values, SnapshotCatalog* catalog) {
  const SnapshotInfo info = OpenLabelStore(StoreUri(values))->MakeSnapshot();
  if (values.count("name") != 0) catalog->Name(info.id, values["name"].as<std::string>());
  Print(catalog->Find(std::to_string(info.id)), values["json"].as<bool>());
}

void List(const po::variables_map& values, SnapshotCatalog* catalog) {
  const auto snapshots = catalog->List();
  if (!values["json"].as<bool>()) {
    for (const NamedSnapshot& snapshot : snapshots) PrintSnapshot(snapshot);
    return;
  }
  PrintJson([&](JsonWriter& w) {
    w.Key("snapshots").Array([&](JsonWriter& a) {
      for (const NamedSnapshot& snapshot : snapshots) {
        a.Object([&](JsonWriter& o) { WriteSnapshot(snapshot, o); });
      }
    });
  });
}

void Diff(const Words& words, const po::variables_map& values, SnapshotCatalog* catalog) {
  const auto examples = values["examples"].as<size_t>();
  std::cout << WriteSnapshotDiff(catalog->Diff(catalog->Find(words[1]).info.id,
                                               catalog->Find(words[2]).info.id, examples))
            << "\n";
}

void Export(const Words& words, SnapshotCatalog* catalog) {
  const int64_t id = catalog->Find(words[1]).info.id;
  if (words.size() == 2 || words[2] == "-") {
    catalog->Export(id, std::cout);
    return;
  }
  std::ostringstream out;
  catalog->Export(id, out);
  WriteFileDurably(words[2], out.str());
}

void Import(const Words& words, const po::variables_map& values, SnapshotCatalog* catalog) {
  std::ifstream opened;
  if (words[1] != "-") {
    opened.open(words[1], std::ios::binary);
    if (!opened) throw Error(ErrorCode::kInvalidArgument, "cannot open " + words[1]);
  }
  NamedSnapshot snapshot;
  try {
    snapshot = catalog->Import(words[1] == "-" ? std::cin : opened);
  } catch (const Error& error) {
    throw Error(error.code(), words[1] + ": " + error.what());
  }
  if (values.count("name") != 0) {
    catalog->Name(snapshot.info.id, values["name"].as<std::string>());
    snapshot = catalog->Find(std::to_string(snapshot.info.id));
  }
  Print(snapshot, values["json"].as<bool>());
}

[[noreturn]] void ThrowUsage() {
  throw Error(ErrorCode::kInvalidArgument, "see rebound-labels snapshot --help");
}

}  // namespace

int RunSnapshot(int argc, const char* const* argv) {
  CommandLine line = MakeLine("snapshot", "Freezes what the store holds for a training run.",
                              " [list | diff A B | export A [FILE] | import FILE]");
  AddStore(&line);
  AddJson(&line);
  line.options.add_options()("name", po::value<std::string>()->value_name("N"),
                             "names the snapshot, for ever");
  line.options.add_options()("examples", po::value<size_t>()->default_value(5)->value_name("N"),
                             "of diff: at most so many of each kind");
  line.options.add_options()("words", po::value<Words>()->value_name("WORD"),
                             "what to do (may stand without --words)");
  line.positional.add("words", -1);
  line.epilogue =
      "A and B are ids, names or the beginning of a digest. The same content gives the same "
      "digest, "
      "in\nevery database; an export carries a snapshot to another one (FILE.jsonl, or - for the "
      "standard streams),\nand its import is refused unless it has the digest that it states.\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  const Words words = values->count("words") != 0 ? (*values)["words"].as<Words>() : Words();
  PostgresConnection connection(StoreUri(*values));
  SnapshotCatalog catalog(&connection);
  if (words.empty()) {
    Freeze(*values, &catalog);
  } else if (words[0] == "list" && words.size() == 1) {
    List(*values, &catalog);
  } else if (words[0] == "diff" && words.size() == 3) {
    Diff(words, *values, &catalog);
  } else if (words[0] == "export" && (words.size() == 2 || words.size() == 3)) {
    Export(words, &catalog);
  } else if (words[0] == "import" && words.size() == 2) {
    Import(words, *values, &catalog);
  } else {
    ThrowUsage();
  }
  return Finish();
}

int RunLineage(int argc, const char* const* argv) {
  CommandLine line = MakeLine("lineage", "Tells everything that made a model.", " MODEL");
  AddStore(&line);
  AddJson(&line);
  line.options.add_options()("rows", po::bool_switch(),
                             "print the rows that trained it instead, as JSON Lines");
  line.options.add_options()("model", po::value<std::string>()->value_name("MODEL"),
                             "the model (may stand without --model)");
  line.positional.add("model", 1);
  line.epilogue =
      "MODEL is TASK/VERSION, 8 digits or more of the hash that answers name, or the folder of a "
      "bundle.\n  rebound-labels lineage bnac/7\n  rebound-labels lineage 3f2a91c07be1 --rows\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  if (values->count("model") == 0) throw Error(ErrorCode::kInvalidArgument, "name a model");
  const std::string uri = StoreUri(*values);
  const Lineage lineage = FindLineage(uri, (*values)["model"].as<std::string>());
  if ((*values)["rows"].as<bool>()) {
    WriteTrainingRows(uri, lineage, [](std::string_view row) { std::cout << row; });
  } else if ((*values)["json"].as<bool>()) {
    std::cout << WriteLineageJson(lineage) << "\n";
  } else {
    std::cout << WriteLineageText(lineage);
  }
  return Finish();
}

}  // namespace rebound
