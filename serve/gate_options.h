// The options of the gate: keys, rates, pages of other origins, the access log; and the commands
// that make keys.
#pragma once

#include <boost/program_options.hpp>

#include "serve/gate.h"

namespace rebound {

void AddGateOptions(boost::program_options::options_description* options);

// Throws kInvalidArgument naming the option. Reads no file.
GateOptions ReadGateOptions(const boost::program_options::variables_map& values);

// Answers --hash-key (the key is read from standard input, where no list of processes shows it) and
// --make-key: the line for the keys file goes to standard output, a new key to standard error.
// False where neither was asked for. Throws kInvalidArgument.
bool AnswerKeyCommand(const boost::program_options::variables_map& values);

}  // namespace rebound
