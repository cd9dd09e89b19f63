// The texts of a request's body: `{"message": …}` or `{"messages": […]}`. Pure, Thread-safe.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "serve/http.h"
#include "serve/problem.h"

namespace rebound {

// An answer that ends a request early. Thrown inside serve/ alone, caught by Api::Handle.
struct Refusal {
  Response response;
};

struct Texts {
  bool single = false;                  // `message`
  std::vector<std::string_view> texts;  // trimmed, 1 to kMaxTextBytes bytes; views into the
                                        // request's body and what stands below
  std::vector<size_t> offsets;          // by text: the bytes that trimming took before it; of
                                        // kEachOnItsOwn alone
  std::vector<ItemError> errors;        // by index; of kEachOnItsOwn alone: such a text is ""
  JsonDocument document;                // the keys beside the texts, and perhaps the texts
  std::unique_ptr<char[]> unescaped;
};

// kEachOnItsOwn: as kSingleOrMany, but a bad text of a batch refuses itself alone.
enum class TextsForm { kSingle, kSingleOrMany, kEachOnItsOwn };

// Throws Refusal (415) where the body is compressed or of a Content-Type that is none of `accepted`
// (lower case, without parameters); a missing one is accepted.
void CheckContentType(const Request& request, std::span<const std::string_view> accepted);

// The body as a JSON object. Bytes that are no UTF-8 and halves of surrogate pairs are replaced,
// never refused: bounces are dirty. Throws Refusal: 415 for another content type, 400 for what is
// no JSON, 422 for no object.
JsonDocument ReadObject(const Request& request);
// The value of a key; null where it is missing or null.
const JsonValue* FindPresent(const JsonValue& object, std::string_view key);

// Throws Refusal: as ReadObject, 413 for more than `max_batch` texts, 422 for another shape and for
// blank texts (with the index of each in a batch).
Texts ReadTexts(const Request& request, TextsForm form, size_t max_batch);

// A `\uD800`-like escape that is half a pair becomes `\uFFFD`. Of JSON text.
std::string RepairSurrogates(std::string_view json);

}  // namespace rebound
