// What --overrides names: the configuration block of Momentum's module as it stands there, or a
// file of SMTP rules. docs/overrides.md lists the options.
#pragma once

#include <array>
#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/overrides/bounce_code.h"
#include "engine/overrides/rule_list.h"

namespace rebound {

// `datasource "NAME" { uri = ( ... ) cache_life = N }`
struct DatasourceConfig {
  std::vector<std::string> uris;  // tried in this order; at least one
  // How long the rules that were read last outlive a source that fails; 0: for ever.
  std::chrono::seconds cache_life{0};
};

// Where a list comes from: a file, or a query to a data source where `datasource` is not empty.
struct RuleSourceConfig {
  std::filesystem::path file;
  std::string datasource;  // a name of OverrideConfig::datasources
  std::string query;
  // False for a file at its default place, which may be missing.
  bool is_given = false;

  bool is_used() const { return !file.empty() || !datasource.empty(); }
  // As it is shown to people: the path, or ":datasource:NAME:QUERY", which holds no password.
  std::string Description() const;
};

struct OverrideConfig {
  std::map<std::string, DatasourceConfig> datasources;
  // By kind, the user's before the system's.
  std::array<std::array<RuleSourceConfig, 2>, 2> sources;
  std::chrono::seconds refresh{300};
  CodeBook codes;
  // "FILE:LINE:COLUMN: ..." of options that mean nothing here.
  std::vector<std::string> warnings;
};

// `name` is what messages call the text, `folder` where relative paths and the default files lie.
// Throws kInvalidArgument "NAME:LINE:COLUMN: what is wrong" for what is no configuration, a value
// of a wrong type or out of range, an option given twice, a data source that is not there and a
// custom class that cannot be one. Unknown options are warnings.
OverrideConfig ParseOverrideConfig(std::string_view text, const std::string& name,
                                   const std::filesystem::path& folder);

// Of a file: one that ends in .ovr or .csv is the user's SMTP rules, anything else a configuration.
// Throws also what ReadRuleFile throws; a rule file is not looked at here.
OverrideConfig LoadOverrideConfig(const std::filesystem::path& path);

}  // namespace rebound
