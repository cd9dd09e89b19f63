#include "labelstore/proposals.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "labelstore/proposal_writer.h"

namespace rebound {
namespace {

constexpr std::array<std::string_view, 6> kStatusNames = {"pending",  "disputed", "quarantined",
                                                          "approved", "rejected", "skipped"};
constexpr std::array<std::string_view, 3> kSourceNames = {"contribution", "suspect", "shadow"};
constexpr std::array<std::string_view, 3> kOutcomeNames = {"inserted", "duplicate", "relabelled"};
constexpr std::array<std::string_view, 6> kOrderNames = {"newest", "disagreement", "uncertainty",
                                                         "volume", "cost",         "suspect"};

template <class Value, size_t count>
std::optional<Value> Parse(const std::array<std::string_view, count>& names,
                           std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Value>(found - names.begin());
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = text[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (dash ? c != '-' : !hex) return false;
  }
  return true;
}

}  // namespace

std::string_view StatusName(ProposalStatus status) {
  return kStatusNames[static_cast<size_t>(status)];
}
std::optional<ProposalStatus> ParseProposalStatus(std::string_view name) {
  return Parse<ProposalStatus>(kStatusNames, name);
}
std::string_view SourceName(ProposalSource source) {
  return kSourceNames[static_cast<size_t>(source)];
}
std::optional<ProposalSource> ParseProposalSource(std::string_view name) {
  return Parse<ProposalSource>(kSourceNames, name);
}

std::string ShadowContributor(Task task, int version) {
  return "shadow:" + std::string(TaskName(task)) + ":" + std::to_string(version);
}

std::optional<int> ShadowVersion(std::string_view contributor) {
  for (const Task task : kTasks) {
    const std::string begin = "shadow:" + std::string(TaskName(task)) + ":";
    if (!contributor.starts_with(begin)) continue;
    const std::string_view digits = contributor.substr(begin.size());
    int version = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), version);
    if (error == std::errc() && end == digits.data() + digits.size()) return version;
  }
  return std::nullopt;
}

std::string_view OutcomeName(ProposeOutcome outcome) {
  return kOutcomeNames[static_cast<size_t>(outcome)];
}
std::string_view OrderName(ProposalOrder order) { return kOrderNames[static_cast<size_t>(order)]; }
std::optional<ProposalOrder> ParseProposalOrder(std::string_view name) {
  return Parse<ProposalOrder>(kOrderNames, name);
}

std::optional<std::string> CheckProposal(const Proposal& proposal, Message* message) {
  const bool any = std::any_of(proposal.labels.begin(), proposal.labels.end(),
                               [](const auto& label) { return label.has_value(); });
  if (!any) return "has no label";
  if (proposal.comment.size() > kMaxCommentBytes) {
    return "has a comment of more than " + std::to_string(kMaxCommentBytes) + " bytes";
  }
  if (!proposal.delivery_id.empty() && !IsUuid(proposal.delivery_id)) {
    return "has a delivery id that is no UUID";
  }
  for (const Task task : kTasks) {
    const auto& answer = proposal.model[Index(task)];
    if (answer && (answer->label >= TaskLabels(task).size() || !(answer->probability >= 0) ||
                   answer->probability > 1)) {
      return "has a model's answer out of range";
    }
  }
  Submission submission;
  submission.text = proposal.text;
  submission.contributor = proposal.contributor;
  submission.labels = proposal.labels;
  try {
    *message = MakeMessage(submission, 0);
  } catch (const Error& e) {
    constexpr std::string_view kPrefix = "submission 0 ";
    const std::string_view why = e.what();
    return std::string(why.starts_with(kPrefix) ? why.substr(kPrefix.size()) : why);
  }
  return std::nullopt;
}

std::optional<std::string> FaultOf(const Proposal& proposal) {
  Message message;
  return CheckProposal(proposal, &message);
}

std::string MakeDeliveryId(std::string_view name) {
  std::string id = Sha256Hex(name).substr(0, 32);
  // Version 8 of RFC 9562: the maker's own.
  id[12] = '8';
  id[16] = "89ab"[static_cast<size_t>(id[16] % 4)];
  for (const size_t at : {20, 16, 12, 8}) id.insert(at, "-");
  return id;
}

}  // namespace rebound
