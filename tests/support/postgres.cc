#include "tests/support/postgres.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "datasource/postgres.h"
#include "labelstore/schema.h"

namespace rebound::test {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) {
    throw Error(ErrorCode::kInternal, std::string(name) + " is not set: run the tests by ctest");
  }
  return value;
}

std::string Tool(const std::string& arguments) {
  const Ran ran = RunCommand(SourcePath("tools/postgres") + " " + arguments);
  if (ran.exit_code != 0) {
    throw Error(ErrorCode::kUnavailable, "tools/postgres " + arguments + ": " + ran.errors);
  }
  return std::string(Trim(ran.output));
}

// Neither gone nor a zombie that nobody has waited for yet.
bool IsAlive(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string stat;
  return std::getline(file, stat) && stat.find(") Z ") == std::string::npos;
}

}  // namespace

std::string BinaryPath(const std::string& name) { return Environment("REBOUND_BIN") + "/" + name; }
std::string SourcePath(const std::string& name) {
  return Environment("REBOUND_SOURCE") + "/" + name;
}

Ran RunCommand(const std::string& command) {
  TempFolder folder;
  const auto out = folder.path() / "out", err = folder.path() / "err";
  const int status = std::system(
      ("( " + command + " ) >" + out.string() + " 2>" + err.string() + " </dev/null").c_str());
  Ran ran;
  ran.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  ran.output = ReadFile(out);
  ran.errors = ReadFile(err);
  return ran;
}

TestCluster::TestCluster() {
  TempFolder folder("rebound-test-pg-");
  // Another user may own the server: it must be able to pass through.
  ::chmod(folder.path().c_str(), 0711);
  folder_ = folder.path();
  Start();
  folder.Release();
}

TestCluster::~TestCluster() {
  RunCommand(SourcePath("tools/postgres") + " destroy " + folder_.string());
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void TestCluster::Start() {
  uri_ = Tool("start " + folder_.string() + " --fast --while " + std::to_string(::getpid()));
}

void TestCluster::Stop() { Tool("stop " + folder_.string()); }

void TestCluster::Kill() {
  std::ifstream place(folder_ / "place");
  std::string data;
  std::getline(place, data);
  std::ifstream file(data + "/data/postmaster.pid");
  pid_t server = 0;
  file >> server;
  if (server <= 1) return;
  // Its sessions would notice a moment later: they go with it, so that nothing answers any more.
  std::ifstream children("/proc/" + std::to_string(server) + "/task/" + std::to_string(server) +
                         "/children");
  std::vector<pid_t> processes = {server};
  for (pid_t child = 0; children >> child;) processes.push_back(child);
  for (const pid_t process : processes) ::kill(process, SIGKILL);
  for (const pid_t process : processes) {
    while (IsAlive(process)) std::this_thread::yield();
  }
}

std::string TestCluster::NewDatabase() {
  const std::string name = "test_" + std::to_string(++databases_);
  PostgresConnection(uri_).ExecuteAlone("CREATE DATABASE " + name);
  std::string uri = uri_;
  return uri.replace(uri.find("///rebound?") + 3, 7, name);
}

std::string TestCluster::NewStore() {
  if (auto emptied = stores_.Take(uri_)) return *emptied;
  std::string uri = NewDatabase();
  {
    PostgresConnection connection(uri);
    MigrateSchema(&connection);
  }
  stores_.Keep(uri, "test_" + std::to_string(databases_));
  return uri;
}

TestCluster& SharedCluster() {
  static TestCluster cluster;
  return cluster;
}

}  // namespace rebound::test
