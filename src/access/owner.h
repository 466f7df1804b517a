// What takes more than a scope.
#pragma once

#include <string_view>

#include "access/caller.h"

namespace puna::access {

// For what could make this user's account, or the keys to it, a stranger's: the user of the Unix socket, or a key with the scope admin.
// On loopback without a key comes any program of the machine, of any user: Code::permission_denied says how it is done instead.
[[nodiscard]] Result<> require_owner(const Caller& caller, std::string_view what);

}  // namespace puna::access
