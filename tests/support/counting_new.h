// Counts what a program allocates: link test_counting_new, which replaces operator new and delete.
#pragma once

#include <cstddef>

namespace rebound::test {

// Calls of operator new by all threads since the start. Thread-safe.
size_t Allocations();

}  // namespace rebound::test
