#include "engine/mail/mime_message.h"

#include <gmime/gmime.h>

#include <algorithm>
#include <memory>
#include <mutex>

#include "base/error.h"
#include "base/text.h"
#include "engine/mail/mime_guard.h"
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

namespace rebound {
namespace {

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <class T>
using Owned = std::unique_ptr<T, Unref>;

// Enclosed messages are leaves for us: GMime would build them too, with their addresses, and its
// parser of addresses recurses as deep as the text wants.
void Start() {
  static std::once_flag once;
  std::call_once(once, [] {
#if defined(__SANITIZE_ADDRESS__)
    __lsan_disable();  // GMime drops the types that it had registered
#endif
    g_mime_init();
    for (const char* subtype : {"rfc822", "rfc2822", "global", "news", "global-headers", "*"}) {
      g_mime_object_register_type("message", subtype, g_mime_part_get_type());
    }
#if defined(__SANITIZE_ADDRESS__)
    __lsan_enable();
#endif
  });
}

std::string TextOf(const char* value) { return value == nullptr ? "" : RepairUtf8(value); }

Owned<GMimeObject> Construct(std::string_view bytes) {
  Start();
  // The stream owns the array; the array a copy that the guard has made.
  GByteArray* array = g_byte_array_sized_new(static_cast<guint>(bytes.size()));
  g_byte_array_append(array, reinterpret_cast<const guint8*>(bytes.data()),
                      static_cast<guint>(bytes.size()));
  const Owned<GMimeStream> stream(g_mime_stream_mem_new_with_byte_array(array));
  g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream.get()), TRUE);
  const Owned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  g_mime_parser_set_persist_stream(parser.get(), TRUE);
  return Owned<GMimeObject>(g_mime_parser_construct_part(parser.get(), nullptr));
}

std::vector<MimeField> FieldsOf(GMimeObject* object) {
  std::vector<MimeField> fields;
  GMimeHeaderList* list = g_mime_object_get_header_list(object);
  const int count = g_mime_header_list_get_count(list);
  for (int i = 0; i < count; ++i) {
    GMimeHeader* header = g_mime_header_list_get_header_at(list, i);
    const char* value = g_mime_header_get_value(header);
    fields.push_back({TextOf(g_mime_header_get_name(header)), std::string(Trim(TextOf(value)))});
  }
  return fields;
}

std::string TypeOf(GMimeContentType* type) {
  const char* main = g_mime_content_type_get_media_type(type);
  const char* sub = g_mime_content_type_get_media_subtype(type);
  return AsciiLower(TextOf(main) + "/" + TextOf(sub));
}

// At most `most` decoded bytes of a part.
std::string Decoded(GMimePart* part, size_t most, bool* truncated) {
  std::string out;
  GMimeDataWrapper* content = g_mime_part_get_content(part);
  if (content == nullptr) return out;
  GMimeStream* stream = g_mime_data_wrapper_get_stream(content);
  if (stream == nullptr) return out;
  g_mime_stream_reset(stream);
  const Owned<GMimeStream> filtered(g_mime_stream_filter_new(stream));
  const GMimeContentEncoding encoding = g_mime_data_wrapper_get_encoding(content);
  if (encoding == GMIME_CONTENT_ENCODING_BASE64 ||
      encoding == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE ||
      encoding == GMIME_CONTENT_ENCODING_UUENCODE) {
    const Owned<GMimeFilter> decoder(g_mime_filter_basic_new(encoding, FALSE));
    g_mime_stream_filter_add(GMIME_STREAM_FILTER(filtered.get()), decoder.get());
  }
  char buffer[16384];
  while (out.size() <= most) {
    const ssize_t got = g_mime_stream_read(filtered.get(), buffer, sizeof buffer);
    if (got <= 0) break;
    out.append(buffer, static_cast<size_t>(got));
  }
  if (out.size() > most) {
    out.resize(most);
    *truncated = true;
  }
  return out;
}

bool IsOneByteCharset(const std::string& charset) {
  return charset.empty() || charset == "us-ascii" || charset == "ascii" ||
         charset.starts_with("utf-8") || charset.starts_with("iso-8859") ||
         charset.starts_with("windows-125") || charset.starts_with("unknown");
}

// A charset is what its sender hopes: text that is UTF-8 is read so, whatever it calls itself.
std::string ToUtf8(const std::string& text, std::string charset) {
  charset = AsciiLower(charset);
  const bool plain = IsOneByteCharset(charset);
  if (plain && IsValidUtf8(text)) return text;
  if (charset.empty() || charset.ends_with("ascii") || charset.starts_with("unknown")) {
    charset = "windows-1252";
  }
  if (charset.starts_with("utf-8")) return RepairUtf8(text);
  const Owned<GMimeFilter> filter(g_mime_filter_charset_new(charset.c_str(), "UTF-8"));
  if (filter == nullptr) return RepairUtf8(text);
  char* out = nullptr;
  size_t size = 0;
  size_t space = 0;
  // The filter wants a copy that it may write before.
  std::string copy = text;
  g_mime_filter_complete(filter.get(), copy.data(), copy.size(), 0, &out, &size, &space);
  return RepairUtf8(std::string_view(out, size));
}

void Clean(std::string* text) {
  size_t to = 0;
  for (size_t i = 0; i < text->size(); ++i) {
    const char c = (*text)[i];
    if (c == '\r' && i + 1 < text->size() && (*text)[i + 1] == '\n') continue;
    (*text)[to++] = c == '\r' ? '\n' : c == '\0' ? ' ' : c;
  }
  text->resize(to);
}

void Read(GMimeObject* object, MimeMessage* message) {
  if (!GMIME_IS_PART(object)) return;
  GMimeContentType* content_type = g_mime_object_get_content_type(object);
  MimePart part;
  part.type = TypeOf(content_type);
  const bool text = part.type.starts_with("text/");
  if (!text && !part.type.starts_with("message/")) return;
  if (message->parts.size() >= kMostParts) {
    message->truncated = true;
    return;
  }
  const char* disposition = g_mime_object_get_disposition(object);
  part.attachment = AsciiLower(TextOf(disposition)) == "attachment";
  // An enclosed message that is cut is nothing unusual: its header is what is asked for.
  bool cut = false;
  part.body = Decoded(GMIME_PART(object), text ? kMostTextBytes : kMostReportBytes, &cut);
  if (part.type != "message/rfc822") {
    const char* charset = g_mime_content_type_get_parameter(content_type, "charset");
    part.body = ToUtf8(part.body, TextOf(charset));
    message->truncated = message->truncated || cut;
  }
  Clean(&part.body);
  message->parts.push_back(std::move(part));
}

// REQUIRES: what the guard let through, so the depth is bounded by GMime's own limit.
void Walk(GMimeObject* object, MimeMessage* message) {
  if (!GMIME_IS_MULTIPART(object)) return Read(object, message);
  GMimeMultipart* multipart = GMIME_MULTIPART(object);
  const int count = g_mime_multipart_get_count(multipart);
  for (int i = 0; i < count; ++i) Walk(g_mime_multipart_get_part(multipart, i), message);
}

}  // namespace

std::string_view MimeMessage::Field(std::string_view name) const {
  const std::string wanted = AsciiLower(name);
  for (const MimeField& field : fields) {
    if (field.name.size() == wanted.size() && AsciiLower(field.name) == wanted) return field.value;
  }
  return {};
}

MimeMessage ParseMime(std::string_view bytes) {
  const GuardedBytes guarded =
      GuardMime(bytes, {kMostFieldBytes, kMostHeaderFields, kMostDelimiterLines});
  MimeMessage message;
  message.truncated = guarded.truncated;
  Owned<GMimeObject> object;
  if (guarded.has_header) object = Construct(guarded.bytes);
  if (object == nullptr) {
    message.type = "text/plain";
    message.truncated = guarded.truncated || guarded.bytes.size() > kMostTextBytes;
    message.parts.push_back(
        {"text/plain", false, ToUtf8(guarded.bytes.substr(0, kMostTextBytes), "")});
    Clean(&message.parts.back().body);
    return message;
  }
  message.fields = FieldsOf(object.get());
  GMimeContentType* type = g_mime_object_get_content_type(object.get());
  message.type = TypeOf(type);
  message.report_type = AsciiLower(TextOf(g_mime_content_type_get_parameter(type, "report-type")));
  Walk(object.get(), &message);
  return message;
}

std::string DecodeWords(const std::string& value) {
  if (value.find("=?") == std::string::npos) return value;
  Start();
  char* decoded = g_mime_utils_header_decode_text(nullptr, value.c_str());
  std::string out = TextOf(decoded);
  g_free(decoded);
  return out;
}

std::vector<MimeField> ParseMimeHeader(std::string_view bytes) {
  const size_t body = bytes.find("\n\n");
  std::string header(bytes.substr(0, std::min(body, kMostTextBytes)));
  header += "\n\n";
  const GuardedBytes guarded = GuardMime(header, {kMostFieldBytes, kMostHeaderFields, 0});
  if (!guarded.has_header) return {};
  const Owned<GMimeObject> object = Construct(guarded.bytes);
  return object == nullptr ? std::vector<MimeField>() : FieldsOf(object.get());
}

}  // namespace rebound
