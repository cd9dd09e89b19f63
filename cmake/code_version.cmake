# Writes OUT, the source of base/code_version.h: VERSION and, in a git checkout, the commit that is
# built. A file that would not change is left alone.
cmake_policy(VERSION 3.22)
set(build "")
find_package(Git QUIET)
if(GIT_FOUND AND EXISTS ${SOURCE}/.git)
  # A checkout of another user is no secret: git refuses it only for what its hooks could run.
  set(git ${GIT_EXECUTABLE} -c safe.directory=${SOURCE} -C ${SOURCE})
  execute_process(COMMAND ${git} rev-parse --short=12 HEAD
    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(build "+${commit}")
    execute_process(COMMAND ${git} diff-index --quiet HEAD -- RESULT_VARIABLE changed ERROR_QUIET)
    if(changed)
      string(APPEND build ".changed")
    endif()
  endif()
endif()
file(CONFIGURE OUTPUT ${OUT} @ONLY CONTENT
"#include \"base/code_version.h\"

namespace rebound {

std::string_view CodeVersion() { return \"@VERSION@@build@\"; }

}  // namespace rebound
")
