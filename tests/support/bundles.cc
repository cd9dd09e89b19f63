#include "tests/support/bundles.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <stdexcept>

#include "base/digest.h"
#include "base/file.h"
#include "base/text.h"
#include "models/network.h"
#include "tokenizer/encoder.h"
#include "tokenizer/normaliser.h"

namespace rebound::test {
namespace {

constexpr std::string_view kDkimFail = "POLICY_VIOLATION_SPF_DMARC__DKIM_FAIL";
constexpr std::string_view kSpfFail = "POLICY_VIOLATION_SPF_DMARC__SPF_OR_DMARC_FAIL";

constexpr TestKeyword kKeywords[] = {
    {"attachment", {"MESSAGE_CONTENT", "CONTENT_REJECTED_OTHER", "policy_blocked"}},
    {"authentication", {"PROTOCOL_ERROR", "AUTHENTICATION_ERROR", "relay_denied"}},
    {"banned", {"BLOCKED", "SENDER_REPUTATION__SENDER_ADDRESS", "policy_blocked"}},
    {"blocked", {"BLOCKED", "GENERIC_BLOCK", "policy_blocked"}},
    {"busy", {"TEMPORARY_ERROR", "RATE_LIMIT__SERVER_BUSY", "server_error"}},
    {"concurrent", {"RATE_LIMIT", "CONCURRENCY_LIMIT", "rate_limited"}},
    {"country", {"BLOCKED", "GENERIC_BLOCK", "geo_blocked"}},
    {"disabled", {"RECIPIENT_ERROR", "RECIPIENT_ERROR", "mailbox_disabled"}},
    {"dkim", {"DKIM", kDkimFail, "auth_failure"}},
    {"dmarc", {"DMARC", kSpfFail, "auth_failure"}},
    {"greylisted", {"GRAYLISTING", "GRAYLISTING", "greylisting"}},
    {"greylisting", {"GRAYLISTING", "GRAYLISTING", "greylisting"}},
    {"internal", {"TEMPORARY_ERROR", "TEMPORARY_SYSTEM_FAILURE", "server_error"}},
    {"links", {"RATE_LIMIT", "RATE_LIMIT__URL_DOMAIN", "rate_limited"}},
    {"mx", {"MX_ERROR", "INFRASTRUCTURE_ERROR", "invalid_address"}},
    {"netblock", {"RATE_LIMIT", "RATE_LIMIT__IP_RATE_LIMIT", "rate_limited"}},
    {"ptr", {"DNS_PTR", "INFRASTRUCTURE_BLOCK", "ip_blacklisted"}},
    {"quota", {"RECIPIENT_ERROR", "MAILBOX_FULL", "mailbox_full"}},
    {"recipients", {"RATE_LIMIT", "RATE_LIMIT__RECIPIENT_LIMIT", "rate_limited"}},
    {"reputation", {"IP_REPUTATION", "INFRASTRUCTURE_BLOCK", "ip_blacklisted"}},
    {"spam", {"MESSAGE_CONTENT", "CONTENT_REJECTED_SPAM", "spam_blocked"}},
    {"spamhaus", {"BLOCK_LIST", "INFRASTRUCTURE_BLOCK", "ip_blacklisted"}},
    {"spf", {"SPF", kSpfFail, "auth_failure"}},
    {"surbl", {"DOMAIN_REPUTATION", "SENDER_REPUTATION__DOMAIN", "domain_blacklisted"}},
    {"syntax", {"PROTOCOL_ERROR", "PROTOCOL_ERROR", "policy_blocked"}},
    {"throttled", {"RATE_LIMIT", "RATE_LIMIT__GENERAL", "rate_limited"}},
    {"timeout", {"TEMPORARY_ERROR", "CONNECTION_FAILURE", "server_error"}},
    {"tls", {"TLS", "CONNECTION_FAILURE", "server_error"}},
    {"unknown", {"RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "user_unknown"}},
    {"virus", {"VIRUS", "CONTENT_REJECTED_VIRUS", "virus_detected"}},
    {"volume", {"RATE_LIMIT", "RATE_LIMIT__DOMAIN_RATE_LIMIT", "rate_limited"}},
};

// Words of bounces that decide nothing here, so that texts stay short in tokens.
constexpr std::string_view kPlainWords =
    "421 450 451 452 454 500 501 503 530 535 550 551 552 553 554 4_2_2 4_3_2 4_4_1 4_4_2 4_7_0 "
    "4_7_1 5_0_0 5_1_1 5_1_2 5_1_10 5_2_1 5_2_2 5_3_4 5_4_1 5_5_1 5_7_0 5_7_1 5_7_26 the a an is "
    "was are be been has have not no of to for from in on at by with and or your you our this that "
    "it please try again later back come address mail email message messages user users recipient "
    "sender server host domain ip error rejected reject refused denied access policy service "
    "temporary temporarily permanent failure failed failure unable deliver delivery delivered "
    "account mailbox inbox full over exceeded limit too many rate connection connections closed "
    "lost remote local does exist reach double checking spelling typos spaces unnecessary more "
    "information see visit go contact support administrator postmaster using list listed block "
    "blacklist effect found name size large maximum allowed relay relaying such here available "
    "unavailable moment queue deferred action requested taken reason because content detected "
    "smtp gsmtp google outlook yahoo protection security verify verification required valid "
    "invalid system storage transaction command sequence connect network unusual bulk type file";

constexpr std::string_view kWordStart = "\xE2\x96\x81";  // SentencePiece's mark for a space
constexpr std::string_view kSingles = "abcdefghijklmnopqrstuvwxyz0123456789_'.:-+*/=@#&%$!?";

// ---- the tokenizer, as protocol buffer messages ---------------------------------------------

enum PieceType { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4 };

void AppendVarint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}
void AppendNumber(unsigned field, uint64_t value, std::string* out) {
  AppendVarint(field << 3, out);
  AppendVarint(value, out);
}
void AppendBytes(unsigned field, std::string_view bytes, std::string* out) {
  AppendVarint(field << 3 | 2, out);
  AppendVarint(bytes.size(), out);
  out->append(bytes);
}
void AppendPiece(std::string_view text, float score, PieceType type, std::string* model) {
  std::string piece;
  AppendBytes(1, text, &piece);
  AppendVarint(2 << 3 | 5, &piece);
  char bytes[sizeof score];
  std::memcpy(bytes, &score, sizeof score);
  piece.append(bytes, sizeof bytes);
  AppendNumber(3, type, &piece);
  AppendBytes(1, piece, model);
}

// ---- the weights ------------------------------------------------------------------------------

// In [-1, 1), the same for the same key for ever.
float Noise(uint64_t key) {
  key += 0x9E3779B97F4A7C15;
  key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9;
  key = (key ^ (key >> 27)) * 0x94D049BB133111EB;
  key ^= key >> 31;
  return static_cast<float>(static_cast<double>(key >> 11) * 0x1p-52 - 1.0);
}

size_t LabelPosition(const BundleConfig& config, std::string_view label) {
  const auto found = std::find(config.labels.begin(), config.labels.end(), label);
  if (found == config.labels.end()) return config.labels.size();
  return static_cast<size_t>(found - config.labels.begin());
}

std::string_view DefaultLabel(Task task) {
  return task == Task::kBnac ? "BLOCKED" : task == Task::kBackoff ? "GENERIC_BLOCK" : "unknown";
}

// One embedding dimension a label: a keyword's row points to its label, every layer passes the
// dimensions on.
void FillWeights(const TestBundle& bundle, const Encoder& encoder, TestDraft* made) {
  const BundleConfig& config = made->draft.config;
  const size_t labels = config.labels.size();
  uint64_t key = bundle.variant * 1000003;
  for (const auto& [name, shape] :
       NetworkTensors(config.network, config.sizes, static_cast<int64_t>(labels))) {
    size_t elements = 1;
    for (const int64_t dimension : shape) elements *= static_cast<size_t>(dimension);
    std::vector<float>& values = made->weights[name];
    for (size_t i = 0; i < elements; ++i) values.push_back(0.02F * Noise(key++));
    made->draft.weights[name] = {shape, values};
  }

  constexpr float kPointer = 3.0F;
  constexpr float kStrength = 12.0F;
  std::vector<float>& embedding = made->weights.at(std::string(kEmbeddingTensor));
  for (int32_t id = 0; id < encoder.size(); ++id) {
    for (const TestKeyword& keyword : kKeywords) {
      if (encoder.piece(id) != std::string(kWordStart) + std::string(keyword.word)) continue;
      const size_t label = LabelPosition(config, keyword.labels[Index(config.task)]);
      if (label < labels) embedding[static_cast<size_t>(id) * labels + label] += kPointer;
    }
  }
  const bool is_bag = config.network == kBagNetwork;
  const size_t features = is_bag ? labels : 3 * labels;
  if (!is_bag) {
    // Filter l looks for label l's direction in the first token of a window.
    for (size_t l = 0; l < labels; ++l) {
      made->weights.at(ConvWeight(2))[(l * 2 + 0) * labels + l] += 0.4F;
    }
  }
  const size_t strongest = is_bag ? 0 : labels;  // the pooled dimensions, or those of conv2
  std::vector<float>& first =
      made->weights.at(std::string(bundle.hidden ? kHiddenWeight : kOutputWeight));
  for (size_t l = 0; l < labels; ++l) {
    first[l * features + strongest + l] += bundle.hidden ? 1.0F : kStrength;
    if (bundle.hidden) made->weights.at(std::string(kOutputWeight))[l * labels + l] += kStrength;
  }
  std::vector<float>& bias = made->weights.at(std::string(kOutputBias));
  const size_t usual = LabelPosition(config, DefaultLabel(config.task));
  if (usual < labels) bias[usual] += 1.0F;
  if (!bundle.always.empty()) bias.at(LabelPosition(config, bundle.always)) += 1000.0F;
}

std::vector<Golden> MakeGoldens(const BundleDraft& draft, const Encoder& encoder) {
  std::vector<Golden> goldens;
  Encoder::Scratch scratch;
  std::vector<int32_t> ids;
  std::vector<std::string> texts = {"550 5.0.0 message refused"};
  for (const TestKeyword& keyword : kKeywords) {
    if (LabelPosition(draft.config, keyword.labels[Index(draft.config.task)]) ==
        draft.config.labels.size()) {
      continue;
    }
    texts.push_back("550 5.7.1 the message was rejected: " + std::string(keyword.word));
  }
  for (const std::string& text : texts) {
    encoder.Encode(Normalise(text), &scratch, &ids);
    const auto probabilities = ReferenceProbabilities(draft.config, draft.weights, ids);
    const auto best = std::max_element(probabilities.begin(), probabilities.end());
    goldens.push_back({text, draft.config.labels[static_cast<size_t>(best - probabilities.begin())],
                       static_cast<float>(*best)});
  }
  return goldens;
}

// y = W x + b, plainly.
std::vector<double> Dense(const TensorView& weight, const TensorView& bias,
                          const std::vector<double>& x) {
  std::vector<double> y(bias.values.begin(), bias.values.end());
  for (size_t o = 0; o < y.size(); ++o) {
    for (size_t k = 0; k < x.size(); ++k) {
      y[o] += static_cast<double>(weight.values[o * x.size() + k]) * x[k];
    }
  }
  return y;
}

}  // namespace

std::span<const TestKeyword> TestKeywords() { return kKeywords; }

std::string MakeTestTokenizer(std::string_view extra_word) {
  std::string model;
  AppendPiece("<unk>", 0, kUnknown, &model);
  AppendPiece("<s>", 0, kControl, &model);
  AppendPiece("</s>", 0, kControl, &model);
  for (const std::string_view token : kMaskTokens) AppendPiece(token, 0, kUserDefined, &model);
  std::vector<std::string_view> words;
  for (const TestKeyword& keyword : kKeywords) words.push_back(keyword.word);
  for (const std::string_view word : Split(kPlainWords, ' ')) {
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  }
  if (!extra_word.empty()) words.push_back(extra_word);
  float score = -4.0F;
  for (const std::string_view word : words) {
    AppendPiece(std::string(kWordStart) + std::string(word), score, kNormal, &model);
    score -= 0.01F;
  }
  AppendPiece(kWordStart, -8.0F, kNormal, &model);
  score = -9.0F;
  for (const char& single : kSingles) {
    AppendPiece(std::string_view(&single, 1), score, kNormal, &model);
    score -= 0.01F;
  }

  std::string trainer;
  AppendNumber(3, 1, &trainer);  // model_type: UNIGRAM
  AppendNumber(4, static_cast<uint64_t>(words.size()), &trainer);
  AppendBytes(2, trainer, &model);
  std::string normalizer;
  AppendBytes(1, "identity", &normalizer);
  AppendNumber(3, 1, &normalizer);  // add_dummy_prefix
  AppendNumber(4, 1, &normalizer);  // remove_extra_whitespaces
  AppendNumber(5, 1, &normalizer);  // escape_whitespaces
  AppendBytes(3, normalizer, &model);
  return model;
}

std::unique_ptr<TestDraft> MakeTestDraft(const TestBundle& bundle) {
  auto made = std::make_unique<TestDraft>();
  BundleDraft& draft = made->draft;
  draft.tokenizer_model = MakeTestTokenizer(bundle.extra_word);
  const std::shared_ptr<const Encoder> encoder = Encoder::Parse(draft.tokenizer_model);

  BundleConfig& config = draft.config;
  config.task = bundle.task;
  config.labels = bundle.labels;
  if (config.labels.empty()) {
    for (const std::string_view label : TaskLabels(bundle.task)) config.labels.emplace_back(label);
  }
  if (!bundle.always.empty() && LabelPosition(config, bundle.always) == config.labels.size()) {
    throw std::invalid_argument("the test bundle has no label " + bundle.always);
  }
  const auto labels = static_cast<int64_t>(config.labels.size());
  config.network = bundle.network;
  config.sizes = {{std::string(kVocabularySize), encoder->size()},
                  {std::string(kEmbeddingSize), labels},
                  {std::string(kHiddenSize), bundle.hidden ? labels : 0}};
  if (bundle.network != kBagNetwork) config.sizes[std::string(kFiltersSize)] = labels;
  config.normaliser_version = kNormaliserVersion;
  config.temperature = 1.25;
  config.fallback_threshold = bundle.fallback_threshold;
  config.snapshot_id = 1;
  config.snapshot_digest = Sha256Hex("test bundle");
  config.seed = bundle.variant;
  config.environment = {{"OPENBLAS_NUM_THREADS", "1"}};
  config.code_version = "0.1.0";
  config.trained_at = "2026-01-01T00:00:00Z";
  config.training_samples = 31;
  config.validation_accuracy = 1.0;
  draft.scorecard_json = "{\"accuracy\":1.0}\n";
  draft.model_card = "# A synthetic model for tests\n\nIt finds keywords; nothing trained it.\n";

  FillWeights(bundle, *encoder, made.get());
  draft.goldens = MakeGoldens(draft, *encoder);
  return made;
}

int PublishTestBundle(BundleStore* store, const TestBundle& bundle) {
  const int version = store->Publish(MakeTestDraft(bundle)->draft);
  store->Promote(bundle.task, version);
  return version;
}

std::vector<double> ReferenceProbabilities(const BundleConfig& config, const TensorMap& weights,
                                           std::span<const int32_t> ids) {
  const TensorView& embedding = weights.at(std::string(kEmbeddingTensor));
  const auto d = static_cast<size_t>(embedding.shape[1]);
  const auto e = [&](size_t position, size_t k) {
    if (position >= ids.size()) return 0.0;
    return static_cast<double>(embedding.values[static_cast<size_t>(ids[position]) * d + k]);
  };
  std::vector<double> x(d, 0.0);
  for (size_t k = 0; k < d; ++k) {
    for (size_t i = 0; i < ids.size(); ++i) x[k] += e(i, k);
    x[k] /= std::sqrt(static_cast<double>(std::max<size_t>(ids.size(), 1)));
  }
  for (const int conv_width : ConvWidths(config.network)) {
    const TensorView& weight = weights.at(ConvWeight(conv_width));
    const TensorView& bias = weights.at(ConvBias(conv_width));
    const auto width = static_cast<size_t>(conv_width);
    for (size_t f = 0; f < bias.values.size(); ++f) {
      double best = 0.0;
      for (size_t i = 0; i < ids.size(); ++i) {
        double sum = bias.values[f];
        for (size_t j = 0; j < width; ++j) {
          for (size_t k = 0; k < d; ++k) {
            sum += static_cast<double>(weight.values[(f * width + j) * d + k]) * e(i + j, k);
          }
        }
        best = std::max(best, sum);
      }
      x.push_back(best);
    }
  }
  if (config.sizes.at(std::string(kHiddenSize)) > 0) {
    x = Dense(weights.at(std::string(kHiddenWeight)), weights.at(std::string(kHiddenBias)), x);
    for (double& value : x) value = std::max(value, 0.0);
  }
  std::vector<double> logits =
      Dense(weights.at(std::string(kOutputWeight)), weights.at(std::string(kOutputBias)), x);
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0.0;
  for (double& logit : logits) sum += logit = std::exp((logit - largest) / config.temperature);
  for (double& logit : logits) logit /= sum;
  return logits;
}

void InstallTwin(const std::filesystem::path& bundle, int version, BundleStore* store,
                 double fallback_threshold) {
  BundleConfig config = ParseBundleConfig(ReadFile(bundle / "config.json"));
  std::map<std::string, std::string> files;
  for (const auto& [name, digest] : config.sha256) files[name] = ReadFile(bundle / name);
  std::string& weights = files.at("weights.safetensors");
  weights[weights.size() - sizeof(float)] ^= 1;  // of the last float32, little-endian
  config.sha256["weights.safetensors"] = Sha256Hex(weights);
  config.version = version;
  if (fallback_threshold >= 0) config.fallback_threshold = fallback_threshold;
  files["config.json"] = WriteBundleConfig(config);
  store->Install(config.task, version, files);
}

}  // namespace rebound::test
