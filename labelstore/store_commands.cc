// rebound-labels roles, backup, restore and retain: the work of who runs the database.
#include <cstdlib>
#include <iostream>

#include "base/error.h"
#include "labelstore/backup.h"
#include "labelstore/command_line.h"
#include "labelstore/commands.h"
#include "labelstore/roles.h"
#include "labelstore/schema.h"

namespace rebound {
namespace {

namespace po = boost::program_options;

std::string FileOf(const po::variables_map& values) {
  if (values.count("file") == 0) throw Error(ErrorCode::kInvalidArgument, "name a file");
  return values["file"].as<std::string>();
}

void AddFile(CommandLine* line, const char* help) {
  line->options.add_options()("file", po::value<std::string>()->value_name("FILE"), help);
  line->positional.add("file", 1);
}

int Tell(const BackupReport& report, const po::variables_map& values, const std::string& done) {
  if (values["json"].as<bool>()) {
    PrintJson([&](JsonWriter& w) {
      w.Key("schema_version").Int(report.schema_version);
      w.Key("sha256").String(report.sha256);
      w.Key("rows").Object([&](JsonWriter& rows) {
        for (const auto& [name, count] : report.rows) rows.Key(name).Int(count);
      });
    });
    return Finish();
  }
  int64_t all = 0;
  for (const auto& [name, count] : report.rows) all += count;
  std::cout << done << ": " << all << " rows of " << report.rows.size() << " tables, version "
            << report.schema_version << ", sha256 " << report.sha256 << "\n";
  return Finish();
}

}  // namespace

int RunRoles(int argc, const char* const* argv) {
  CommandLine line =
      MakeLine("roles", "Makes the roles of least privilege and gives them their rights.");
  AddStore(&line);
  AddJson(&line);
  line.epilogue =
      "  rebound_server    proposes, reads models and proposals; decides nothing\n"
      "  rebound_trainer   reads; writes snapshots, runs, models and promotions\n"
      "  rebound_reviewer  reads; decides proposals\n"
      "They are groups without login. Connect here as the owner of the schema, after every "
      "migrate,\n"
      "and give each program's login its group:\n"
      "  CREATE ROLE serve LOGIN; GRANT rebound_server TO serve;\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  PostgresConnection connection(StoreUri(*values));
  RequireSchema(&connection);
  GrantRoles(&connection);
  if ((*values)["json"].as<bool>()) {
    PrintJson([](JsonWriter& w) {
      w.Key("roles").Array([](JsonWriter& roles) {
        roles.String("rebound_server").String("rebound_trainer").String("rebound_reviewer");
      });
    });
  } else {
    std::cout << "rebound_server, rebound_promoter, rebound_trainer and rebound_reviewer have "
                 "their rights\n";
  }
  return Finish();
}

int RunBackup(int argc, const char* const* argv) {
  CommandLine line = MakeLine("backup", "Writes the whole store into one file.", " FILE");
  AddStore(&line);
  AddFile(&line, "where to (replaced whole); FILE.json beside it says what it holds");
  AddJson(&line);
  line.epilogue =
      "Uses pg_dump (PG_BINDIR names its folder); work on the store goes on meanwhile. Keep FILE "
      "and\n"
      "FILE.json together: rebound-labels restore believes a backup only where both agree.\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  return Tell(BackUpStore(StoreUri(*values), FileOf(*values)), *values, "backed up");
}

int RunRestore(int argc, const char* const* argv) {
  CommandLine line = MakeLine("restore", "Brings a backup back into an empty database.", " FILE");
  AddStore(&line);
  AddFile(&line, "what rebound-labels backup wrote");
  AddJson(&line);
  line.epilogue =
      "All or nothing; every table is compared with what was backed up. Afterwards:\n"
      "  rebound-labels migrate    where the program is newer than the backup\n"
      "  rebound-labels roles      rights are not part of a backup\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  return Tell(RestoreStore(StoreUri(*values), FileOf(*values)), *values, "restored and compared");
}

int RunRetain(int argc, const char* const* argv) {
  CommandLine line = MakeLine("retain", "Forgets old proposals that train nothing.");
  AddStore(&line);
  line.options.add_options()("older-than", po::value<int64_t>()->value_name("DAYS"),
                             "how long they are kept");
  line.options.add_options()("dry-run", po::bool_switch(), "count, remove nothing");
  AddJson(&line);
  line.epilogue =
      "Rejected, skipped and quarantined proposals go with their texts, comments and reviews, and "
      "so\n"
      "do delivery ids and idempotency keys of that age. What was approved stays, and so does the\n"
      "audit, which holds no text.\n"
      "  rebound-labels retain --older-than 365 --dry-run\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  if (values->count("older-than") == 0) {
    throw Error(ErrorCode::kInvalidArgument, "say how many days are kept: --older-than DAYS");
  }
  PostgresConnection connection(StoreUri(*values));
  RequireSchema(&connection);
  const bool dry = (*values)["dry-run"].as<bool>();
  const char* user = std::getenv("USER");
  const Retention removed = RetainStore(&connection, (*values)["older-than"].as<int64_t>(), dry,
                                        user == nullptr || *user == '\0' ? "retain" : user);
  const Counts counts = {{"proposals", removed.proposals},
                         {"texts", removed.texts},
                         {"clusters", removed.clusters},
                         {"deliveries", removed.deliveries},
                         {"idempotency_keys", removed.idempotency_keys}};
  if ((*values)["json"].as<bool>()) {
    PrintJson([&](JsonWriter& w) {
      for (const auto& [name, count] : counts) w.Key(name).Int(count);
    });
  } else {
    PrintCounts(dry ? "would be removed" : "removed", counts);
  }
  return Finish();
}

}  // namespace rebound
