// Messages and log lines made from our samples by mutation: whatever the bytes, reading them ends,
// in time, with valid UTF-8 or an Error of the two codes that the headers promise.
//
//   fuzz_engine_mail ROUNDS
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "engine/mail/log_line.h"
#include "engine/mail/message.h"

namespace rebound {
namespace {

const std::vector<std::string> kPieces = {"\n\n",
                                          "\r\n",
                                          "\r",
                                          "\n--b\n",
                                          "\n ",
                                          "<user@example.net>:\n",
                                          "user@example.net",
                                          "550 5.1.1 ",
                                          "\n550-5.7.1 ",
                                          "smtp; ",
                                          "Content-Type: message/rfc822\n\n",
                                          "Content-Type: multipart/mixed; boundary=b\n\n--b\n",
                                          "Content-Type: message/delivery-status\n\n",
                                          "Content-Transfer-Encoding: base64\n",
                                          "Content-Transfer-Encoding: quoted-printable\n",
                                          "charset=utf-16",
                                          "charset=iso-2022-jp",
                                          "Final-Recipient: rfc822; ",
                                          "Original-Recipient: rfc822;a+2Bb@c",
                                          "Diagnostic-Code: ",
                                          "=?utf-8?B?",
                                          "?=",
                                          "\\x{F6}",
                                          "&#x110000;",
                                          "<!--",
                                          "</p>",
                                          "(generated from ",
                                          "Subject: Out of office\n",
                                          "----- Transcript of session follows -----\n",
                                          ">>> RCPT To:<user@example.net>\n<<< 550 ",
                                          std::string(1, '\0'),
                                          "\xFF",
                                          "\xC3",
                                          "\x1B$B",
                                          "\"",
                                          ", status=",
                                          ": to=<",
                                          " ** ",
                                          "H=",
                                          "[",
                                          "{\"type\":\"Bounce\",\"recipient\":",
                                          "\\ud83d",
                                          "}",
                                          ","};

const std::vector<std::string> kLines = {
    "May  1 10:00:00 mail postfix/smtp[1]: 4F9D1: to=<user@example.net>, relay=mx.example.net"
    "[192.0.2.7]:25, dsn=5.1.1, status=bounced (host mx.example.net[192.0.2.7] said: 550 5.1.1 no)",
    "2024-05-01 10:00:00 1s2bCD-0003Ef-4G ** user@example.net <a@b> R=dnslookup T=remote_smtp "
    "H=mx.example.net [192.0.2.7] DN=\"CN=x\": SMTP error: 550 5.1.1 no",
    "b,now,s@example.com,user@example.net,failed,5.1.1,\"smtp;550 5.1.1 \"\"no\"\"\",mx,bad,7",
    R"({"type":"Bounce","id":"7","recipient":["user@example.net","b"],"response":{"code":550,)"
    R"("enhanced_code":{"class":5,"subject":1,"detail":1},"content":"no \u00e9"},"peer_address":)"
    R"({"name":"mx.example.net.","addr":"192.0.2.7"},"timestamp":1714550400})"};

void Fail(const std::string& what, const std::string& input) {
  std::fprintf(stderr, "%s in:\n%s\n", what.c_str(), input.c_str());
  std::exit(1);
}

void CheckText(const std::string& text, const std::string& input) {
  if (!IsValidUtf8(text)) Fail("invalid UTF-8: " + text, input);
}

void CheckMessage(const std::string& input) {
  const auto start = std::chrono::steady_clock::now();
  BounceReport report;
  try {
    report = ParseMessage(input);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalidArgument) Fail(error.what(), input);
    return;
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  if (taken.count() > 10) Fail("more than ten seconds", input);
  if ((report.kind == MessageKind::kNone) == report.reason.empty() &&
      report.kind != MessageKind::kArf) {
    Fail("a reason too many or too few", input);
  }
  CheckText(report.reporting_mta + report.arrival_date + report.original_message_id +
                report.feedback_type + report.source_ip,
            input);
  for (const RecipientReport& recipient : report.recipients) {
    CheckText(recipient.text, input);
    CheckText(recipient.diagnostic, input);
    CheckText(recipient.recipient + recipient.original_recipient + recipient.domain +
                  recipient.remote_mta + recipient.diagnostic_type + recipient.action,
              input);
    const bool failed = recipient.action == "failed" || recipient.action == "delayed";
    if (report.kind == MessageKind::kDsn && failed && recipient.text.empty() &&
        !recipient.status.empty()) {
      Fail("a failure without a text", input);
    }
  }
}

bool IsWithin(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void CheckLine(MailLogFormat format, const std::string& line) {
  LogReader reader(format);
  if (format == MailLogFormat::kPowerMta) {
    reader.Parse("type,timeLogged,orig,rcpt,dsnAction,dsnStatus,dsnDiag,dsnMta,bounceCat,jobId");
  }
  const std::optional<LogEvent> event = reader.Parse(line);
  if (!event) return;
  if (event->recipient.empty()) Fail("a delivery to nobody", line);
  // All bytes are read, for the sanitizers.
  size_t sum = 0;
  for (const std::string_view part : {event->recipient, event->domain, event->host, event->text,
                                      event->dsn, event->time, event->queue_id}) {
    for (const char c : part) sum += static_cast<unsigned char>(c);
    const bool decoded = format == MailLogFormat::kPowerMta || format == MailLogFormat::kKumoMta;
    if (!decoded && !IsWithin(part, line)) Fail("a part from elsewhere", line);
  }
  if (sum == 0) Fail("a delivery of nothing", line);
}

class Mutator {
 public:
  size_t Below(size_t bound) {
    return std::uniform_int_distribution<size_t>(0, bound - 1)(random_);
  }

  std::string Mutate(std::string text, const std::vector<std::string>& others) {
    for (size_t edits = 1 + Below(8); edits > 0; --edits) {
      const size_t at = Below(text.size() + 1);
      switch (Below(7)) {
        case 0:
          text.insert(at, kPieces[Below(kPieces.size())]);
          break;
        case 1:
          text.erase(at, Below(40));
          break;
        case 2:
          text.insert(at, text.substr(Below(text.size() + 1), Below(400)));
          break;
        case 3:
          if (at < text.size()) text[at] = static_cast<char>(Below(256));
          break;
        case 4: {
          const std::string& other = others[Below(others.size())];
          text.replace(at, Below(200), other.substr(Below(other.size() + 1), Below(1000)));
          break;
        }
        case 5:
          text.resize(at);
          break;
        default:
          std::swap_ranges(text.begin(), text.begin() + static_cast<long>(text.size() / 4),
                           text.begin() + static_cast<long>(text.size() / 2));
      }
      if (text.empty()) text = "x";
    }
    return text;
  }

 private:
  std::mt19937_64 random_{20240501};
};

std::vector<std::string> Samples() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator("tests/testdata/mail")) {
    if (entry.path().extension() == ".eml") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> samples;
  for (const auto& path : paths) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    samples.push_back(out.str());
  }
  return samples;
}

}  // namespace
}  // namespace rebound

int main(int argc, char** argv) {
  using namespace rebound;
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 1000;
  const std::vector<std::string> samples = Samples();
  if (samples.empty()) {
    std::fprintf(stderr, "no samples: run it from the project's root\n");
    return 1;
  }
  Mutator mutator;
  for (int round = 0; round < rounds; ++round) {
    CheckMessage(mutator.Mutate(samples[mutator.Below(samples.size())], samples));
    for (size_t i = 0; i < kLines.size(); ++i) {
      CheckLine(static_cast<MailLogFormat>(i + 1), mutator.Mutate(kLines[i], kLines));
    }
  }
  std::printf("%d messages and %zu lines, nothing found\n", rounds,
              static_cast<size_t>(rounds) * kLines.size());
  return 0;
}
