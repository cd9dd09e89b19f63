// A message as its header and its readable parts, by GMime, whose types stay in mime_message.cc.
//
// GMime builds what a message says it holds, a piece of memory for each header and part. Before it
// sees the bytes they are cut to what a bounce can need, so hostile ones cost what their size
// costs: see the limits below. Messages within the message are parts, not looked into.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rebound {

struct MimeField {
  std::string name;   // as written
  std::string value;  // unfolded, encoded words decoded, UTF-8
};

struct MimePart {
  std::string type;         // "text/plain", lower case
  bool attachment = false;  // by its Content-Disposition
  std::string body;         // decoded, LF, no NUL; UTF-8 where it is text or a report
};

struct MimeMessage {
  std::vector<MimeField> fields;
  std::string type;             // of the whole: "multipart/report"
  std::string report_type;      // its parameter: "delivery-status"
  std::vector<MimePart> parts;  // those that can be read (text, message), in order
  bool truncated = false;

  // The first field of that name without case; empty where there is none.
  std::string_view Field(std::string_view name) const;
};

inline constexpr size_t kMostFieldBytes =
    64 << 10;  // of one header field: GMime grows its memory by small steps
inline constexpr size_t kMostHeaderFields = 20'000;   // of a message and all its parts
inline constexpr size_t kMostDelimiterLines = 4'000;  // lines that may part two parts
inline constexpr size_t kMostParts = 64;              // readable ones
inline constexpr size_t kMostTextBytes = 256 << 10;   // of a part of words
inline constexpr size_t kMostReportBytes = 4 << 20;   // of a report or an enclosed message

MimeMessage ParseMime(std::string_view bytes);

// "=?utf-8?Q?inconnu_=C3=A0?=" in a field of a report, decoded.
std::string DecodeWords(const std::string& value);

// The header of an enclosed message or of text/rfc822-headers.
std::vector<MimeField> ParseMimeHeader(std::string_view bytes);

}  // namespace rebound
