// The status line and header fields of an answer.
#pragma once

#include <string>

#include "serve/http.h"

namespace rebound {

// False for a status whose answer has no body, and so no length either.
bool HasBody(const Response& response);

// Appends all up to and with the empty line. `close`: the connection ends after this answer;
// `http10`: the client must be told where it does not. A field with a line break in it is
// left out. Thread-safe.
void AppendAnswerHead(const Response& response, bool close, bool http10, std::string* out);

}  // namespace rebound
