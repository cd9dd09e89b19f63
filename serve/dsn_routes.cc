#include "serve/dsn_routes.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "engine/mail/message.h"
#include "engine/mail/report_json.h"
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

BounceKind KindOf(MessageKind kind) {
  return OverrideKind(kind) == BounceKindName(BounceKind::kMdn) ? BounceKind::kMdn
                                                                : BounceKind::kSmtp;
}

}  // namespace

void DsnRoutes::AddTo(Router* router) const {
  Route route{kPost, "/v3/dsn", Scope::kClassify,
              [this](const Call& call) { return Classify(call); }};
  route.slow_bytes = kSlowBytes;
  router->Add(std::move(route));
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
  WriteReport(report, &writer);
  writer.Key("recipients").StartArray();
  for (const RecipientReport& recipient : report.recipients) {
    writer.StartObject();
    WriteRecipient(recipient, &writer);
    const std::string text = ReadableText(recipient.text);
    const Question question{text, recipient.domain, KindOf(report.kind)};
    if (!text.empty()) writer.Key("text").String(text);
    // The models know bounces alone; of other messages only rules may speak.
    if (!text.empty() && (IsBounce(report.kind) || answers_->IsRuled(question))) {
      writer.Key("result");
      answers_->Write(moment, question, &writer);
    }
    writer.EndObject();
  }
  writer.EndArray().Key("models");
  answers_->WriteModels(moment, &writer);
  writer.EndObject();
  return response;
}

}  // namespace rebound
