#include "datasource/postgres_tools.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

extern char** environ;

namespace rebound {
namespace {

namespace fs = std::filesystem;

// Our environment with the settings of `uri` under the names that libpq reads.
std::vector<std::string> EnvironmentFor(const std::string& uri) {
  std::map<std::string, std::string> variables;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view variable = *each;
    const size_t sign = variable.find('=');
    if (sign != std::string_view::npos) {
      variables[std::string(variable.substr(0, sign))] = variable.substr(sign + 1);
    }
  }
  PQconninfoOption* parsed = PQconninfoParse(uri.c_str(), nullptr);
  if (parsed == nullptr) {
    throw Error(ErrorCode::kInvalidArgument, "the address of the database is no PostgreSQL URI");
  }
  for (const PQconninfoOption* option = parsed; option->keyword != nullptr; ++option) {
    if (option->envvar != nullptr && option->val != nullptr)
      variables[option->envvar] = option->val;
  }
  PQconninfoFree(parsed);
  std::vector<std::string> lines;
  for (const auto& [name, value] : variables) {
    lines.push_back(name);
    lines.back().append("=").append(value);
  }
  return lines;
}

std::vector<char*> Pointers(std::vector<std::string>* words) {
  std::vector<char*> pointers;
  for (std::string& word : *words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// The first line that tells an error, else the last one.
std::string ReasonOf(std::string_view text) {
  std::string_view last;
  for (const std::string_view line : Split(Trim(text), '\n')) {
    last = line;
    if (line.find("error:") != std::string_view::npos) break;
  }
  return RepairUtf8(Trim(last));
}

}  // namespace

fs::path FindPostgresTool(std::string_view name) {
  if (const char* folder = std::getenv("PG_BINDIR"); folder != nullptr && *folder != '\0') {
    const fs::path path = fs::path(folder) / name;
    if (fs::exists(path)) return path;
  }
  int newest = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    const int version = std::atoi(entry.path().filename().c_str());
    if (version > newest && fs::exists(entry.path() / "bin" / name)) newest = version;
  }
  if (newest > 0) return fs::path("/usr/lib/postgresql") / std::to_string(newest) / "bin" / name;
  const char* path = std::getenv("PATH");
  for (const std::string_view folder : Split(path == nullptr ? "" : path, ':')) {
    if (!folder.empty() && fs::exists(fs::path(folder) / name)) return fs::path(folder) / name;
  }
  throw Error(ErrorCode::kNotFound, std::string(name) +
                                        " is not installed: install postgresql-client, or set "
                                        "PG_BINDIR to its folder");
}

void RunPostgresTool(std::string_view name, const std::vector<std::string>& arguments,
                     const std::string& uri) {
  std::vector<std::string> words = {FindPostgresTool(name).string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables = EnvironmentFor(uri);
  const TempFolder folder;
  const std::string errors = (folder.path() / "errors").string();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t child = -1;
  const int failure = posix_spawn(&child, words[0].c_str(), &actions, nullptr,
                                  Pointers(&words).data(), Pointers(&variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) {
    throw Error(ErrorCode::kUnavailable,
                "cannot start " + words[0] + ": " + std::strerror(failure));
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) {
      throw Error(ErrorCode::kInternal, "cannot wait for " + words[0]);
    }
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  throw Error(ErrorCode::kUnavailable,
              std::string(name) + " failed: " + ReasonOf(ReadFile(errors)));
}

}  // namespace rebound
