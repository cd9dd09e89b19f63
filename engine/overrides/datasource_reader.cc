#include "engine/overrides/datasource_reader.h"

#include <string>

#include "datasource/datasource.h"

namespace rebound {

DatasourceReader MakeDatasourceReader() {
  return [](const std::string& uri, const std::string& query, size_t columns, const auto& row) {
    OpenDatasource(uri)->Read(query, columns, row);
  };
}

}  // namespace rebound
