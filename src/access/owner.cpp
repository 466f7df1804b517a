#include "access/owner.h"

#include <fmt/format.h>

namespace puna::access {

Result<> require_owner(const Caller& caller, std::string_view what) {
  if (caller.kind != CallerKind::address) return require_scope(caller, wire::Scope::admin);
  return fail(Code::permission_denied,
              fmt::format("{}: a program that comes over TCP needs an API key with the scope admin for that, also on this machine; the "
                          "command line and the Unix socket need none",
                          what));
}

}  // namespace puna::access
