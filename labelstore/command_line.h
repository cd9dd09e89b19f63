// What the commands of rebound-labels share: options that mean the same everywhere, and output.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/json.h"
#include "base/program_options.h"
#include "labelstore/label_store.h"

namespace rebound {

CommandLine MakeLine(const std::string& command, const std::string& summary,
                     const std::string& arguments = "");
void AddStore(CommandLine* line);  // --store
void AddJson(CommandLine* line);   // --json

// Throws kInvalidArgument with the remedy where none was given.
std::string StoreUri(const boost::program_options::variables_map& values);

void WriteResult(const ImportResult& result, JsonWriter& w);
std::string Describe(const ImportResult& result);

// Named numbers, in order of name.
using Counts = std::map<std::string, int64_t>;
void PrintCounts(const std::string& title, const Counts& counts);

}  // namespace rebound
