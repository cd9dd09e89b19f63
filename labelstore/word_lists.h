// The lists behind server_words.h, which travel inside the library.
#pragma once

#include <string_view>

namespace rebound {

std::string_view ServerWordList();  // server_words.txt
std::string_view GivenNameList();   // given_names.txt

}  // namespace rebound
