// Keys, rates and the access log of the real binary: what signals, files and pipes do.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "base/file.h"
#include "base/json.h"
#include "tests/functional/serve/server_process.h"
#include "tests/unit/serve/http_client.h"

namespace rebound {
namespace {

// What a shell prints for this command, in which $SERVE is the program.
std::string Shell(const std::string& command) {
  const char* bin = std::getenv("REBOUND_BIN");
  const std::string line = "SERVE=" + std::string(bin == nullptr ? "build/release/bin" : bin) +
                           "/rebound-serve; " + command;
  FILE* const pipe = popen(line.c_str(), "r");
  std::string out;
  std::array<char, 4096> buffer;
  for (size_t n; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    out.append(buffer.data(), n);
  }
  pclose(pipe);
  return out;
}

class GateProgramTest : public testing::Test {
 protected:
  // Makes a key, adds its line to the keys file, and gives the key.
  std::string AddKey(const std::string& name, const std::string& scopes) {
    const std::string told =
        Shell("$SERVE --make-key " + name + " --scopes " + scopes + " 2>&1 >>" + keys_.string());
    std::filesystem::permissions(keys_, std::filesystem::perms::owner_all);
    return told.substr(told.rfind(' ') + 1, 72);
  }
  void Start(std::vector<std::string> more) {
    std::vector<std::string> arguments = {"--listen",     "127.0.0.1:0", "--models",
                                          "/nonexistent", "--log-level", "error"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    server_.emplace(arguments);
  }
  int StatusWith(const std::string& key) {
    const std::string header = key.empty() ? "" : "X-API-Key: " + key + "\r\n";
    return HttpClient(server_->port())
        .Ask("GET /v3/models HTTP/1.1\r\nHost: localhost\r\n" + header + "\r\n")
        .status;
  }
  static bool Eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 2000; ++i) {
      if (holds()) return true;
      poll(nullptr, 0, 5);
    }
    return false;
  }

  TempFolder folder_;
  const std::filesystem::path keys_ = folder_.path() / "keys";
  std::optional<ServerProcess> server_;
};

TEST_F(GateProgramTest, AKeyThatItMadeIsGoodOnceItsLineIsInTheFile) {
  const std::string first = AddKey("mta", "classify");
  EXPECT_EQ(ReadFile(keys_).find(first), std::string::npos) << "the file holds a digest alone";
  Start({"--keys", keys_});
  EXPECT_EQ(StatusWith(first), 200);
  EXPECT_EQ(StatusWith(""), 401);
  const std::string second = AddKey("mta", "classify");
  EXPECT_TRUE(Eventually([&] { return StatusWith(second) == 200; })) << "the file is watched";
  EXPECT_EQ(StatusWith(first), 200) << "both are valid at once";
}

TEST_F(GateProgramTest, SighupReadsTheKeysAndABadFileChangesNothing) {
  const std::string key = AddKey("mta", "classify");
  Start({"--keys", keys_});
  const std::string good = ReadFile(keys_);
  WriteFileDurably(keys_, good + "nonsense\n");
  server_->Signal(SIGHUP);
  WriteFileDurably(keys_, "mta contribute " + good.substr(good.find("sha256:")));
  server_->Signal(SIGHUP);
  EXPECT_TRUE(Eventually([&] { return StatusWith(key) == 403; }));
  EXPECT_EQ(StatusWith(""), 401);
}

TEST_F(GateProgramTest, HashesAKeyFromStandardInput) {
  EXPECT_EQ(Shell("printf 'abc\\n' | $SERVE --hash-key"),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n");
  EXPECT_NE(Shell("$SERVE --hash-key </dev/null 2>&1; echo $?").find("there is none"),
            std::string::npos);
}

TEST_F(GateProgramTest, ChecksTheKeysFileWithoutServing) {
  WriteFileDurably(keys_, "\nmta classify nonsense\n");
  const std::string said =
      Shell("$SERVE --models m --check-config --keys " + keys_.string() + " 2>&1; echo $?");
  EXPECT_NE(said.find(keys_.string() + ":2: the third field is sha256:"), std::string::npos)
      << said;
  EXPECT_NE(said.substr(said.size() - 3), "\n0\n");
}

TEST_F(GateProgramTest, TheAccessLogFollowsARotation) {
  const auto log = folder_.path() / "access.log", old = folder_.path() / "access.log.1";
  Start({"--access-log", log});
  const auto ask = [&](const std::string& id) {
    HttpClient(server_->port())
        .Ask("GET /livez HTTP/1.1\r\nHost: h\r\nX-Request-ID: " + id + "\r\n\r\n");
  };
  const auto holds = [](const std::filesystem::path& file, const std::string& text) {
    return std::filesystem::exists(file) && ReadFile(file).find(text) != std::string::npos;
  };
  ask("first");
  EXPECT_TRUE(Eventually([&] { return holds(log, R"("request_id":"first")"); }));
  std::filesystem::rename(log, old);
  server_->Signal(SIGHUP);
  EXPECT_TRUE(Eventually([&] { return std::filesystem::exists(log); }));
  ask("second");
  EXPECT_TRUE(Eventually([&] { return holds(log, R"("request_id":"second")"); }));
  EXPECT_FALSE(holds(old, "second"));
  server_->Signal(SIGTERM);
  EXPECT_EQ(server_->Wait(), 0);
}

TEST_F(GateProgramTest, TheAccessLogAndTheMetricsTellWhatTheDoorAnsweredItself) {
  const auto log = folder_.path() / "access.log";
  Start({"--access-log", log, "--access-log-sample", "0"});
  const Reply broken = HttpClient(server_->port()).Ask("nonsense\r\n\r\n");
  EXPECT_EQ(broken.status, 400);
  const std::string line =
      R"("request_id":")" + broken.headers.at("x-request-id") + R"(","status":400,)";
  EXPECT_TRUE(Eventually([&] { return ReadFile(log).find(line) != std::string::npos; }));
  const std::string page = HttpClient(server_->port()).Ask(GetRequest("/metrics")).body;
  EXPECT_NE(page.find(R"(rebound_requests_total{route="none",code="400"} 1)"), std::string::npos);
}

// Authority, certificates and lists as the openssl program makes them, and its word for the end.
TEST_F(GateProgramTest, ARevokedClientIsRefusedOnceTheListSaysSo) {
  WriteFileDurably(folder_.path() / "ca.cnf",
                   "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\n");
  const std::string key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ";
  const auto openssl = [&](const std::string& commands) {
    return Shell("cd " + folder_.path().string() + " && { " + commands + "; } 2>&1");
  };
  const std::string list =
      "openssl ca -config ca.cnf -keyfile ca.key -cert ca.pem -gencrl -crldays 1 -out crl.pem";
  const std::string made =
      openssl(": >index.txt && openssl req -x509 -days 2 -subj /CN=authority -out ca.pem " + key +
              "ca.key && openssl req -x509 -days 2 -subj /CN=localhost -out server.pem " + key +
              "server.key && openssl req -subj /CN=mx1 -out client.csr " + key +
              "client.key && openssl x509 -req -days 2 -in client.csr -CA ca.pem -CAkey ca.key "
              "-set_serial 7 -out client.pem && " +
              list);
  const auto file = [&](const char* name) { return (folder_.path() / name).string(); };
  ASSERT_TRUE(std::filesystem::exists(file("crl.pem"))) << made;
  Start({"--tls-cert", file("server.pem"), "--tls-key", file("server.key"), "--tls-client-ca",
         file("ca.pem"), "--tls-client-crl", file("crl.pem")});
  const auto ask = [&] {
    return openssl(
        "printf 'GET /livez HTTP/1.0\\r\\n\\r\\n' | timeout 20 openssl s_client -ign_eof "
        "-connect 127.0.0.1:" +
        std::to_string(server_->port()) + " -cert client.pem -key client.key");
  };
  EXPECT_NE(ask().find("HTTP/1.1 200 OK"), std::string::npos) << ask();
  openssl("openssl ca -config ca.cnf -keyfile ca.key -cert ca.pem -revoke client.pem && " + list);
  server_->Signal(SIGHUP);
  EXPECT_TRUE(Eventually([&] { return ask().find("certificate revoked") != std::string::npos; }))
      << ask();
}

TEST_F(GateProgramTest, HeadAndOptionsSendNoBody) {
  Start({});
  HttpClient client(server_->port());
  const std::string rest = " /livez HTTP/1.1\r\nHost: h\r\n\r\n";
  const Reply get = client.Ask("GET" + rest);
  client.Send("HEAD" + rest);
  const Reply head = client.ReadReply(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), std::to_string(get.body.size()));
  const Reply options = client.Ask("OPTIONS" + rest);
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.headers.at("allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(options.headers.count("content-length"), 0u);
  EXPECT_EQ(options.headers.count("content-type"), 0u);
  EXPECT_EQ(client.Ask("GET" + rest).body, get.body) << "the connection goes on";
}

}  // namespace
}  // namespace rebound
