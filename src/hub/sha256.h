// SHA-256 under the names that this module uses.
#pragma once

#include "os/sha256.h"

namespace puna::hub {

using os::hash_file;
using os::parse_sha256;
using os::Sha256;
using os::sha256_of;

}  // namespace puna::hub
