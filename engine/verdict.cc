#include "engine/verdict.h"

#include <algorithm>

namespace rebound {
namespace {

// What a label says of the recipient.
enum class Says : uint8_t {
  kNothing,  // the cause is another, or none is known
  kTrouble,  // the mailbox is there and takes no mail, or its domain's server is gone
  kGone,     // there is no such address
};

// By task, in the order of TaskLabels.
using SaysTable = std::array<std::array<Says, 24>, kTaskCount>;

const SaysTable& WhatLabelsSay() {
  static const SaysTable kTable = [] {
    SaysTable table{};
    const auto set = [&table](Task task, std::string_view label, Says says) {
      table[Index(task)][FindLabel(task, label).value()] = says;
    };
    set(Task::kBnac, "RECIPIENT_NOT_FOUND", Says::kGone);
    set(Task::kBnac, "RECIPIENT_ERROR", Says::kTrouble);
    set(Task::kBackoff, "RECIPIENT_ERROR", Says::kGone);  // the class has no other for it
    set(Task::kBackoff, "MAILBOX_FULL", Says::kTrouble);
    set(Task::kAction, "user_unknown", Says::kGone);
    set(Task::kAction, "invalid_address", Says::kGone);
    set(Task::kAction, "mailbox_disabled", Says::kTrouble);
    set(Task::kAction, "mailbox_full", Says::kTrouble);
    return table;
  }();
  return kTable;
}

bool AllSay(const Labels& labels, Says least) {
  const SaysTable& says = WhatLabelsSay();
  return std::all_of(kTasks.begin(), kTasks.end(),
                     [&](Task task) { return says[Index(task)][labels[Index(task)]] >= least; });
}

// The domain does not exist or takes no mail: the labels of bnac and backoff name the way there.
bool IsDomainGone(const Cause& cause, const Labels& labels) {
  return cause.labels == labels && cause.fault == Fault::kRecipient;
}

Suppress ByLabels(const VerdictInput& input, const Cause& cause, ReplyClass reply) {
  if (AllSay(input.labels, Says::kGone) && reply != ReplyClass::kTransient &&
      std::all_of(input.sure.begin(), input.sure.end(), [](bool sure) { return sure; })) {
    return Suppress::kYes;
  }
  if (AllSay(input.labels, Says::kTrouble) || IsDomainGone(cause, input.labels)) {
    return Suppress::kAfterRepeats;
  }
  return Suppress::kNo;
}

}  // namespace

std::string_view SuppressName(Suppress suppress) {
  switch (suppress) {
    case Suppress::kYes:
      return "yes";
    case Suppress::kAfterRepeats:
      return "after_repeats";
    case Suppress::kNo:
      break;
  }
  return "no";
}

Verdict JudgeBounce(const VerdictInput& input) {
  const Cause& cause = CauseOf(input.labels);
  const ReplyClass reply = ReplyClassOf(input.reply_code, input.enhanced_code);
  // No two labels of these contradict in whose fault it is, even where no cause has all three.
  const Fault fault = AllSay(input.labels, Says::kTrouble) ? Fault::kRecipient : cause.fault;
  if (!input.override_code) return {fault, ByLabels(input, cause, reply)};

  const MomentumMeaning* meaning = FindMomentumMeaning(*input.override_code);
  // A custom class, an automatic answer: whoever wrote the rule knows that it is no such bounce.
  if (meaning == nullptr) return {fault, Suppress::kNo};
  if (meaning->suppress) {
    return {Fault::kRecipient,
            reply == ReplyClass::kTransient ? Suppress::kAfterRepeats : Suppress::kYes};
  }
  if (meaning->cause == nullptr) return {fault, Suppress::kNo};
  return {meaning->cause->fault,
          meaning->cause->fault == Fault::kRecipient ? Suppress::kAfterRepeats : Suppress::kNo};
}

}  // namespace rebound
