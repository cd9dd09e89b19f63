#include "engine/mail/human_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/text.h"

namespace rebound {
namespace {

// Lines that say that the original message follows; lower case, anywhere in a line that is no more
// than these words and its rule of dashes.
constexpr std::array<std::string_view, 26> kOriginalFollows = {
    "below this line is a copy of the message",
    "this is a copy of the message",
    "this is a copy of your message",
    "this is the copy of the original message",
    "the header of the original message is following",
    "the header of the original message",
    "original message header",
    "original message follows",
    "original message",
    "returned message",
    "unsent message follows",
    "unsent message below",
    "message header follows",
    "message header",
    "message headers follow",
    "enclosed is the original message",
    "enclosed is a copy of the message",
    "enclosed is the original message headers",
    "your original message is included below",
    "the original message was received and is attached",
    "undelivered message follows",
    "returned mail follows",
    "copy of your message follows",
    "original message headers",
    "ursprüngliche nachricht",
    "message d'origine",
};

bool EndsWords(std::string_view line) {
  static constexpr std::array<std::string_view, 4> kHeaders = {
      "Received: from ", "Return-Path: <", "Return-path: <", "DKIM-Signature: "};
  for (const std::string_view header : kHeaders) {
    if (line.starts_with(header)) return true;
  }
  if (line.size() > 120) return false;
  const std::string lower = AsciiLower(line);
  const size_t begin = lower.find_first_not_of(" -=*_>\t");
  const size_t end = lower.find_last_not_of(" -=*_.:\t");
  if (begin == std::string::npos || end < begin) return false;
  const bool ruled = lower.find("--") != std::string::npos || lower.find("==") != std::string::npos;
  const std::string_view words = std::string_view(lower).substr(begin, end + 1 - begin);
  for (const std::string_view follows : kOriginalFollows) {
    if (ruled ? words.starts_with(follows) : words == follows) return true;
  }
  return false;
}

bool IsBlank(std::string_view text) { return Trim(text).empty(); }

const MimePart* FindPart(const MimeMessage& message, std::string_view type, bool attachments) {
  for (const MimePart& part : message.parts) {
    if (part.type == type && part.attachment == attachments && !IsBlank(part.body)) return &part;
  }
  return nullptr;
}

void AppendEntity(std::string_view name, std::string* out) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kNamed = {
      {{"lt", "<"},
       {"gt", ">"},
       {"amp", "&"},
       {"quot", "\""},
       {"apos", "'"},
       {"nbsp", " "},
       {"copy", "©"},
       {"shy", ""}}};
  for (const auto& [entity, text] : kNamed) {
    if (name == entity) {
      *out += text;
      return;
    }
  }
  if (name.size() > 1 && name[0] == '#') {
    const bool hex = name[1] == 'x' || name[1] == 'X';
    const std::string_view digits = name.substr(hex ? 2 : 1);
    uint32_t code = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), code, hex ? 16 : 10);
    const bool good = error == std::errc() && end == digits.data() + digits.size();
    if (good && code >= 0x20 && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF)) {
      AppendUtf8(static_cast<char32_t>(code), out);
      return;
    }
  }
  *out += '&';
  *out += name;
  *out += ';';
}

bool PartsLines(std::string_view tag) {
  static constexpr std::array<std::string_view, 20> kBlocks = {
      "br", "p",  "div", "tr",    "li",    "table", "h1",         "h2",     "h3", "h4",
      "hr", "ul", "ol",  "title", "tbody", "pre",   "blockquote", "center", "dd", "dt"};
  return std::find(kBlocks.begin(), kBlocks.end(), tag) != kBlocks.end();
}

// The name of the tag at html[at] == '<': "br", "/p"; empty where it is no tag.
std::string TagName(std::string_view html, size_t at) {
  size_t end = at + 1;
  if (end < html.size() && html[end] == '/') ++end;
  const size_t begin = end;
  while (end < html.size() && end - begin < 12 &&
         ((html[end] >= 'a' && html[end] <= 'z') || (html[end] >= 'A' && html[end] <= 'Z') ||
          (end > begin && html[end] >= '0' && html[end] <= '9'))) {
    ++end;
  }
  return AsciiLower(html.substr(begin, end - begin));
}

// "<user@example.com>" in careless HTML is text.
bool HoldsAddress(std::string_view tag) {
  const size_t stop = tag.find_first_of("@ =\"/>\n");
  return stop != std::string_view::npos && tag[stop] == '@';
}

void AppendBlank(std::string* out) {
  if (!out->empty() && out->back() != ' ' && out->back() != '\n') *out += ' ';
}

}  // namespace

std::string LowerOf(std::string_view text) {
  std::string out = AsciiLower(text);
  const bool ascii = std::all_of(out.begin(), out.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return ascii ? out : LowerUtf8(text);
}

std::string TextOfHtml(std::string_view html) {
  std::string out;
  std::string skipped;  // the element whose content is no text
  for (size_t i = 0; i < html.size();) {
    const char c = html[i];
    if (c == '<') {
      const bool comment = html.substr(i, 4) == "<!--";
      const std::string tag = comment ? "" : TagName(html, i);
      const bool closing = html.substr(i, 2) == "</";
      const bool is_tag = comment || !tag.empty() || html.substr(i, 2) == "<!";
      if (is_tag && !HoldsAddress(html.substr(i + 1, 128))) {
        const size_t end = html.find(comment ? "-->" : ">", i);
        if (end == std::string_view::npos) break;
        if (skipped.empty() && (tag == "style" || tag == "script") && !closing) skipped = tag;
        if (closing && tag == skipped) skipped.clear();
        if (PartsLines(tag)) out += '\n';
        if (tag == "td" || tag == "th") AppendBlank(&out);
        i = end + (comment ? 3 : 1);
        continue;
      }
    }
    ++i;
    if (!skipped.empty()) continue;
    if (c == '&') {
      const size_t end = html.substr(i, 12).find(';');
      if (end != std::string_view::npos) {
        AppendEntity(html.substr(i, end), &out);
        i += end + 1;
        continue;
      }
    }
    if (c == '\n' || c == '\t' || c == ' ') {
      AppendBlank(&out);
    } else {
      out += c;
    }
  }
  return RepairUtf8(out);
}

void ReadHumanText(const MimeMessage& message, HumanText* out) {
  const MimePart* part = FindPart(message, "text/plain", false);
  bool html = false;
  for (const bool attachments : {false, true}) {
    if (part == nullptr && (part = FindPart(message, "text/html", attachments)) != nullptr) {
      html = true;
    }
    if (part == nullptr) part = FindPart(message, "text/plain", true);
  }
  if (part == nullptr) return;
  out->text = html ? TextOfHtml(part->body) : part->body;
  std::string_view rest = out->text;
  bool words = false;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    if (words && EndsWords(line)) {
      out->original = rest;
      return;
    }
    words = words || !IsBlank(line);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    out->lines.push_back(line);
  }
}

}  // namespace rebound
