#include "engine/cli/rules.h"

#include <csignal>
#include <iostream>

#include "base/error.h"
#include "engine/cli/terminal.h"
#include "engine/overrides/datasource_reader.h"

namespace rebound {
namespace {

// A data source that hangs up is told, and does not end the program.
class WithoutSigpipe {
 public:
  WithoutSigpipe() : before_(std::signal(SIGPIPE, SIG_IGN)) {}
  ~WithoutSigpipe() { std::signal(SIGPIPE, before_); }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

 private:
  void (*before_)(int);
};

void Tell(const std::string& what) { std::cerr << OneLine(what) << "\n"; }

}  // namespace

std::unique_ptr<Overrides> LoadOverrides(const std::string& path) {
  if (path.empty()) return nullptr;
  const WithoutSigpipe without_sigpipe;
  std::unique_ptr<Overrides> overrides;
  try {
    overrides =
        std::make_unique<Overrides>(LoadOverrideConfig(path), MakeDatasourceReader(), false);
  } catch (const Error& e) {
    // Whatever is wrong with the file is wrong with what the user gave.
    const bool is_away = e.code() == ErrorCode::kUnavailable;
    throw Error(is_away ? e.code() : ErrorCode::kInvalidArgument,
                std::string("--overrides: ") + e.what());
  }
  for (const std::string& warning : overrides->warnings()) Tell(warning);
  for (const OverrideListStatus& list : overrides->Status()) {
    for (const BadLine& bad : list.bad) Tell(bad.what);
    if (list.bad_count > list.bad.size()) {
      Tell(list.source + ": " + std::to_string(list.bad_count - list.bad.size()) +
           " more bad lines");
    }
    if (!list.last_error.empty()) Tell(list.source + ": " + list.last_error);
  }
  return overrides;
}

Rules::Rules(const std::string& overrides, const std::string& text_rules)
    : overrides_(LoadOverrides(overrides)) {
  text_rules_.emplace(text_rules, false);
  for (const std::string& bad : text_rules_->GetStatus().bad) Tell(bad);
}

}  // namespace rebound
