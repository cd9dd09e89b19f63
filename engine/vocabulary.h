// One table that joins the vocabularies in which bounces are told: bnac class, backoff class,
// action label, Momentum's bounce code, enhanced status code, hard or soft, and whose the fault is.
//
// A row is a cause: a triple of labels that goes together. Every label of every task has a row.
// Where two vocabularies do not tell the same things apart, the row says what is lost on the way.
// docs/vocabularies.md is the table for people; a test holds it to this one. All data is static and
// Immutable; all functions are pure, Thread-safe and of constant time unless they read a text.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "models/status_code.h"
#include "models/task.h"

namespace rebound {

// Positions in TaskLabels, by task.
using Labels = std::array<size_t, kTaskCount>;

// Whose trouble made the bounce.
enum class Fault : uint8_t {
  kRecipient,         // the address, its mailbox or its domain
  kSenderIdentity,    // who the sender says that it is: SPF, DKIM, DMARC, PTR, sender's address
  kSenderReputation,  // the sender's address, domain or IP is listed or has a bad name
  kContent,           // this message
  kReceiver,          // the receiver's server, for a while
  kNetwork,           // the way there: DNS, routes, connections, TLS
  kPolicy,            // a rule of the receiver: rates, regions, who may write to whom, protocol
};
inline constexpr size_t kFaultCount = 7;
// Its wire value: "recipient", "sender_identity", ...
std::string_view FaultName(Fault fault);

// What the codes of a reply say about trying again.
enum class ReplyClass : uint8_t { kNone, kTransient, kPermanent };
// Transient where either code begins with 4: a server that contradicts itself is asked again.
ReplyClass ReplyClassOf(std::string_view reply_code, std::string_view enhanced_code);

struct Cause {
  Labels labels;
  Fault fault;
  bool hard;                  // the address takes no mail, now or later; else soft
  int momentum_code;          // one of Momentum's twenty; MomentumCodeOf refines it
  std::string_view enhanced;  // "1.1": subject and detail that are usual for it
  std::string_view lost;      // on the way to Momentum's code; "": the code leads back here
};
// All causes. The first one that bears a label is what LikelyCause gives for it.
std::span<const Cause> KnownCauses();

// The cause of these labels; where they contradict each other the one that most of them agree with,
// the action label's before others. REQUIRES: labels of their tasks.
const Cause& CauseOf(const Labels& labels);
// The cause that a label stands for alone: what the label guide gives a text that says no more,
// else the most frequent one. For rules that name one label.
const Cause& LikelyCause(Task task, size_t label);
// Whether it is the only cause with the label, so that the label alone tells the other two.
bool IsOnlyCause(Task task, size_t label);

// What Momentum tells apart by the words, and our labels do not.
struct MomentumClues {
  bool size = false;        // the message is too large
  bool attachment = false;  // an attachment is refused
  bool timeout = false;     // something took too long
};
// Linear time. Looks at the words only where `cause` has use for them.
MomentumClues FindMomentumClues(const Cause& cause, std::string_view text,
                                const StatusCodes& codes);
// Momentum's code of a bounce. Never 10 (which Momentum suppresses) for a transient reply.
int MomentumCodeOf(const Cause& cause, ReplyClass reply, const MomentumClues& clues);

// What a code of Momentum's means in our vocabularies.
struct MomentumMeaning {
  int code;
  const Cause* cause;         // null: no bounce (60, 80, 90, 100), the model's classes stay
  std::string_view enhanced;  // "5.1.1"; "" where there is no cause
  bool hard;                  // Momentum's own category
  bool suppress;              // the recipient gets no more mail: 10, 30, 90
  std::string_view lost;      // on the way to the labels; "": MomentumCodeOf leads back
};
// The twenty, by code.
std::span<const MomentumMeaning> MomentumMeanings();
// Null where it is none of the twenty, such as a custom class: the model's classes stay.
const MomentumMeaning* FindMomentumMeaning(int code);

// "5.1.1": the usual enhanced code of a cause. Its class is the reply's, else the one usual for it.
std::string EnhancedCodeOf(const Cause& cause, ReplyClass reply);
// Whether the code alone leads back to the cause (models/status_code.h).
bool EnhancedCodeTells(const Cause& cause, ReplyClass reply);
// A transient reply is never hard: the receiver itself says that it may change.
bool IsHard(const Cause& cause, ReplyClass reply);

}  // namespace rebound
