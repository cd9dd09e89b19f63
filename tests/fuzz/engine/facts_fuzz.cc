// Facts of hostile texts: whatever the bytes, what is found lies in the text or in a table, stays
// within its bounds, and costs time in proportion to the text.
//
//   fuzz_engine_facts ROUNDS
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "engine/facts.h"
#include "tests/support/cpu_time.h"

namespace rebound {
namespace {

const std::vector<std::string> kPieces = {"try again in ",
                                          "5",
                                          " minutes",
                                          "300s",
                                          "1h30m",
                                          "retry after ",
                                          "wait",
                                          "\n450-",
                                          "450 ",
                                          "blocked using ",
                                          "zen.spamhaus.org",
                                          "listed by ",
                                          "[192.0.2.7]",
                                          "2001:db8::7",
                                          "RBL",
                                          "(S3150)",
                                          "[TSS04]",
                                          "AUP#",
                                          "OFR_",
                                          "https://postmaster.gmx.net/?c=bip",
                                          "://",
                                          "@",
                                          ".",
                                          "-",
                                          ":",
                                          "_",
                                          "через ",
                                          "час",
                                          "分",
                                          "後",
                                          "５",
                                          "半",
                                          "小时",
                                          "phút",
                                          "\xE3",
                                          "\xC3",
                                          "\xFF",
                                          std::string(1, '\0'),
                                          "[",
                                          "]",
                                          "(",
                                          ")",
                                          "half an hour",
                                          "00:05:00",
                                          "9999999999",
                                          "1,800",
                                          "retry_after=",
                                          "?p=",
                                          "Barracuda ",
                                          "UCEPROTECT-Level3",
                                          "7.2.0.192.",
                                          "or ",
                                          "every "};

bool IsWithin(std::string_view part, std::string_view text) {
  return part.empty() ||
         (part.data() >= text.data() && part.data() + part.size() <= text.data() + text.size());
}

void Fail(const char* what, const std::string& text) {
  std::fprintf(stderr, "%s in: %s\n", what, text.c_str());
  std::exit(1);
}

void Check(const std::string& text) {
  const Facts facts = FindFacts(text);
  if (!IsWithin(facts.codes.reply, text)) Fail("a reply code from elsewhere", text);
  if (facts.retry_after &&
      (*facts.retry_after < kShortestRetry || *facts.retry_after > kLongestRetry)) {
    Fail("a time out of bounds", text);
  }
  if (facts.lists.count > FoundLists::kMost) Fail("too many lists", text);
  for (const FoundList& found : facts.lists.view()) {
    if (found.list == nullptr || found.at >= text.size()) Fail("a list from nowhere", text);
  }
  if (facts.lists.count == 0 && !(facts.listed.empty() && facts.delist.empty())) {
    Fail("something listed on nothing", text);
  }
  if (!IsWithin(facts.provider.code, text)) Fail("a code from elsewhere", text);
  for (const char c : facts.provider.help) {
    if (c <= ' ' || c == '"' || c == '<') Fail("a page that is no URL", text);
  }
}

// Many bytes of every piece again and again: four times as many take about four times the work;
// were the search quadratic, sixteen times, and minutes.
void CheckTime() {
  for (const std::string& piece : kPieces) {
    for (const std::string& between : {std::string(), std::string(" ")}) {
      const auto seconds = [&](size_t bytes) {
        std::string text;
        while (text.size() < bytes) text += piece + between;
        return test::CpuSecondsOf([&] { FindFacts(text); });
      };
      const double some = seconds(64 * 1024);
      const double more = seconds(256 * 1024);
      if (more > 10 * some + 0.1) {
        std::fprintf(stderr, "%.3f s for 256 KiB of '%s', %.3f s for 64 KiB\n", more, piece.c_str(),
                     some);
        std::exit(1);
      }
    }
  }
}

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  using namespace rebound;
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 10000;
  std::mt19937 random(20240501);
  const auto below = [&random](size_t bound) {
    return std::uniform_int_distribution<size_t>(0, bound - 1)(random);
  };
  for (int round = 0; round < rounds; ++round) {
    std::string text;
    for (size_t pieces = 1 + below(30); pieces > 0; --pieces) {
      text += kPieces[below(kPieces.size())];
      if (below(8) == 0) text += static_cast<char>(below(256));
      if (below(12) == 0 && !text.empty()) text.pop_back();
    }
    Check(text);
    Check(text.substr(0, below(text.size() + 1)));
  }
  CheckTime();
  std::printf("%d texts, nothing found\n", rounds * 2);
  return 0;
}
