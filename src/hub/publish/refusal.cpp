#include "hub/publish/refusal.h"

#include <fmt/format.h>

#include "base/text.h"
#include "hub/catalogues/web.h"

namespace puna::hub::publish {
namespace {

Code code_of(int status) {
  switch (status) {
    case 401:
      return Code::unauthenticated;
    case 402:
    case 403:
      return Code::permission_denied;
    case 404:
      return Code::not_found;
    case 409:
    case 412:
      return Code::conflict;
    case 413:
      return Code::too_large;
    case 429:
      return Code::overloaded;
    default:
      return status >= 400 && status < 500 ? Code::invalid_argument : Code::upstream_failed;
  }
}

std::string_view way_out(int status, const WaysIn& ways_in) {
  switch (status) {
    case 401:
      return ways_in.unknown;
    case 402:
      return "the account's storage or plan does not suffice";
    case 403:
      return ways_in.forbidden;
    case 413:
      return "it does not take files as large as that";
    case 429:
      return "it has had too many requests";
    default:
      return "";
  }
}

}  // namespace

bool is_success(const net::HttpResponse& response) {
  return response.status >= 200 && response.status < 300;
}

Error refusal_of(std::string_view what, std::string_view host, const net::HttpResponse& response, const WaysIn& ways_in) {
  const auto words = said(response);
  const auto way = way_out(response.status, ways_in);
  Error out(code_of(response.status), fmt::format("{}: {} refuses ({}){}{}{}{}{}", what, host, response.status, words.empty() ? "" : ": ",
                                                  words, way.empty() ? "" : "; ", way, request_id(response.headers)));
  if (response.status == 429 || response.status == 503) out.retry_after = wanted_wait(response.headers);
  return out;
}

}  // namespace puna::hub::publish
