// Reading one list from where its configuration says, within limits.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

#include "engine/overrides/config.h"
#include "engine/overrides/rule_list.h"

namespace rebound {

inline constexpr size_t kMaxRuleFileBytes = 32 * 1024 * 1024;

// Runs `query` against the data source `uri` and calls `row` for each row with its first `columns`
// columns; a NULL is an empty text. Throws Error: kUnavailable where the source does not answer,
// another code where it is wrong. What `row` throws passes through. datasource/ makes one:
//
//   [](auto& uri, auto& query, size_t columns, auto& row) {
//     OpenDatasource(uri)->Read(query, columns, row);
//   }
using DatasourceReader =
    std::function<void(const std::string& uri, const std::string& query, size_t columns,
                       const std::function<void(std::span<const std::string_view> fields)>& row)>;

// A regular file's bytes. Throws kNotFound, kInvalidArgument for what is no regular file (a folder,
// a pipe), kTooLarge, kUnavailable; the message names the path.
std::string ReadRuleFile(const std::filesystem::path& path, size_t max_bytes = kMaxRuleFileBytes);

// The list. A data source's URIs are tried in their order; no URI and no password in one reaches a
// message. Throws Error where it cannot be read at all; kTooLarge beyond the limits of a file and
// of rule_list.h. REQUIRES: source.is_used(), and its data source is in `config`.
ParsedRules ReadRules(const RuleSourceConfig& source, BounceKind kind, const OverrideConfig& config,
                      const DatasourceReader& reader);

}  // namespace rebound
