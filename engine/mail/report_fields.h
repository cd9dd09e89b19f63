// The machine-readable parts of reports: fields in blocks, as RFC 3464 and its kin write them, and
// as servers write them instead. Pure, linear, Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/mail/message.h"

namespace rebound {

struct ReportField {
  std::string name;   // lower case
  std::string value;  // unfolded; a line that goes on a reply ("550-...") stays a line of its own
  bool begins_block;  // stands behind a blank line, or first
};
// Lines that are no field go on the one before: servers forget to indent.
std::vector<ReportField> ReadReportFields(std::string_view body);

// Whether a text holds the fields of a delivery report (some servers call its part text/plain).
bool LooksLikeDeliveryStatus(std::string_view body);

// message/delivery-status: fills reporting_mta, arrival_date and recipients (without texts, which
// the caller knows to choose). A recipient may lack its address.
void ReadDeliveryStatus(std::string_view body, size_t max_recipients, BounceReport* report);
// message/disposition-notification.
void ReadDisposition(std::string_view body, BounceReport* report);
// message/feedback-report.
void ReadFeedback(std::string_view body, size_t max_recipients, BounceReport* report);

// "5.1.1" of "5.1.1 (bad destination mailbox address)"; empty where there is none.
std::string_view FindStatus(std::string_view value);
// "mx.example.net" of "dns; mx.example.net (192.0.2.7)".
std::string HostOfField(std::string_view value);
// A reply of several lines that folding made one has its lines again: "550-5.1.1 no 550 5.1.1 one".
std::string SplitReply(std::string_view text);

}  // namespace rebound
