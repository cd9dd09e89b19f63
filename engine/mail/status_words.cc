#include "engine/mail/status_words.h"

#include <algorithm>
#include <array>
#include <utility>

namespace rebound {
namespace {

// RFC 3463 and the IANA registry of enhanced status codes: subject and detail, then the words.
constexpr auto kWords = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"0.0", "Other undefined status"},
    {"1.0", "Other address status"},
    {"1.1", "Bad destination mailbox address"},
    {"1.2", "Bad destination system address"},
    {"1.3", "Bad destination mailbox address syntax"},
    {"1.4", "Destination mailbox address ambiguous"},
    {"1.5", "Destination address valid"},
    {"1.6", "Destination mailbox has moved, no forwarding address"},
    {"1.7", "Bad sender's mailbox address syntax"},
    {"1.8", "Bad sender's system address"},
    {"1.9", "Message relayed to non-compliant mailer"},
    {"1.10", "Recipient address has null MX"},
    {"2.0", "Other or undefined mailbox status"},
    {"2.1", "Mailbox disabled, not accepting messages"},
    {"2.2", "Mailbox full"},
    {"2.3", "Message length exceeds administrative limit"},
    {"2.4", "Mailing list expansion problem"},
    {"3.0", "Other or undefined mail system status"},
    {"3.1", "Mail system full"},
    {"3.2", "System not accepting network messages"},
    {"3.3", "System not capable of selected features"},
    {"3.4", "Message too big for system"},
    {"3.5", "System incorrectly configured"},
    {"4.0", "Other or undefined network or routing status"},
    {"4.1", "No answer from host"},
    {"4.2", "Bad connection"},
    {"4.3", "Directory server failure"},
    {"4.4", "Unable to route"},
    {"4.5", "Mail system congestion"},
    {"4.6", "Routing loop detected"},
    {"4.7", "Delivery time expired"},
    {"5.0", "Other or undefined protocol status"},
    {"5.1", "Invalid command"},
    {"5.2", "Syntax error"},
    {"5.3", "Too many recipients"},
    {"5.4", "Invalid command arguments"},
    {"5.5", "Wrong protocol version"},
    {"6.0", "Other or undefined media error"},
    {"6.1", "Media not supported"},
    {"6.2", "Conversion required and prohibited"},
    {"6.3", "Conversion required but not supported"},
    {"6.4", "Conversion with loss performed"},
    {"6.5", "Conversion failed"},
    {"7.0", "Other or undefined security status"},
    {"7.1", "Delivery not authorized, message refused"},
    {"7.2", "Mailing list expansion prohibited"},
    {"7.3", "Security conversion required but not possible"},
    {"7.4", "Security features not supported"},
    {"7.5", "Cryptographic failure"},
    {"7.6", "Cryptographic algorithm not supported"},
    {"7.7", "Message integrity failure"},
    {"7.20", "No passing DKIM signature found"},
    {"7.23", "SPF validation failed"},
    {"7.25", "Reverse DNS validation failed"},
    {"7.26", "Multiple authentication checks failed"},
    {"7.27", "Sender address has null MX"},
    {"7.28", "Mail flood detected"},
});

}  // namespace

std::string DescribeStatus(std::string_view status) {
  std::string out(status);
  if (status.size() < 5) return out;
  const std::string_view detail = status.substr(2);
  const auto row = std::find_if(kWords.begin(), kWords.end(),
                                [&](const auto& words) { return words.first == detail; });
  if (row != kWords.end()) {
    out += ' ';
    out += row->second;
  }
  return out;
}

}  // namespace rebound
