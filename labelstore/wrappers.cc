#include "labelstore/wrappers.h"

#include <array>

namespace rebound {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

const char* CommandOf(Random* random) {
  static constexpr std::array<const char*, 5> kCommands = {
      "RCPT TO command", "RCPT TO command", "end of DATA command", "MAIL FROM command",
      "end of DATA command"};
  return random->Pick(kCommands);
}

std::string Value(NoiseContext& context, Slot slot) { return context.scene->Value(slot); }

// What a delivery status says of the text: its enhanced code, else the class of its reply code.
std::string StatusOf(std::string_view text) {
  const std::string_view enhanced = LeadingEnhancedCode(text);
  if (!enhanced.empty()) return std::string(enhanced);
  const std::string_view reply = LeadingReplyCode(text);
  return reply.empty() ? "" : std::string(1, reply.front()) + ".0.0";
}

// host a.example[1.2.3.4] said: ... (in reply to RCPT TO command)
void HostSaid(NoiseContext& context, std::string* text) {
  *text = "host " + Value(context, Slot::kHost) + "[" + Value(context, Slot::kRemoteIp) +
          "] said: " + *text + " (in reply to " + CommandOf(context.random) + ")";
}

void SmtpPrefix(NoiseContext& context, std::string* text) {
  static constexpr std::array<const char*, 3> kForms = {"smtp; ", "smtp;", "SMTP; "};
  *text = context.random->Pick(kForms) + *text;
}

void RemoteHostSaid(NoiseContext& context, std::string* text) {
  static constexpr std::array<const char*, 3> kForms = {
      "Remote host said: ", "Remote server replied: ", "The remote server responded:\n"};
  *text = context.random->Pick(kForms) + *text;
}

// SMTP error from remote mail server after RCPT TO:<...>: host ...: ...
void EximError(NoiseContext& context, std::string* text) {
  std::string command;
  switch (context.random->Below(4)) {
    case 0:
      command = "end of data";
      break;
    case 1:
      command = "MAIL FROM:<" + Value(context, Slot::kSender) + ">";
      break;
    default:
      command = "RCPT TO:<" + Value(context, Slot::kEmail) + ">";
  }
  *text = "SMTP error from remote mail server after " + command + ": host " +
          Value(context, Slot::kHost) + " [" + Value(context, Slot::kRemoteIp) + "]: " + *text;
}

// dsn=5.1.1, stat=...
void DsnStat(NoiseContext&, std::string* text) {
  const std::string status = StatusOf(*text);
  if (!status.empty()) *text = "dsn=" + status + ", stat=" + *text;
}

void AddressPrefix(NoiseContext& context, std::string* text) {
  *text = "<" + Value(context, Slot::kEmail) + ">: " + *text;
}

void DiagnosticCode(NoiseContext& context, std::string* text) {
  *text =
      (context.random->Chance(700) ? "Diagnostic-Code: smtp; " : "Diagnostic-Code: SMTP;") + *text;
}

void Reason(NoiseContext&, std::string* text) { *text = "(reason: " + *text + ")"; }

// The transcript of Sendmail.
void WhileTalking(NoiseContext& context, std::string* text) {
  *text = "... while talking to " + Value(context, Slot::kHost) + ".:\n>>> RCPT To:<" +
          Value(context, Slot::kEmail) + ">\n<<< " + *text;
}

// The fields of a delivery status report.
void StatusReport(NoiseContext& context, std::string* text) {
  const std::string status = StatusOf(*text);
  if (status.empty()) return;
  *text = "Final-Recipient: rfc822; " + Value(context, Slot::kEmail) +
          "\nAction: " + (status.front() == '4' ? "delayed" : "failed") + "\nStatus: " + status +
          "\nDiagnostic-Code: smtp; " + *text;
}

// A line of Postfix's log.
void PostfixLog(NoiseContext& context, std::string* text) {
  const std::string status = StatusOf(*text);
  if (status.empty()) return;
  const int64_t delay = context.random->Between(1, 99);
  *text = "to=<" + Value(context, Slot::kEmail) + ">, relay=" + Value(context, Slot::kHost) + "[" +
          Value(context, Slot::kRemoteIp) + "]:25, delay=0." + std::to_string(delay) +
          ", dsn=" + status + ", status=" + (status.front() == '4' ? "deferred" : "bounced") +
          " (host " + Value(context, Slot::kHost) + "[" + Value(context, Slot::kRemoteIp) +
          "] said: " + *text + " (in reply to " + CommandOf(context.random) + "))";
}

void ShortPrefix(NoiseContext& context, std::string* text) {
  static constexpr std::array<const char*, 6> kForms = {
      "Response: ", "Last error: ", "Server response: ", "Error: ", "SMTP error: ", "Reason: "};
  *text = context.random->Pick(kForms) + *text;
}

void HostColon(NoiseContext& context, std::string* text) {
  *text = Value(context, Slot::kHost) + " [" + Value(context, Slot::kRemoteIp) + "]: " + *text;
}

constexpr std::array<Wrapper, 13> kWrappers = {{
    {"host_said", 20, HostSaid},
    {"smtp_prefix", 20, SmtpPrefix},
    {"remote_host_said", 8, RemoteHostSaid},
    {"exim_error", 10, EximError},
    {"dsn_stat", 5, DsnStat},
    {"address_prefix", 8, AddressPrefix},
    {"diagnostic_code", 8, DiagnosticCode},
    {"reason", 5, Reason},
    {"while_talking", 4, WhileTalking},
    {"status_report", 4, StatusReport},
    {"postfix_log", 4, PostfixLog},
    {"short_prefix", 6, ShortPrefix},
    {"host_colon", 4, HostColon},
}};

}  // namespace

std::span<const Wrapper> Wrappers() { return kWrappers; }

void WrapText(NoiseContext& context, std::string* text) {
  int all = 0;
  for (const Wrapper& wrapper : kWrappers) all += wrapper.weight;
  auto at = static_cast<int>(context.random->Below(static_cast<size_t>(all)));
  for (const Wrapper& wrapper : kWrappers) {
    at -= wrapper.weight;
    if (at < 0) return wrapper.function(context, text);
  }
}

std::string_view LeadingReplyCode(std::string_view text) {
  if (text.size() < 4 || text[0] < '2' || text[0] > '5') return {};
  if (!IsDigit(text[1]) || !IsDigit(text[2])) return {};
  if (text[3] != ' ' && text[3] != '-' && text[3] != '\n') return {};
  return text.substr(0, 3);
}

std::string_view LeadingEnhancedCode(std::string_view text) {
  if (!LeadingReplyCode(text).empty()) text.remove_prefix(4);
  while (!text.empty() && (text.front() == ' ' || text.front() == '#')) text.remove_prefix(1);
  if (text.size() < 5 || (text[0] != '2' && text[0] != '4' && text[0] != '5') || text[1] != '.') {
    return {};
  }
  size_t end = 2;
  while (end < text.size() && IsDigit(text[end])) ++end;
  const size_t subject = end - 2;
  if (subject < 1 || subject > 3 || end >= text.size() || text[end] != '.') return {};
  const size_t detail = ++end;
  while (end < text.size() && IsDigit(text[end])) ++end;
  if (end == detail || end - detail > 3) return {};
  // A dot and a digit more would be an IP address.
  if (end + 1 < text.size() && text[end] == '.' && IsDigit(text[end + 1])) return {};
  return text.substr(0, end);
}

}  // namespace rebound
