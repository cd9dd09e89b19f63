// rebound-labels retain: what is forgotten, by age or on request.
#include <cstdlib>
#include <iostream>

#include "base/error.h"
#include "base/progress_line.h"
#include "labelstore/command_line.h"
#include "labelstore/commands.h"
#include "labelstore/model_registry.h"
#include "labelstore/retention.h"
#include "labelstore/schema.h"

namespace rebound {
namespace {

namespace po = boost::program_options;

std::string Who() {
  const char* user = std::getenv("USER");
  return user == nullptr || *user == '\0' ? "retain" : user;
}

int Tell(const Counts& counts, bool dry_run, bool json) {
  if (json) {
    PrintJson([&](JsonWriter& w) {
      w.Key("dry_run").Bool(dry_run);
      for (const auto& [name, count] : counts) w.Key(name).Int(count);
    });
  } else {
    PrintCounts(dry_run ? "would be removed" : "removed", counts);
  }
  return Finish();
}

Counts Forget(PostgresConnection* connection, const po::variables_map& values) {
  ProgressLine progress("forgetting", 0);
  RetentionRules rules;
  rules.days = values["older-than"].as<int64_t>();
  rules.by = Who();
  rules.dry_run = values["dry-run"].as<bool>();
  rules.on_progress = [&](int64_t rows) { progress.Update(rows); };
  const Retention removed = RetainStore(connection, rules);
  return {{"proposals", removed.proposals},
          {"texts", removed.texts},
          {"clusters", removed.clusters},
          {"deliveries", removed.deliveries},
          {"idempotency_keys", removed.idempotency_keys},
          {"runs", removed.runs}};
}

int EraseOne(PostgresConnection* connection, const po::variables_map& values) {
  const bool dry_run = values["dry-run"].as<bool>(), json = values["json"].as<bool>();
  const auto name = values["contributor"].as<std::string>();
  const Erasure erased = EraseContributor(connection, name, Who(), dry_run);
  const int code = Tell({{"proposals", erased.proposals},
                         {"votes", erased.votes},
                         {"texts", erased.texts},
                         {"messages", erased.messages},
                         {"frozen", erased.frozen}},
                        dry_run, json);
  if (!json && erased.frozen > 0) {
    std::cout << "frozen: masked texts without a label, which stay because snapshots hold them. "
                 "Models that were\ntrained from those go on knowing them until one that was "
                 "trained from a new snapshot serves.\n";
  }
  return code;
}

}  // namespace

int RunRetain(int argc, const char* const* argv) {
  CommandLine line = MakeLine("retain", "Forgets old proposals, or one contributor's.");
  AddStore(&line);
  line.options.add_options()("older-than", po::value<int64_t>()->value_name("DAYS"),
                             "forget what trains nothing and is as old");
  line.options.add_options()("keep-bundles", po::value<int>()->value_name("N"),
                             "also remove the files of all but the last N bundles of each task");
  line.options.add_options()("contributor", po::value<std::string>()->value_name("NAME"),
                             "remove what NAME contributed, of any age");
  line.options.add_options()("dry-run", po::bool_switch(), "count, remove nothing");
  AddJson(&line);
  line.epilogue =
      "--older-than: rejected, skipped and quarantined proposals go with their texts, comments "
      "and\n"
      "reviews, and so do failed runs and idempotency keys of that age. Delivery ids stay for 90 "
      "days\n"
      "at least, for what a server's spool delivers late. What was approved or is open stays.\n"
      "--contributor: proposals, votes and texts of theirs alone. What snapshots hold stays "
      "masked\n"
      "and without their name. The audit, which holds no text, and their record stay.\n"
      "  rebound-labels retain --older-than 365 --keep-bundles 20 --dry-run\n"
      "  rebound-labels retain --contributor key-7\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  const bool ages = values->count("older-than") != 0, bundles = values->count("keep-bundles") != 0;
  if (values->count("contributor") != 0) {
    if (ages || bundles) {
      throw Error(ErrorCode::kInvalidArgument, "give --contributor by itself");
    }
  } else if (!ages && !bundles) {
    throw Error(ErrorCode::kInvalidArgument,
                "say what goes: --older-than DAYS, --keep-bundles N or --contributor NAME");
  }
  if (bundles && (*values)["keep-bundles"].as<int>() < 1) {
    throw Error(ErrorCode::kInvalidArgument, "--keep-bundles must be at least 1");
  }
  PostgresConnection connection(StoreUri(*values));
  RequireSchema(&connection);
  if (values->count("contributor") != 0) return EraseOne(&connection, *values);
  Counts counts;
  if (ages) counts = Forget(&connection, *values);
  const bool dry_run = (*values)["dry-run"].as<bool>();
  if (bundles) {
    ModelRegistry registry(StoreUri(*values));
    counts["bundles"] =
        static_cast<int64_t>(registry.Prune((*values)["keep-bundles"].as<int>(), dry_run).size());
  }
  return Tell(counts, dry_run, (*values)["json"].as<bool>());
}

}  // namespace rebound
