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
constexpr size_t kMostFilterBytes = 200;

int64_t ReadNumber(std::string_view name, const std::string& text, int64_t most) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > most) {
    Refuse(400, "'" + std::string(name) + "' is a whole number of 1 to " + std::to_string(most));
  }
  return value;
}

// Bytes that are no UTF-8 are read as elsewhere; an empty one is none.
std::string ReadFilter(std::string_view name, const std::string& text) {
  if (text.size() > kMostFilterBytes || text.find('\0') != std::string::npos) {
    Refuse(400, "'" + std::string(name) + "' has more than " + std::to_string(kMostFilterBytes) +
                    " bytes, or a NUL");
  }
  return RepairUtf8(text);
}

// True where `name` is one of a reviewer's filters.
bool ReadReviewFilter(const std::string& name, const std::string& value, ProposalQuery* query) {
  if (name == "sort") {
    const auto order = ParseProposalOrder(value);
    if (!order) Refuse(400, "Invalid sort");
    query->order = *order;
  } else if (name == "contributor") {
    query->contributor = ReadFilter(name, value);
  } else if (name == "q") {
    query->text = ReadFilter(name, value);
  } else if (name == "source") {
    if (!ParseProposalSource(value)) Refuse(400, "Invalid source");
    query->source = value;
  } else {
    for (const Task task : kTasks) {
      if (name != TaskKey(task)) continue;
      query->labels[Index(task)] = FindLabel(task, value);
      if (!query->labels[Index(task)]) {
        Refuse(400, "Invalid label: '" + name + "' is none of its " +
                        std::to_string(TaskLabels(task).size()) + " labels");
      }
      return true;
    }
    return false;
  }
  return true;
}

// Of a shadow's proposal, which is about one task.
void WriteShadowWord(const ProposalView& view, JsonWriter* writer) {
  const auto version = ShadowVersion(view.contributor);
  if (view.source != SourceName(ProposalSource::kShadow) || !version) return;
  JsonWriter& w = *writer;
  for (const Task task : kTasks) {
    const auto& label = view.labels[Index(task)];
    const auto& incumbent = view.model[Index(task)];
    if (!label || !incumbent) continue;
    const auto labels = TaskLabels(task);
    w.Key("shadow").StartObject().Key("task").String(TaskName(task));
    w.Key("candidate").StartObject().Key("version").Int(*version);
    w.Key("label").String(labels[*label]).Key("probability");
    w.Float(static_cast<float>(view.suspicion)).EndObject();
    w.Key("incumbent").StartObject().Key("version").Int(incumbent->version);
    w.Key("label").String(labels[incumbent->label]).Key("probability");
    w.Float(incumbent->probability).EndObject().EndObject();
    return;
  }
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

std::string MissingRight(const Error& error) {
  const std::string_view what = error.what();
  constexpr std::string_view kDenied = "permission denied for ";
  const size_t begin = what.find(kDenied);
  if (begin == std::string_view::npos) return "";
  return "the server's user of the label store lacks a right (" +
         std::string(what.substr(begin, what.find(')', begin) - begin)) +
         "): give its login the groups that docs/label-store.md names (rebound-labels roles)";
}

void RefuseFor(const Error& error, const Call& call) {
  const std::string_view what = error.what();
  // What is about a proposal is for the client; the rest is the store's own.
  const auto is = [&](ErrorCode code, std::string_view begin) {
    return error.code() == code && what.starts_with(begin);
  };
  if (is(ErrorCode::kNotFound, "no proposal ") || is(ErrorCode::kNotFound, "the contributor ")) {
    Refuse(404, what);
  }
  if (is(ErrorCode::kConflict, "proposal ") || is(ErrorCode::kConflict, "the contributor ")) {
    Refuse(409, what);
  }
  LogAway(error, call);
  if (error.code() == ErrorCode::kInvalidArgument) {
    Refuse(422, "the label store cannot take a value of this request");
  }
  if (const std::string right = MissingRight(error);
      !right.empty() && call.target.path.starts_with("/admin/")) {
    Refuse(503, right);
  }
  const bool passing =
      error.code() == ErrorCode::kUnavailable || error.code() == ErrorCode::kNotFound;
  Refuse(passing ? 503 : 500,
         passing ? "the label store cannot be had at this moment; try again later"
                 : "an internal fault; the log tells more under this request's id");
}

void LogAway(const Error& error, const Call& call) {
  Log(LogLevel::kWarning, "the label store did not answer",
      {{"request_id", std::string(call.request_id)}, {"cause", error.what()}});
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

ProposalQuery ReadProposalQuery(const Call& call, bool is_admin) {
  constexpr std::array<std::string_view, 11> kKnown = {"page",        "limit",  "status",    "sort",
                                                       "contributor", "source", "label",     "bnac",
                                                       "backoff",     "q",      "unreviewed"};
  CheckQuery(call.target, std::span(kKnown).first(is_admin ? kKnown.size() : 3));
  ProposalQuery query;
  if (is_admin && QueryBool(call.target, "unreviewed")) query.not_reviewed_by = NameOf(call.caller);
  for (const auto& [name, value] : call.target.query) {
    if (ReadReviewFilter(name, value, &query)) continue;
    if (name == "page") query.page = ReadNumber(name, value, 1'000'000);
    if (name == "limit") query.limit = ReadNumber(name, value, kMostOfAPage);
    if (name == "status" && value == "untrained") {
      query.untrained = true;
    } else if (name == "status") {
      query.status = ParseProposalStatus(value);
      if (!query.status) Refuse(400, "Invalid status");
    }
  }
  return query;
}

int64_t ReadLimit(const Target& target, int64_t most) {
  int64_t limit = most;
  for (const auto& [name, value] : target.query) {
    if (name == "limit") limit = ReadNumber(name, value, most);
  }
  return limit;
}

int64_t ReadId(const Call& call, std::string_view what) {
  const std::string_view text = call.parameter;
  int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) {
    Refuse(404, "no " + std::string(what) + " of this id");
  }
  return id;
}

void CheckEmptyBody(const Call& call) {
  if (!call.request.body.empty()) ReadObject(call.request);
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
  writer->StartObject();
  WriteProposalKeys(view, is_admin, writer);
  writer->EndObject();
}

void WriteProposalKeys(const ProposalView& view, bool is_admin, JsonWriter* writer) {
  JsonWriter& w = *writer;
  w.Key("id").Int(view.id).Key("message_text").String(view.text);
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
    WriteShadowWord(view, &w);
    w.Key("cluster_id").Int(view.cluster_id).Key("cluster_volume").Int(view.cluster_volume);
  }
}

}  // namespace rebound
