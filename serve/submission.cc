#include "serve/submission.h"

#include <sys/random.h>

#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "labelstore/contributed_text.h"

namespace rebound {
namespace {

constexpr std::array<std::string_view, kProposalEventCount> kEventNames = {
    "inserted", "duplicate", "relabelled", "spooled", "delivered", "dead", "refused", "over_limit"};

constexpr int64_t kPayloadFormat = 1;

std::string NewDeliveryId() {
  char bytes[16];
  if (::getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) {
    throw Error(ErrorCode::kUnavailable, "the system gives no random bytes");
  }
  return MakeDeliveryId({bytes, sizeof bytes});
}

std::optional<size_t> LabelOf(Task task, const JsonValue& value) {
  const auto label = value.IsString() ? FindLabel(task, JsonText(value)) : std::nullopt;
  if (!label) {
    throw Error(ErrorCode::kCorrupt, "an unknown " + std::string(TaskKey(task)) + " in the spool");
  }
  return static_cast<size_t>(*label);
}

void WriteProposal(const Proposal& proposal, JsonWriter& w) {
  w.StartObject().Key("text").String(proposal.text);
  if (!proposal.comment.empty()) w.Key("comment").String(proposal.comment);
  w.Key("delivery_id").String(proposal.delivery_id);
  if (proposal.source != ProposalSource::kContribution) {
    w.Key("source").String(SourceName(proposal.source));
    w.Key("suspicion").Double(proposal.suspicion);
  }
  for (const Task task : kTasks) {
    const auto& label = proposal.labels[Index(task)];
    if (label) w.Key(TaskKey(task)).String(TaskLabels(task)[*label]);
  }
  w.Key("model").StartObject();
  for (const Task task : kTasks) {
    const auto& answer = proposal.model[Index(task)];
    if (!answer) continue;
    w.Key(TaskKey(task)).StartArray().String(TaskLabels(task)[answer->label]);
    w.Float(answer->probability).Int(answer->version).EndArray();
  }
  w.EndObject().EndObject();
}

Proposal ReadProposal(const JsonValue& json, const std::string& contributor) {
  Proposal proposal;
  proposal.contributor = contributor;
  proposal.text = GetJsonString(json, "text");
  if (FindJson(json, "comment") != nullptr) proposal.comment = GetJsonString(json, "comment");
  proposal.delivery_id = GetJsonString(json, "delivery_id");
  if (FindJson(json, "source") != nullptr) {
    const auto source = ParseProposalSource(GetJsonString(json, "source"));
    if (!source) throw Error(ErrorCode::kCorrupt, "an unknown source in the spool");
    proposal.source = *source;
    proposal.suspicion = GetJsonDouble(json, "suspicion");
  }
  const JsonValue& model = GetJson(json, "model");
  for (const Task task : kTasks) {
    if (const JsonValue* label = FindJson(json, TaskKey(task))) {
      proposal.labels[Index(task)] = LabelOf(task, *label);
    }
    if (const JsonValue* answer = FindJson(model, TaskKey(task))) {
      proposal.model[Index(task)] =
          ModelAnswer{LabelOf(task, (*answer)[0]).value(),
                      static_cast<float>((*answer)[1].GetDouble()), (*answer)[2].GetInt()};
    }
  }
  return proposal;
}

// Of what was asked for alone: not of delivery ids and models, which differ each time.
std::string DigestOf(const std::vector<Proposal>& proposals) {
  Sha256 digest;
  const auto add = [&](std::string_view field) {
    digest.Update(std::to_string(field.size()) + ":");
    digest.Update(field);
  };
  for (const Proposal& proposal : proposals) {
    add(proposal.text);
    add(proposal.comment);
    for (const auto& label : proposal.labels) add(label ? std::to_string(*label) : "");
  }
  return digest.FinishHex();
}

}  // namespace

void ProposalCounters::WriteMetrics(MetricsText* text) const {
  text->Begin("rebound_proposals_total", MetricKind::kCounter,
              "Contributions by what became of them.");
  for (size_t i = 0; i < kProposalEventCount; ++i) {
    text->Sample({{"outcome", kEventNames[i]}}, static_cast<uint64_t>(counts_[i].load()));
  }
}

std::string WritePayload(const std::vector<Proposal>& proposals) {
  std::string out;
  JsonWriter(&out).Object([&](JsonWriter& w) {
    w.Key("format").Int(kPayloadFormat).Key("proposals").StartArray();
    for (const Proposal& proposal : proposals) WriteProposal(proposal, w);
    w.EndArray();
  });
  return out;
}

std::vector<Proposal> ReadPayload(const SpoolEntry& entry) {
  const JsonDocument json = ParseJson(entry.payload);
  if (GetJsonInt(json, "format") != kPayloadFormat) {
    throw Error(ErrorCode::kCorrupt, "a spooled request has a format of another server");
  }
  std::vector<Proposal> proposals;
  for (const JsonValue& each : GetJson(json, "proposals").GetArray()) {
    proposals.push_back(ReadProposal(each, entry.contributor));
  }
  return proposals;
}

void MakeReady(std::vector<Proposal>* proposals) {
  const std::string name = NewDeliveryId();
  for (size_t i = 0; i < proposals->size(); ++i) {
    Proposal& proposal = (*proposals)[i];
    proposal.text = MaskContribution(proposal.text);
    // A mask may be longer than what it hides.
    proposal.comment = CutUtf8(MaskComment(proposal.comment), kMaxCommentBytes);
    proposal.delivery_id = MakeDeliveryId(name + "/" + std::to_string(i));
  }
}

Submitted Submitter::Submit(const std::vector<Proposal>& proposals,
                            const std::string& idempotency_key, StoreUse use) {
  spool_->LetOthersLeave();
  if (spool_->waiting() > 0) return Keep(proposals, idempotency_key);
  Submitted submitted;
  try {
    const ProposeResult result =
        pool_->Take(use)->proposals().Propose(proposals, {.idempotency_key = idempotency_key});
    submitted.items = result.items;
    submitted.problem = result.problem;
    switch (result.kind) {
      case ProposeResult::Kind::kDone:
        Count(result.items);
        break;
      case ProposeResult::Kind::kRepeated:
        submitted.kind = Submitted::Kind::kRepeated;
        counters_->Add(ProposalEvent::kDuplicate, static_cast<int64_t>(proposals.size()));
        break;
      case ProposeResult::Kind::kKeyReused:
        submitted.kind = Submitted::Kind::kKeyReused;
        break;
      case ProposeResult::Kind::kOverLimit:
        submitted.kind = Submitted::Kind::kOverLimit;
        counters_->Add(ProposalEvent::kOverLimit, static_cast<int64_t>(proposals.size()));
        break;
    }
    return submitted;
  } catch (const Error& e) {
    // Whatever it is, it is not the contributor's fault: that was looked for before. And it may be
    // there all the same; then its delivery id keeps it from coming twice.
    Log(LogLevel::kWarning, "the label store does not take contributions: they go to the spool",
        {{"cause", e.what()}});
  }
  return Keep(proposals, idempotency_key);
}

Submitted Submitter::Keep(const std::vector<Proposal>& proposals,
                          const std::string& idempotency_key) {
  const auto count = static_cast<int64_t>(proposals.size());
  SpoolEntry entry;
  entry.contributor = proposals.front().contributor;
  entry.idempotency_key = idempotency_key;
  entry.digest = DigestOf(proposals);
  entry.proposals = count;
  entry.payload = WritePayload(proposals);
  Submitted submitted;
  submitted.kind = Submitted::Kind::kFull;
  try {
    switch (spool_->Add(entry)) {
      case SpoolOutcome::kAdded:
        counters_->Add(ProposalEvent::kSpooled, count);
        submitted.kind = Submitted::Kind::kSpooled;
        return submitted;
      case SpoolOutcome::kRepeated:
        submitted.kind = Submitted::Kind::kSpooled;
        return submitted;
      case SpoolOutcome::kKeyReused:
        submitted.kind = Submitted::Kind::kKeyReused;
        submitted.problem =
            "the idempotency key '" + idempotency_key + "' came with another request before";
        return submitted;
      case SpoolOutcome::kFull:
        break;
    }
  } catch (const Error& e) {
    Log(LogLevel::kError, "the spool does not take contributions: they are refused",
        {{"cause", e.what()}});
  }
  counters_->Add(ProposalEvent::kRefused, count);
  submitted.problem = "contributions cannot be kept at this moment; send it again later";
  return submitted;
}

void Submitter::Count(const std::vector<Proposed>& items) {
  for (const Proposed& item : items) {
    switch (item.outcome) {
      case ProposeOutcome::kInserted:
        counters_->Add(ProposalEvent::kInserted);
        break;
      case ProposeOutcome::kDuplicate:
        counters_->Add(ProposalEvent::kDuplicate);
        break;
      case ProposeOutcome::kRelabelled:
        counters_->Add(ProposalEvent::kRelabelled);
        break;
    }
  }
}

}  // namespace rebound
