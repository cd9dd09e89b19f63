#include "tests/support/masking_fixtures.h"

#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace rebound::test {
namespace {

std::vector<std::string> LinesOf(const std::string& name) {
  const char* source = std::getenv("REBOUND_SOURCE");
  const std::filesystem::path root = source == nullptr ? "." : source;
  const std::string file = ReadFile(root / "tests/testdata/masking" / name);
  std::vector<std::string> lines;
  for (const std::string_view line : Split(file, '\n')) {
    if (!line.empty() && line.front() != '#') lines.emplace_back(line);
  }
  return lines;
}

// \n is a line break, \\ a backslash.
std::string Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escapes = text[i] == '\\' && i + 1 < text.size();
    if (escapes && text[i + 1] == 'n') {
      out += '\n';
      ++i;
    } else {
      out += text[i];
      if (escapes && text[i + 1] == '\\') ++i;
    }
  }
  return out;
}

std::vector<std::string> Fragments(std::string_view field) {
  std::vector<std::string> fragments;
  for (const std::string_view each : Split(field, '|')) {
    if (!each.empty()) fragments.emplace_back(each);
  }
  return fragments;
}

std::vector<MaskingFixture> Load(const std::string& name) {
  std::vector<MaskingFixture> fixtures;
  for (const std::string& line : LinesOf(name)) {
    const auto fields = Split(line, '\t');
    if (fields.size() != 3) {
      throw Error(ErrorCode::kInvalidArgument, name + ": a line has not three fields: " + line);
    }
    fixtures.push_back({Unescape(fields[2]), Fragments(fields[0]), Fragments(fields[1])});
  }
  return fixtures;
}

}  // namespace

std::vector<MaskingFixture> LoadPersonalTexts() { return Load("personal.tsv"); }
std::vector<MaskingFixture> LoadPersonalComments() { return Load("comments.tsv"); }

std::vector<std::string> LoadServerTexts() {
  std::vector<std::string> texts;
  for (const std::string& line : LinesOf("servers.tsv")) texts.push_back(Unescape(line));
  return texts;
}

std::string FindFragment(const std::string& text, const std::vector<std::string>& fragments) {
  const std::string lower = LowerUtf8(text);
  for (const std::string& fragment : fragments) {
    if (lower.find(LowerUtf8(fragment)) != std::string::npos) return fragment;
  }
  return "";
}

}  // namespace rebound::test
