#include "labelstore/command_line.h"

#include <algorithm>
#include <iostream>

#include "base/error.h"

namespace rebound {

namespace po = boost::program_options;

CommandLine MakeLine(const std::string& command, const std::string& summary,
                     const std::string& arguments) {
  CommandLine line;
  line.summary = summary;
  line.usage = "rebound-labels " + command + arguments + " [OPTIONS]";
  return line;
}

void AddStore(CommandLine* line) {
  line->options.add_options()("store", po::value<std::string>()->value_name("URI"),
                              "the PostgreSQL database (or $REBOUND_STORE)");
}

void AddJson(CommandLine* line) {
  line->options.add_options()("json", po::bool_switch(), "print one JSON object");
}

std::string StoreUri(const po::variables_map& values) {
  if (values.count("store") == 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "no database: give --store URI or set REBOUND_STORE (./run prints it)");
  }
  return values["store"].as<std::string>();
}

void WriteResult(const ImportResult& result, JsonWriter& w) {
  w.Key("inserted").Int(result.inserted);
  w.Key("duplicates").Int(result.duplicates);
  w.Key("relabelled").Int(result.relabelled);
  w.Key("voted").Int(result.voted);
}

std::string Describe(const ImportResult& result) {
  return std::to_string(result.inserted) + " new, " + std::to_string(result.voted) +
         " with a first label of this contributor, " + std::to_string(result.relabelled) +
         " relabelled, " + std::to_string(result.duplicates) + " known already";
}

void PrintCounts(const std::string& title, const Counts& counts) {
  std::cout << "\n" << title << "\n";
  for (const auto& [name, count] : counts) {
    std::string shown = name;
    shown.resize(std::max<size_t>(shown.size(), 46), ' ');
    std::cout << "  " << shown << " " << count << "\n";
  }
}

}  // namespace rebound
