#include "labelstore/content.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "labelstore/contributed_text.h"
#include "tokenizer/mask.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

constexpr std::array<std::string_view, 3> kOriginNames = {"seed", "contribution", "review"};

[[noreturn]] void Refuse(size_t index, const std::string& why) {
  throw Error(ErrorCode::kInvalidArgument, "submission " + std::to_string(index) + " " + why);
}

bool IsWord(std::string_view token) {
  if (token.size() < 2 || token.substr(0, 2) == "__") return false;
  for (const char c : token) {
    if (c >= '0' && c <= '9') return false;
  }
  return true;
}

std::string MaskSeed(std::string_view raw) {
  std::string text = RepairUtf8(raw);
  std::replace(text.begin(), text.end(), '\0', ' ');
  return Mask(CutUtf8(Trim(text), kMaxTextBytes));
}

}  // namespace

std::string_view OriginName(LabelOrigin origin) {
  return kOriginNames[static_cast<size_t>(origin)];
}

std::optional<LabelOrigin> ParseOrigin(std::string_view name) {
  for (size_t i = 0; i < kOriginNames.size(); ++i) {
    if (kOriginNames[i] == name) return static_cast<LabelOrigin>(i);
  }
  return std::nullopt;
}

bool IsHeldOut(std::string_view group) {
  return StableHash("held-out:" + std::string(group)) % 100 < kHeldOutPercent;
}

Message MakeMessage(const Submission& submission, size_t index) {
  if (submission.contributor.empty()) Refuse(index, "names no contributor");
  for (const std::string* name : {&submission.contributor, &submission.group}) {
    if (!IsValidUtf8(*name) || name->find('\0') != std::string::npos) {
      Refuse(index, "has a contributor or group that is no valid text");
    }
  }
  for (const Task task : kTasks) {
    const auto& label = submission.labels[Index(task)];
    if (label && *label >= TaskLabels(task).size()) {
      Refuse(index, "has the label " + std::to_string(*label) + ", which task " +
                        std::string(TaskName(task)) + " does not have");
    }
  }
  // Texts of our own corpus hold nobody's name; what people send may.
  Message message;
  message.text = submission.origin == LabelOrigin::kSeed ? MaskSeed(submission.text)
                                                         : MaskContribution(submission.text);
  if (message.text.empty()) Refuse(index, "has a blank text");
  const std::string normalised = Normalise(message.text);
  if (normalised.empty()) Refuse(index, "has a blank text");
  message.digest = Sha256Hex(normalised);
  message.group = submission.group.empty() ? SkeletonGroup(normalised) : submission.group;
  return message;
}

std::string SkeletonGroup(std::string_view normalised) {
  std::set<std::string_view> words;
  for (const std::string_view token : Split(normalised, ' ')) {
    if (IsWord(token)) words.insert(token);
  }
  std::string skeleton;
  for (const std::string_view word : words) skeleton.append(word) += ' ';
  if (skeleton.empty()) skeleton = normalised;
  return "skeleton:" + Sha256Hex(skeleton).substr(0, 16);
}

Outcome OutcomeOf(const Submission& submission, bool is_new_message, const Votes& before) {
  if (is_new_message) return Outcome::kInserted;
  bool added = false;
  for (size_t task = 0; task < kTaskCount; ++task) {
    if (!submission.labels[task]) continue;
    if (!before[task]) {
      added = true;
    } else if (*before[task] != Vote{*submission.labels[task], submission.origin}) {
      return Outcome::kRelabelled;
    }
  }
  return added ? Outcome::kVoted : Outcome::kDuplicate;
}

void Count(Outcome outcome, ImportResult* result) {
  switch (outcome) {
    case Outcome::kInserted:
      ++result->inserted;
      break;
    case Outcome::kDuplicate:
      ++result->duplicates;
      break;
    case Outcome::kRelabelled:
      ++result->relabelled;
      break;
    case Outcome::kVoted:
      ++result->voted;
      break;
  }
}

void SnapshotDigest::Add(std::string_view message_digest, int64_t normaliser_version,
                         const SnapshotRow& row) {
  // Group is the one field of free form: its length keeps two lines from reading alike.
  std::string line(message_digest);
  line +=
      '\t' + std::to_string(normaliser_version) + '\t' + std::to_string(row.group.size()) + '\t';
  line += row.group;
  line += row.held_out ? "\theld_out\t" : "\ttraining\t";
  line += OriginName(row.origin);
  for (const Task task : kTasks) {
    const int16_t label = row.labels[Index(task)];
    line += '\t';
    if (label >= 0) line += TaskLabels(task)[static_cast<size_t>(label)];
  }
  line += '\n';
  sha256_.Update(line);
}

std::string WriteStats(const StoreStats& stats) {
  std::string out;
  JsonWriter(&out, true).Object([&](JsonWriter& w) {
    w.Key("messages").Int(stats.messages);
    w.Key("held_out").Int(stats.held_out);
    w.Key("groups").Int(stats.groups);
    w.Key("votes").Int(stats.votes);
    w.Key("changed_votes").Int(stats.changed_votes);
    w.Key("votes_by_origin").Object([&](JsonWriter& origins) {
      for (const auto& [name, count] : stats.votes_by_origin) origins.Key(name).Int(count);
    });
    w.Key("labels").Object([&](JsonWriter& tasks) {
      for (const Task task : kTasks) {
        tasks.Key(TaskName(task)).Object([&](JsonWriter& labels) {
          const auto& counts = stats.labels[Index(task)];
          for (size_t i = 0; i < counts.size(); ++i) labels.Key(TaskLabels(task)[i]).Int(counts[i]);
        });
      }
    });
    w.Key("snapshots").Int(stats.snapshots);
    w.Key("runs").Object([&](JsonWriter& runs) {
      for (const auto& [status, count] : stats.runs_by_status) runs.Key(status).Int(count);
    });
    w.Key("current").Object([&](JsonWriter& current) {
      for (const Task task : kTasks) {
        const int version = stats.current[Index(task)];
        current.Key(TaskName(task));
        version == 0 ? current.Null() : current.Int(version);
      }
    });
  });
  return out;
}

void CheckFinishedRun(const TrainingRun& run) {
  if (run.status != "promoted" && run.status != "not_promoted" && run.status != "failed") {
    throw Error(ErrorCode::kInvalidArgument, "run " + std::to_string(run.id) +
                                                 " cannot end with the status '" + run.status +
                                                 "': promoted, not_promoted or failed");
  }
  for (const std::string* json :
       {&run.scorecard_json, &run.incumbent_scorecard_json, &run.details_json}) {
    if (!json->empty()) ParseJson(*json);
  }
}

}  // namespace rebound
