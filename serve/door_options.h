// The options of the door: address, TLS, limits.
#pragma once

#include <boost/program_options.hpp>

#include "serve/door/door.h"

namespace rebound {

void AddDoorOptions(boost::program_options::options_description* options);

// Throws kInvalidArgument naming the option.
DoorOptions ReadDoorOptions(const boost::program_options::variables_map& values);

}  // namespace rebound
