// Postfix, by way of syslog:
//   May  1 10:00:00 mail postfix/smtp[123]: 4F9D1: to=<user@example.net>, relay=..., dsn=5.1.1,
//   status=bounced (host mx.example.net[192.0.2.7] said: 550 ...)
#include <algorithm>
#include <array>

#include "engine/mail/log_formats.h"

namespace rebound {
namespace {

constexpr std::string_view kTo = ": to=<";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The agents of Postfix that deliver: "postfix/smtp", "postfix-out/relay/smtp".
bool Delivers(std::string_view tag) {
  static constexpr std::array<std::string_view, 9> kAgents = {
      "smtp", "lmtp", "local", "virtual", "pipe", "error", "retry", "relay", "discard"};
  const size_t slash = tag.rfind('/');
  if (slash == std::string_view::npos) return false;
  return std::find(kAgents.begin(), kAgents.end(), tag.substr(slash + 1)) != kAgents.end();
}

// The program of "... postfix/smtp[123]: " or, in the form of RFC 5424, "... postfix/smtp 123 - -
// ".
std::string_view TagOf(std::string_view head) {
  size_t end = std::string_view::npos;
  if (head.ends_with("]: ")) {
    end = head.rfind('[');
  } else if (head.ends_with(" - - ")) {
    const std::string_view before = head.substr(0, head.size() - 5);
    end = before.rfind(' ');
  }
  if (end == std::string_view::npos) return {};
  const size_t begin = head.substr(0, end).rfind(' ');
  return head.substr(begin + 1, end - begin - 1);  // npos + 1 is 0
}

std::string_view TimeOf(std::string_view line) {
  if (line.starts_with('<')) {  // RFC 5424: "<22>1 2024-..."
    const size_t blank = line.find(' ');
    if (blank != std::string_view::npos) line.remove_prefix(blank + 1);
  }
  if (line.empty()) return {};
  return IsDigit(line[0]) ? line.substr(0, line.find(' ')) : line.substr(0, 15);
}

// "mx.example.net" of "host mx.example.net[192.0.2.7] said", "connect to mx...".
std::string_view HostIn(std::string_view text) {
  for (const std::string_view lead : {"host ", "connect to ", "conversation with "}) {
    const size_t at = text.substr(0, 64).find(lead);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = text.substr(at + lead.size());
    const std::string_view host = HostOfRelay(rest.substr(0, rest.find(' ')));
    if (host.size() < rest.size() && host.find('.') != std::string_view::npos) return host;
  }
  return {};
}

bool SetOutcome(std::string_view status, LogEvent* event) {
  if (status == "sent") {
    event->outcome = LogOutcome::kDelivered;
  } else if (status == "bounced" || status == "expired") {
    event->outcome = LogOutcome::kBounced;
  } else if (status == "deferred" || status == "SOFTBOUNCE") {
    event->outcome = LogOutcome::kDeferred;
  } else {
    return false;
  }
  return true;
}

// "name=value, name=value, status=word (text)" behind the address.
LineKind ReadFields(std::string_view rest, LogEvent* event) {
  std::string_view relay;
  while (true) {
    const size_t equals = rest.find('=');
    if (equals == std::string_view::npos || equals > 16) return LineKind::kMalformed;
    const std::string_view name = rest.substr(0, equals);
    rest.remove_prefix(equals + 1);
    if (name == "status") break;
    const size_t end = rest.find(", ");
    if (end == std::string_view::npos) return LineKind::kMalformed;
    const std::string_view value = rest.substr(0, end);
    if (name == "dsn") event->dsn = value;
    if (name == "relay") relay = value;
    rest.remove_prefix(end + 2);
  }
  const size_t blank = rest.find(' ');
  const std::string_view status = rest.substr(0, blank);
  // What a probe of an address found is no delivery.
  if (status == "deliverable" || status == "undeliverable") return LineKind::kOther;
  if (!SetOutcome(status, event)) return LineKind::kMalformed;
  std::string_view text = blank == std::string_view::npos ? "" : rest.substr(blank + 1);
  if (text.starts_with('(')) {
    text.remove_prefix(1);
    if (text.ends_with(')')) text.remove_suffix(1);  // syslog may have cut it
  }
  event->text = text;
  event->host = HostOfRelay(relay);
  if (event->host == "none" || event->host.empty()) {
    event->host = HostIn(text);
  } else if (event->host.find('.') == std::string_view::npos && relay == event->host) {
    event->host = {};  // an agent: local, virtual, maildrop
  }
  return LineKind::kEvent;
}

}  // namespace

std::string_view HostOfRelay(std::string_view relay) {
  if (relay.starts_with('[')) return relay.substr(1, relay.find(']') - 1);
  return relay.substr(0, relay.find_first_of("[:"));
}

bool IsPostfixLine(std::string_view line) {
  const std::string_view head = line.substr(0, 256);
  const size_t at = head.find("postfix");
  return at != std::string_view::npos && head.find('/', at) != std::string_view::npos &&
         (head.find("]: ", at) != std::string_view::npos ||
          head.find(" - - ", at) != std::string_view::npos);
}

LineKind ReadPostfixLine(std::string_view line, LogEvent* event) {
  const size_t to = line.find(kTo);
  if (to == std::string_view::npos) return LineKind::kOther;
  const size_t blank = line.substr(0, to).rfind(' ');
  if (blank == std::string_view::npos) return LineKind::kOther;
  const std::string_view id = line.substr(blank + 1, to - blank - 1);
  const bool named = !id.empty() && std::all_of(id.begin(), id.end(), [](char c) {
    return IsDigit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  });
  if (!named || !Delivers(TagOf(line.substr(0, blank + 1)))) return LineKind::kOther;
  const std::string_view rest = line.substr(to + kTo.size());
  size_t quoted = rest.starts_with('"') ? rest.find('"', 1) : 0;  // a local part may hold ">, "
  if (quoted == std::string_view::npos) quoted = 0;
  const size_t end = rest.find(">, ", quoted);
  if (end == std::string_view::npos || end == 0) return LineKind::kMalformed;
  event->queue_id = id;
  event->time = TimeOf(line);
  event->recipient = rest.substr(0, end);
  return ReadFields(rest.substr(end + 3), event);
}

}  // namespace rebound
