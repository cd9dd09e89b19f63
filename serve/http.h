// One request and one answer, without sockets: what the door and the Api hand each other.
#pragma once

#include <chrono>
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

// An answer that the door gave by itself, to what the handler never saw: it was no request, came
// too late, or there was too much of it. Valid during the call.
struct DoorAnswer {
  int status = 0;
  std::string_view request_id;
  std::string_view peer;
  bool tls = false;
  const Request* request = nullptr;   // null where it was not whole
  std::chrono::nanoseconds taken{0};  // since its first byte
  size_t bytes_in = 0;                // of the bodies
  size_t bytes_out = 0;
};

// Called exactly once for a request, on any thread.
using Done = std::function<void(Response)>;
using HttpHandler = std::function<void(Request, Done)>;
// Called under a connection's lock: must neither block nor throw.
using DoorWitness = std::function<void(const DoorAnswer&)>;

// "OK", "Not Found", ...; "" for a status that the server never answers.
std::string_view ReasonPhrase(int status);

}  // namespace rebound
