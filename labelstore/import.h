// Labelled texts from files: CSV with a header, or one JSON object a line. Read as a stream,
// written in blocks; a bad row is reported by its line and the others go in. Thread-compatible.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <optional>
#include <string>
#include <string_view>

#include "labelstore/label_store.h"

namespace rebound {

enum class ImportFormat : uint8_t { kCsv, kJsonLines };
// By the ending: .csv, .jsonl (or .ndjson, .json); nullopt for another.
std::optional<ImportFormat> FormatOf(std::string_view file_name);

struct ImportOptions {
  LabelOrigin origin = LabelOrigin::kContribution;
  std::string contributor;
  size_t block = 2000;  // rows a transaction
  std::function<void(int64_t line, const std::string& why)> on_bad_row;
  std::function<void(int64_t rows)> on_progress;
};

struct ImportReport {
  ImportResult result;
  int64_t rows = 0;  // all, the bad ones with them
  int64_t bad_rows = 0;
};

// Keys (columns): message or text; bnac, backoff, label: at least one of them; group where the file
// has one; others are passed over. Throws kInvalidArgument where a CSV header lacks them.
ImportReport Import(std::istream& input, ImportFormat format, const ImportOptions& options,
                    LabelStore* store);

// One row of an export, which Import reads back: text, group, held_out, origin and the labels.
void AppendExportLine(const SnapshotRow& row, std::string* out);

}  // namespace rebound
