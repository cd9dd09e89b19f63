// The files of serve/web, embedded when the server is built: it answers them wherever it stands.
// Immutable.
#pragma once

#include <span>
#include <string_view>

namespace rebound {

struct WebFile {
  std::string_view name;  // "index.html"
  std::string_view bytes;
};

std::span<const WebFile> WebFiles();

}  // namespace rebound
