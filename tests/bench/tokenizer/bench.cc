// Our encoder beside libsentencepiece's, and the normaliser, on the seed templates with their slots
// filled. The ids of all texts are compared before anything is timed. Items are messages.
#include <benchmark/benchmark.h>
#include <sentencepiece_processor.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "tokenizer/encoder.h"
#include "tokenizer/mask.h"
#include "tokenizer/normaliser.h"
#include "tokenizer/trainer.h"

namespace rebound {
namespace {

std::string FillSlots(std::string_view text) {
  static const std::map<std::string_view, std::string_view> kSlots = {
      {"ip", "203.0.113.7"},
      {"rip", "198.51.100.9"},
      {"email", "jane.doe@example.com"},
      {"host", "mx1.example.org"},
      {"shost", "out3.example.net"},
      {"domain", "example.com"},
      {"sdomain", "news.example"},
      {"user", "jdoe"},
      {"num", "25"},
      {"id", "4Xabc12Qz9"},
      {"dnsbl", "zen.spamhaus.org"},
      {"sender", "news@example.net"}};
  std::string out;
  while (!text.empty()) {
    const size_t open = text.find('{');
    const size_t close = text.find('}', open == std::string_view::npos ? 0 : open);
    if (open == std::string_view::npos || close == std::string_view::npos) break;
    out += text.substr(0, open);
    const auto slot = kSlots.find(text.substr(open + 1, close - open - 1));
    out += slot == kSlots.end() ? "value" : slot->second;
    text.remove_prefix(close + 1);
  }
  return out.append(text);
}

struct Setting {
  Setting() {
    const char* source = std::getenv("REBOUND_SOURCE");
    const std::filesystem::path folder =
        std::filesystem::path(source == nullptr ? "." : source) / "labelstore/seed/templates";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() != ".tsv") continue;
      const std::string bytes = ReadFile(entry.path());
      for (const std::string_view line : Split(bytes, '\n')) {
        const size_t tab = line.rfind('\t');
        if (tab != std::string_view::npos) texts.push_back(FillSlots(line.substr(tab + 1)));
      }
    }
    std::sort(texts.begin(), texts.end());
    for (const std::string& text : texts) canonical.push_back(Normalise(text));
    const std::string model = TrainTokenizer(canonical, {});
    if (!theirs.LoadFromSerializedProto(model).ok()) std::abort();
    ours = Encoder::Parse(model);
    model_bytes = model;
    Check();
  }

  void Check() {
    Encoder::Scratch scratch;
    std::vector<int32_t> ids;
    std::vector<int> expected;
    size_t tokens = 0;
    size_t bytes = 0;
    for (const std::string& text : canonical) {
      ours->Encode(text, &scratch, &ids);
      if (!theirs.Encode(text, &expected).ok() ||
          !std::equal(ids.begin(), ids.end(), expected.begin(), expected.end())) {
        std::fprintf(stderr, "ids differ: %s\n", text.c_str());
        std::exit(1);
      }
      tokens += ids.size();
      bytes += text.size();
    }
    std::fprintf(stderr, "%zu texts, %zu bytes and %zu tokens each on average\n", texts.size(),
                 bytes / texts.size(), tokens / texts.size());
  }

  std::vector<std::string> texts;
  std::vector<std::string> canonical;
  std::string model_bytes;
  sentencepiece::SentencePieceProcessor theirs;
  std::shared_ptr<const Encoder> ours;
};

Setting& TheSetting() {
  static Setting setting;
  return setting;
}

template <class Body>
void OverTexts(benchmark::State& state, const std::vector<std::string>& texts, Body body) {
  size_t i = 0;
  for (auto _ : state) {
    body(texts[i]);
    if (++i == texts.size()) i = 0;
  }
  state.SetItemsProcessed(state.iterations());
}

// Argument: how many texts make a message; three are about 40 tokens.
std::vector<std::string> Messages(const benchmark::State& state) {
  const auto joined = static_cast<size_t>(state.range(0));
  std::vector<std::string> messages;
  const std::vector<std::string>& texts = TheSetting().canonical;
  for (size_t i = 0; i + joined <= texts.size(); i += joined) {
    std::string message;
    for (size_t j = 0; j < joined; ++j) message += texts[(i + j) * 7919 % texts.size()] + " ";
    messages.push_back(message);
  }
  return messages;
}

void OurEncoder(benchmark::State& state) {
  Encoder::Scratch scratch;
  std::vector<int32_t> ids;
  OverTexts(state, Messages(state), [&](const std::string& text) {
    TheSetting().ours->Encode(text, &scratch, &ids);
    benchmark::DoNotOptimize(ids.data());
  });
}
BENCHMARK(OurEncoder)->Arg(1)->Arg(3);

void Libsentencepiece(benchmark::State& state) {
  std::vector<int> ids;
  OverTexts(state, Messages(state), [&](const std::string& text) {
    if (!TheSetting().theirs.Encode(text, &ids).ok()) std::abort();
    benchmark::DoNotOptimize(ids.data());
  });
}
BENCHMARK(Libsentencepiece)->Arg(1)->Arg(3);

void Normaliser(benchmark::State& state) {
  std::string out;
  OverTexts(state, TheSetting().texts, [&](const std::string& text) {
    Normalise(text, &out);
    benchmark::DoNotOptimize(out.data());
  });
}
BENCHMARK(Normaliser);

void Masking(benchmark::State& state) {
  OverTexts(state, TheSetting().texts,
            [&](const std::string& text) { benchmark::DoNotOptimize(Mask(text)); });
}
BENCHMARK(Masking);

void ParseModel(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Encoder::Parse(TheSetting().model_bytes));
}
BENCHMARK(ParseModel);

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  rebound::TheSetting();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
