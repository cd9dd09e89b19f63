#include "engine/overrides/datasource_reader.h"

#include <string>
#include <vector>

#include "datasource/datasource.h"

namespace rebound {

DatasourceReader MakeDatasourceReader() {
  return [](const std::string& uri, const std::string& query, size_t columns,
            const std::function<void(std::span<const std::string> fields)>& row) {
    std::vector<std::string> record;
    OpenDatasource(uri)->Read(query, columns, [&](std::span<const std::string_view> fields) {
      record.assign(fields.begin(), fields.end());
      row(record);
    });
  };
}

}  // namespace rebound
