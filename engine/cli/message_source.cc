#include <algorithm>
#include <cctype>
#include <deque>

#include "base/error.h"
#include "base/text.h"
#include "engine/cli/interrupt.h"
#include "engine/cli/text_source.h"
#include "engine/mail/message.h"

namespace rebound {
namespace {

using Kind = SourceField::Kind;

// "From user@example.com Mon Jan  1 00:00:00 2024": a time and a year part it from a sentence that
// happens to begin so.
bool IsMboxLine(std::string_view line) {
  if (!line.starts_with("From ")) return false;
  const auto is_digit = [&](size_t i) {
    return i < line.size() && std::isdigit(static_cast<unsigned char>(line[i])) != 0;
  };
  bool has_time = false;
  bool has_year = false;
  for (size_t i = 5; i < line.size(); ++i) {
    has_time = has_time || (line[i] == ':' && is_digit(i - 1) && is_digit(i + 1));
    has_year = has_year || ((line.substr(i, 3) == " 19" || line.substr(i, 3) == " 20") &&
                            is_digit(i + 3) && is_digit(i + 4) && !is_digit(i + 5));
  }
  return has_time && has_year;
}

// Why this is no bounce that could be classified; empty: it is one.
std::string NoteOf(const BounceReport& report, const RecipientReport& recipient) {
  if (!report.reason.empty()) return report.reason;
  switch (report.kind) {
    case MessageKind::kMdn:
      return "a disposition notification, no bounce";
    case MessageKind::kAutoReply:
      return "an automatic answer, no bounce";
    case MessageKind::kChallengeResponse:
      return "a request to prove to be human, no bounce";
    default:
      break;
  }
  if (!Trim(recipient.text).empty()) return "";
  return recipient.action.empty() ? "it says nothing that could be classified" : "nothing failed";
}

// The messages of one file: all of it, or an mbox from one "From " line to the next.
class MessageFile {
 public:
  explicit MessageFile(const std::string& path)
      : stream_(path), lines_(&stream_, kFileMessageBytes) {}

  // False at the end. Beyond kFileMessageBytes one byte more is kept, for ParseMessage to refuse.
  bool Next(std::string* message) {
    message->assign(next_);
    next_.clear();
    std::string_view line;
    bool is_blank = false;
    bool has_any = !message->empty();
    while (lines_.Next(&line)) {
      const bool begins = IsMboxLine(line);
      if (!has_any) is_mbox_ = begins;
      if (has_any && is_mbox_ && is_blank && begins) {
        next_.assign(line).push_back('\n');
        ++count_;
        return true;
      }
      has_any = true;
      is_blank = line.find_first_not_of("\r") == std::string_view::npos;
      if (message->size() <= kFileMessageBytes) message->append(line).push_back('\n');
    }
    if (has_any) ++count_;
    return has_any;
  }
  const ByteStream& stream() const { return stream_; }
  bool is_mbox() const { return is_mbox_; }
  int64_t count() const { return count_; }

 private:
  ByteStream stream_;
  LineReader lines_;
  std::string next_;  // the "From " line that was read already
  bool is_mbox_ = false;
  int64_t count_ = 0;
};

class MessageSource : public TextSource {
 public:
  explicit MessageSource(std::vector<std::string> paths) : paths_(std::move(paths)) {}

  bool Next(SourceItem* item) override {
    while (ready_.empty()) {
      if (IsInterrupted() || (file_ == nullptr && next_path_ == paths_.size())) return false;
      try {
        ReadOne();
      } catch (const Error& e) {
        AddFault(InputName(paths_[next_path_ - 1]), e.what());
        Close();
      }
    }
    *item = std::move(ready_.front());
    ready_.pop_front();
    return true;
  }
  int64_t Position() const override {
    return closed_bytes_ + (file_ == nullptr ? 0 : file_->stream().position());
  }
  bool WouldWait() const override {
    return ready_.empty() && file_ != nullptr && file_->stream().WouldWait();
  }
  std::vector<std::string> Columns() const override {
    return {"file",   "number",     "kind",          "recipient",           "original_recipient",
            "domain", "dsn_action", "status",        "remote_mta",          "reporting_mta",
            "agent",  "reason",     "feedback_type", "original_message_id", "note"};
  }

 private:
  void ReadOne() {
    if (file_ == nullptr) {
      const std::string& path = paths_[next_path_++];
      file_ = std::make_unique<MessageFile>(path);
    }
    if (!file_->Next(&bytes_)) {
      if (file_->count() == 0) AddFault(file_->stream().name(), "the file is empty");
      Close();
      return;
    }
    std::string where = file_->stream().name();
    if (file_->is_mbox()) where += ", message " + std::to_string(file_->count());
    BounceReport report;
    try {
      MessageLimits limits;
      limits.max_bytes = kFileMessageBytes;
      report = ParseMessage(bytes_, limits);
    } catch (const Error& e) {  // the next message of the file goes on
      AddFault(where, e.what());
      return;
    }
    AddReport(where, report);
  }

  void Close() {
    if (file_ != nullptr) closed_bytes_ += file_->stream().position();
    file_.reset();
  }

  SourceItem& AddItem(const std::string& where) {
    SourceItem& item = ready_.emplace_back();
    item.where = where;
    for (const std::string& column : Columns()) {
      item.fields.push_back({column, "", Kind::kOptional});
    }
    item.fields[0].value =
        file_ == nullptr ? InputName(paths_[next_path_ - 1]) : file_->stream().name();
    if (file_ != nullptr && file_->is_mbox()) {
      item.fields[1].value = std::to_string(file_->count());
      item.fields[1].kind = Kind::kNumber;
    }
    return item;
  }
  void AddFault(const std::string& where, const std::string& what) { AddItem(where).fault = what; }

  void AddReport(const std::string& where, const BounceReport& report) {
    if (report.recipients.empty()) AddRecipient(where, report, {});
    for (const RecipientReport& recipient : report.recipients) {
      AddRecipient(where, report, recipient);
    }
    if (report.truncated) ready_.back().warning = "a limit left a part of the message unread";
  }

  void AddRecipient(const std::string& where, const BounceReport& report,
                    const RecipientReport& recipient) {
    const std::string_view kind = MessageKindName(report.kind);
    SourceItem& item = AddItem(where);
    const std::string_view values[] = {kind,
                                       recipient.recipient,
                                       recipient.original_recipient,
                                       recipient.domain,
                                       recipient.action,
                                       recipient.status,
                                       recipient.remote_mta,
                                       report.reporting_mta,
                                       report.agent,
                                       report.reason,
                                       report.feedback_type,
                                       report.original_message_id};
    for (size_t i = 0; i < std::size(values); ++i) item.fields[i + 2].value = values[i];
    item.text = recipient.text;
    item.domain = recipient.domain;
    item.mdn = OverrideKind(report.kind) == "mdn";
    if (!IsBounce(report.kind)) item.shown = "(" + std::string(kind) + ")  ";
    for (const std::string* part : {&recipient.recipient, &recipient.action, &recipient.status}) {
      if (!part->empty()) item.shown += *part + "  ";
    }
    item.note = NoteOf(report, recipient);
    item.fields.back().value = item.note;
    if (recipient.recipient.empty()) item.shown += where + "  ";
  }

  const std::vector<std::string> paths_;
  size_t next_path_ = 0;
  std::unique_ptr<MessageFile> file_;
  std::string bytes_;
  std::deque<SourceItem> ready_;
  int64_t closed_bytes_ = 0;
};

}  // namespace

std::unique_ptr<TextSource> MakeMessageSource(std::vector<std::string> paths) {
  return std::make_unique<MessageSource>(std::move(paths));
}

}  // namespace rebound
