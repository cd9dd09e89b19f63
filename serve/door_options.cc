#include "serve/door_options.h"

#include <charconv>
#include <string>
#include <thread>

#include "serve/checked_options.h"

namespace rebound {
namespace {

namespace po = boost::program_options;

constexpr uint16_t kPort = 8080;
constexpr uint16_t kTlsPort = 8443;

// "HOST:PORT" or "[IPV6]:PORT"; nothing: the loopback and the usual port.
void ParseListen(const std::string& text, DoorOptions* door) {
  if (text.empty()) {
    door->port = door->tls.enabled() ? kTlsPort : kPort;
    return;
  }
  const size_t colon = text.rfind(':');
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), door->port);
  if (colon == 0 || port.empty() || error != std::errc() || end != port.data() + port.size()) {
    BadOption("--listen must be HOST:PORT, such as 127.0.0.1:8080; it is '" + text + "'");
  }
  door->host = text.substr(0, colon);
}

TlsOptions ReadTls(const po::variables_map& values) {
  const auto text = [&](const char* name) { return values[name].as<std::string>(); };
  TlsOptions tls;
  tls.certificate = text("tls-cert");
  tls.key = text("tls-key");
  tls.client_ca = text("tls-client-ca");
  tls.client_crl = text("tls-client-crl");
  if (tls.certificate.empty() != tls.key.empty()) {
    BadOption("--tls-cert and --tls-key are needed both, or neither");
  }
  if (!tls.enabled() && !tls.client_ca.empty()) {
    BadOption("--tls-client-ca needs --tls-cert and --tls-key");
  }
  if (tls.client_ca.empty() && !tls.client_crl.empty()) {
    BadOption("--tls-client-crl needs --tls-client-ca");
  }
  const std::string auth = text("tls-client-auth");
  if (auth == "optional") {
    tls.client_auth = TlsClientAuth::kOptional;
  } else if (auth != "require") {
    BadOption("--tls-client-auth must be require or optional; it is '" + auth + "'");
  }
  return tls;
}

}  // namespace

void AddDoorOptions(po::options_description* options) {
  const DoorOptions initial;
  const auto text = [](const char* value) {
    return po::value<std::string>()->default_value(value);
  };
  const auto file = [&] { return text("")->value_name("FILE"); };
  const auto number = [](auto value) {
    return po::value<int64_t>()->default_value(static_cast<int64_t>(value));
  };
  const auto seconds = [](std::chrono::milliseconds value) {
    return po::value<double>()
        ->default_value(std::chrono::duration<double>(value).count())
        ->value_name("SECONDS");
  };
  auto add = options->add_options();
  add("listen",
      po::value<std::string>()
          ->default_value("", "127.0.0.1:8080, with TLS 127.0.0.1:8443")
          ->value_name("HOST:PORT"),
      "where to listen; port 0 takes a free one");
  add("threads", number(0), "worker threads; 0: one a core");
  add("tls-cert", file(), "serve HTTPS with this certificate (PEM, intermediates after it)");
  add("tls-key", file(), "its key (PEM); both are loaded again when they change, and on SIGHUP");
  add("tls-client-ca", file(), "ask clients for a certificate signed by one of these (PEM)");
  add("tls-client-crl", file(), "refuse those that are revoked in these lists (PEM)");
  add("tls-client-auth", text("require"), "require, or optional: none is well, a bad one is not");
  add("max-body", number(initial.limits.max_body)->value_name("BYTES"), "largest request body");
  add("max-header", number(initial.limits.max_header)->value_name("BYTES"),
      "largest request line and header fields together");
  add("max-connections", number(initial.max_connections), "most connections at once");
  add("max-connections-per-peer", number(initial.max_connections_per_peer),
      "most of one address, or of one /64 of IPv6; 0: no limit, as behind a proxy all are one");
  add("max-in-flight", number(initial.load.max_unanswered),
      "most requests being answered at once; 503 beyond");
  add("max-wait", seconds(initial.load.max_wait),
      "how long bytes that came may wait for a worker; 503 beyond");
  add("max-buffered", number(initial.max_buffered_bytes)->value_name("BYTES"),
      "most memory for unfinished requests and unsent answers; large ones get 503 beyond");
  add("min-rate", number(initial.min_rate)->value_name("BYTES/S"),
      "how fast a request must arrive after its first five seconds; 0: any");
  add("idle-timeout", seconds(initial.idle_timeout),
      "how long a connection may wait between requests");
  add("request-timeout", seconds(initial.request_timeout),
      "how long a request may take to arrive, and its answer to leave; a TLS handshake gets a "
      "third");
}

DoorOptions ReadDoorOptions(const po::variables_map& values) {
  const auto number = [&](const char* name, int64_t least, int64_t most) {
    return BoundedOption<int64_t>(values, name, least, most);
  };
  const auto count = [&](const char* name, int64_t least, int64_t most) {
    return static_cast<size_t>(number(name, least, most));
  };
  constexpr int64_t kMaxBody = int64_t{1} << 30;
  constexpr int64_t kMaxHeader = int64_t{1} << 20;
  constexpr int64_t kMaxBuffered = int64_t{1} << 40;
  constexpr int64_t kMany = 1'000'000;

  DoorOptions door;
  door.tls = ReadTls(values);
  ParseListen(values["listen"].as<std::string>(), &door);
  door.threads = static_cast<int>(count("threads", 0, 1024));
  if (door.threads == 0) {
    door.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  }
  door.limits.max_body = count("max-body", 1, kMaxBody);
  door.limits.max_header = count("max-header", 256, kMaxHeader);
  door.max_connections = count("max-connections", 1, kMany);
  door.max_connections_per_peer = count("max-connections-per-peer", 0, kMany);
  door.load.max_unanswered = number("max-in-flight", 1, kMany);
  door.load.max_wait = SecondsOption(values, "max-wait");
  door.max_buffered_bytes = number("max-buffered", 1 << 20, kMaxBuffered);
  door.min_rate = number("min-rate", 0, kMaxBody);
  door.idle_timeout = SecondsOption(values, "idle-timeout");
  door.request_timeout = SecondsOption(values, "request-timeout");
  door.never_shed = {"/livez", "/healthz", "/readyz", "/metrics"};
  return door;
}

}  // namespace rebound
