// What the facts of a text cost: an ordinary bounce, and 10,000 bytes of several kinds.
#include <benchmark/benchmark.h>

#include <string>

#include "engine/facts.h"

namespace rebound {
namespace {

const std::string kBounce =
    "host mx.example.com[203.0.113.5] said: 554 5.7.1 Service unavailable; Client host [192.0.2.7] "
    "blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.7 (in reply to RCPT "
    "TO command)";
const std::string kGreylisting =
    "450 4.2.0 <user@example.com>: Recipient address rejected: Greylisted, try again in 300 "
    "seconds";
const std::string kUnknown = "550 5.1.1 <user@example.com>: User unknown in virtual mailbox table";
const std::string kRussian = "451 Отправленное вами сообщение не удаётся доставить более 5 часов. ";
const std::string kJapanese = "450 初回接続のためグレイリストにより一時拒否しました。";

std::string Long(const std::string& piece) {
  std::string text;
  while (text.size() < 10000) text += piece;
  text.resize(10000);
  return text;
}

void Facts(benchmark::State& state, const std::string& text) {
  if (!FindFacts(kGreylisting).retry_after || FindFacts(kBounce).lists.count != 1) {
    state.SkipWithError("wrong facts");
  }
  for (auto _ : state) benchmark::DoNotOptimize(FindFacts(text));
}
void Retry(benchmark::State& state, const std::string& text) {
  for (auto _ : state) benchmark::DoNotOptimize(FindRetryAfter(text));
}
void Lists(benchmark::State& state, const std::string& text) {
  for (auto _ : state) benchmark::DoNotOptimize(FindBlockLists(text));
}
void Whose(benchmark::State& state, const std::string& text) {
  for (auto _ : state) benchmark::DoNotOptimize(FindProvider(text));
}

BENCHMARK_CAPTURE(Facts, block_list, kBounce);
BENCHMARK_CAPTURE(Facts, greylisting, kGreylisting);
BENCHMARK_CAPTURE(Facts, unknown_user, kUnknown);
BENCHMARK_CAPTURE(Facts, words_10k, Long(kUnknown + ' '));
BENCHMARK_CAPTURE(Facts, lists_10k, Long(kBounce + ' '));
BENCHMARK_CAPTURE(Facts, russian_10k, Long(kRussian));
BENCHMARK_CAPTURE(Facts, japanese_10k, Long(kJapanese));
BENCHMARK_CAPTURE(Facts, dots_10k, Long("a.b"));
BENCHMARK_CAPTURE(Facts, times_10k, Long("5s every "));
BENCHMARK_CAPTURE(Retry, words_10k, Long(kUnknown + ' '));
BENCHMARK_CAPTURE(Lists, words_10k, Long(kUnknown + ' '));
BENCHMARK_CAPTURE(Whose, words_10k, Long(kUnknown + ' '));

}  // namespace
}  // namespace rebound

BENCHMARK_MAIN();
