// One request and one answer, without sockets: what the door and the Api hand each other.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rebound {

using HeaderList = std::vector<std::pair<std::string, std::string>>;  // name, value; in order

struct Request {
  std::string method;
  std::string target;  // as it was sent: path and query, percent-encoded
  HeaderList headers;  // names in lower case, values trimmed
  std::string body;

  std::string peer;            // the client's address as text; empty where the system does not tell
  bool tls = false;            // came over TLS
  std::string client_subject;  // of the client certificate that was verified (RFC 2253), or empty

  // Value of the first header of this name (lower case); null where there is none.
  const std::string* FindHeader(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return &value;
    }
    return nullptr;
  }
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  HeaderList headers;  // besides Content-Type, Content-Length, Date and Connection
  std::string body;
  size_t texts = 0;  // that were classified: what rate limits and the access log count
};

// Called exactly once for a request, on any thread.
using Done = std::function<void(Response)>;
using HttpHandler = std::function<void(Request, Done)>;

// "OK", "Not Found", ...; "" for a status that the server never answers.
std::string_view ReasonPhrase(int status);

}  // namespace rebound
