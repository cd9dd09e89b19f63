#include "engine/library/report_handle.h"

#include "engine/library/boundary.h"
#include "engine/library/momentum_words.h"
#include "engine/mail/report_json.h"
#include "engine/overrides/bounce_code.h"

using rebound::JsonWriter;
using rebound::MessageKind;
using rebound::RecipientReport;

namespace {

constexpr int kAutoReplyCode = 60;
constexpr int kChallengeCode = 100;

const RecipientReport* RecipientAt(const rebound_report* report, size_t index) {
  if (report == nullptr || index >= report->report().recipients.size()) return nullptr;
  return &report->report().recipients[index];
}

const char* OrNull(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

const char* FieldOf(const rebound_report* report, size_t index,
                    std::string RecipientReport::*field) {
  const RecipientReport* recipient = RecipientAt(report, index);
  return recipient == nullptr ? nullptr : OrNull(recipient->*field);
}

rebound::BounceKind OverrideKindOf(const rebound::BounceReport& report) {
  return rebound::OverrideKind(report.kind) == BounceKindName(rebound::BounceKind::kMdn)
             ? rebound::BounceKind::kMdn
             : rebound::BounceKind::kSmtp;
}

}  // namespace

rebound_report::rebound_report(const rebound::Moment& moment, std::string_view message)
    : report_(rebound::ParseMessage(message, {.max_bytes = rebound::kFileMessageBytes})) {
  answers_.reserve(report_.recipients.size());
  const rebound::RuleSources rules{moment.overrides.get(), moment.text_rules.get()};
  const rebound::BounceKind kind = OverrideKindOf(report_);
  for (const RecipientReport& recipient : report_.recipients) {
    std::string text = rebound::ReadableText(recipient.text);
    // The models know bounces alone; of other messages only rules may speak.
    const bool is_asked =
        !text.empty() && (IsBounce(report_.kind) || IsRuled(rules, kind, text, recipient.domain));
    answers_.push_back(is_asked ? std::make_unique<const rebound_answer>(moment, std::move(text),
                                                                         recipient.domain, kind)
                                : nullptr);
  }
  FindMomentumCode();
  WriteJson();
}

// The models know bounces alone: of other messages the kind tells the code, unless a rule does.
void rebound_report::FindMomentumCode() {
  const bool is_bounce = IsBounce(report_.kind);
  for (const auto& answer : answers_) {
    if (answer == nullptr || !answer->answer().momentum) continue;
    if (!is_bounce && !answer->answer().ruling.override) continue;
    momentum_code_ = answer->answer().momentum->number;
    momentum_name_ = answer->texts().momentum_name;
    return;
  }
  if (report_.kind == MessageKind::kAutoReply) momentum_code_ = kAutoReplyCode;
  if (report_.kind == MessageKind::kChallengeResponse) momentum_code_ = kChallengeCode;
  if (momentum_code_ != 0) momentum_name_ = rebound::FindBounceCode(momentum_code_)->name;
}

// As POST /v3/dsn does, but for the models.
void rebound_report::WriteJson() {
  JsonWriter w(&json_);
  w.StartObject();
  WriteReport(report_, &w);
  w.Key("recipients").StartArray();
  for (size_t i = 0; i < report_.recipients.size(); ++i) {
    w.StartObject();
    WriteRecipient(report_.recipients[i], &w);
    const std::string text = rebound::ReadableText(report_.recipients[i].text);
    if (!text.empty()) w.Key("text").String(text);
    if (const rebound_answer* const answer = answers_[i].get()) {
      w.Key("result").Raw(answer->Json());
    }
    w.EndObject();
  }
  w.EndArray().EndObject();
}

extern "C" {

void rebound_report_free(rebound_report* report) { delete report; }

const char* rebound_report_json(const rebound_report* report) {
  return report == nullptr ? nullptr : report->json().c_str();
}
const char* rebound_report_kind(const rebound_report* report) {
  return report == nullptr ? nullptr : MessageKindName(report->report().kind).data();
}
const char* rebound_report_reason(const rebound_report* report) {
  return report == nullptr ? nullptr : OrNull(report->report().reason);
}
int rebound_report_momentum_code(const rebound_report* report) {
  return report == nullptr ? 0 : report->momentum_code();
}
const char* rebound_report_momentum_name(const rebound_report* report) {
  return report == nullptr ? nullptr : OrNull(report->momentum_name());
}
const char* rebound_report_momentum_description(const rebound_report* report) {
  const int code = rebound_report_momentum_code(report);
  return code == 0 ? nullptr : rebound::MomentumDescription(code);
}

size_t rebound_report_count(const rebound_report* report) {
  return report == nullptr ? 0 : report->report().recipients.size();
}
const char* rebound_report_recipient(const rebound_report* report, size_t index) {
  return FieldOf(report, index, &RecipientReport::recipient);
}
const char* rebound_report_action(const rebound_report* report, size_t index) {
  return FieldOf(report, index, &RecipientReport::action);
}
const char* rebound_report_status(const rebound_report* report, size_t index) {
  return FieldOf(report, index, &RecipientReport::status);
}
const char* rebound_report_text(const rebound_report* report, size_t index) {
  return FieldOf(report, index, &RecipientReport::text);
}
const rebound_answer* rebound_report_answer(const rebound_report* report, size_t index) {
  return RecipientAt(report, index) == nullptr ? nullptr : report->answer(index);
}

}  // extern "C"
