// rebound-tokenizer: makes a SentencePiece model from normalised texts.
#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/program_options.h"
#include "base/text.h"
#include "tokenizer/encoder.h"
#include "tokenizer/normaliser.h"
#include "tokenizer/trainer.h"

namespace rebound {
namespace {

namespace po = boost::program_options;

constexpr size_t kMaxInputBytes = size_t{4} << 30;

std::vector<std::string> ReadTexts(const std::string& path, bool normalise) {
  const std::string bytes = ReadFile(path, kMaxInputBytes);
  std::vector<std::string> texts;
  std::string canonical;
  for (const std::string_view line : Split(bytes, '\n')) {
    if (normalise) {
      Normalise(line, &canonical);
    } else {
      canonical = Trim(line);
    }
    if (!canonical.empty()) texts.push_back(canonical);
  }
  if (texts.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                path + " holds no text: give a file with one normalised text a line");
  }
  return texts;
}

int Main(int argc, const char* const* argv) {
  CommandLine line;
  line.summary = "Makes a tokenizer (a SentencePiece unigram model) from normalised texts.";
  line.usage = "rebound-tokenizer --input FILE --output FILE.model [--vocabulary N]";
  line.epilogue =
      "The same input and options give the same bytes. Exit codes: 0 made, 1 failed, 2 usage.";
  TokenizerOptions options;
  line.options.add_options()("input", po::value<std::string>()->required(),
                             "texts, one a line, as Normalise writes them")(
      "output", po::value<std::string>()->required(), "where the model goes; replaced whole")(
      "vocabulary", po::value<int>(&options.vocabulary)->default_value(options.vocabulary),
      "pieces wanted; fewer where the texts hold fewer")(
      "seed", po::value<uint32_t>(&options.seed)->default_value(options.seed),
      "chooses the sample of --max-texts")(
      "max-texts", po::value<int64_t>(&options.max_texts)->default_value(options.max_texts),
      "learn from a sample of at most so many texts")(
      "normalisation",
      po::value<std::string>(&options.normalisation)->default_value(options.normalisation),
      "identity or nmt_nfkc, inside the tokenizer")("normalise", po::bool_switch(),
                                                    "the input is raw: normalise every line first")(
      "verbose", po::bool_switch(&options.verbose), "SentencePiece's own progress");
  const auto said = ParseOptions(argc, argv, line);
  if (!said) return 0;
  const auto input = (*said)["input"].as<std::string>();
  const auto output = (*said)["output"].as<std::string>();

  const auto start = std::chrono::steady_clock::now();
  const std::vector<std::string> texts = ReadTexts(input, (*said)["normalise"].as<bool>());
  std::cerr << "tokenizer: learning " << options.vocabulary << " pieces from " << texts.size()
            << " texts\n";
  const std::string model = TrainTokenizer(texts, options);
  // Read back by the code that will serve it, before anybody can take it.
  const auto encoder = Encoder::Parse(model);
  WriteFileDurably(output, model);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  char seconds[32];
  std::snprintf(seconds, sizeof(seconds), "%.1f", took.count());
  std::cerr << "tokenizer: " << encoder->size() << " pieces in " << output << " after " << seconds
            << " s\n";
  return 0;
}

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  return rebound::RunMain("rebound-tokenizer", [&] { return rebound::Main(argc, argv); });
}
