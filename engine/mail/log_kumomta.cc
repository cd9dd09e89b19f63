// KumoMTA's log: one JSON object a line. Lines are long and most of a line is of no use here, so it
// is skimmed where it stands; base/json.h would build each.
#include <charconv>
#include <cstring>

#include "base/text.h"
#include "engine/mail/log_formats.h"

namespace rebound {
namespace {

constexpr int kDeepest = 64;

// A cursor over one JSON text. Each Read and Skip returns false at what is no JSON.
class Skimmer {
 public:
  Skimmer(std::string_view text, std::string* buffer) : text_(text), buffer_(buffer) {
    buffer_->clear();
    // Decoded strings and one joined text never need more, so views into it stay.
    if (buffer_->capacity() < 2 * text.size() + 64) buffer_->reserve(2 * text.size() + 64);
  }

  bool Take(char c) {
    SkipBlanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  char Peek() {
    SkipBlanks();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool AtEnd() {
    SkipBlanks();
    return at_ == text_.size();
  }

  // Calls `member(key)` for each member of an object; it must take the value.
  template <class Member>
  bool Object(Member member) {
    if (!Take('{')) return false;
    if (Take('}')) return true;
    do {
      std::string_view key;
      if (!RawString(&key) || !Take(':') || !member(key)) return false;
    } while (Take(','));
    return Take('}');
  }

  // A string, decoded; anything else is skipped and `*out` stays.
  bool String(std::string_view* out) {
    if (Peek() != '"') return Skip();
    std::string_view raw;
    return RawString(&raw) && Decode(raw, out);
  }
  // A number as it stands; anything else is skipped and `*out` stays.
  bool Number(std::string_view* out) {
    const char c = Peek();
    const size_t begin = at_;
    if (!Skip()) return false;
    if (c == '-' || (c >= '0' && c <= '9')) *out = text_.substr(begin, at_ - begin);
    return true;
  }

  bool Skip(int depth = 0) {
    const char c = Peek();
    std::string_view raw;
    if (c == '"') return RawString(&raw);
    if (c == '{' || c == '[') {
      if (depth >= kDeepest) return false;
      if (c == '{') {
        return Object([&](std::string_view) { return Skip(depth + 1); });
      }
      ++at_;
      if (Take(']')) return true;
      do {
        if (!Skip(depth + 1)) return false;
      } while (Take(','));
      return Take(']');
    }
    const size_t begin = at_;
    while (at_ < text_.size() && std::strchr(",}] \t\r\n", text_[at_]) == nullptr) ++at_;
    return at_ > begin;
  }

 private:
  void SkipBlanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }

  bool RawString(std::string_view* raw) {
    if (!Take('"')) return false;
    const size_t begin = at_;
    while (true) {
      const size_t quote = text_.find('"', at_);
      if (quote == std::string_view::npos) return false;
      size_t slashes = 0;
      while (quote - slashes > begin && text_[quote - slashes - 1] == '\\') ++slashes;
      at_ = quote + 1;
      if (slashes % 2 == 0) {
        *raw = text_.substr(begin, quote - begin);
        return true;
      }
    }
  }

  static bool Hex(std::string_view digits, char32_t* out) {
    uint32_t value = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    *out = value;
    return digits.size() == 4 && error == std::errc() && end == digits.data() + 4;
  }

  bool Decode(std::string_view raw, std::string_view* out) {
    if (raw.find('\\') == std::string_view::npos) {
      *out = raw;
      return true;
    }
    const size_t first = buffer_->size();
    for (size_t i = 0; i < raw.size(); ++i) {
      if (raw[i] != '\\') {
        *buffer_ += raw[i];
        continue;
      }
      const char escape = ++i < raw.size() ? raw[i] : '\0';
      static constexpr std::string_view kEscapes = "\"\\/bfnrt";
      static constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
      const size_t simple = kEscapes.find(escape);
      if (escape != '\0' && simple != std::string_view::npos) {
        *buffer_ += kValues[simple];
        continue;
      }
      char32_t code = 0;
      if (escape != 'u' || !Hex(raw.substr(i + 1, 4), &code)) return false;
      i += 4;
      char32_t low = 0;
      if (code >= 0xD800 && code < 0xDC00 && raw.substr(i + 1, 2) == "\\u" &&
          Hex(raw.substr(i + 3, 4), &low) && low >= 0xDC00 && low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        i += 6;
      }
      AppendUtf8(code >= 0xD800 && code < 0xE000 ? 0xFFFD : code, buffer_);
    }
    *out = std::string_view(*buffer_).substr(first);
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string* buffer_;
};

struct Response {
  std::string_view code, content;
  std::string_view enhanced[3];
};

bool ReadResponse(Skimmer* json, Response* out) {
  if (json->Peek() != '{') return json->Skip();
  return json->Object([&](std::string_view key) {
    if (key == "code") return json->Number(&out->code);
    if (key == "content") return json->String(&out->content);
    if (key != "enhanced_code" || json->Peek() != '{') return json->Skip();
    return json->Object([&](std::string_view part) {
      if (part == "class") return json->Number(&out->enhanced[0]);
      if (part == "subject") return json->Number(&out->enhanced[1]);
      if (part == "detail") return json->Number(&out->enhanced[2]);
      return json->Skip();
    });
  });
}

// A string, or since batches the first of several.
bool ReadRecipient(Skimmer* json, LogEvent* event) {
  if (json->Peek() != '[') return json->String(&event->recipient);
  json->Take('[');
  if (json->Take(']')) return true;
  if (!json->String(&event->recipient)) return false;
  while (json->Take(',')) {
    if (!json->Skip()) return false;
    ++event->more_recipients;
  }
  return json->Take(']');
}

bool ReadPeer(Skimmer* json, LogEvent* event) {
  if (json->Peek() != '{') return json->Skip();
  std::string_view name;
  std::string_view address;
  const bool good = json->Object([&](std::string_view key) {
    if (key == "name") return json->String(&name);
    if (key == "addr") return json->String(&address);
    return json->Skip();
  });
  event->host = name.empty() ? address : name;
  while (event->host.ends_with('.')) event->host.remove_suffix(1);
  return good;
}

// "550 5.1.1 content": the reply as the server gave it. `*buffer` has the room.
void Join(const Response& response, std::string* buffer, LogEvent* event) {
  const size_t first = buffer->size();
  *buffer += response.code;
  if (!response.enhanced[0].empty()) {
    if (buffer->size() > first) *buffer += ' ';
    const size_t status = buffer->size();
    *buffer += response.enhanced[0];
    *buffer += '.';
    *buffer += response.enhanced[1];
    *buffer += '.';
    *buffer += response.enhanced[2];
    event->dsn = std::string_view(*buffer).substr(status);
  }
  if (!response.content.empty()) {
    if (buffer->size() > first) *buffer += ' ';
    *buffer += response.content;
  }
  event->text = std::string_view(*buffer).substr(first);
}

bool SetOutcome(std::string_view type, LogEvent* event) {
  if (type == "Delivery") {
    event->outcome = LogOutcome::kDelivered;
  } else if (type == "Bounce" || type == "AdminBounce" || type == "Expiration") {
    event->outcome = LogOutcome::kBounced;
  } else if (type == "TransientFailure") {
    event->outcome = LogOutcome::kDeferred;
  } else {
    return false;
  }
  return true;
}

}  // namespace

LineKind ReadKumoMtaLine(std::string_view line, std::string* buffer, LogEvent* event) {
  Skimmer json(line, buffer);
  Response response;
  std::string_view type;
  std::string_view event_time;
  bool other = false;
  const bool good = json.Object([&](std::string_view key) {
    if (key == "type") {
      if (!json.String(&type)) return false;
      other = !SetOutcome(type, event);
      return !other;  // the rest of it need not be read
    }
    if (key == "id") return json.String(&event->queue_id);
    if (key == "recipient") return ReadRecipient(&json, event);
    if (key == "response") return ReadResponse(&json, &response);
    if (key == "peer_address") return ReadPeer(&json, event);
    if (key == "timestamp") return json.Number(&event->time);
    if (key == "event_time") return json.String(&event_time);
    return json.Skip();
  });
  if (other) return LineKind::kOther;
  if (!good || !json.AtEnd() || type.empty() || event->recipient.empty()) {
    return LineKind::kMalformed;
  }
  if (event->time.empty()) event->time = event_time;
  Join(response, buffer, event);
  return LineKind::kEvent;
}

}  // namespace rebound
