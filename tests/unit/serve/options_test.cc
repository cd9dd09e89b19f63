#include "serve/options.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "base/file.h"

namespace rebound {
namespace {

ServeOptions Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "rebound-serve");
  return ParseServeOptions(static_cast<int>(arguments.size()), arguments.data()).value();
}

std::string ErrorOf(std::vector<const char*> arguments) {
  try {
    Parse(std::move(arguments));
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    return e.what();
  }
  return "";
}

// Sets a variable for one test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~Variable() { unsetenv(name_); }

 private:
  const char* name_;
};

TEST(ServeOptions, HaveTheDocumentedDefaults) {
  const ServeOptions options = Parse({"--models", "m"});
  EXPECT_EQ(options.door.host, "127.0.0.1");
  EXPECT_EQ(options.door.port, 8080);
  EXPECT_GE(options.door.threads, 1);
  EXPECT_EQ(options.door.limits.max_body, 4u * 1024 * 1024);
  EXPECT_EQ(options.api.max_batch, 1000u);
  EXPECT_FALSE(options.api.gate.keys.api_key.has_value());
  EXPECT_TRUE(options.cache.enabled);
  EXPECT_EQ(options.cache.max_bytes, 104857600u);
  EXPECT_EQ(options.tasks.size(), kTaskCount);
}

TEST(ServeOptions, FlagBeatsVariableBeatsFile) {
  const TempFolder folder;
  const std::string file = folder.path() / "serve.conf";
  WriteFileDurably(file, "models = from-file\nmax-batch = 1\nmax-body = 1\nthreads = 1\n");
  const Variable batch("REBOUND_MAX_BATCH", "2");
  const Variable body("REBOUND_MAX_BODY", "2");
  const ServeOptions options = Parse({"--config", file.c_str(), "--max-body", "3"});
  EXPECT_EQ(options.models, "from-file");
  EXPECT_EQ(options.door.threads, 1);
  EXPECT_EQ(options.api.max_batch, 2u);
  EXPECT_EQ(options.door.limits.max_body, 3u);
}

TEST(ServeOptions, ReadTheNamesOfADropIn) {
  const Variable models("REBOUND_MODELS", "m");
  const Variable key("API_KEY", "k");
  const Variable cache("HALON_BNAC_CACHE", "false");
  const Variable folder("HALON_BNAC_CACHE_FOLDER", "/f");
  const Variable size("HALON_BNAC_CACHE_SIZE", "12345");
  const Variable stats("REBOUND_CACHE_STATS", "true");
  const ServeOptions options = Parse({});
  EXPECT_EQ(options.models, "m");
  EXPECT_EQ(options.api.gate.keys.api_key, DigestOfKey("k"));
  EXPECT_FALSE(options.cache.enabled);
  EXPECT_EQ(options.api.cache.folder, "/f");
  EXPECT_EQ(options.cache.max_bytes, 12345u);
  EXPECT_TRUE(options.api.cache.stats);
}

TEST(ServeOptions, ListenOnAnyAddress) {
  EXPECT_EQ(Parse({"--models", "m", "--listen", "0.0.0.0:0"}).door.port, 0);
  const ServeOptions options = Parse({"--models", "m", "--listen", "[::1]:81"});
  EXPECT_EQ(options.door.host, "[::1]");
  EXPECT_EQ(options.door.port, 81);
}

TEST(ServeOptions, TakeTheHttpsPortWithTls) {
  const ServeOptions options = Parse({"--models", "m", "--tls-cert", "c", "--tls-key", "k",
                                      "--tls-client-ca", "a", "--tls-client-auth", "optional"});
  EXPECT_EQ(options.door.host, "127.0.0.1");
  EXPECT_EQ(options.door.port, 8443);
  EXPECT_EQ(options.door.tls.certificate, "c");
  EXPECT_EQ(options.door.tls.key, "k");
  EXPECT_EQ(options.door.tls.client_ca, "a");
  EXPECT_EQ(options.door.tls.client_auth, TlsClientAuth::kOptional);
  EXPECT_EQ(ErrorOf({"--models", "m", "--tls-cert", "c"}),
            "--tls-cert and --tls-key are needed both, or neither (see --help)");
  EXPECT_EQ(ErrorOf({"--models", "m", "--tls-client-ca", "c"}),
            "--tls-client-ca needs --tls-cert and --tls-key (see --help)");
  EXPECT_EQ(
      ErrorOf({"--models", "m", "--tls-cert", "c", "--tls-key", "k", "--tls-client-crl", "r"}),
      "--tls-client-crl needs --tls-client-ca (see --help)");
  EXPECT_EQ(Parse({"--models", "m", "--tls-cert", "c", "--tls-key", "k", "--tls-client-ca", "a",
                   "--tls-client-crl", "r"})
                .door.tls.client_crl,
            "r");
  EXPECT_EQ(ErrorOf({"--models", "m", "--tls-client-auth", "maybe"}),
            "--tls-client-auth must be require or optional; it is 'maybe' (see --help)");
}

TEST(ServeOptions, NameTheTrustedProxies) {
  EXPECT_TRUE(Parse({"--models", "m"}).api.gate.proxies.empty());
  const ServeOptions options =
      Parse({"--models", "m", "--trusted-proxies", "127.0.0.1, 2001:db8::/32"});
  EXPECT_EQ(options.api.gate.proxies.size(), 2U);
  EXPECT_EQ(ErrorOf({"--models", "m", "--trusted-proxies", "10.0.0.0/8,proxy"}),
            "--trusted-proxies: a network is an address or ADDRESS/BITS, such as 10.0.0.0/8 or "
            "2001:db8::/32; it is 'proxy' (see --help)");
  ::setenv("REBOUND_TRUSTED_PROXIES", "10.0.0.1", 1);
  EXPECT_EQ(Parse({"--models", "m"}).api.gate.proxies.size(), 1U);
  ::unsetenv("REBOUND_TRUSTED_PROXIES");
}

TEST(ServeOptions, HoldTheDoorsLimits) {
  const ServeOptions options = Parse({"--models",
                                      "m",
                                      "--max-header",
                                      "1000",
                                      "--max-connections-per-peer",
                                      "5",
                                      "--max-in-flight",
                                      "6",
                                      "--max-wait",
                                      "0.5",
                                      "--max-buffered",
                                      "2000000",
                                      "--min-rate",
                                      "7",
                                      "--idle-timeout",
                                      "8",
                                      "--request-timeout",
                                      "9",
                                      "--drain-grace",
                                      "10"});
  EXPECT_EQ(options.door.limits.max_header, 1000u);
  EXPECT_EQ(options.door.max_connections_per_peer, 5u);
  EXPECT_EQ(options.door.load.max_unanswered, 6);
  EXPECT_EQ(options.door.load.max_wait, std::chrono::milliseconds(500));
  EXPECT_EQ(options.door.max_buffered_bytes, 2'000'000);
  EXPECT_EQ(options.door.min_rate, 7);
  EXPECT_EQ(options.door.idle_timeout, std::chrono::seconds(8));
  EXPECT_EQ(options.door.request_timeout, std::chrono::seconds(9));
  EXPECT_EQ(options.drain_grace, std::chrono::seconds(10));
}

TEST(ServeOptions, BoundWhatAShadowMayCost) {
  const ServeOptions plain = Parse({"--models", "m"});
  EXPECT_EQ(plain.api.shadow.sample, 0.1);
  EXPECT_EQ(plain.api.shadow.reviews_per_hour, 60);
  const ServeOptions options =
      Parse({"--models", "m", "--shadow-sample", "0.5", "--shadow-review-per-hour", "0"});
  EXPECT_EQ(options.api.shadow.sample, 0.5);
  EXPECT_EQ(options.api.shadow.reviews_per_hour, 0);
  EXPECT_NE(ErrorOf({"--models", "m", "--shadow-sample", "1.5"}).find("--shadow-sample"),
            std::string::npos);
  EXPECT_NE(ErrorOf({"--models", "m", "--shadow-sample", "nan"}).find("shadow-sample"),
            std::string::npos);
}

TEST(ServeOptions, NameWhatIsWrong) {
  EXPECT_EQ(ErrorOf({}), "--models DIR is needed: the folder of model bundles (see --help)");
  for (const char* bad : {"8080", "host", "host:", ":1", "host:70000", "host:x", "host:-1"}) {
    EXPECT_EQ(ErrorOf({"--models", "m", "--listen", bad}),
              "--listen must be HOST:PORT, such as 127.0.0.1:8080; it is '" + std::string(bad) +
                  "' (see --help)");
  }
  EXPECT_EQ(ErrorOf({"--models", "m", "--max-batch", "-1"}),
            "--max-batch must be between 1 and 1000000 (see --help)");
  EXPECT_EQ(ErrorOf({"--models", "m", "--tasks", "bnac,nonsense"}),
            "--tasks: there is no task 'nonsense' (see --help)");
  EXPECT_EQ(ErrorOf({"--models", "m", "--cache", "maybe"}),
            "--cache must be true or false; it is 'maybe' (see --help)");
  EXPECT_EQ(ErrorOf({"--models", "m", "--log-format", "xml"}),
            "--log-format must be text or json; it is 'xml' (see --help)");
  EXPECT_NE(ErrorOf({"--models", "m", "--nonsense"}), "");
  EXPECT_NE(ErrorOf({"--models", "m", "--idle-timeout", "0"}), "");
}

}  // namespace
}  // namespace rebound
