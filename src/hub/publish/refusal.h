// What a server's refusal to take something means.
#pragma once

#include <string_view>

#include "base/error.h"
#include "net/http_client.h"

namespace puna::hub::publish {

[[nodiscard]] bool is_success(const net::HttpResponse& response);
// `what` was asked for ("the commit to owner/repo"); `host` names who refuses. Quotes what it says.
[[nodiscard]] Error refusal_of(std::string_view what, std::string_view host, const net::HttpResponse& response);

}  // namespace puna::hub::publish
