// What a server's refusal to take something means.
#pragma once

#include <string_view>

#include "base/error.h"
#include "net/http_client.h"

namespace puna::hub::publish {

[[nodiscard]] bool is_success(const net::HttpResponse& response);
// What to do about a refusal of who asks.
struct WaysIn {
  std::string_view unknown = "sign in: an access token with the right to write belongs in hub.token (or HF_TOKEN)";
  std::string_view forbidden = "the account may not write there, or its token was made for reading only";
};
// `what` was asked for ("the commit to owner/repo"); `host` names who refuses. Quotes what it says.
[[nodiscard]] Error refusal_of(std::string_view what, std::string_view host, const net::HttpResponse& response, const WaysIn& ways_in = {});

}  // namespace puna::hub::publish
