#include "models/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/json.h"

namespace rebound {
namespace {

static_assert(std::endian::native == std::endian::little,
              "tensors are read where they lie, and the format is little-endian");

constexpr size_t kLengthBytes = 8;
constexpr size_t kAlignment = 64;

[[noreturn]] void ThrowCorrupt(const std::string& what) {
  throw Error(ErrorCode::kCorrupt, "safetensors: " + what);
}

// Product of the shape; nullopt where a dimension is negative or the product overflows.
std::optional<uint64_t> ElementsOf(const std::vector<int64_t>& shape) {
  uint64_t elements = 1;
  bool empty = false;
  for (const int64_t dimension : shape) {
    if (dimension < 0) return std::nullopt;
    if (dimension == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(elements, static_cast<uint64_t>(dimension), &elements)) {
      return std::nullopt;
    }
  }
  return empty ? 0 : elements;
}

struct Entry {
  std::string name;
  std::vector<int64_t> shape;
  uint64_t begin;
  uint64_t end;
};

Entry ParseEntry(std::string_view name, const JsonValue& value) {
  Entry entry{.name = std::string(name), .shape = {}, .begin = 0, .end = 0};
  const std::string tensor = "tensor '" + entry.name + "' ";
  if (!value.IsObject()) ThrowCorrupt(tensor + "is no JSON object");
  const std::string_view dtype = GetJsonString(value, "dtype");
  if (dtype != "F32") {
    ThrowCorrupt(tensor + "has dtype '" + std::string(dtype) + "', expected F32");
  }
  const JsonValue& shape = GetJson(value, "shape");
  if (!shape.IsArray()) ThrowCorrupt(tensor + "has a shape that is no array");
  for (const JsonValue& dimension : shape.GetArray()) {
    if (!dimension.IsInt64()) ThrowCorrupt(tensor + "has a shape that is no list of integers");
    entry.shape.push_back(dimension.GetInt64());
  }
  const JsonValue& offsets = GetJson(value, "data_offsets");
  if (!offsets.IsArray() || offsets.Size() != 2 || !offsets[0].IsUint64() ||
      !offsets[1].IsUint64()) {
    ThrowCorrupt(tensor + "has data_offsets that are not two unsigned integers");
  }
  entry.begin = offsets[0].GetUint64();
  entry.end = offsets[1].GetUint64();

  const std::optional<uint64_t> elements = ElementsOf(entry.shape);
  uint64_t bytes = 0;
  if (!elements || __builtin_mul_overflow(*elements, uint64_t{sizeof(float)}, &bytes)) {
    ThrowCorrupt(tensor + "has a shape whose product is negative or overflows");
  }
  if (entry.end < entry.begin || entry.end - entry.begin != bytes) {
    ThrowCorrupt(tensor + "has a shape of " + std::to_string(bytes) +
                 " bytes and data_offsets from " + std::to_string(entry.begin) + " to " +
                 std::to_string(entry.end));
  }
  return entry;
}

std::vector<Entry> ParseHeader(std::string_view json) {
  JsonDocument header;
  try {
    header = ParseJson(json);
    if (!header.IsObject()) ThrowCorrupt("the header is no JSON object");
    std::vector<Entry> entries;
    for (const auto& member : header.GetObject()) {
      if (JsonText(member.name) == "__metadata__") {
        if (!member.value.IsObject()) ThrowCorrupt("__metadata__ is no JSON object");
        for (const auto& item : member.value.GetObject()) {
          if (!item.value.IsString()) ThrowCorrupt("__metadata__ may hold strings only");
        }
        continue;
      }
      entries.push_back(ParseEntry(JsonText(member.name), member.value));
    }
    return entries;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kCorrupt) throw;
    ThrowCorrupt(std::string("the header is damaged: ") + error.what());
  }
}

// Every byte of the data belongs to exactly one tensor.
void CheckCoverage(std::vector<Entry>* entries, uint64_t data_bytes) {
  std::sort(entries->begin(), entries->end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  uint64_t reached = 0;
  for (const Entry& entry : *entries) {
    const std::string tensor = "tensor '" + entry.name + "' ";
    if (entry.end > data_bytes) {
      ThrowCorrupt(tensor + "ends at byte " + std::to_string(entry.end) + " of " +
                   std::to_string(data_bytes) + " bytes of data: the file is cut");
    }
    if (entry.begin < reached) ThrowCorrupt(tensor + "overlaps the one before it");
    if (entry.begin > reached) {
      ThrowCorrupt(tensor + "leaves a hole of " + std::to_string(entry.begin - reached) +
                   " bytes before it");
    }
    reached = entry.end;
  }
  if (reached != data_bytes) {
    ThrowCorrupt("the data has " + std::to_string(data_bytes - reached) +
                 " bytes that belong to no tensor");
  }
}

}  // namespace

std::string MakeSafetensors(const TensorMap& tensors,
                            const std::map<std::string, std::string>& metadata) {
  std::string header;
  uint64_t offset = 0;
  {
    JsonWriter json(&header);
    json.StartObject();
    if (!metadata.empty()) {
      json.Key("__metadata__").Object([&](JsonWriter& object) {
        for (const auto& [key, value] : metadata) object.Key(key).String(value);
      });
    }
    for (const auto& entry : tensors) {  // clang 14 captures no structured bindings
      const TensorView& tensor = entry.second;
      if (ElementsOf(tensor.shape) != tensor.values.size()) {
        throw Error(ErrorCode::kInternal, "safetensors: tensor '" + entry.first +
                                              "' has another shape than its " +
                                              std::to_string(tensor.values.size()) + " values");
      }
      json.Key(entry.first).Object([&](JsonWriter& object) {
        object.Key("dtype").String("F32");
        object.Key("shape").Array([&](JsonWriter& shape) {
          for (const int64_t dimension : tensor.shape) shape.Int(dimension);
        });
        object.Key("data_offsets").Array([&](JsonWriter& offsets) {
          offsets.Uint(offset);
          offset += tensor.values.size_bytes();
          offsets.Uint(offset);
        });
      });
    }
    json.EndObject();
  }
  header.resize(
      (kLengthBytes + header.size() + kAlignment - 1) / kAlignment * kAlignment - kLengthBytes,
      ' ');

  std::string file(kLengthBytes, '\0');
  const uint64_t length = header.size();
  std::memcpy(file.data(), &length, kLengthBytes);
  file.reserve(kLengthBytes + header.size() + offset);
  file += header;
  for (const auto& [name, tensor] : tensors) {
    file.append(reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size_bytes());
  }
  return file;
}

TensorMap ParseSafetensors(std::string_view bytes) {
  if (bytes.size() < kLengthBytes) {
    ThrowCorrupt("the file has " + std::to_string(bytes.size()) + " bytes, too few for a header");
  }
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  if (length > bytes.size() - kLengthBytes) {
    ThrowCorrupt("the header of " + std::to_string(length) + " bytes runs beyond the file's " +
                 std::to_string(bytes.size()) + " bytes: the file is cut");
  }
  std::vector<Entry> entries = ParseHeader(bytes.substr(kLengthBytes, length));
  const std::string_view data = bytes.substr(kLengthBytes + length);
  CheckCoverage(&entries, data.size());
  if (!data.empty() && reinterpret_cast<uintptr_t>(data.data()) % alignof(float) != 0) {
    ThrowCorrupt("the data does not start on a border of " + std::to_string(alignof(float)) +
                 " bytes: pad the header with spaces");
  }

  TensorMap tensors;
  for (Entry& entry : entries) {
    TensorView view;
    view.shape = std::move(entry.shape);
    view.values = {reinterpret_cast<const float*>(data.data() + entry.begin),
                   (entry.end - entry.begin) / sizeof(float)};
    if (!tensors.emplace(entry.name, std::move(view)).second) {
      ThrowCorrupt("tensor '" + entry.name + "' stands there twice");
    }
  }
  return tensors;
}

}  // namespace rebound
