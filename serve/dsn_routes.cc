#include "serve/dsn_routes.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "engine/mail/message.h"
#include "serve/problem.h"
#include "serve/texts.h"

namespace rebound {
namespace {

constexpr std::array<std::string_view, 2> kMedia = {"message/rfc822", "application/octet-stream"};
// Bounces have some kilobytes, and are read in less than a tenth of a millisecond. The worst that
// can be sent takes 70 ms a MiB: no worker may be held up by that.
constexpr size_t kSlowBytes = 256 * 1024;

BounceReport ReadMessage(const Request& request, size_t max_recipients) {
  CheckContentType(request, kMedia);
  MessageLimits limits;
  limits.max_recipients = max_recipients;
  try {
    return ParseMessage(request.body, limits);
  } catch (const Error& e) {
    // Its words tell sizes alone.
    if (e.code() == ErrorCode::kTooLarge) throw Refusal{MakeProblem(413, e.what())};
    if (e.code() == ErrorCode::kInvalidArgument) throw Refusal{MakeProblem(422, e.what())};
    throw;
  }
}

// What the message does not tell is absent.
void WriteText(std::string_view key, std::string_view text, JsonWriter* writer) {
  if (!text.empty()) writer->Key(key).String(text);
}

void WriteMessage(const BounceReport& report, JsonWriter* writer) {
  writer->Key("kind").String(MessageKindName(report.kind));
  WriteText("reason", report.reason, writer);
  WriteText("agent", report.agent, writer);
  WriteText("reporting_mta", report.reporting_mta, writer);
  WriteText("arrival_date", report.arrival_date, writer);
  WriteText("original_message_id", report.original_message_id, writer);
  WriteText("feedback_type", report.feedback_type, writer);
  WriteText("source_ip", report.source_ip, writer);
  if (report.truncated) writer->Key("truncated").Bool(true);
}

void WriteRecipient(const RecipientReport& recipient, JsonWriter* writer) {
  writer->Key("recipient").String(recipient.recipient);
  WriteText("original_recipient", recipient.original_recipient, writer);
  WriteText("domain", recipient.domain, writer);
  WriteText("action", recipient.action, writer);
  WriteText("status", recipient.status, writer);
  WriteText("diagnostic_type", recipient.diagnostic_type, writer);
  WriteText("diagnostic", recipient.diagnostic, writer);
  WriteText("remote_mta", recipient.remote_mta, writer);
  writer->Key("source").String(ReportSourceName(recipient.source));
}

BounceKind KindOf(MessageKind kind) {
  return OverrideKind(kind) == BounceKindName(BounceKind::kMdn) ? BounceKind::kMdn
                                                                : BounceKind::kSmtp;
}

}  // namespace

void DsnRoutes::AddTo(Router* router) const {
  router->Add({kPost, "/v3/dsn", Scope::kClassify,
               [this](const Call& call) { return Classify(call); }, false, kSlowBytes});
}

Response DsnRoutes::Classify(const Call& call) const {
  WholeAnswers::Moment moment = answers_->Asked(call);
  const BounceReport report = ReadMessage(call.request, max_batch_);
  if (moment.options.explain && report.recipients.size() > kMaxExplainedTexts) {
    throw Refusal{MakeProblem(413, "with 'explain' a message has at most " +
                                       std::to_string(kMaxExplainedTexts) + " recipients")};
  }
  answers_->TakeModels(&moment);
  Response response;
  response.texts = report.recipients.size();
  response.body.reserve(1024 * (report.recipients.size() + 1));
  JsonWriter writer(&response.body);
  writer.StartObject();
  WriteMessage(report, &writer);
  writer.Key("recipients").StartArray();
  for (const RecipientReport& recipient : report.recipients) {
    writer.StartObject();
    WriteRecipient(recipient, &writer);
    const std::string text = ReadableText(recipient.text);
    if (!text.empty()) {
      writer.Key("text").String(text).Key("result");
      answers_->Write(moment, {text, recipient.domain, KindOf(report.kind)}, &writer);
    }
    writer.EndObject();
  }
  writer.EndArray().Key("models");
  answers_->WriteModels(moment, &writer);
  writer.EndObject();
  return response;
}

}  // namespace rebound
