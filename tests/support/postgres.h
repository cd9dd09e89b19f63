// A private PostgreSQL for tests, started through tools/postgres: one cluster a test program, a
// fresh database a test. The cluster goes when the program ends, even by kill -9. Where it cannot
// start, the test fails: a missing database is never skipped. Thread-compatible.
#pragma once

#include <filesystem>
#include <string>

#include "tests/support/reused_stores.h"

namespace rebound::test {

class TestCluster {
 public:
  TestCluster();   // throws Error where PostgreSQL does not start
  ~TestCluster();  // destroys it
  TestCluster(const TestCluster&) = delete;
  TestCluster& operator=(const TestCluster&) = delete;

  // The URI of a new, empty database.
  std::string NewDatabase();
  // The same with the schema `rebound`, as the migrations leave it; of the running test alone.
  std::string NewStore();

  void Start();
  void Stop();  // in order
  void Kill();  // kill -9 of the server

  const std::filesystem::path& folder() const { return folder_; }
  const std::string& uri() const { return uri_; }

 private:
  std::filesystem::path folder_;
  std::string uri_;
  int databases_ = 0;
  ReusedStores stores_;
};

// The cluster of this program, started on first use.
TestCluster& SharedCluster();

// What a command printed on standard output, and how it ended.
struct Ran {
  int exit_code = -1;  // 128 + signal where it was killed
  std::string output;
  std::string errors;
};
// Runs a shell command line to its end.
Ran RunCommand(const std::string& command);

// The path of a built binary or of a file of the source tree, quoted by nobody.
std::string BinaryPath(const std::string& name);
std::string SourcePath(const std::string& name);

}  // namespace rebound::test
