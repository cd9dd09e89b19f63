// Every message of tests/testdata/mail says beside it what it must be read as; README.md there
// tells the format. Each is read with LF, CRLF and CR line ends.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/text.h"
#include "engine/mail/message.h"

namespace rebound {
namespace {

using Fields = std::map<std::string, std::string>;

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string WithLineEnds(const std::string& text, std::string_view end) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += end;
    } else {
      out += c;
    }
  }
  return out;
}

std::string OneLine(std::string text) {
  for (size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at)) {
    text.replace(at, 1, "\\n");
  }
  return text;
}

struct Expected {
  Fields message;
  std::vector<Fields> recipients;
};

Expected ReadExpected(const std::filesystem::path& path) {
  Expected expected;
  std::ifstream in(path);
  std::string line;
  while (std::getline(in, line)) {
    if (line.empty() || line[0] == '#') continue;
    const size_t colon = line.find(':');
    EXPECT_NE(colon, std::string::npos) << path << ": " << line;
    const std::string key(Trim(line.substr(0, colon)));
    const std::string value(Trim(line.substr(colon + 1)));
    if (key == "recipient") expected.recipients.emplace_back();
    Fields& fields =
        key == "recipient" || line[0] == ' ' ? expected.recipients.back() : expected.message;
    EXPECT_TRUE(fields.emplace(key, value).second) << path << ": twice " << key;
  }
  return expected;
}

Fields FieldsOf(const BounceReport& report) {
  return {{"kind", std::string(MessageKindName(report.kind))},
          {"reason", report.reason},
          {"agent", report.agent},
          {"reporting_mta", report.reporting_mta},
          {"arrival_date", report.arrival_date},
          {"original_message_id", report.original_message_id},
          {"feedback_type", report.feedback_type},
          {"source_ip", report.source_ip},
          {"truncated", report.truncated ? "yes" : "no"}};
}

Fields FieldsOf(const RecipientReport& recipient) {
  return {{"recipient", recipient.recipient},
          {"original_recipient", recipient.original_recipient},
          {"domain", recipient.domain},
          {"action", recipient.action},
          {"status", recipient.status},
          {"diagnostic_type", recipient.diagnostic_type},
          {"diagnostic", OneLine(recipient.diagnostic)},
          {"remote_mta", recipient.remote_mta},
          {"text", OneLine(recipient.text)},
          {"source", std::string(ReportSourceName(recipient.source))}};
}

// What is told must hold; what is not told may be anything.
void Compare(const Fields& expected, const Fields& found, const std::string& where) {
  for (const auto& [key, value] : expected) {
    const auto at = found.find(key);
    ASSERT_NE(at, found.end()) << where << ": no such key: " << key;
    EXPECT_EQ(at->second, value) << where << ": " << key;
  }
}

std::vector<std::filesystem::path> Samples() {
  const char* root = std::getenv("REBOUND_SOURCE");
  const std::filesystem::path folder =
      std::filesystem::path(root == nullptr ? "." : root) / "tests/testdata/mail";
  std::vector<std::filesystem::path> samples;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".eml") samples.push_back(entry.path());
  }
  std::sort(samples.begin(), samples.end());
  return samples;
}

class MailSamples : public ::testing::TestWithParam<std::string> {};

TEST_P(MailSamples, AreReadAsTheySay) {
  ASSERT_GE(Samples().size(), 60U) << "run from the project's root";
  for (const std::filesystem::path& sample : Samples()) {
    const std::string text = WithLineEnds(ReadAll(sample), GetParam());
    std::filesystem::path beside = sample;
    const Expected expected = ReadExpected(beside.replace_extension(".expect"));
    const BounceReport report = ParseMessage(text);
    const std::string where = sample.stem().string();
    Compare(expected.message, FieldsOf(report), where);
    EXPECT_EQ(report.recipients.size(), expected.recipients.size()) << where;
    for (size_t i = 0; i < std::min(report.recipients.size(), expected.recipients.size()); ++i) {
      Compare(expected.recipients[i], FieldsOf(report.recipients[i]),
              where + " recipient " + std::to_string(i));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(LineEnds, MailSamples, ::testing::Values("\n", "\r\n", "\r"),
                         [](const auto& info) {
                           return info.param == "\n" ? "Lf" : info.param == "\r" ? "Cr" : "CrLf";
                         });

}  // namespace
}  // namespace rebound
