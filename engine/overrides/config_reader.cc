#include "engine/overrides/config_reader.h"

#include "base/error.h"
#include "base/text.h"

namespace rebound {
namespace {

constexpr int kMaxDepth = 32;

bool IsWordByte(char c) {
  return static_cast<unsigned char>(c) > ' ' &&
         std::string_view("=\"'{}[](),#;").find(c) == std::string_view::npos && c != 0x7f;
}

class Reader {
 public:
  Reader(std::string_view text, const std::string& name) : text_(text), name_(name) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
  }

  // Up to `closing`, which is taken; 0: up to the end of the text.
  std::vector<ConfigEntry> Entries(char closing, ConfigPlace opened, int depth) {
    std::vector<ConfigEntry> entries;
    while (true) {
      // Entries stand one after the other, parted by nothing, a comma or a semicolon.
      while (Peek() == ',' || Peek() == ';') Take();
      if (AtEnd()) {
        if (closing == 0) return entries;
        Fail(opened, std::string("this bracket is never closed with '") + closing + "'");
      }
      if (closing != 0 && Peek() == closing) {
        Take();
        return entries;
      }
      entries.push_back(Entry(depth));
    }
  }

 private:
  [[noreturn]] void Fail(ConfigPlace place, const std::string& what) const {
    throw Error(ErrorCode::kInvalidArgument, AtPlace(name_, place, what));
  }

  ConfigEntry Entry(int depth) {
    if (depth > kMaxDepth) Fail(place_, "blocks are nested too deeply");
    Peek();
    ConfigEntry entry;
    entry.place = place_;
    entry.name = Peek() == '"' ? Text() : Word("an option's name");
    if (Peek() == '=') {
      Take();
      entry.value = Value(depth + 1);
      return entry;
    }
    if (!AtEnd() && Peek() != '{') entry.argument = Peek() == '"' ? Text() : Word("'=' or '{'");
    if (Peek() != '{') {
      Fail(place_, "'=' or '{' must follow '" + entry.name + "', not " + Here());
    }
    entry.is_block = true;
    const ConfigPlace opened = place_;
    Take();
    entry.entries = Entries('}', opened, depth + 1);
    return entry;
  }

  ConfigValue Value(int depth) {
    if (depth > kMaxDepth) Fail(place_, "values are nested too deeply");
    const char next = Peek();
    ConfigValue value;
    value.place = place_;
    if (next == '"') {
      value.type = ConfigValue::Type::kText;
      value.text = Text();
    } else if (next == '(') {
      value.type = ConfigValue::Type::kList;
      Take();
      while (Peek() != ')') {
        if (AtEnd()) Fail(value.place, "this bracket is never closed with ')'");
        value.items.push_back(Value(depth + 1));
        if (Peek() == ',') Take();
      }
      Take();
    } else if (next == '[') {
      value.type = ConfigValue::Type::kMap;
      Take();
      value.entries = Entries(']', value.place, depth + 1);
    } else {
      value.text = Word("a value");
    }
    return value;
  }

  std::string Word(const std::string& expected) {
    const size_t begin = at_;
    while (at_ < text_.size() && IsWordByte(text_[at_])) Take();
    if (at_ == begin) Fail(place_, expected + " must stand here, not " + Here());
    return std::string(text_.substr(begin, at_ - begin));
  }

  // In double quotes; lines may end in it; \" and \\ are the byte after the backslash, a backslash
  // before anything else is itself.
  std::string Text() {
    const ConfigPlace opened = place_;
    std::string text;
    Take();
    while (true) {
      if (at_ >= text_.size()) Fail(opened, "this quote is never closed");
      char c = Take();
      if (c == '"') return text;
      if (c == '\\' && at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\\')) c = Take();
      if (c == '\0') Fail(opened, "this text holds a NUL byte");
      text.push_back(c);
    }
  }

  // The next byte that counts, 0 at the end.
  char Peek() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') Take();
      } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        Take();
      } else {
        return c;
      }
    }
    return 0;
  }
  bool AtEnd() { return Peek() == 0 && at_ >= text_.size(); }

  char Take() {
    const char c = text_[at_++];
    if (c == '\n') {
      ++place_.line;
      place_.column = 1;
    } else {
      ++place_.column;
    }
    return c;
  }

  std::string Here() {
    if (AtEnd()) return "the end of the file";
    const auto c = static_cast<unsigned char>(text_[at_]);
    if (c > ' ' && c < 0x7f) return std::string("'") + text_[at_] + "'";
    const CodePoint point = DecodeUtf8(text_.substr(at_));
    if (c >= 0x80 && point.valid) return "'" + std::string(text_.substr(at_, point.bytes)) + "'";
    return "a byte of value " + std::to_string(c) + ": is this a configuration at all?";
  }

  std::string_view text_;
  const std::string& name_;
  size_t at_ = 0;
  ConfigPlace place_{1, 1};
};

}  // namespace

std::string AtPlace(const std::string& name, ConfigPlace place, const std::string& what) {
  return name + ":" + std::to_string(place.line) + ":" + std::to_string(place.column) + ": " + what;
}

std::vector<ConfigEntry> ReadConfig(std::string_view text, const std::string& name) {
  return Reader(text, name).Entries(0, {}, 0);
}

}  // namespace rebound
