#include "serve/proposal_routes.h"

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/answer.h"
#include "labelstore/contributed_text.h"
#include "labelstore/proposal_csv.h"
#include "serve/prediction.h"
#include "serve/problem.h"
#include "serve/proposal_views.h"
#include "serve/texts.h"

namespace rebound {
namespace {

constexpr size_t kMostKeyBytes = 200;
constexpr int64_t kMostSpooled = 100;  // that one page shows

[[noreturn]] void Refuse(int status, std::string_view detail,
                         const std::vector<ItemError>& items = {}) {
  throw Refusal{MakeProblem(status, detail, items)};
}

// "" where there is none.
std::string IdempotencyKeyOf(const Request& request) {
  const std::string* key = request.FindHeader("idempotency-key");
  if (key == nullptr) return "";
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (key->empty() || key->size() > kMostKeyBytes ||
      !std::all_of(key->begin(), key->end(), printable)) {
    Refuse(400, "Idempotency-Key is 1 to " + std::to_string(kMostKeyBytes) +
                    " printable ASCII characters");
  }
  return *key;
}

std::string ReadComment(const JsonValue& body) {
  const JsonValue* given = FindPresent(body, "comment");
  if (given == nullptr) return "";
  if (!given->IsString()) Refuse(422, "'comment' is not a string");
  if (given->GetStringLength() > kMaxCommentBytes) {
    Refuse(422, "'comment' has more than " + std::to_string(kMaxCommentBytes) + " bytes");
  }
  return std::string(JsonText(*given));
}

// What was not kept.
void RefuseUnkept(const Submitted& submitted) {
  switch (submitted.kind) {
    case Submitted::Kind::kKeyReused:
      Refuse(422, submitted.problem);
    case Submitted::Kind::kOverLimit:
      Refuse(429, submitted.problem);
    case Submitted::Kind::kFull:
      Refuse(503, submitted.problem);
    default:
      return;
  }
}

// 201 where anything is new, 200 for what was there, 202 for what waits in the spool.
int StatusOf(const Submitted& submitted) {
  if (submitted.kind == Submitted::Kind::kSpooled) return 202;
  const bool any_new =
      std::any_of(submitted.items.begin(), submitted.items.end(),
                  [](const Proposed& item) { return item.outcome != ProposeOutcome::kDuplicate; });
  return submitted.kind == Submitted::Kind::kStored && any_new ? 201 : 200;
}

void WriteProposed(const Proposal& proposal, const Submitted& submitted, JsonWriter* writer) {
  JsonWriter& w = *writer;
  const bool is_stored = !submitted.items.empty();
  w.StartObject();
  if (is_stored) w.Key("id").Int(submitted.items.front().id);
  w.Key("message_text").String(proposal.text);
  WriteChoice("proposed_", proposal.labels, &w);
  WriteModelLabel(proposal.model, &w);
  w.Key("status");
  w.String(is_stored ? StatusName(submitted.items.front().status) : "spooled");
  if (is_stored) w.Key("outcome").String(OutcomeName(submitted.items.front().outcome));
  w.EndObject();
}

// The CSV of a body, as it is or as {"csv"}.
std::string ReadCsv(const Request& request) {
  const std::string* type = request.FindHeader("content-type");
  if (type != nullptr) {
    const std::string_view media = Trim(std::string_view(*type).substr(0, type->find(';')));
    if (AsciiLower(media) == "text/csv") {
      if (request.FindHeader("content-encoding") != nullptr) {
        Refuse(415, "the body must not be compressed");
      }
      return request.body;
    }
  }
  const JsonDocument body = ReadObject(request);
  const JsonValue* csv = FindPresent(body, "csv");
  if (csv == nullptr) Refuse(422, "key 'csv' is missing");
  if (!csv->IsString()) Refuse(422, "'csv' is not a string");
  return std::string(JsonText(*csv));
}

ProposalCsv ParseCsv(const Call& call) {
  std::istringstream input(ReadCsv(call.request));
  ProposalCsv csv;
  try {
    csv = ReadProposalCsv(input, NameOf(call.caller));
  } catch (const Error& e) {
    Refuse(rebound::StatusOf(e.code()), e.what());
  }
  if (!csv.proposals.empty()) return csv;
  std::vector<ItemError> items;
  for (const auto& bad : csv.bad) items.push_back({static_cast<size_t>(bad.row), bad.why});
  Refuse(422, "the CSV has no valid row; errors tell why, by row", items);
}

// None of one that another server's version put there.
std::vector<Proposal> ProposalsOf(const SpoolEntry& entry) {
  try {
    return ReadPayload(entry);
  } catch (const Error&) {
    return {};
  }
}

void WriteSpooled(const Spool::OfContributor& waiting, JsonWriter& w) {
  w.Key("spooled").StartArray();
  int64_t left = kMostSpooled;
  for (const SpoolEntry& entry : waiting.entries) {
    const std::vector<Proposal> proposals = ProposalsOf(entry);
    for (auto each = proposals.rbegin(); each != proposals.rend() && left > 0; ++each, --left) {
      w.StartObject().Key("message_text").String(each->text);
      WriteChoice("proposed_", each->labels, &w);
      WriteModelLabel(each->model, &w);
      if (!each->comment.empty()) w.Key("comment").String(each->comment);
      w.Key("status").String("spooled").Key("accepted_at").String(entry.spooled_at).EndObject();
    }
  }
  w.EndArray().Key("spooledTotal").Int(waiting.proposals);
}

// `page`: nullopt where the store is away; `waiting`: nullopt behind the first page.
Response WriteOwn(const std::optional<ProposalPage>& page,
                  const std::optional<Spool::OfContributor>& waiting, const ProposalQuery& query) {
  Response response;
  JsonWriter(&response.body).Object([&](JsonWriter& w) {
    w.Key("proposals").StartArray();
    if (page) {
      for (const ProposalView& view : page->proposals) WriteProposalView(view, false, &w);
    }
    w.EndArray();
    if (page) w.Key("total").Int(page->total);
    w.Key("page").Int(query.page).Key("limit").Int(query.limit);
    w.Key("storeAvailable").Bool(page.has_value());
    if (waiting) WriteSpooled(*waiting, w);
  });
  return response;
}

int64_t CountOf(const Submitted& submitted, ProposeOutcome outcome) {
  return std::count_if(submitted.items.begin(), submitted.items.end(),
                       [&](const Proposed& item) { return item.outcome == outcome; });
}

}  // namespace

void ProposalRoutes::AddTo(Router* router) const {
  // Without a store there is nothing to wait for.
  const bool slow = contributions_ != nullptr;
  router->Add({kPost, "/api/proposals", Scope::kContribute,
               [this](const Call& call) { return Propose(call); }, slow, Lane::kSubmit});
  router->Add({kGet, "/api/proposals", Scope::kContribute,
               [this](const Call& call) { return Own(call); }, slow, Lane::kReview});
  router->Add({kPost, "/api/proposals/bulk-csv", Scope::kContribute,
               [this](const Call& call) { return ProposeCsv(call); }, slow, Lane::kBulk});
  router->Add({kPost, "/api/proposals/preview", Scope::kContribute,
               [](const Call& call) { return Preview(call); }});
}

ModelAnswers ProposalRoutes::Ask(const ModelSet& models, const std::string& text) {
  ModelAnswers answers;
  Engine::Scratch& scratch = ScratchOfThread();
  Engine::Prepare(text, &scratch);
  for (const Task task : kTasks) {
    const Classifier* const model = models.Get(task);
    if (model == nullptr) continue;
    const Prediction prediction = Engine::Predict(models, task, &scratch);
    const TaskAnswer answer = Engine::Decide(models, task, prediction, text, &scratch);
    answers[Index(task)] =
        ModelAnswer{answer.model_label, prediction.probability, model->config().version};
  }
  return answers;
}

Response ProposalRoutes::Propose(const Call& call) const {
  constexpr std::array<std::string_view, 1> kKnown = {"preview"};
  CheckQuery(call.target, kKnown);
  if (QueryBool(call.target, "preview")) return WritePreview(call);
  Contributions& contributions = StoreOrRefuse(contributions_);
  const Texts read = ReadTexts(call.request, TextsForm::kSingle, 1);
  const std::string key = IdempotencyKeyOf(call.request);
  Proposal proposal;
  proposal.contributor = NameOf(call.caller);
  proposal.text = read.texts.front();
  proposal.labels = ReadLabels(read.document);
  if (!proposal.labels[Index(Task::kAction)]) Refuse(422, "key 'label' is missing");
  proposal.comment = ReadComment(read.document);
  proposal.model = Ask(engine_->Take(), proposal.text);
  std::vector<Proposal> proposals = {std::move(proposal)};
  MakeReady(&proposals);
  if (const auto fault = FaultOf(proposals.front())) Refuse(422, "the proposal " + *fault);
  const Submitted submitted = contributions.submitter.Submit(proposals, key, StoreUse::kSubmit);
  RefuseUnkept(submitted);
  Response response;
  response.status = StatusOf(submitted);
  response.texts = 1;
  JsonWriter writer(&response.body);
  WriteProposed(proposals.front(), submitted, &writer);
  return response;
}

Response ProposalRoutes::ProposeCsv(const Call& call) const {
  Contributions& contributions = StoreOrRefuse(contributions_);
  CheckQuery(call.target, {});
  const std::string key = IdempotencyKeyOf(call.request);
  ProposalCsv csv = ParseCsv(call);
  const ModelSet models = engine_->Take();
  for (Proposal& proposal : csv.proposals) {
    proposal.model = Ask(models, ReadableText(proposal.text));
  }
  MakeReady(&csv.proposals);
  const Submitted submitted = contributions.submitter.Submit(csv.proposals, key, StoreUse::kBulk);
  RefuseUnkept(submitted);
  Response response;
  response.status = StatusOf(submitted);
  response.texts = csv.proposals.size();
  JsonWriter(&response.body).Object([&](JsonWriter& w) {
    if (submitted.kind == Submitted::Kind::kSpooled) {
      w.Key("accepted").Uint(csv.proposals.size());
    } else {
      w.Key("inserted").Int(CountOf(submitted, ProposeOutcome::kInserted));
      w.Key("relabelled").Int(CountOf(submitted, ProposeOutcome::kRelabelled));
      w.Key("duplicates").Int(CountOf(submitted, ProposeOutcome::kDuplicate));
    }
    w.Key("errors").StartArray();
    for (const auto& bad : csv.bad) {
      w.StartObject().Key("row").Int(bad.row).Key("error").String(bad.why).EndObject();
    }
    w.EndArray();
  });
  return response;
}

Response ProposalRoutes::Preview(const Call& call) {
  CheckQuery(call.target, {});
  return WritePreview(call);
}

Response ProposalRoutes::WritePreview(const Call& call) {
  const Texts read = ReadTexts(call.request, TextsForm::kSingle, 1);
  const std::string comment = ReadComment(read.document);
  Response response;
  JsonWriter(&response.body).Object([&](JsonWriter& w) {
    w.Key("message_text").String(MaskContribution(read.texts.front()));
    if (!comment.empty()) w.Key("comment").String(MaskComment(comment));
  });
  return response;
}

Response ProposalRoutes::Own(const Call& call) const {
  Contributions& contributions = StoreOrRefuse(contributions_);
  ProposalQuery query = ReadProposalQuery(call, false);
  query.contributor = NameOf(call.caller);
  try {
    // Before the store: what is delivered in between is told twice rather than not at all.
    std::optional<Spool::OfContributor> waiting;
    if (query.page == 1) waiting = contributions.spool.WaitingOf(query.contributor, kMostSpooled);
    std::optional<ProposalPage> page;
    try {
      page = contributions.pool.Take(StoreUse::kReview)->proposals().List(query);
    } catch (const Error& e) {
      const bool is_away = e.code() == ErrorCode::kUnavailable || e.code() == ErrorCode::kNotFound;
      // Who asks for a part of what is in the store is not told that it is empty.
      if (!is_away || !waiting || query.status || query.untrained) throw;
      LogAway(e, call);
    }
    return WriteOwn(page, waiting, query);
  } catch (const Error& e) {
    RefuseFor(e, call);
  }
}

}  // namespace rebound
