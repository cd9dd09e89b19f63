// PostgreSQL's own programs (pg_dump, pg_restore) as children. What they need to connect stands in
// their environment, never on their command line, where everyone could read a password.
// Thread-safe.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace rebound {

// $PG_BINDIR, else the newest of /usr/lib/postgresql/*/bin, else the PATH. Throws kNotFound with
// the remedy.
std::filesystem::path FindPostgresTool(std::string_view name);

// Runs it to its end against the database `uri`. Throws kUnavailable with the error that it printed
// where it fails.
void RunPostgresTool(std::string_view name, const std::vector<std::string>& arguments,
                     const std::string& uri);

}  // namespace rebound
