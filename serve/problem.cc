#include "serve/problem.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace rebound {
namespace {

struct Kind {
  int status;
  std::string_view reason;
  std::string_view type;  // after "urn:rebound:problem:"; empty: no error
};

constexpr std::array kKinds = {
    Kind{200, "OK", ""},
    Kind{204, "No Content", ""},
    Kind{400, "Bad Request", "malformed"},
    Kind{401, "Unauthorized", "unauthorized"},
    Kind{403, "Forbidden", "forbidden"},
    Kind{404, "Not Found", "not-found"},
    Kind{405, "Method Not Allowed", "method-not-allowed"},
    Kind{408, "Request Timeout", "request-timeout"},
    Kind{409, "Conflict", "conflict"},
    Kind{413, "Content Too Large", "too-large"},
    Kind{415, "Unsupported Media Type", "unsupported-media-type"},
    Kind{417, "Expectation Failed", "expectation-failed"},
    Kind{422, "Unprocessable Content", "unacceptable"},
    Kind{429, "Too Many Requests", "too-many-requests"},
    Kind{431, "Request Header Fields Too Large", "header-too-large"},
    Kind{500, "Internal Server Error", "internal"},
    Kind{503, "Service Unavailable", "unavailable"},
    Kind{505, "HTTP Version Not Supported", "version-not-supported"},
};

const Kind& KindOf(int status) {
  static constexpr Kind kUnknown = {0, "", "internal"};
  const auto it = std::find_if(kKinds.begin(), kKinds.end(),
                               [&](const Kind& kind) { return kind.status == status; });
  return it == kKinds.end() ? kUnknown : *it;
}

}  // namespace

std::string_view ReasonPhrase(int status) { return KindOf(status).reason; }

Response MakeProblem(int status, std::string_view detail, const std::vector<ItemError>& items) {
  const Kind& kind = KindOf(status);
  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  JsonWriter writer(&response.body);
  writer.StartObject();
  writer.Key("type").String("urn:rebound:problem:" + std::string(kind.type));
  writer.Key("title").String(kind.reason);
  writer.Key("status").Int(status);
  writer.Key("detail").String(detail);
  if (!items.empty()) {
    writer.Key("errors").StartArray();
    for (const ItemError& item : items) {
      writer.StartObject().Key("index").Uint(item.index);
      writer.Key("detail").String(item.detail).EndObject();
    }
    writer.EndArray();
  }
  writer.EndObject();
  if (status == 429 || status == 503) {
    response.headers.emplace_back("Retry-After", std::to_string(kRetryAfterSeconds));
  }
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

int StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return 422;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kConflict:
      return 409;
    case ErrorCode::kTooLarge:
      return 413;
    case ErrorCode::kUnavailable:
    case ErrorCode::kCancelled:
      return 503;
    case ErrorCode::kCorrupt:
    case ErrorCode::kInternal:
      break;
  }
  return 500;
}

}  // namespace rebound
