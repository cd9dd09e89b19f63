// The words of a bounce for people, as lines up to where the original message begins. Pure, linear,
// Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/mail/mime_message.h"

namespace rebound {

struct HumanText {
  std::string text;                     // what `lines` are views into
  std::vector<std::string_view> lines;  // without quotes of the original message
  std::string_view original;            // what stands behind them: headers, a copy

  HumanText() = default;
  HumanText(const HumanText&) = delete;
  HumanText& operator=(const HumanText&) = delete;
};

// The first part of words: text/plain, else text/html without its tags; never an attachment unless
// there is nothing else.
void ReadHumanText(const MimeMessage& message, HumanText* out);

// Lower case in every script.
std::string LowerOf(std::string_view text);

// The words of HTML: block elements part lines, entities are characters, styles and scripts go.
std::string TextOfHtml(std::string_view html);

}  // namespace rebound
