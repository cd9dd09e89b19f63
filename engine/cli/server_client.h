// Asks a running server, over libcurl. Thread-compatible.
#pragma once

#include <string>

#include "base/program_options.h"

namespace rebound {

// --server, --key, --key-file, --cacert, --timeout. `server`: what --server is by default.
void AddServerOptions(const std::string& server, CommandLine* line);

class ServerClient {
 public:
  // Of AddServerOptions. Throws kInvalidArgument for a URL that is not http:// or https:// and for
  // a file that cannot be read.
  explicit ServerClient(const boost::program_options::variables_map& values);

  // The body of an answer 2xx, which is one JSON value. Throws kUnavailable where the server does
  // not answer in time, kConflict for any other status, with what its problem+json says. The key
  // stands in no message.
  std::string Get(const std::string& path) const;
  std::string Post(const std::string& path, const std::string& body) const;

 private:
  std::string Ask(const std::string& path, const std::string* body) const;

  std::string url_;    // without a slash at its end
  std::string shown_;  // without a user and a password
  std::string key_;
  std::string cacert_;
  long timeout_s_ = 0;
};

}  // namespace rebound
