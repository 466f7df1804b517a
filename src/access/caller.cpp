#include "access/caller.h"

#include <algorithm>

namespace puna::access {
namespace {

using wire::Scope;

bool includes(Scope has, Scope wanted) {
  if (has == wanted || has == Scope::admin) return true;
  if (has == Scope::manage) return wanted == Scope::read || wanted == Scope::metrics;
  return has == Scope::read && wanted == Scope::metrics;
}

}  // namespace

bool Caller::may(Scope scope) const {
  return std::ranges::any_of(scopes, [scope](Scope has) { return includes(has, scope); });
}

Caller caller_without_key(const net::Peer& peer) {
  if (peer.unix_socket) return {.kind = CallerKind::local, .id = "local", .name = "local", .scopes = {Scope::admin}};
  return {.kind = CallerKind::address, .id = "addr:" + peer.address, .name = peer.address, .scopes = {Scope::admin}};
}

Result<> require_scope(const Caller& caller, Scope scope) {
  if (caller.may(scope)) return {};
  return fail(Code::permission_denied,
              fmt::format("{} may not do this: it needs a key with the scope {}", caller.name, json::enum_name(scope)));
}

}  // namespace puna::access
