// Who makes a request.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "net/http_server.h"
#include "wire/access.h"

namespace puna::access {

enum class CallerKind { local, address, key };

struct Caller {
  CallerKind kind = CallerKind::address;
  std::string id;                   // of the key; "local" for this user at the Unix socket; "addr:192.0.2.7" for TCP without a key
  std::string name;                 // for eyes
  std::vector<wire::Scope> scopes;  // as given, without those that they include
  double weight = 1;                // share of a model beside others
  wire::Priority priority = wire::Priority::normal;
  std::shared_ptr<const wire::KeyRequest> terms = nullptr;  // of the key; null without one

  [[nodiscard]] bool may(wire::Scope scope) const;
};

// Of a request that carries no key.
[[nodiscard]] Caller caller_without_key(const net::Peer& peer);

// Code::permission_denied names the scope.
[[nodiscard]] Result<> require_scope(const Caller& caller, wire::Scope scope);

}  // namespace puna::access
