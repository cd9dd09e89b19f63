// Where the processor time of one classification goes, part by part, without sockets: the released
// models, one text, one thread.
//
//   cmake --preset bench && ninja -C build/bench bench_request && build/bench/bin/bench_request
//   perf record build/bench/bin/bench_request single     # the parts whose name holds the word
//
// Parts take turns, and a part's figure is the least of its rounds: what neighbours on the machine
// add is never less than nothing. What sockets cost is the rest of what load_serve prints.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "serve/door/answer_head.h"
#include "serve/door/request_parser.h"
#include "serve/prediction.h"
#include "serve/texts.h"
#include "tests/api/serve/served.h"
#include "tests/support/bundles.h"
#include "tests/unit/serve/http_client.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

const std::string kText =
    "smtp;451 4.7.1 <user@example.com>: Recipient address rejected: Greylisting in effect, please "
    "come back later";
const std::string kBody = R"({"message":")" + kText + R"("})";

double ThreadSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

struct Part {
  const char* name;
  std::function<void()> run;
  double least_us = 1e9;
};

Request Parsed(const std::string& bytes) {
  static RequestParser parser{RequestParser::Limits()};
  parser.Feed(bytes);
  if (parser.state() != RequestParser::State::kComplete) std::abort();
  return parser.Take();
}

// The texts of a batch, no two alike.
std::string BatchBody() {
  std::string body = R"({"messages":[)";
  for (int i = 0; i < 1000; ++i) {
    body += std::string(i == 0 ? "" : ",") + "\"" + std::to_string(400 + i % 150) + " 5.1." +
            std::to_string(i % 9) + " <user" + std::to_string(i) +
            "@example.com>: Recipient address rejected: User unknown in " +
            (i % 2 == 0 ? "virtual mailbox table\"" : "local recipient table\"");
  }
  return body + "]}";
}

// The released models with another network as large beside each of them.
test::Served::Options Shadowed(const std::filesystem::path& released,
                               const std::filesystem::path& folder, double sample) {
  std::filesystem::copy(released, folder, std::filesystem::copy_options::recursive);
  BundleStore store(folder);
  for (const Task task : kTasks) {
    const int version = store.Current(task).value();
    test::InstallTwin(store.BundleFolder(task, version), version + 1, &store);
    store.SetShadow(task, version + 1);
  }
  test::Served::Options options;
  options.models = folder;
  options.api.shadow.sample = sample;
  return options;
}

void Main(const std::string& wanted) {
  SetLog(LogLevel::kError);
  const char* source = std::getenv("REBOUND_SOURCE");
  test::Served::Options options;
  options.models = std::filesystem::path(source == nullptr ? "." : source) / "models/released";
  test::Served served(options);
  const TempFolder tenth, all;
  test::Served of_tenth(Shadowed(options.models, tenth.path(), 0.1));
  test::Served of_all(Shadowed(options.models, all.path(), 1));
  const auto wire = [](const char* target, const std::string& body) {
    return PostRequest(target, body, "Connection: keep-alive\r\n");
  };
  const std::string single = wire("/v2/bnac/single", kBody);
  const std::string cached = wire("/v2/bnac", kBody);
  const std::string nowhere = wire("/v2/nowhere", kBody);
  const std::string batch = wire("/v2/bnac?bypass_cache=1", BatchBody());
  const std::string batch_cached = wire("/v2/bnac", BatchBody());
  const auto handle_by = [&](test::Served* by, const std::string& bytes, int status) {
    Request request = Parsed(bytes);
    request.peer = "127.0.0.1";
    std::string out;
    by->api().Handle(std::move(request), [&](const Response& response) {
      if (response.status != status) std::abort();
      AppendAnswerHead(response, false, false, &out);
      out.append(response.body);
    });
  };
  const auto handle = [&](const std::string& bytes, int status) {
    handle_by(&served, bytes, status);
  };
  const Request request = Parsed(single);
  const ModelSet models = served.engine().Take();
  const Classifier& model = *models.Get(Task::kBnac);
  Engine::Scratch scratch;
  Engine::Prepare(kText, &scratch);
  const Prediction prediction = Engine::Predict(models, Task::kBnac, &scratch);
  const std::vector<int32_t> ids = scratch.ids;
  Response answer;
  answer.body = R"({"class":"GRAYLISTING","probability":0.95663047})";
  answer.headers.emplace_back("X-Request-ID", "0123456789abcdef0123456789abcdef");
  std::string out;

  std::vector<Part> parts;
  const auto add = [&](const char* name, std::function<void()> run) {
    parts.push_back({name, std::move(run)});
  };
  add("HTTP: parse a request", [&] { Parsed(single); });
  add("HTTP: write an answer's head", [&] {
    out.clear();
    AppendAnswerHead(answer, false, false, &out);
  });
  add("JSON: read the body", [&] { ReadTexts(request, TextsForm::kSingle, 1000); });
  add("normalise", [&] { Normalise(kText, &scratch.normalised); });
  add("encode",
      [&] { model.encoder().Encode(scratch.normalised, &scratch.encoder, &scratch.ids); });
  add("network", [&] { model.Run(ids, &scratch.classifier); });
  add("softmax, best label", [&] { model.Read(&scratch.classifier); });
  add("decide", [&] { Engine::Decide(models, Task::kBnac, prediction, kText, &scratch); });
  add("look into the cache", [&] {
    served.cache().Get(served.cache().MakeKey(Task::kBnac, model.hash(), scratch.normalised));
  });
  const size_t wholes = parts.size();
  add("bytes in to bytes out, 404", [&] { handle(nowhere, 404); });
  add("bytes in to bytes out, from the cache", [&] { handle(cached, 200); });
  add("  a shadow beside it, a tenth compared", [&] { handle_by(&of_tenth, cached, 200); });
  add("  a shadow beside it, all offered", [&] { handle_by(&of_all, cached, 200); });
  add("bytes in to bytes out, single", [&] { handle(single, 200); });
  add("  with a shadow, a tenth compared", [&] { handle_by(&of_tenth, single, 200); });
  add("  with a shadow, all offered", [&] { handle_by(&of_all, single, 200); });
  const size_t batches = parts.size();
  add("a text of 1000, from the cache", [&] { handle(batch_cached, 200); });
  add("a text of 1000, past the cache", [&] { handle(batch, 200); });

  const int rounds = wanted.empty() ? 40 : 1000;  // enough for a profile
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < parts.size(); ++i) {
      if (std::string_view(parts[i].name).find(wanted) == std::string_view::npos) continue;
      const int repeats = i < batches ? 500 : 2;
      const double begin = ThreadSeconds();
      for (int k = 0; k < repeats; ++k) parts[i].run();
      const double taken = (ThreadSeconds() - begin) / repeats * 1e6;
      parts[i].least_us = std::min(parts[i].least_us, i < batches ? taken : taken / 1000);
    }
  }
  std::printf("CPU of one text, %zu tokens:\n", ids.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    if (std::string_view(parts[i].name).find(wanted) == std::string_view::npos) continue;
    if (i == wholes || i == batches) std::printf("\n");
    std::printf("  %-40s %6.2f us\n", parts[i].name, parts[i].least_us);
  }
}

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  rebound::Main(argc > 1 ? argv[1] : "");
  return 0;
}
