// The kinds of Datasource, one a file; OpenDatasource alone makes them. Each takes what stands
// behind its scheme, with the environment in place, and throws kInvalidArgument where it cannot be
// read.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "datasource/datasource.h"

namespace rebound {

// `path`: a file or a folder of files.
std::unique_ptr<Datasource> MakeCsvDatasource(const std::string& path, DatasourceLimits limits);
std::unique_ptr<Datasource> MakeSqliteDatasource(const std::string& path, DatasourceLimits limits);
// `connection`: a URI or key=value settings of libpq.
std::unique_ptr<Datasource> MakePostgresDatasource(const std::string& connection,
                                                   DatasourceLimits limits);
// `connection`: a connection string for SQLDriverConnect, UTF-8.
std::unique_ptr<Datasource> MakeOdbcDatasource(const std::string& connection,
                                               DatasourceLimits limits);
// `scheme`: ldap, ldaps or ldapi; `rest`: what stands behind "scheme://".
std::unique_ptr<Datasource> MakeLdapDatasource(const std::string& scheme, std::string_view rest,
                                               DatasourceLimits limits);

}  // namespace rebound
