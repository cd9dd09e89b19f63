// wrk asks without pause while ten models are promoted: no request fails, no answer mixes two
// models.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <regex>
#include <thread>

#include "base/file.h"
#include "tests/functional/serve/server_process.h"
#include "tests/support/bundles.h"
#include "tests/unit/serve/http_client.h"

namespace rebound {
namespace {

std::string OutputOf(const std::string& command) {
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> bytes;
  for (size_t count = 0;
       pipe != nullptr && (count = fread(bytes.data(), 1, bytes.size(), pipe)) > 0;) {
    output.append(bytes.data(), count);
  }
  EXPECT_EQ(pipe == nullptr ? -1 : pclose(pipe), 0) << command << "\n" << output;
  return output;
}

TEST(ReloadSoak, TenPromotionsUnderLoadFailNothingAndMixNothing) {
  const TempFolder folder;
  BundleStore store(folder.path());
  const auto publish = [&](const std::string& label) {
    test::TestBundle bundle;
    bundle.always = label;
    test::PublishTestBundle(&store, bundle);
  };
  publish("SPF");
  ServerProcess server({"--listen", "127.0.0.1:0", "--models", folder.path(), "--tasks", "bnac",
                        "--log-level", "error"});
  ASSERT_NE(server.port(), 0);
  const std::string url = "http://127.0.0.1:" + std::to_string(server.port()) + "/v1/bnac";
  const std::string script =
      std::string(std::getenv("REBOUND_SOURCE")) + "/tests/functional/serve/reload.lua";
  std::string output;
  std::thread load(
      [&] { output = OutputOf("wrk -t2 -c16 -d12s -s " + script + " " + url + " 2>&1"); });
  HttpClient client(server.port());
  const std::string labels[] = {"DKIM", "TLS", "VIRUS", "DMARC", "SPF"};
  for (int promotion = 0; promotion < 10; ++promotion) {
    const std::string& label = labels[promotion % 5];
    const std::string answer = R"({"class":")" + label + R"("})";
    poll(nullptr, 0, 900);  // let the load run on each model
    publish(label);
    bool taken = false;
    for (int i = 0; i < 1000 && !taken; ++i) {
      taken = client.Ask(PostRequest("/v1/bnac/single", R"({"message":"x"})")).body == answer;
      if (!taken) poll(nullptr, 0, 5);
    }
    EXPECT_TRUE(taken) << "promotion " << promotion;
  }
  load.join();
  std::smatch found;
  ASSERT_TRUE(std::regex_search(
      output, found,
      std::regex("SOAK answered=(\\d+) failed=(\\d+) mixed=(\\d+) socket_errors=(\\d+)")))
      << output;
  std::printf("%s\n", found[0].str().c_str());
  EXPECT_GE(std::stol(found[1]), 10'000);
  EXPECT_EQ(found[2], "0");
  EXPECT_EQ(found[3], "0");
  EXPECT_EQ(found[4], "0");
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait(), 0);
}

}  // namespace
}  // namespace rebound
