#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "datasource/no_pipe_signal.h"
#include "datasource/read_guard.h"
#include "datasource/sources.h"
#include "datasource/watchdog.h"

namespace rebound {
namespace {

// --- texts ---------------------------------------------------------------------------------------

// The wide functions say what their bytes are, in every locale and for every driver: UTF-16.
using WideText = std::vector<SQLWCHAR>;
static_assert(sizeof(SQLWCHAR) == 2);

WideText ToWide(std::string_view text) {
  WideText wide;
  while (!text.empty()) {
    const CodePoint point = DecodeUtf8(text);
    text.remove_prefix(point.bytes);
    if (point.value < 0x10000) {
      wide.push_back(static_cast<SQLWCHAR>(point.value));
    } else {
      wide.push_back(static_cast<SQLWCHAR>(0xD7C0 + (point.value >> 10)));
      wide.push_back(static_cast<SQLWCHAR>(0xDC00 + (point.value & 0x3FF)));
    }
  }
  return wide;
}

void AppendWide(const SQLWCHAR* text, size_t size, std::string* out) {
  for (size_t i = 0; i < size; ++i) {
    char32_t value = text[i];
    const bool is_high = value >= 0xD800 && value < 0xDC00;
    if (is_high && i + 1 < size && text[i + 1] >= 0xDC00 && text[i + 1] < 0xE000) {
      value = 0x10000 + ((value - 0xD800) << 10) + (text[++i] - char32_t{0xDC00});
    } else if (value >= 0xD800 && value < 0xE000) {
      value = 0xFFFD;
    }
    AppendUtf8(value, out);
  }
}

using Settings = std::vector<std::pair<std::string, std::string>>;

// "Key=value;Key={a;b}" for what messages name; the driver manager reads the string itself.
Settings ParseSettings(std::string_view text) {
  Settings settings;
  while (!text.empty()) {
    const size_t equals = text.find_first_of("=;");
    if (equals == text.npos) break;
    if (text[equals] == ';') {
      text.remove_prefix(equals + 1);
      continue;
    }
    const std::string key = AsciiLower(Trim(text.substr(0, equals)));
    text.remove_prefix(equals + 1);
    const bool in_braces = text.substr(0, 1) == "{";
    const size_t end = in_braces ? text.find("};") : text.find(';');
    settings.emplace_back(key, text.substr(0, end == text.npos ? end : end + (in_braces ? 1 : 0)));
    text.remove_prefix(std::min(text.size(), settings.back().second.size() + 1));
  }
  return settings;
}

std::string Describe(const Settings& settings) {
  std::string told = "ODBC";
  for (const char* name : {"dsn", "filedsn", "driver", "server", "servername", "database"}) {
    for (const auto& [key, value] : settings) {
      if (key == name) told += " " + key + "=" + value;
    }
  }
  return told;
}

// --- handles -------------------------------------------------------------------------------------

class Handle {
 public:
  Handle(SQLSMALLINT type, SQLHANDLE parent) : type_(type) {
    if (!SQL_SUCCEEDED(SQLAllocHandle(type, parent, &handle_))) {
      throw Error(ErrorCode::kUnavailable, "ODBC gives no handle: is memory left?");
    }
  }
  ~Handle() { SQLFreeHandle(type_, handle_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  SQLHANDLE get() const { return handle_; }
  SQLSMALLINT type() const { return type_; }

 private:
  SQLSMALLINT type_;
  SQLHANDLE handle_ = SQL_NULL_HANDLE;
};

// Leaves nothing done: what the query may have written is rolled back.
class Session {
 public:
  explicit Session(SQLHDBC connection) : connection_(connection) {}
  ~Session() {
    SQLEndTran(SQL_HANDLE_DBC, connection_, SQL_ROLLBACK);
    SQLDisconnect(connection_);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

 private:
  SQLHDBC connection_;
};

// For a driver without Unicode the driver manager makes Latin-1 of wide text, and for one with it
// it takes narrow text for Latin-1: each gets what passes untouched. A sign that Latin-1 lacks
// tells them apart.
bool KeepsUnicode(SQLHDBC connection) {
  WideText probe = ToWide("SELECT '\xE2\x82\xAC'");
  std::array<SQLWCHAR, 64> back{};
  SQLINTEGER size = 0;
  const SQLRETURN told =
      SQLNativeSqlW(connection, probe.data(), static_cast<SQLINTEGER>(probe.size()), back.data(),
                    static_cast<SQLINTEGER>(back.size()), &size);
  return !SQL_SUCCEEDED(told) || std::find(back.begin(), back.end(), 0x20AC) != back.end();
}

SQLRETURN Execute(SQLHDBC connection, SQLHSTMT statement, std::string_view query) {
  const bool is_ascii = std::all_of(query.begin(), query.end(), [](char c) { return c > 0; });
  if (is_ascii || KeepsUnicode(connection)) {
    WideText text = ToWide(query);
    return SQLExecDirectW(statement, text.data(), static_cast<SQLINTEGER>(text.size()));
  }
  std::string text(query);
  return SQLExecDirect(statement, reinterpret_cast<SQLCHAR*>(text.data()),
                       static_cast<SQLINTEGER>(text.size()));
}

// --- errors --------------------------------------------------------------------------------------

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

enum class Stage { kConnect, kQuery };

// HY000 covers everything; a lock is what SQLite's and MySQL's drivers tell by their words alone.
bool IsLock(const std::string& state, const std::string& reason) {
  return state == "HY000" && (reason.find("is locked") != reason.npos ||
                              reason.find("Lock wait timeout") != reason.npos);
}

ErrorCode CodeOf(const std::string& state, const std::string& reason, Stage stage) {
  if (IsLock(state, reason)) return ErrorCode::kUnavailable;
  if (state == "42S02" || state == "IM002" || state == "IM003" || state == "IM004") {
    return ErrorCode::kNotFound;
  }
  if (StartsWith(state, "28")) return ErrorCode::kInvalidArgument;
  // A driver's library that is missing is told by the driver manager as a warning.
  if (stage == Stage::kConnect) {
    return state == "01000" ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
  }
  for (const char* passing : {"08", "HYT", "HY001", "HY008", "40", "53", "55", "57"}) {
    if (StartsWith(state, passing)) return ErrorCode::kUnavailable;
  }
  return ErrorCode::kInvalidArgument;
}

const char* RemedyOf(ErrorCode code, Stage stage) {
  if (code == ErrorCode::kUnavailable)
    return ": check that the database runs, can be reached and is not locked";
  if (stage == Stage::kQuery) return "";
  return code == ErrorCode::kNotFound ? ": check odbc.ini, odbcinst.ini and the driver's package"
                                      : ": check the user and the password";
}

// "[42S02] no such table", and the SQLSTATE alone.
std::pair<std::string, std::string> Diagnosis(const Handle& handle) {
  std::array<SQLWCHAR, 6> state{};
  std::array<SQLWCHAR, 1024> text{};
  SQLINTEGER native = 0;
  SQLSMALLINT size = 0;
  const SQLRETURN result =
      SQLGetDiagRecW(handle.type(), handle.get(), 1, state.data(), &native, text.data(),
                     static_cast<SQLSMALLINT>(text.size()), &size);
  if (!SQL_SUCCEEDED(result)) return {"", "no diagnosis"};
  std::string code, reason;
  AppendWide(state.data(), 5, &code);
  const auto length =
      std::min(static_cast<size_t>(std::max<SQLSMALLINT>(size, 0)), text.size() - 1);
  AppendWide(text.data(), length, &reason);
  return {code, "[" + code + "] " + std::string(Trim(reason))};
}

class OdbcDatasource final : public Datasource {
 public:
  OdbcDatasource(std::string connection, DatasourceLimits limits)
      : connection_(std::move(connection)), limits_(limits) {
    const Settings settings = ParseSettings(connection_);
    const bool names_one = std::any_of(settings.begin(), settings.end(), [](const auto& setting) {
      const std::string& key = setting.first;
      return (key == "dsn" || key == "driver" || key == "filedsn") && !setting.second.empty();
    });
    if (!names_one || connection_.find('\0') != std::string::npos) {
      throw Error(ErrorCode::kInvalidArgument,
                  "the datasource's address names neither a DSN nor a driver: write it like "
                  "odbc:DSN=rules;UID=reader;PWD=${NAME} or odbc:Driver=SQLite3;Database=/path");
    }
    description_ = Describe(settings);
  }

  void Read(std::string_view query, size_t columns, const Row& row) override {
    ReadGuard guard(limits_, description_);
    const NoPipeSignal no_pipe_signal;
    const Handle environment(SQL_HANDLE_ENV, SQL_NULL_HANDLE);
    SQLSetEnvAttr(environment.get(), SQL_ATTR_ODBC_VERSION, Number(SQL_OV_ODBC3), 0);
    const Handle connection(SQL_HANDLE_DBC, environment.get());
    Connect(connection, guard);
    const Session session(connection.get());
    const Handle statement(SQL_HANDLE_STMT, connection.get());
    SQLSetStmtAttr(statement.get(), SQL_ATTR_QUERY_TIMEOUT, Seconds(guard), 0);
    // For drivers that know no query timeout.
    const Watchdog watchdog(guard.left(), [&] { SQLCancel(statement.get()); });
    const SQLRETURN executed = Execute(connection.get(), statement.get(), query);
    // SQL_NO_DATA: it changed rows, and none.
    if (executed != SQL_NO_DATA) Check(executed, statement, Stage::kQuery, guard);
    SQLSMALLINT given = 0;
    Check(SQLNumResultCols(statement.get(), &given), statement, Stage::kQuery, guard);
    if (given == 0) {
      throw Error(ErrorCode::kInvalidArgument,
                  "the query to " + description_ +
                      " gives no rows, and what it wrote was rolled back: write one SELECT");
    }
    guard.CheckColumns(static_cast<size_t>(given), columns);
    TellRows(statement, columns, &guard, row);
  }

  std::string description() const override { return description_; }

 private:
  static SQLPOINTER Number(size_t value) { return reinterpret_cast<SQLPOINTER>(value); }

  // Whole seconds, for ODBC knows no others; 0 would be for ever.
  static SQLPOINTER Seconds(const ReadGuard& guard) {
    return Number(static_cast<size_t>(guard.left().count() / 1000 + 1));
  }

  void Connect(const Handle& connection, const ReadGuard& guard) const {
    // Wishes: a driver that does not know one goes without.
    SQLSetConnectAttr(connection.get(), SQL_ATTR_LOGIN_TIMEOUT, Seconds(guard), 0);
    SQLSetConnectAttr(connection.get(), SQL_ATTR_CONNECTION_TIMEOUT, Seconds(guard), 0);
    SQLSetConnectAttr(connection.get(), SQL_ATTR_ACCESS_MODE, Number(SQL_MODE_READ_ONLY), 0);
    WideText text = ToWide(connection_);
    const SQLRETURN connected =
        SQLDriverConnectW(connection.get(), nullptr, text.data(),
                          static_cast<SQLSMALLINT>(std::min<size_t>(text.size(), 32767)), nullptr,
                          0, nullptr, SQL_DRIVER_NOPROMPT);
    Check(connected, connection, Stage::kConnect, guard);
    SQLSetConnectAttr(connection.get(), SQL_ATTR_AUTOCOMMIT, Number(SQL_AUTOCOMMIT_OFF), 0);
  }

  void TellRows(const Handle& statement, size_t columns, ReadGuard* guard, const Row& row) const {
    std::vector<SQLSMALLINT> types;
    for (size_t c = 1; c <= columns; ++c) {
      SQLSMALLINT type = SQL_UNKNOWN_TYPE;
      Check(SQLDescribeColW(statement.get(), static_cast<SQLUSMALLINT>(c), nullptr, 0, nullptr,
                            &type, nullptr, nullptr, nullptr),
            statement, Stage::kQuery, *guard);
      types.push_back(type);
    }
    std::vector<std::string> values(columns);
    while (true) {
      const SQLRETURN fetched = SQLFetch(statement.get());
      if (fetched == SQL_NO_DATA) return;
      Check(fetched, statement, Stage::kQuery, *guard);
      for (size_t c = 0; c < columns; ++c) {
        values[c].clear();
        ReadField(statement, static_cast<SQLUSMALLINT>(c + 1), types[c], *guard, &values[c]);
      }
      const std::vector<std::string_view> fields(values.begin(), values.end());
      guard->Tell(fields, row);
    }
  }

  // A field in pieces, however long it is: wide text as UTF-8, bytes and narrow text as they are.
  void ReadField(const Handle& statement, SQLUSMALLINT column, SQLSMALLINT type,
                 const ReadGuard& guard, std::string* value) const {
    const bool is_wide = type == SQL_WCHAR || type == SQL_WVARCHAR || type == SQL_WLONGVARCHAR;
    const bool is_binary = type == SQL_BINARY || type == SQL_VARBINARY || type == SQL_LONGVARBINARY;
    const SQLSMALLINT as = is_wide ? SQL_C_WCHAR : is_binary ? SQL_C_BINARY : SQL_C_CHAR;
    const size_t end = is_wide ? sizeof(SQLWCHAR) : is_binary ? 0 : 1;  // of the NUL behind a piece
    std::array<SQLWCHAR, 8192> piece;
    const size_t room = sizeof(piece) - end;
    WideText wide;  // whole before it is converted: a piece may end inside a pair
    while (true) {
      SQLLEN size = 0;
      const SQLRETURN got = SQLGetData(statement.get(), column, as, piece.data(),
                                       static_cast<SQLLEN>(sizeof(piece)), &size);
      if (got == SQL_NO_DATA) break;
      Check(got, statement, Stage::kQuery, guard);
      if (size == SQL_NULL_DATA) return;
      const size_t bytes =
          size == SQL_NO_TOTAL || size < 0 ? room : std::min(static_cast<size_t>(size), room);
      if (is_wide) {
        wide.insert(wide.end(), piece.data(), piece.data() + bytes / sizeof(SQLWCHAR));
      } else {
        value->append(reinterpret_cast<const char*>(piece.data()), bytes);
      }
      guard.CheckTime();
      guard.CheckBytes(value->size() + wide.size());
      if (got == SQL_SUCCESS) break;
    }
    AppendWide(wide.data(), wide.size(), value);
  }

  void Check(SQLRETURN result, const Handle& handle, Stage stage, const ReadGuard& guard) const {
    if (SQL_SUCCEEDED(result)) return;
    if (guard.is_over()) guard.ThrowTimeout();
    const auto [state, reason] = Diagnosis(handle);
    const ErrorCode code = CodeOf(state, reason, stage);
    throw Error(code, description_ + ": " + reason + RemedyOf(code, stage));
  }

  const std::string connection_;
  const DatasourceLimits limits_;
  std::string description_;
};

}  // namespace

std::unique_ptr<Datasource> MakeOdbcDatasource(const std::string& connection,
                                               DatasourceLimits limits) {
  return std::make_unique<OdbcDatasource>(connection, limits);
}

}  // namespace rebound
