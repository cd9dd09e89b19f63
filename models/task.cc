#include "models/task.h"

#include <algorithm>

namespace rebound {
namespace {

// ---- bnac ---------------------------------------------------------------------------------------

constexpr std::array<std::string_view, 2> kTenantAndGrouping = {"tenantid", "grouping"};
constexpr std::array<std::string_view, 2> kIpAndGrouping = {"localip", "grouping"};
constexpr std::array<std::string_view, 2> kJobAndGrouping = {"jobid", "grouping"};
constexpr std::array<std::string_view, 1> kTenant = {"tenantid"};
constexpr std::array<std::string_view, 1> kGrouping = {"grouping"};
constexpr std::array<std::string_view, 1> kJob = {"jobid"};
constexpr std::array<std::string_view, 1> kRemoteMx = {"remotemx"};
constexpr std::array<std::string_view, 1> kRecipientAddress = {"recipient address"};

constexpr std::array<std::string_view, 18> kBnacLabels = {
    "BLOCKED",
    "BLOCK_LIST",
    "DKIM",
    "DMARC",
    "DNS_PTR",
    "DOMAIN_REPUTATION",
    "GRAYLISTING",
    "IP_REPUTATION",
    "MESSAGE_CONTENT",
    "MX_ERROR",
    "PROTOCOL_ERROR",
    "RATE_LIMIT",
    "RECIPIENT_ERROR",
    "RECIPIENT_NOT_FOUND",
    "SPF",
    "TEMPORARY_ERROR",
    "TLS",
    "VIRUS",
};

struct BnacRow {
  BnacAdvice advice;
  std::string_view description;
};

const std::array<BnacRow, 18> kBnac = {{
    // BLOCKED
    {{3, kTenantAndGrouping, "Recipient MTA is blocking, no third-party information"},
     "blocked by the receiver's own decision, with no third party and no more precise reason"},
    // BLOCK_LIST
    {{5, kTenant, "Recipient MTA is blocking, with third-party (e.g. Spamhaus) information"},
     "blocked, citing a third party's list such as Spamhaus, Barracuda or SpamCop"},
    // DKIM
    {{3, kTenantAndGrouping, "Fix DKIM"},
     "the DKIM signature is missing, broken or misaligned, and DKIM is the named cause"},
    // DMARC
    {{3, kTenantAndGrouping, "Fix DMARC"},
     "the domain's DMARC policy was applied, or an unauthenticated message was refused under it"},
    // DNS_PTR
    {{3, kTenantAndGrouping, "Fix reverse DNS"},
     "the sending IP has no PTR, or PTR and forward name or HELO do not match"},
    // DOMAIN_REPUTATION
    {{4, kTenantAndGrouping, "Slow down from this sending domain"},
     "the sending domain's reputation is low, in the receiver's own view"},
    // GRAYLISTING
    {{3, kTenantAndGrouping,
      "Slow down to this recipient domain, you are at risk of being blocked"},
     "greylisting named, or an unmistakable greylist phrasing"},
    // IP_REPUTATION
    {{4, kIpAndGrouping, "Slow down from this sending IP"},
     "the sending IP's reputation is low, or complaints or spam from it, in the receiver's own "
     "view"},
    // MESSAGE_CONTENT
    {{3, kJob, "Suspend campaign and review what is sent"},
     "this message: spam content, forbidden attachment, bad URL, size too large, malformed "
     "headers"},
    // MX_ERROR
    {{3, kRemoteMx, "Verify your DNS resolution of this recipient domain"},
     "the recipient's domain does not exist, has no MX, does not resolve, loops or has no route"},
    // PROTOCOL_ERROR
    {{1, kGrouping, "Verify the MTA configuration and protocols"},
     "SMTP itself: syntax, sequence, unsupported command or extension, authentication required or "
     "failed"},
    // RATE_LIMIT
    {{3, kGrouping, "Slow down to this recipient domain"},
     "too many messages, connections or recipients for the receiver's limit"},
    // RECIPIENT_ERROR
    {{2, kJobAndGrouping,
      "Slow down, possible poor list quality, reduce frequency to this address"},
     "the mailbox exists or existed and cannot take mail: full, disabled, inactive, restricted"},
    // RECIPIENT_NOT_FOUND
    {{1, kRecipientAddress, "Remove the address"},
     "no such user, mailbox or address, or the address's syntax is invalid"},
    // SPF
    {{3, kTenantAndGrouping, "Fix SPF"},
     "SPF failed, or the sender's IP is not authorised for the domain"},
    // TEMPORARY_ERROR
    {{1, kTenantAndGrouping, "Slow down sending to this recipient domain"},
     "a passing fault of the receiver or of the path: internal error, timeout, connection lost, "
     "busy"},
    // TLS
    {{3, kTenantAndGrouping, "Check your TLS negotiation with this recipient domain"},
     "STARTTLS required, handshake failed, certificate refused, DANE or MTA-STS failure"},
    // VIRUS
    {{6, kJob, "Suspend campaign and review what is sent"},
     "malware, virus, infected attachment or phishing link found by a malware scanner"},
}};

// ---- backoff ------------------------------------------------------------------------------------

constexpr std::array<std::string_view, 24> kBackoffLabels = {
    "AUTHENTICATION_ERROR",
    "CONCURRENCY_LIMIT",
    "CONNECTION_FAILURE",
    "CONTENT_REJECTED_OTHER",
    "CONTENT_REJECTED_SPAM",
    "CONTENT_REJECTED_VIRUS",
    "GENERIC_BLOCK",
    "GRAYLISTING",
    "INFRASTRUCTURE_BLOCK",
    "INFRASTRUCTURE_ERROR",
    "MAILBOX_FULL",
    "POLICY_VIOLATION_SPF_DMARC__DKIM_FAIL",
    "POLICY_VIOLATION_SPF_DMARC__SPF_OR_DMARC_FAIL",
    "PROTOCOL_ERROR",
    "RATE_LIMIT__DOMAIN_RATE_LIMIT",
    "RATE_LIMIT__GENERAL",
    "RATE_LIMIT__IP_RATE_LIMIT",
    "RATE_LIMIT__RECIPIENT_LIMIT",
    "RATE_LIMIT__SERVER_BUSY",
    "RATE_LIMIT__URL_DOMAIN",
    "RECIPIENT_ERROR",
    "SENDER_REPUTATION__DOMAIN",
    "SENDER_REPUTATION__SENDER_ADDRESS",
    "TEMPORARY_SYSTEM_FAILURE",
};

constexpr std::array<std::string_view, 24> kBackoffDescriptions = {
    "SMTP AUTH required, failed or wrong credentials",
    "too many simultaneous connections or sessions",
    "refused, reset, timed out, lost, closed; TLS could not be negotiated",
    "attachment type, size, header format, language, other content rule that is not spam and not "
    "malware",
    "judged as spam or bulk, or a URL in the body is listed",
    "malware",
    "refused with no usable reason, local policy, relaying denied, region blocked",
    "greylisting",
    "the sending host or IP is blocked: block list on the IP, no PTR, HELO refused, dynamic range, "
    "IP reputation",
    "DNS, MX, routing, loops: the path to the recipient's domain is broken",
    "over quota",
    "DKIM is the named failure",
    "SPF or DMARC is the named failure",
    "SMTP syntax, sequence, unsupported command or extension",
    "a rate limit counted on the sending domain",
    "a rate limit that does not say on what it is counted",
    "a rate limit counted on the sending IP or netblock",
    "too many recipients, or one recipient receiving too fast",
    "the receiver says that it is busy or overloaded",
    "a rate limit counted on a domain in the message's URLs",
    "unknown, invalid, disabled, inactive or restricted recipient (all but full)",
    "the sending domain is listed or has a poor reputation",
    "the sender's address is refused, blocked or does not verify",
    "a passing fault of the receiver with no other reason",
};

// ---- action -------------------------------------------------------------------------------------

constexpr std::array<std::string_view, 16> kActionLabels = {
    "auth_failure",   "domain_blacklisted", "geo_blocked",  "greylisting",    "invalid_address",
    "ip_blacklisted", "mailbox_disabled",   "mailbox_full", "policy_blocked", "rate_limited",
    "relay_denied",   "server_error",       "spam_blocked", "unknown",        "user_unknown",
    "virus_detected",
};

struct ActionRow {
  std::string_view action;
  std::string_view description;
};

constexpr std::array<ActionRow, 16> kActions = {{
    {"fix_configuration", "DMARC, SPF or DKIM failure"},
    {"fix_configuration",
     "sending domain (or a domain in the message) on a block list, or of bad reputation"},
    {"retry_different_ip", "refused by country or region"},
    {"retry", "temporary first-contact rejection"},
    {"remove", "bad address syntax, or the recipient's domain does not exist"},
    {"retry_different_ip", "sending IP on a block list, or of bad reputation; no PTR"},
    {"remove", "suspended, disabled, inactive"},
    {"retry", "over quota"},
    {"review", "local policy, refused without a better reason, size or attachment rules"},
    {"retry", "too many connections or messages"},
    {"fix_configuration", "relaying not permitted, SMTP AUTH required"},
    {"retry", "timeout, connection failed, receiver's fault"},
    {"review", "judged as spam"},
    {"review", "nothing in the text says why"},
    {"remove", "recipient does not exist"},
    {"remove_content", "infected content"},
}};

// Look-ups are binary searches.
static_assert(std::is_sorted(kBnacLabels.begin(), kBnacLabels.end()));
static_assert(std::is_sorted(kBackoffLabels.begin(), kBackoffLabels.end()));
static_assert(std::is_sorted(kActionLabels.begin(), kActionLabels.end()));

constexpr std::array<std::string_view, kTaskCount> kNames = {"bnac", "backoff", "action"};
constexpr std::array<std::string_view, kTaskCount> kKeys = {"bnac", "backoff", "label"};

}  // namespace

std::string_view TaskName(Task task) { return kNames[Index(task)]; }

std::optional<Task> ParseTask(std::string_view name) {
  for (const Task task : kTasks) {
    if (TaskName(task) == name) return task;
  }
  return std::nullopt;
}

std::string_view TaskKey(Task task) { return kKeys[Index(task)]; }

std::span<const std::string_view> TaskLabels(Task task) {
  switch (task) {
    case Task::kBnac:
      return kBnacLabels;
    case Task::kBackoff:
      return kBackoffLabels;
    case Task::kAction:
      break;
  }
  return kActionLabels;
}

std::vector<std::string> LabelNames(Task task) {
  const auto labels = TaskLabels(task);
  return {labels.begin(), labels.end()};
}

std::optional<size_t> FindLabel(Task task, std::string_view name) {
  const std::span<const std::string_view> labels = TaskLabels(task);
  const auto found = std::lower_bound(labels.begin(), labels.end(), name);
  if (found == labels.end() || *found != name) return std::nullopt;
  return static_cast<size_t>(found - labels.begin());
}

std::string_view LabelDescription(Task task, size_t label) {
  switch (task) {
    case Task::kBnac:
      return kBnac.at(label).description;
    case Task::kBackoff:
      return kBackoffDescriptions.at(label);
    case Task::kAction:
      break;
  }
  return kActions.at(label).description;
}

const BnacAdvice& AdviceOf(size_t bnac_label) { return kBnac.at(bnac_label).advice; }

std::string_view RecommendedAction(size_t action_label) { return kActions.at(action_label).action; }

}  // namespace rebound
