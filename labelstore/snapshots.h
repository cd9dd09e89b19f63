// Snapshots by name: list, difference, and files that carry one to another database.
//
// A snapshot is immutable and named by its digest; the names that people give are further ways to
// find it, and a name never moves. A file of one holds everything that the digest covers, so that a
// snapshot imported elsewhere has the same digest there, trains the same bytes, and changes no vote
// of that store. Thread-compatible: one connection a thread.
#pragma once

#include <array>
#include <cstdint>
#include <istream>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "datasource/postgres.h"
#include "labelstore/label_store.h"

namespace rebound {

struct NamedSnapshot {
  SnapshotInfo info;
  std::vector<std::string> names;                 // in the order they were given
  std::map<std::string, int64_t> rows_by_origin;  // "seed", "contribution", "review"
  int64_t held_out = 0;
};

// How one message's label of a task changed. "" where there is none.
struct Relabelling {
  Task task;
  std::string from, to;
  std::string text;  // masked
};

struct SnapshotDiff {
  SnapshotInfo before, after;
  int64_t added = 0, removed = 0, same = 0;  // messages
  int64_t relabelled = 0;                    // messages with another label in one task or more
  std::array<int64_t, kTaskCount> relabelled_by_task = {};
  // At most the limit of each, in order of content.
  std::vector<SnapshotRow> added_examples, removed_examples;
  std::vector<Relabelling> relabelled_examples;
};

class SnapshotCatalog {
 public:
  // `connection` must outlive the catalog. Throws as RequireSchema does.
  explicit SnapshotCatalog(PostgresConnection* connection);

  // Newest first.
  std::vector<NamedSnapshot> List();
  // The same without counting their rows, by origin and held out: at once, however large they are.
  std::vector<NamedSnapshot> Newest(int64_t most);
  // By id ("7"), name, or the first 8 digits or more of a digest. Throws kNotFound, kConflict where
  // a digest's beginning fits several.
  NamedSnapshot Find(std::string_view reference);
  // Giving the same name again changes nothing. Throws kInvalidArgument for a name that is not a
  // letter followed by up to 99 letters, digits, '.', '_', '-', or that reads as a digest;
  // kConflict where it names another snapshot.
  void Name(int64_t id, const std::string& name);

  SnapshotDiff Diff(int64_t before, int64_t after, size_t examples);

  // JSON Lines: a head with the digest, a line a row, an end with the sha256 of all before it.
  void Export(int64_t id, std::ostream& out);
  // The snapshot of a file, made here where it is not there yet, with those of its names that are
  // free here. Nothing is stored unless all of it is right. Throws kCorrupt where the rows do not
  // have the digest that the file states, naming both, or the file is cut; kInvalidArgument with
  // the line for what cannot be read; kConflict where this store has a text in another group.
  NamedSnapshot Import(std::istream& in);

 private:
  PostgresConnection* const connection_;
};

// One object: both sides, counts, examples.
std::string WriteSnapshotDiff(const SnapshotDiff& diff);

}  // namespace rebound
