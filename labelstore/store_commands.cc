// rebound-labels roles, backup and restore: the work of who runs the database.
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
      "  rebound_server    proposes; reads proposals, models and bundles; decides nothing\n"
      "  rebound_trainer   reads; writes snapshots, runs, models, bundles and promotions\n"
      "  rebound_reviewer  reads; decides proposals, keeps the must-pass list, imports labels\n"
      "They are groups without login. Connect here as the owner of the schema, after every "
      "migrate,\n"
      "and give each program's login its groups in psql (\\password NAME sets a password):\n"
      "  CREATE ROLE serve LOGIN; GRANT rebound_server TO serve;\n"
      "  CREATE ROLE desk LOGIN; GRANT rebound_server, rebound_reviewer TO desk;\n"
      "  CREATE ROLE office LOGIN; GRANT rebound_server, rebound_reviewer, rebound_trainer TO "
      "office;\n"
      "  CREATE ROLE train LOGIN; GRANT rebound_trainer TO train;\n"
      "  CREATE ROLE reviewer LOGIN; GRANT rebound_reviewer TO reviewer;\n"
      "serve takes contributions; desk also offers the review routes, office also export and "
      "retraining\n"
      "over HTTP. docs/label-store.md has the whole table.\n";
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
  CommandLine line =
      MakeLine("restore", "Brings a backup back into a database that has no store.", " FILE");
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

}  // namespace rebound
