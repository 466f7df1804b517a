// Every source. To add one: a file here that exports its constant, and its line in registry.cpp.
#pragma once

#include "hub/source.h"

namespace puna::hub {

extern const SourceSpec kFileSource;  // file.cpp
extern const SourceSpec kUrlSource;   // url.cpp

}  // namespace puna::hub
