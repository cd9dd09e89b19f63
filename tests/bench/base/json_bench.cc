// Which JSON library: the API's bodies parsed to texts, and its answers printed. Every library's
// result is checked before it is timed; the libraries take turns, and a column is the median time
// divided by RapidJSON's in the same run.
#include <simdjson.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/json.h"

namespace {

using Texts = std::vector<std::string>;
struct Answer {
  std::string label;
  float probability;
};
using Answers = std::vector<Answer>;

std::string Text(int i) {
  return "smtp;550 5.7." + std::to_string(i % 30) + " <user" + std::to_string(i) +
         "@example.com>: Recipient address \"rejected\": see https://example.net/help?id=" +
         std::to_string(i * 7919) + "\r\n (in reply to RCPT TO command) \xC3\xA9t\xC3\xA9";
}

std::string Body(int count) {
  std::string body;
  rebound::JsonWriter writer(&body);
  writer.StartObject().Key("messages").StartArray();
  for (int i = 0; i < count; ++i) writer.String(Text(i));
  writer.EndArray().EndObject();
  return body;
}

// ---- parse: body to texts ----------------------------------------------------------------------

Texts ParseRapid(const std::string& body) {
  const rebound::JsonDocument document = rebound::ParseJson(body);
  Texts texts;
  for (const auto& item : rebound::GetJson(document, "messages").GetArray()) {
    texts.emplace_back(rebound::JsonText(item));
  }
  return texts;
}

Texts ParseNlohmann(const std::string& body) {
  const auto document = nlohmann::json::parse(body);
  Texts texts;
  for (const auto& item : document.at("messages")) texts.push_back(item.get<std::string>());
  return texts;
}

Texts ParseSimdjson(const std::string& body) {
  thread_local simdjson::dom::parser parser;
  const simdjson::dom::element document = parser.parse(body);
  Texts texts;
  for (const auto item : document["messages"].get_array()) {
    texts.emplace_back(std::string_view(item));
  }
  return texts;
}

// ---- print: answers to body --------------------------------------------------------------------

std::string PrintRapid(const Answers& answers) {
  std::string body;
  rebound::JsonWriter writer(&body);
  writer.StartArray();
  for (const Answer& answer : answers) {
    writer.StartObject().Key("class").String(answer.label);
    writer.Key("probability").Float(answer.probability).EndObject();
  }
  writer.EndArray();
  return body;
}

std::string PrintNlohmann(const Answers& answers) {
  auto body = nlohmann::ordered_json::array();
  for (const Answer& answer : answers) {
    body.push_back({{"class", answer.label}, {"probability", answer.probability}});
  }
  return body.dump();
}

void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "json_bench: wrong result: %s\n", what);
  std::exit(1);
}

// Of this thread: what else runs on the machine does not count.
double CpuNanoseconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

// Nanoseconds a call: the median of rounds in which the candidates take turns.
std::vector<double> Time(const std::vector<std::function<void()>>& candidates, int repeats) {
  constexpr int kRounds = 15;
  std::vector<std::vector<double>> times(candidates.size());
  for (int round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < candidates.size(); ++i) {
      const double start = CpuNanoseconds();
      for (int repeat = 0; repeat < repeats; ++repeat) candidates[i]();
      times[i].push_back((CpuNanoseconds() - start) / repeats);
    }
  }
  std::vector<double> medians;
  for (auto& series : times) {
    std::nth_element(series.begin(), series.begin() + kRounds / 2, series.end());
    medians.push_back(series[kRounds / 2]);
  }
  return medians;
}

volatile size_t sink = 0;

void Compare(int count) {
  const std::string body = Body(count);
  const Texts expected = ParseRapid(body);
  Check(expected.size() == static_cast<size_t>(count) && expected[0] == Text(0), "RapidJSON parse");
  Check(ParseNlohmann(body) == expected, "nlohmann parse");
  Check(ParseSimdjson(body) == expected, "simdjson parse");
  Answers answers;
  for (int i = 0; i < count; ++i) {
    answers.push_back({"RECIPIENT_NOT_FOUND", 1.0F / static_cast<float>(i + 2)});
  }
  const std::string printed = PrintRapid(answers);
  Check(nlohmann::json::parse(PrintNlohmann(answers)).size() == answers.size(), "nlohmann print");
  const auto read_back = nlohmann::json::parse(printed);
  for (size_t i = 0; i < answers.size(); ++i) {
    Check(read_back[i]["probability"].get<float>() == answers[i].probability, "RapidJSON print");
  }
  const int repeats = std::max(1, 4000 / count);
  const auto parse = Time({[&] { sink = sink + ParseRapid(body).size(); },
                           [&] { sink = sink + ParseNlohmann(body).size(); },
                           [&] { sink = sink + ParseSimdjson(body).size(); }},
                          repeats);
  const auto print = Time({[&] { sink = sink + PrintRapid(answers).size(); },
                           [&] { sink = sink + PrintNlohmann(answers).size(); }},
                          repeats);
  std::printf("%6d %9zu | %10.2f %9.2f %9.2f | %10.2f %9.2f\n", count, body.size(), parse[0] / 1000,
              parse[1] / parse[0], parse[2] / parse[0], print[0] / 1000, print[1] / print[0]);
}

}  // namespace

int main() {
  std::printf("               |          parse to texts         |    print answers\n");
  std::printf(" texts     bytes | rapid [us]  nlohmann  simdjson | rapid [us]  nlohmann\n");
  for (const int count : {1, 100, 1000}) Compare(count);
  return 0;
}
