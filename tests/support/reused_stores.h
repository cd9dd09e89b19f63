// Stores that an ended test left, emptied for the next one: to make a database and its schema costs
// ten times as much as to empty one. A store is used again only where its schema, its rights and
// the rows that a migration filled are untouched to the last system column, nobody is connected to
// it, and little is in it; every other one is dropped. Thread-compatible.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace testing {
class TestInfo;
}

namespace rebound::test {

class ReusedStores {
 public:
  // A store without a row but those of the migrations, with every sequence at its start; nullopt
  // where no ended test left one. `server` connects to a database that is none of them.
  std::optional<std::string> Take(const std::string& server);
  // A new store, which belongs to the running test until that ends.
  void Keep(const std::string& uri, const std::string& database);

 private:
  struct Store {
    std::string uri, database;
    std::string mark;  // of what no test should have changed
    const testing::TestInfo* user = nullptr;
  };
  std::vector<Store> stores_;
};

}  // namespace rebound::test
