#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "engine/cli/interrupt.h"
#include "engine/cli/text_source.h"
#include "engine/mail/log_line.h"

namespace rebound {
namespace {

using Kind = SourceField::Kind;

enum : size_t { kFile, kLine, kOutcome, kRecipient, kRemoteMta, kStatus, kTime, kQueueId, kMore };

class LogSource : public TextSource {
 public:
  LogSource(MailLogFormat format, std::vector<std::string> paths, bool all)
      : format_(format), paths_(std::move(paths)), all_(all) {}

  bool Next(SourceItem* item) override {
    while (true) {
      try {
        if (stream_ == nullptr && !Open()) return false;
        if (Read(item)) return true;
        if (!IsInterrupted()) reader_.Finish();
        Close();
      } catch (const Error& e) {
        *item = SourceItem();
        item->where = InputName(paths_[next_path_ - 1]);
        item->fault = e.what();
        Close();
        return true;
      }
    }
  }
  int64_t Position() const override {
    return closed_bytes_ + (stream_ == nullptr ? 0 : stream_->position());
  }
  int64_t Lines() const override {
    return static_cast<int64_t>(totals_.lines + reader_.counts().lines);
  }
  bool WouldWait() const override { return lines_ != nullptr && lines_->WouldWait(); }
  std::vector<std::string> Columns() const override {
    return {"file",   "line", "outcome",  "recipient",      "remote_mta",
            "status", "time", "queue_id", "more_recipients"};
  }
  const LogTotals* Totals() const override { return &totals_; }

 private:
  bool Open() {
    if (next_path_ == paths_.size() || IsInterrupted()) return false;
    stream_ = std::make_unique<ByteStream>(paths_[next_path_++]);
    lines_ = std::make_unique<LineReader>(stream_.get(), LogReader::kLongestLine);
    reader_ = LogReader(format_);
    return true;
  }

  void Close() {
    const LogCounts& counts = reader_.counts();
    totals_.lines += counts.lines;
    totals_.other += counts.other;
    for (size_t i = 0; i < std::min<size_t>(counts.malformed, LogCounts::kFirstLines); ++i) {
      if (totals_.first_malformed.size() >= LogTotals::kFirstBad) break;
      totals_.first_malformed.push_back(
          {InputName(paths_[next_path_ - 1]), counts.first_malformed[i]});
    }
    totals_.malformed += counts.malformed;
    if (stream_ != nullptr) closed_bytes_ += stream_->position();
    reader_ = LogReader(format_);
    lines_.reset();
    stream_.reset();
  }

  // False at the end of the file.
  bool Read(SourceItem* item) {
    std::string_view line;
    while (!IsInterrupted() && lines_->Next(&line)) {
      const std::optional<LogEvent> event = reader_.Parse(line);
      if (event) Count(*event);
      if (!event || (event->outcome == LogOutcome::kDelivered && !all_)) {
        if (!lines_->WouldWait()) continue;
        item->skipped = true;  // what came before is to be shown, not kept until more comes
        return true;
      }
      Fill(*event, item);
      return true;
    }
    return false;
  }

  void Count(const LogEvent& event) {
    lower_.assign(event.domain);
    for (char& c : lower_) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    LogTotals::Of* of = nullptr;
    const auto found = totals_.by_domain.find(lower_);
    if (found != totals_.by_domain.end()) {
      of = &found->second;
    } else if (!lower_.empty() && totals_.by_domain.size() < LogTotals::kMostDomains) {
      of = &totals_.by_domain[lower_];
    }
    for (LogTotals::Of* counts : {&totals_.all, of}) {
      if (counts == nullptr) continue;
      if (event.outcome == LogOutcome::kDelivered) ++counts->delivered;
      if (event.outcome == LogOutcome::kBounced) ++counts->bounced;
      if (event.outcome == LogOutcome::kDeferred) ++counts->deferred;
    }
  }

  // Fields keep their memory: an item is filled a million times.
  void Fill(const LogEvent& event, SourceItem* item) {
    if (item->fields.size() != kMore + 1) {
      item->fields.clear();
      for (const std::string& column : Columns()) {
        item->fields.push_back({column, "", Kind::kOptional});
      }
      item->fields[kLine].kind = item->fields[kMore].kind = Kind::kNumber;
    }
    const std::string number = std::to_string(reader_.counts().lines);
    const std::string_view outcome = LogOutcomeName(event.outcome);
    item->fields[kFile].value = stream_->name();
    item->fields[kLine].value = number;
    item->fields[kOutcome].value = outcome;
    item->fields[kRecipient].value = event.recipient;
    item->fields[kRemoteMta].value = event.host;
    item->fields[kStatus].value = event.dsn;
    item->fields[kTime].value = event.time;
    item->fields[kQueueId].value = event.queue_id;
    item->fields[kMore].value.clear();
    if (event.more_recipients > 0) {
      item->fields[kMore].value = std::to_string(event.more_recipients);
    }
    item->text = event.text;
    item->domain = event.domain;
    item->where.assign(stream_->name()).append(":").append(number);
    item->shown.assign(event.recipient).append("  ").append(outcome).append("  ");
    item->fault.clear();
    item->note.clear();
    item->warning.clear();
    item->mdn = item->skipped = false;
    if (event.outcome == LogOutcome::kDelivered) {
      item->note = "nothing failed";
    } else if (Trim(event.text).empty()) {
      item->note = "the line tells no reason";
    }
  }

  const MailLogFormat format_;
  const std::vector<std::string> paths_;
  const bool all_;
  size_t next_path_ = 0;
  std::unique_ptr<ByteStream> stream_;
  std::unique_ptr<LineReader> lines_;
  LogReader reader_;
  LogTotals totals_;
  std::string lower_;
  int64_t closed_bytes_ = 0;
};

}  // namespace

std::unique_ptr<TextSource> MakeLogSource(const std::string& format, std::vector<std::string> paths,
                                          bool all) {
  return std::make_unique<LogSource>(ParseLogFormat(format), std::move(paths), all);
}

}  // namespace rebound
