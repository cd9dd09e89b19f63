// What --check-config looks at: everything that a start would read, one check after the other, so
// that all that is wrong is told at once. Nothing stays changed on disk. Thread-compatible.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "serve/options.h"

namespace rebound {

class ConfigChecks {
 public:
  // Says what it found, for people; throws Error (what is wrong and the remedy) where the server
  // could not serve with it. "" where it was not asked for: no line is printed.
  using Check = std::function<std::string()>;

  void Add(std::string name, Check check);
  // Runs all, in order, a line each: "ok    models: ..." or "FAIL  models: ...", and a last line
  // with the verdict. True where none failed.
  bool Run(std::ostream* out) const;

 private:
  struct Named {
    std::string name;
    Check check;
  };
  std::vector<Named> checks_;
};

// All that rebound-serve has; `options` must outlive them. A new part adds its own here.
ConfigChecks ChecksOf(const ServeOptions& options);

}  // namespace rebound
