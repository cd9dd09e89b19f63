#include "engine/cli/answerer.h"

namespace rebound {
namespace {

// Class and rule of the text, as Momentum's debug log has them.
void LogAnswer(std::string_view text, const Answer& answer) {
  const std::string_view name = answer.momentum ? answer.momentum->name : std::string_view();
  std::string rule;
  if (answer.ruling.override) {
    const OverrideRule& of = answer.ruling.override.rule();
    rule = of.domain + "," + std::to_string(of.code) + "," + of.pattern;
  }
  for (const auto& position : answer.ruling.by_rule) {
    if (rule.empty() && position) rule = answer.ruling.rules->rules()[*position].place;
  }
  LogClassified(text, name, rule);
}

}  // namespace

void Answerer::Work(Batch* batch) {
  batch->rows.clear();
  for (size_t i = 0; i < batch->count; ++i) AnswerItem(&batch->items[i], &batch->rows);
}

Question Answerer::AskAbout(const SourceItem& item, std::string_view text) const {
  Question question;
  question.text = text;
  question.domain = item.domain.empty() ? std::string_view(answering_.domain) : item.domain;
  question.kind = item.mdn ? BounceKind::kMdn : BounceKind::kSmtp;
  return question;
}

bool Answerer::IsRuled(const SourceItem& item, std::string_view text) const {
  if (!item.mdn || text.empty()) return false;
  const Question question = AskAbout(item, text);
  return rebound::IsRuled(answering_.rules, question.kind, text, question.domain);
}

void Answerer::AnswerItem(SourceItem* item, std::string* rows) {
  if (item->skipped) return;
  const bool is_shown = !answering_.quiet;
  const std::string text = item->fault.empty() ? ReadableText(item->text) : std::string();
  if (item->fault.empty() && item->note.empty() && text.empty())
    item->fault = "the text is empty or blank";
  if (!item->fault.empty()) {
    summary_.CountFault();
    if (is_shown) answering_.rows->WriteFault(*item, rows);
    return;
  }
  if (!item->note.empty() && !IsRuled(*item, text)) {
    summary_.CountNote();
    if (is_shown) answering_.rows->WriteNote(*item, text, rows);
    return;
  }
  const Answer answer = AnswerQuestion(
      answering_.models, answering_.rules, AskAbout(*item, text), answering_.options,
      [this](const ModelSet& models, Task task, Engine::Scratch* scratch) {
        return memory_.Predict(models, task, scratch);
      },
      &scratch_);
  summary_.Count(answer);
  if (answering_.debug) LogAnswer(text, answer);
  if (is_shown) answering_.rows->Write(*item, text, answer, rows);
}

}  // namespace rebound
