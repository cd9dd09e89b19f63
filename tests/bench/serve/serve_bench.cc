// What a request costs: the Api alone, and the door, plain and over TLS, against a bare handler of
// stock Pistache.
//
// The servers run as child processes and take turns; a figure is the server's CPU time a
// request, so that the load generator beside it does not count. Answers are checked before anything
// is timed.
#include <pistache/endpoint.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <thread>

#include "base/log.h"
#include "serve/door/door.h"
#include "tests/api/serve/served.h"
#include "tests/support/bundles.h"
#include "tests/unit/serve/http_client.h"
#include "tests/unit/serve/tls_client.h"

namespace rebound {
namespace {

const std::string kMessage =
    R"({"message":"smtp;451 4.7.1 <user@example.com>: Recipient address rejected: Greylisting in effect, please come back later"})";
constexpr char kAnswer[] = R"({"class":"GRAYLISTING","probability":0.95663047})";

struct Stock : Pistache::Http::Handler {
  HTTP_PROTOTYPE(Stock)
  void onRequest(const Pistache::Http::Request&, Pistache::Http::ResponseWriter response) override {
    response.send(Pistache::Http::Code::Ok, kAnswer);
  }
};

void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "serve_bench: wrong answer: %s\n", what);
  std::exit(1);
}

// A server in a child process, which tells its port through a pipe.
struct Child {
  pid_t pid;
  uint16_t port;
};
Child Spawn(const std::function<uint16_t()>& serve) {
  int port_pipe[2];
  Check(pipe(port_pipe) == 0, "pipe");
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const uint16_t port = serve();
    Check(write(port_pipe[1], &port, sizeof port) == sizeof port, "pipe");
    for (;;) pause();
  }
  uint16_t port = 0;
  Check(read(port_pipe[0], &port, sizeof port) == sizeof port, "the server's port");
  return {pid, port};
}

uint16_t ServeStock() {
  static Pistache::Http::Endpoint endpoint(Pistache::Address("127.0.0.1", Pistache::Port(0)));
  endpoint.init(
      Pistache::Http::Endpoint::options().threads(1).flags(Pistache::Tcp::Options::NoDelay));
  endpoint.setHandler(Pistache::Http::make_handler<Stock>());
  endpoint.serveThreaded();
  return endpoint.getPort();
}

uint16_t ServeDoor(const TlsOptions& tls) {
  DoorOptions options;
  options.threads = 1;
  options.tls = tls;
  static Door door(options, [](const Request&, const Done& done) {
    Response response;
    response.body = kAnswer;
    done(response);
  });
  return door.port();
}

double CpuSeconds(pid_t pid) {
  clockid_t clock;
  timespec time{};
  Check(clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &time) == 0, "CPU clock");
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// CPU microseconds of the server a request, over `connections` kept alive.
template <class Client>
double CpuPerRequest(const Child& server, int requests) {
  constexpr size_t kConnections = 32;
  std::vector<std::unique_ptr<Client>> clients;
  for (size_t i = 0; i < kConnections; ++i) {
    clients.push_back(std::make_unique<Client>(server.port));
    Check(clients.back()->Ask(GetRequest("/")).status == 200, "the first answer");  // and handshake
  }
  const std::string request =
      PostRequest("/v2/bnac/single", kMessage, "Connection: keep-alive\r\n");
  const double before = CpuSeconds(server.pid);
  for (int done = 0; done < requests; done += static_cast<int>(kConnections)) {
    for (const auto& client : clients) client->Send(request);
    for (const auto& client : clients) Check(client->ReadReply().body == kAnswer, "the body");
  }
  return (CpuSeconds(server.pid) - before) / requests * 1e6;
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

// CPU microseconds of the server a handshake with one request, in full and resumed.
double CpuPerHandshake(const Child& server, int handshakes, bool resumed) {
  auto last = std::make_unique<test::TlsClient>(server.port);
  Check(last->Ask(GetRequest("/")).status == 200, "the first answer");
  const double before = CpuSeconds(server.pid);
  for (int i = 0; i < handshakes; ++i) {
    test::TlsWish wish;
    if (resumed) wish.session = last->session();  // a ticket is good for one connection
    auto client = std::make_unique<test::TlsClient>(server.port, wish);
    Check(client->Ask(GetRequest("/")).status == 200, "the answer after a handshake");
    Check(client->resumed() == resumed, "a session that is resumed when it should be");
    last = std::move(client);
  }
  return (CpuSeconds(server.pid) - before) / handshakes * 1e6;
}

void CompareDoors() {
  const TempFolder folder;
  TlsOptions tls;
  tls.certificate = folder.path() / "cert.pem";
  tls.key = folder.path() / "key.pem";
  test::WriteIdentity(test::Identity(), tls.certificate, tls.key);
  SetLog(LogLevel::kError);
  const Child stock = Spawn(ServeStock);
  const Child door = Spawn([] { return ServeDoor({}); });
  const Child secure = Spawn([&] { return ServeDoor(tls); });
  std::vector<double> stock_us;
  std::vector<double> door_us;
  std::vector<double> secure_us;
  std::vector<double> full_us;
  std::vector<double> resumed_us;
  for (int round = 0; round < 7; ++round) {
    stock_us.push_back(CpuPerRequest<HttpClient>(stock, 6400));
    door_us.push_back(CpuPerRequest<HttpClient>(door, 6400));
    secure_us.push_back(CpuPerRequest<test::TlsClient>(secure, 6400));
    full_us.push_back(CpuPerHandshake(secure, 100, false));
    resumed_us.push_back(CpuPerHandshake(secure, 100, true));
  }
  for (const Child& child : {stock, door, secure}) {
    kill(child.pid, SIGKILL);
    waitpid(child.pid, nullptr, 0);
  }
  const double plain = Median(door_us);
  std::printf("door, CPU a request: %.1f us; stock Pistache's bare handler %.1f us; ratio %.2f\n",
              plain, Median(stock_us), plain / Median(stock_us));
  std::printf("door over TLS, kept alive: %.1f us; ratio to plain %.2f\n", Median(secure_us),
              Median(secure_us) / plain);
  std::printf("TLS connection with one request: %.0f us in full, %.0f us resumed\n",
              Median(full_us), Median(resumed_us));
}

void TimeApi() {
  SetLog(LogLevel::kError);
  const TempFolder folder;
  BundleStore store(folder.path());
  test::PublishTestBundle(&store, {});
  test::Served::Options options;
  options.models = folder.path();
  options.tasks = {Task::kBnac};
  test::Served served(options);
  const auto time = [&](const char* name, const std::string& target, const std::string& body) {
    Check(served.Ask("POST", target, body).status == 200, name);
    std::vector<double> times;
    for (int round = 0; round < 15; ++round) {
      constexpr int kRepeats = 400;
      const auto start = std::chrono::steady_clock::now();
      for (int i = 0; i < kRepeats; ++i) served.Ask("POST", target, body);
      const std::chrono::duration<double, std::micro> taken =
          std::chrono::steady_clock::now() - start;
      times.push_back(taken.count() / kRepeats);
    }
    std::printf("Api::Handle, %-24s %8.2f us\n", name, Median(times));
  };
  std::string batch = R"({"messages":[)";
  for (int i = 0; i < 100; ++i) {
    batch +=
        (i == 0 ? "\"" : ",\"") + std::to_string(i) + " 550 5.1.1 user unknown in local table\"";
  }
  batch += "]}";
  time("single", "/v2/bnac/single", kMessage);
  time("one, from the cache", "/v2/bnac", kMessage);
  time("100, from the cache", "/v2/bnac", batch);
  time("100, past the cache", "/v2/bnac?bypass_cache=1", batch);
  time("normalise", "/normalise", kMessage);

  // What is counted for a request of one text, beside the whole request.
  Metrics& metrics = served.api().metrics();
  const ModelSet models = served.engine().Take();
  const Prediction prediction{0, 0.9F};
  const TaskAnswer answer{0, 0.9F, AnswerSource::kModel, 0};
  const Route* route = &served.api().router().routes().front();
  std::vector<double> counting;
  std::vector<double> asking;
  for (int round = 0; round < 15; ++round) {
    constexpr int kRepeats = 4000;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kRepeats; ++i) {
      metrics.CountRequest(route, 200, std::chrono::microseconds(30));
      metrics.CountAnswer(models, Task::kBnac, prediction, answer);
    }
    const auto middle = std::chrono::steady_clock::now();
    for (int i = 0; i < kRepeats; ++i) served.Ask("POST", "/v2/bnac/single", kMessage);
    const auto end = std::chrono::steady_clock::now();
    counting.push_back(std::chrono::duration<double, std::nano>(middle - start).count() / kRepeats);
    asking.push_back(std::chrono::duration<double, std::nano>(end - middle).count() / kRepeats);
  }
  std::printf("metrics of a request: %.0f ns; ratio to Api::Handle, single %.4f\n",
              Median(counting), Median(counting) / Median(asking));
}

}  // namespace
}  // namespace rebound

int main() {
  rebound::CompareDoors();
  rebound::TimeApi();
  return 0;
}
