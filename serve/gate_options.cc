#include "serve/gate_options.h"

#include <iostream>
#include <string>

#include "base/error.h"
#include "serve/checked_options.h"
#include "serve/key_file.h"

namespace rebound {
namespace {

namespace po = boost::program_options;

// What the parser says, after the option's name.
template <class Parser>
auto Named(const char* option, Parser parser) {
  try {
    return parser();
  } catch (const Error& e) {
    BadOption(std::string(option) + ": " + e.what());
  }
}

std::optional<KeyDigest> DigestOption(const std::string& key) {
  if (key.empty()) return std::nullopt;
  return DigestOfKey(key);
}

std::optional<AccessLogOptions> ReadAccessLog(const po::variables_map& values) {
  const auto text = [&](const char* name) { return values[name].as<std::string>(); };
  AccessLogOptions log;
  log.file = text("access-log");
  log.sample = BoundedOption<double>(values, "access-log-sample", 0, 1);
  const std::string peer = text("access-log-peer");
  if (peer == "none") {
    log.peer = PeerDetail::kNone;
  } else if (peer == "full") {
    log.peer = PeerDetail::kFull;
  } else if (peer != "masked") {
    BadOption("--access-log-peer must be none, masked or full; it is '" + peer + "'");
  }
  if (log.file.empty()) return std::nullopt;
  return log;
}

}  // namespace

void AddGateOptions(po::options_description* options) {
  const auto text = [](const char* initial) {
    return po::value<std::string>()->default_value(initial);
  };
  auto add = options->add_options();
  add("keys", text("")->value_name("FILE"), "who may call: names, scopes, hashed keys");
  add("api-key", text("")->value_name("KEY"),
      "a key of the scopes classify and contribute; prefer API_KEY in the environment, where ps "
      "does not show it");
  add("metrics-key", text("")->value_name("KEY"),
      "ask for this key at /metrics; prefer REBOUND_METRICS_KEY");
  add("rate-limit", text("none")->value_name("N/s"),
      "texts of each key, and of each address without one: N/s, N/m or N/h");
  add("rate-burst", text("")->value_name("N"), "texts at once; the N of --rate-limit otherwise");
  add("trusted-proxies", text("")->value_name("CIDR,..."),
      "proxies whose X-Forwarded-For or Forwarded tells the client's address; none otherwise");
  add("cors-origin", text("")->value_name("LIST"),
      "web origins whose pages may call, or * for all; none otherwise");
  add("cors-credentials", po::bool_switch(), "let those pages use client certificates");
  add("access-log", text("")->value_name("FILE"),
      "a JSON line a request; - is standard output; SIGHUP opens it anew");
  add("access-log-sample", po::value<double>()->default_value(1)->value_name("PART"),
      "the part of the requests that is logged, 0 to 1; errors always are");
  add("access-log-peer", text("masked"),
      "none, masked (the network without the host) or full: the client's address");
  add("hash-key", po::bool_switch(),
      "read a key from standard input, print its field for the --keys file, and exit");
  add("make-key", text("")->value_name("NAME"),
      "make a key, print it once and its line for the --keys file, and exit");
  add("scopes", text("")->value_name("LIST"),
      "of --make-key: classify, contribute, admin, with commas between");
  add("not-after", text("")->value_name("DAY"), "of --make-key: the last day of the key");
}

GateOptions ReadGateOptions(const po::variables_map& values) {
  const auto text = [&](const char* name) { return values[name].as<std::string>(); };
  GateOptions gate;
  gate.keys.file = text("keys");
  gate.keys.api_key = DigestOption(text("api-key"));
  gate.keys.metrics_key = DigestOption(text("metrics-key"));
  gate.rate = Named("--rate-limit", [&] { return ParseRate(text("rate-limit")); });
  if (!text("rate-burst").empty()) {
    if (!gate.rate.limited()) BadOption("--rate-burst needs --rate-limit");
    gate.rate.burst = Named("--rate-burst", [&] { return ParseBurst(text("rate-burst")); });
  }
  gate.proxies =
      Named("--trusted-proxies", [&] { return TrustedProxies::Parse(text("trusted-proxies")); });
  gate.cors = Named("--cors-origin", [&] { return ParseCorsOrigins(text("cors-origin")); });
  gate.cors.credentials = values["cors-credentials"].as<bool>();
  if (gate.cors.credentials && gate.cors.origins.empty()) {
    BadOption("--cors-credentials needs the origins by name in --cors-origin");
  }
  gate.access_log = ReadAccessLog(values);
  return gate;
}

bool AnswerKeyCommand(const po::variables_map& values) {
  const auto text = [&](const char* name) { return values[name].as<std::string>(); };
  if (values["hash-key"].as<bool>()) {
    std::string key;
    std::getline(std::cin, key);
    if (!key.empty() && key.back() == '\r') key.pop_back();
    if (key.empty()) BadOption("--hash-key reads a key from standard input: there is none");
    std::cout << KeyField(key) << std::endl;
    return true;
  }
  const std::string name = text("make-key");
  if (name.empty()) {
    if (!text("scopes").empty()) BadOption("--scopes is of --make-key");
    if (!text("not-after").empty()) BadOption("--not-after is of --make-key");
    return false;
  }
  if (text("scopes").empty()) {
    BadOption("--make-key needs --scopes, such as classify or classify,contribute");
  }
  const std::string key = MakeKey();
  std::string line = name + " " + text("scopes") + " " + KeyField(key);
  if (!text("not-after").empty()) line += " not_after=" + text("not-after");
  Named("--make-key", [&] { return ParseKeyFile(line, "the new line"); });
  std::cout << line << std::endl;
  std::cerr << "the key, which is shown this once: " << key << std::endl;
  return true;
}

}  // namespace rebound
