#include "serve/texts.h"

#include <array>
#include <utility>

#include "base/text.h"
#include "serve/plain_texts.h"
#include "serve/problem.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

[[noreturn]] void Refuse(int status, std::string_view detail,
                         const std::vector<ItemError>& items = {}) {
  throw Refusal{MakeProblem(status, detail, items)};
}

constexpr std::array<std::string_view, 1> kJson = {"application/json"};

JsonDocument ParseBody(std::string_view body) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (body.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    body.remove_prefix(kByteOrderMark.size());
  }
  std::string repaired;
  if (!IsValidUtf8(body)) {
    repaired = RepairUtf8(body);
    body = repaired;
  }
  try {
    return ParseJson(body);
  } catch (const Error& first) {
    try {
      return ParseJson(RepairSurrogates(body));
    } catch (const Error&) {
      Refuse(400, first.what());
    }
  }
}

// "" where the text is one; else what is wrong with it.
std::string_view TextProblem(std::string_view* text, size_t* offset) {
  const std::string_view trimmed = CutUtf8(Trim(*text), kMaxTextBytes);
  *offset = trimmed.empty() ? 0 : static_cast<size_t>(trimmed.data() - text->data());
  *text = trimmed;
  return text->empty() ? "is empty or blank" : "";
}
std::string_view TextProblem(const JsonValue& value, std::string_view* text, size_t* offset) {
  if (!value.IsString()) return "is not a string";
  *text = JsonText(value);
  return TextProblem(text, offset);
}

void CheckBatch(size_t size, size_t max_batch) {
  if (size <= max_batch) return;
  Refuse(413, "a batch has at most " + std::to_string(max_batch) + " texts");
}

void NoteProblem(size_t index, std::string_view problem, std::vector<ItemError>* errors) {
  if (!problem.empty()) errors->push_back({index, "the text " + std::string(problem)});
}

void ReadBatch(const JsonValue& messages, size_t max_batch, Texts* read) {
  if (!messages.IsArray()) Refuse(422, "'messages' is not an array");
  CheckBatch(messages.Size(), max_batch);
  for (const JsonValue& message : messages.GetArray()) {
    std::string_view text;
    size_t offset = 0;
    NoteProblem(read->texts.size(), TextProblem(message, &text, &offset), &read->errors);
    read->texts.push_back(text);
    read->offsets.push_back(offset);
  }
}

void RefuseBadTexts(const Texts& read) {
  if (read.errors.empty()) return;
  Refuse(422,
         std::to_string(read.errors.size()) + " of " + std::to_string(read.texts.size()) +
             " texts cannot be read",
         read.errors);
}

// What most clients send. False where it is something else.
bool ReadPlain(std::string_view body, TextsForm form, size_t max_batch, Texts* read) {
  PlainTexts plain;
  if (!ReadPlainTexts(body, &plain) || (form == TextsForm::kSingle && !plain.single)) return false;
  read->single = plain.single;
  read->texts = std::move(plain.texts);
  read->unescaped = std::move(plain.unescaped);
  read->document.SetObject();
  const bool wants_offsets = form == TextsForm::kEachOnItsOwn;
  size_t offset = 0;
  if (read->single) {
    const std::string_view problem = TextProblem(&read->texts[0], &offset);
    if (wants_offsets) read->offsets.push_back(offset);
    if (!problem.empty()) Refuse(422, "'message' " + std::string(problem));
    return true;
  }
  CheckBatch(read->texts.size(), max_batch);
  for (size_t i = 0; i < read->texts.size(); ++i) {
    NoteProblem(i, TextProblem(&read->texts[i], &offset), &read->errors);
    if (wants_offsets) read->offsets.push_back(offset);
  }
  if (form != TextsForm::kEachOnItsOwn) RefuseBadTexts(*read);
  return true;
}

// The code unit of a `\uXXXX` at `i`, or -1.
int CodeUnit(std::string_view json, size_t i) {
  if (i + 6 > json.size() || json[i] != '\\' || json[i + 1] != 'u') return -1;
  int unit = 0;
  for (const char c : json.substr(i + 2, 4)) {
    const char lower = static_cast<char>(c | 0x20);
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (lower < 'a' || lower > 'f')) return -1;
    unit = unit * 16 + (digit ? c - '0' : lower - 'a' + 10);
  }
  return unit;
}

}  // namespace

void CheckContentType(const Request& request, std::span<const std::string_view> accepted) {
  const std::string* encoding = request.FindHeader("content-encoding");
  if (encoding != nullptr && AsciiLower(*encoding) != "identity") {
    Refuse(415, "the body must not be compressed");
  }
  const std::string* type = request.FindHeader("content-type");
  if (type == nullptr) return;
  const std::string_view media = Trim(std::string_view(*type).substr(0, type->find(';')));
  std::string names;
  for (const std::string_view name : accepted) {
    if (media == name || AsciiLower(media) == name) return;
    names.append(names.empty() ? "" : " or ").append(name);
  }
  Refuse(415, "Content-Type must be " + names);
}

std::string RepairSurrogates(std::string_view json) {
  constexpr size_t kEscape = 6;
  std::string repaired;
  repaired.reserve(json.size());
  for (size_t i = 0; i < json.size();) {
    size_t length = 1;
    bool half = false;
    if (json[i] == '\\') {
      const int unit = CodeUnit(json, i);
      const int next = CodeUnit(json, i + kEscape);
      const bool low_follows = next >= 0xDC00 && next <= 0xDFFF;
      if (unit >= 0xD800 && unit <= 0xDBFF) {
        half = !low_follows;
        length = half ? kEscape : 2 * kEscape;
      } else if (unit >= 0xDC00 && unit <= 0xDFFF) {
        half = true;
        length = kEscape;
      } else {
        length = 2;  // an escaped backslash hides no `u`
      }
    }
    if (half) {
      repaired.append("\\uFFFD");
    } else {
      repaired.append(json.substr(i, length));
    }
    i += length;
  }
  return repaired;
}

const JsonValue* FindPresent(const JsonValue& object, std::string_view key) {
  const JsonValue* value = FindJson(object, key);
  return value == nullptr || value->IsNull() ? nullptr : value;
}

JsonDocument ReadObject(const Request& request) {
  CheckContentType(request, kJson);
  JsonDocument document = ParseBody(request.body);
  if (!document.IsObject()) Refuse(422, "the body is not a JSON object");
  return document;
}

Texts ReadTexts(const Request& request, TextsForm form, size_t max_batch) {
  CheckContentType(request, kJson);
  Texts read;
  if (ReadPlain(request.body, form, max_batch, &read)) return read;
  read.document = ReadObject(request);
  const JsonValue* message = FindPresent(read.document, "message");
  const JsonValue* messages = FindPresent(read.document, "messages");
  if (form == TextsForm::kSingle) {
    if (message == nullptr) Refuse(422, "key 'message' is missing");
  } else {
    if (message == nullptr && messages == nullptr) {
      Refuse(422, "key 'message' or 'messages' is missing");
    }
    if (message != nullptr && messages != nullptr) {
      Refuse(422, "give 'message' or 'messages', not both");
    }
  }
  if (message == nullptr) {
    ReadBatch(*messages, max_batch, &read);
    if (form != TextsForm::kEachOnItsOwn) RefuseBadTexts(read);
    return read;
  }
  read.single = true;
  std::string_view text;
  size_t offset = 0;
  const std::string_view problem = TextProblem(*message, &text, &offset);
  if (!problem.empty()) Refuse(422, "'message' " + std::string(problem));
  read.texts.push_back(text);
  read.offsets.push_back(offset);
  return read;
}

}  // namespace rebound
