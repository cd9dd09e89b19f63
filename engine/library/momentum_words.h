// What Momentum's bounce codes mean, in a sentence: the third result of msys.bounce's functions.
// Static, Immutable.
#pragma once

namespace rebound {

// Ends in NUL. Of a custom class, or what is no code, a sentence that says so.
const char* MomentumDescription(int code);

}  // namespace rebound
