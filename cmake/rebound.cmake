# What every target of the project shares: language, warnings, sanitizers, where binaries go.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(rebound_flags INTERFACE)
# -Wrestrict is wrong about std::string operator+ in g++ 12 (GCC bug 105651).
target_compile_options(rebound_flags INTERFACE -Wall -Wextra -Wconversion -Werror -Wno-restrict)
target_include_directories(rebound_flags INTERFACE ${PROJECT_SOURCE_DIR})
if(REBOUND_SANITIZE)
  # Global, so that GoogleTest mains and libraries agree.
  add_compile_options(-fsanitize=${REBOUND_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${REBOUND_SANITIZE})
  # g++ 12 sees uninitialised members in <regex> and <functional> where sanitizers keep it from inlining.
  target_compile_options(rebound_flags INTERFACE -Wno-maybe-uninitialized)
  if(REBOUND_SANITIZE MATCHES thread)
    target_compile_options(rebound_flags INTERFACE -Wno-tsan)
  endif()
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(GTest REQUIRED)
find_package(Boost REQUIRED COMPONENTS program_options)

# rebound_library(NAME sources... DEPS targets...): one static library a folder.
function(rebound_library name)
  cmake_parse_arguments(A "" "" "DEPS" ${ARGN})
  add_library(${name} STATIC ${A_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC ${A_DEPS} PRIVATE rebound_flags)
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  rebound_tidy(${name})
endfunction()

# rebound_binary(NAME sources... DEPS targets...): a program in build/<preset>/bin.
function(rebound_binary name)
  cmake_parse_arguments(A "" "" "DEPS" ${ARGN})
  add_executable(${name} ${A_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${A_DEPS} rebound_flags)
  rebound_tidy(${name})
endfunction()

# rebound_test(NAME sources... DEPS targets... [LABEL quick|soak] [TIMEOUT seconds] [ARGS ...] [MAIN]):
# a GoogleTest binary that is one ctest. MAIN: the sources bring their own main.
function(rebound_test name)
  cmake_parse_arguments(A "MAIN" "LABEL;TIMEOUT" "DEPS;ARGS;ENV" ${ARGN})
  if(NOT A_LABEL)
    set(A_LABEL quick)
  endif()
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 300)
  endif()
  add_executable(${name} ${A_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${A_DEPS} GTest::gtest rebound_flags)
  if(NOT A_MAIN)
    target_link_libraries(${name} PRIVATE GTest::gtest_main)
  endif()
  add_test(NAME ${name} COMMAND ${name} ${A_ARGS} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS ${A_LABEL} TIMEOUT ${A_TIMEOUT}
    ENVIRONMENT "REBOUND_SOURCE=${PROJECT_SOURCE_DIR};REBOUND_BIN=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/lsan.supp:print_suppressions=0;TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/tsan.supp;${A_ENV}")
endfunction()

function(rebound_tidy name)
  if(REBOUND_CLANG_TIDY)
    set_target_properties(${name} PROPERTIES CXX_CLANG_TIDY "clang-tidy;--quiet;--extra-arg=-Wno-unknown-warning-option")
  endif()
endfunction()
