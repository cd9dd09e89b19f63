#include "serve/proposal_views.h"

#include <array>
#include <charconv>
#include <string>

#include "base/log.h"
#include "base/text.h"
#include "serve/prediction.h"
#include "serve/problem.h"
#include "serve/texts.h"

namespace rebound {
namespace {

[[noreturn]] void Refuse(int status, std::string_view detail) {
  throw Refusal{MakeProblem(status, detail)};
}

constexpr int64_t kMostOfAPage = 1000;

int64_t ReadNumber(std::string_view name, const std::string& text, int64_t most) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > most) {
    Refuse(400, "'" + std::string(name) + "' is a whole number of 1 to " + std::to_string(most));
  }
  return value;
}

std::string_view OrderName(ProposalOrder order) {
  constexpr std::array<std::string_view, 6> kNames = {"newest", "disagreement", "uncertainty",
                                                      "volume", "cost",         "suspect"};
  return kNames[static_cast<size_t>(order)];
}

void WriteTime(std::string_view key, const std::string& time, JsonWriter* w) {
  if (!time.empty()) w->Key(key).String(time);
}

}  // namespace

Contributions& StoreOrRefuse(Contributions* contributions) {
  if (contributions == nullptr) {
    Refuse(503, "this server has no label store; it was started without --store");
  }
  return *contributions;
}

void RefuseFor(const Error& error, const Call& call) {
  const std::string_view what = error.what();
  // What is about a proposal is for the client; the rest is the store's own.
  if (error.code() == ErrorCode::kNotFound && what.starts_with("no proposal ")) Refuse(404, what);
  if (error.code() == ErrorCode::kConflict && what.starts_with("proposal ")) Refuse(409, what);
  Log(LogLevel::kWarning, "the label store did not answer",
      {{"request_id", std::string(call.request_id)}, {"cause", error.what()}});
  const bool passing =
      error.code() == ErrorCode::kUnavailable || error.code() == ErrorCode::kNotFound;
  Refuse(passing ? 503 : 500,
         passing ? "the label store cannot be had at this moment; try again later"
                 : "an internal fault; the log tells more under this request's id");
}

LabelChoice ReadLabels(const JsonValue& body) {
  LabelChoice labels;
  for (const Task task : kTasks) {
    const JsonValue* given = FindPresent(body, TaskKey(task));
    if (given == nullptr) continue;
    const auto label = given->IsString() ? FindLabel(task, JsonText(*given)) : std::nullopt;
    if (!label) {
      Refuse(422, "Invalid label: '" + std::string(TaskKey(task)) + "' is none of its " +
                      std::to_string(TaskLabels(task).size()) + " labels");
    }
    labels[Index(task)] = *label;
  }
  return labels;
}

ProposalQuery ReadProposalQuery(const Target& target, bool is_admin) {
  constexpr std::array<std::string_view, 4> kKnown = {"page", "limit", "status", "sort"};
  CheckQuery(target, std::span(kKnown).first(is_admin ? 4 : 3));
  ProposalQuery query;
  for (const auto& [name, value] : target.query) {
    if (name == "page") query.page = ReadNumber(name, value, 1'000'000);
    if (name == "limit") query.limit = ReadNumber(name, value, kMostOfAPage);
    if (name == "status" && value == "untrained") {
      query.untrained = true;
    } else if (name == "status") {
      query.status = ParseProposalStatus(value);
      if (!query.status) Refuse(400, "Invalid status");
    }
    if (name == "sort") {
      const auto order = ParseProposalOrder(value);
      if (!order) Refuse(400, "Invalid sort");
      query.order = *order;
    }
  }
  return query;
}

void WriteChoice(std::string_view prefix, const LabelChoice& labels, JsonWriter* writer) {
  for (const Task task : kTasks) {
    const auto& label = labels[Index(task)];
    if (!label) continue;
    writer->Key(std::string(prefix) + std::string(TaskKey(task)));
    writer->String(TaskLabels(task)[*label]);
  }
}

void WriteModelLabel(const ModelAnswers& model, JsonWriter* writer) {
  const auto& answer = model[Index(Task::kAction)];
  if (!answer) return;
  writer->Key("model_label").String(TaskLabels(Task::kAction)[answer->label]);
  writer->Key("model_confidence").Float(answer->probability);
}

void WriteProposalView(const ProposalView& view, bool is_admin, JsonWriter* writer) {
  JsonWriter& w = *writer;
  w.StartObject().Key("id").Int(view.id).Key("message_text").String(view.text);
  WriteChoice("proposed_", view.labels, &w);
  WriteModelLabel(view.model, &w);
  w.Key("status").String(StatusName(view.status));
  WriteChoice("decided_", view.decided, &w);
  if (!view.comment.empty()) w.Key("comment").String(view.comment);
  w.Key("trained").Bool(view.trained);
  WriteTime("created_at", view.created_at, &w);
  WriteTime("changed_at", view.changed_at, &w);
  WriteTime("decided_at", view.decided_at, &w);
  if (is_admin) {
    w.Key("contributor").String(view.contributor).Key("source").String(view.source);
    if (!view.reason.empty()) w.Key("reason").String(view.reason);
    w.Key("disagreement").Double(view.scores.disagreement);
    w.Key("uncertainty").Double(view.scores.uncertainty);
    w.Key("cost").Double(view.scores.cost).Key("suspicion").Double(view.suspicion);
    w.Key("cluster_id").Int(view.cluster_id).Key("cluster_volume").Int(view.cluster_volume);
  }
  w.EndObject();
}

Response WriteProposalPage(const ProposalPage& page, const ProposalQuery& query, bool is_admin) {
  Response response;
  JsonWriter(&response.body).Object([&](JsonWriter& w) {
    w.Key("proposals").StartArray();
    for (const ProposalView& view : page.proposals) WriteProposalView(view, is_admin, &w);
    w.EndArray().Key("total").Int(page.total);
    w.Key("page").Int(query.page).Key("limit").Int(query.limit);
    if (is_admin) w.Key("sort").String(OrderName(query.order));
  });
  return response;
}

}  // namespace rebound
