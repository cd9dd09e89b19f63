#include "datasource/datasource.h"

#include "base/error.h"
#include "base/text.h"
#include "datasource/sources.h"
#include "datasource/uri.h"

namespace rebound {
namespace {

[[noreturn]] void Refuse(const std::string& why) { throw Error(ErrorCode::kInvalidArgument, why); }

std::string AsItIs(std::string_view value, std::string_view) { return std::string(value); }
std::string InUri(std::string_view value, std::string_view) { return PercentEncode(value); }

// libpq reads a backslash before any character as that character, in quotes and outside.
std::string InPostgresSetting(std::string_view value, std::string_view) {
  std::string quoted;
  for (const char c : value) quoted += {'\\', c};
  return quoted;
}

// A value with a special character stands in braces, in which a closing one is doubled.
std::string InOdbcString(std::string_view value, std::string_view before) {
  std::string doubled;
  for (const char c : value) doubled.append(c == '}' ? 2 : 1, c);
  const bool in_braces = !before.empty() && before.back() == '{';
  const bool plain = value.find_first_of(";{} ") == value.npos;
  return in_braces || plain ? doubled : "{" + doubled + "}";
}

// pgsql:host=a;dbname=b is how other programs write it; libpq parts settings by blanks.
std::string BlanksForSemicolons(std::string settings) {
  bool quoted = false;
  for (size_t i = 0; i < settings.size(); ++i) {
    if (settings[i] == '\\') {
      ++i;
    } else if (settings[i] == '\'') {
      quoted = !quoted;
    } else if (settings[i] == ';' && !quoted) {
      settings[i] = ' ';
    }
  }
  return settings;
}

std::string PathOf(const std::string& scheme, std::string_view rest) {
  std::string path = ExpandEnvironment(rest, AsItIs);
  if (path.empty() || path.find('\0') != std::string::npos) {
    Refuse("the datasource " + scheme + ": names no file: write it like " + scheme +
           ":/path/to/file");
  }
  return path;
}

}  // namespace

std::unique_ptr<Datasource> OpenDatasource(const std::string& uri, DatasourceLimits limits) {
  const size_t colon = uri.find(':');
  const std::string scheme = colon == uri.npos ? "" : AsciiLower(uri.substr(0, colon));
  const std::string_view rest = std::string_view(uri).substr(colon == uri.npos ? 0 : colon + 1);
  const bool has_slashes = rest.substr(0, 2) == "//";
  if (scheme == "sqlite") return MakeSqliteDatasource(PathOf(scheme, rest), limits);
  if (scheme == "csv") return MakeCsvDatasource(PathOf(scheme, rest), limits);
  if ((scheme == "postgresql" || scheme == "postgres") && has_slashes) {
    return MakePostgresDatasource(scheme + ":" + ExpandEnvironment(rest, InUri), limits);
  }
  if (scheme == "pgsql") {
    return MakePostgresDatasource(
        has_slashes ? "postgresql:" + ExpandEnvironment(rest, InUri)
                    : BlanksForSemicolons(ExpandEnvironment(rest, InPostgresSetting)),
        limits);
  }
  if (scheme == "odbc") {
    const std::string connection = ExpandEnvironment(rest, InOdbcString);
    // A lone name is that of a DSN.
    return MakeOdbcDatasource(
        connection.find('=') == connection.npos ? "DSN=" + connection : connection, limits);
  }
  if ((scheme == "ldap" || scheme == "ldaps" || scheme == "ldapi") && has_slashes) {
    return MakeLdapDatasource(scheme, ExpandEnvironment(rest.substr(2), InUri), limits);
  }
  Refuse(
      "the datasource's address has no scheme that is known: write sqlite:/path, csv:/path, "
      "postgresql://user@host/database, pgsql:host=... dbname=..., odbc:DSN=..., "
      "ldap://host:port/, ldaps://host/ or ldapi://%2Fpath%2Fof%2Fsocket/");
}

}  // namespace rebound
