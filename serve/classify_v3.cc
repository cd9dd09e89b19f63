#include "serve/classify_v3.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "serve/problem.h"
#include "serve/texts.h"

namespace rebound {
namespace {

constexpr size_t kMostDomainBytes = 255;

[[noreturn]] void Refuse(const std::string& detail) { throw Refusal{MakeProblem(422, detail)}; }

// "" where the value may name a recipient's domain (an address literal too); else what is wrong.
std::string_view DomainProblem(const JsonValue& value) {
  if (value.IsNull()) return "";
  if (!value.IsString()) return "is not a string";
  const std::string_view domain = Trim(JsonText(value));
  if (domain.size() > kMostDomainBytes) return "is longer than 255 bytes";
  const bool plain = std::none_of(domain.begin(), domain.end(), [](char c) {
    return (c >= 0 && c <= ' ') || c == '\x7F' || c == '@' || c == '/';
  });
  return plain ? "" : "is not a domain's name";
}

std::string_view DomainOf(const JsonValue& value) {
  return value.IsNull() ? std::string_view() : Trim(JsonText(value));
}

// By text; what is no domain is an error of its text. One domain may stand for all texts.
std::vector<std::string_view> ReadDomains(Texts* read) {
  std::vector<std::string_view> domains(read->texts.size());
  const JsonValue* domain = FindPresent(read->document, "domain");
  if (domain == nullptr) return domains;
  if (!domain->IsArray()) {
    const std::string_view problem = DomainProblem(*domain);
    if (!problem.empty()) Refuse("'domain' " + std::string(problem));
    domains.assign(domains.size(), DomainOf(*domain));
    return domains;
  }
  if (read->single) Refuse("'domain' is an array beside one 'message'");
  if (domain->Size() != read->texts.size()) Refuse("'domain' has another length than 'messages'");
  for (rapidjson::SizeType i = 0; i < domain->Size(); ++i) {
    const std::string_view problem = DomainProblem((*domain)[i]);
    if (problem.empty()) {
      domains[i] = DomainOf((*domain)[i]);
    } else {
      read->errors.push_back({i, "the domain " + std::string(problem)});
    }
  }
  return domains;
}

BounceKind ReadKind(const JsonValue& body) {
  const JsonValue* kind = FindPresent(body, "kind");
  if (kind == nullptr) return BounceKind::kSmtp;
  for (const BounceKind known : {BounceKind::kSmtp, BounceKind::kMdn}) {
    if (kind->IsString() && JsonText(*kind) == BounceKindName(known)) return known;
  }
  Refuse("'kind' must be smtp or mdn");
}

}  // namespace

void ClassifyV3::AddTo(Router* router) const {
  router->Add({kPost, "/v3/classify", Scope::kClassify,
               [this](const Call& call) { return Classify(call); }});
}

Response ClassifyV3::Classify(const Call& call) const {
  WholeAnswers::Moment moment = answers_->Asked(call);
  Texts read = ReadTexts(call.request, TextsForm::kEachOnItsOwn, max_batch_);
  if (moment.options.explain && read.texts.size() > kMaxExplainedTexts) {
    throw Refusal{MakeProblem(413, "with 'explain' a batch has at most " +
                                       std::to_string(kMaxExplainedTexts) + " texts")};
  }
  const BounceKind kind = ReadKind(read.document);
  const std::vector<std::string_view> domains = ReadDomains(&read);
  answers_->TakeModels(&moment);
  // Stable: what is wrong with the text itself is told first.
  std::stable_sort(read.errors.begin(), read.errors.end(),
                   [](const ItemError& a, const ItemError& b) { return a.index < b.index; });
  auto error = read.errors.begin();
  Response response;
  response.texts = read.texts.size();
  response.body.reserve(512 * (read.texts.size() + 1));
  JsonWriter writer(&response.body);
  writer.StartObject().Key("results").StartArray();
  for (size_t i = 0; i < read.texts.size(); ++i) {
    if (error == read.errors.end() || error->index != i) {
      answers_->Write(moment, {read.texts[i], domains[i], kind, read.offsets[i]}, &writer);
      continue;
    }
    writer.StartObject().Key("error").Raw(MakeProblem(422, error->detail).body).EndObject();
    while (error != read.errors.end() && error->index == i) ++error;
  }
  writer.EndArray().Key("models");
  answers_->WriteModels(moment, &writer);
  writer.EndObject();
  return response;
}

}  // namespace rebound
