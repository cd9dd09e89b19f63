// The words that mail servers put around the answer of another: one function a form.
#pragma once

#include <span>
#include <string_view>

#include "labelstore/noise.h"

namespace rebound {

struct Wrapper {
  std::string_view name;
  int weight;  // relative
  NoiseFunction function;
};
std::span<const Wrapper> Wrappers();

// One of Wrappers(), by weight.
void WrapText(NoiseContext& context, std::string* text);

// "5.1.1" or "550" where the text (or one of its lines) starts with it; empty where it does not.
std::string_view LeadingReplyCode(std::string_view text);
std::string_view LeadingEnhancedCode(std::string_view text);

}  // namespace rebound
