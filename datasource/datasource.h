// Where rules are kept by others: a Datasource answers one query with rows of text, whatever stands
// behind it. docs/datasources.md tells each scheme's address, query and failures.
//
// An address (URI) is one of sqlite:, postgresql:, postgres:, pgsql:, odbc:, ldap:, ldaps:, ldapi:,
// csv:. Nothing is ever written: where the source can promise that, it is made to, and a query that
// would write is refused. No connection outlives a Read. Thread-compatible.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace rebound {

// What one Read may take. Sizes are checked row by row: one huge row may pass before it is seen.
struct DatasourceLimits {
  std::chrono::milliseconds timeout{10'000};  // from connecting to the last row
  size_t max_rows = 1'000'000;
  size_t max_bytes = size_t{256} << 20;  // of all fields together
};

class Datasource {
 public:
  virtual ~Datasource() = default;

  // The fields live as long as the call; NULL and a missing value are "". Bytes pass as the source
  // gives them: they need not be UTF-8. What it throws ends the Read and passes through.
  using Row = std::function<void(std::span<const std::string_view> fields)>;

  // Tells every row that `query` gives, of `columns` fields each, in the source's order. Rows that
  // were told before an Error count for nothing. After an Error the next Read starts anew.
  // REQUIRES: columns > 0. Throws
  //   kInvalidArgument  the source refuses the query or the user, the query would write, or it
  //                     gives another number of columns
  //   kNotFound         no such file, table, entry, driver or DSN
  //   kUnavailable      away, locked, or slower than the timeout
  //   kTooLarge         more rows or bytes than the limits or the server allow
  //   kCorrupt          a file that is damaged or of another kind
  virtual void Read(std::string_view query, size_t columns, const Row& row) = 0;

  // "LDAP server ldap.example:389": for messages; never a password.
  virtual std::string description() const = 0;
};

// Connects to nothing yet. ${NAME} in `uri` stands for an environment variable, quoted as the
// scheme wants it. Throws kInvalidArgument where the address cannot be read or a variable is unset;
// no message repeats the address, which may hold a password.
std::unique_ptr<Datasource> OpenDatasource(const std::string& uri, DatasourceLimits limits = {});

}  // namespace rebound
