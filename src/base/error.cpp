#include "base/error.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace puna {
namespace {

constexpr std::array kTraits = {
    CodeTraits{Code::invalid_argument, "invalid_argument", 400, "invalid_request_error", 2},
    CodeTraits{Code::unsupported, "unsupported", 400, "invalid_request_error", 1},
    CodeTraits{Code::not_found, "not_found", 404, "not_found_error", 3},
    CodeTraits{Code::already_exists, "already_exists", 409, "invalid_request_error", 1},
    CodeTraits{Code::conflict, "conflict", 409, "invalid_request_error", 1},
    CodeTraits{Code::unauthenticated, "unauthenticated", 401, "authentication_error", 4},
    CodeTraits{Code::permission_denied, "permission_denied", 403, "permission_error", 4},
    CodeTraits{Code::too_large, "too_large", 413, "invalid_request_error", 1},
    CodeTraits{Code::overloaded, "overloaded", 429, "rate_limit_error", 5},
    CodeTraits{Code::unavailable, "unavailable", 503, "service_unavailable_error", 5},
    CodeTraits{Code::deadline_exceeded, "deadline_exceeded", 504, "timeout_error", 5},
    CodeTraits{Code::cancelled, "cancelled", 499, "request_cancelled", 130},
    CodeTraits{Code::out_of_memory, "out_of_memory", 507, "insufficient_memory_error", 1},
    CodeTraits{Code::disk_full, "disk_full", 507, "insufficient_storage_error", 1},
    CodeTraits{Code::corrupt_data, "corrupt_data", 422, "invalid_model_error", 1},
    CodeTraits{Code::upstream_failed, "upstream_failed", 502, "api_error", 1},
    CodeTraits{Code::internal, "internal", 500, "server_error", 1},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kTraits.size(); ++i)
    if (static_cast<std::size_t>(kTraits[i].code) != i) return false;
  return kTraits.size() == static_cast<std::size_t>(Code::internal) + 1;
}
static_assert(in_order(), "kTraits is indexed by Code");

Code code_from_errno(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return Code::not_found;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::permission_denied;
    case EEXIST:
      return Code::already_exists;
    case ENOSPC:
    case EDQUOT:
      return Code::disk_full;
    case ENOMEM:
      return Code::out_of_memory;
    case EFBIG:
    case ENAMETOOLONG:
      return Code::too_large;
    case EINVAL:
    case EISDIR:
      return Code::invalid_argument;
    case ETIMEDOUT:
      return Code::deadline_exceeded;
    case ECANCELED:
      return Code::cancelled;
    case EADDRINUSE:
    case EBUSY:
      return Code::conflict;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EMFILE:
    case ENFILE:
      return Code::unavailable;
    default:
      return Code::internal;
  }
}

}  // namespace

const CodeTraits& traits(Code code) {
  return kTraits[static_cast<std::size_t>(code)];
}

std::string_view to_string(Code code) {
  return traits(code).name;
}

std::optional<Code> code_from_name(std::string_view name) {
  for (const auto& row : kTraits)
    if (row.name == name) return row.code;
  return std::nullopt;
}

Code code_from_http_status(int status) {
  for (const auto& row : kTraits)
    if (row.http_status == status) return row.code;
  if (status == 408) return Code::deadline_exceeded;
  return status >= 500 ? Code::upstream_failed : Code::invalid_argument;
}

std::string Error::text() const {
  std::string out;
  for (auto it = context.rbegin(); it != context.rend(); ++it) out += *it + ": ";
  return out + message;
}

Error&& Error::within(std::string what) && {
  context.push_back(std::move(what));
  return std::move(*this);
}

Error errno_error(int error_number, std::string_view what) {
  return {code_from_errno(error_number), fmt::format("{}: {}", what, std::generic_category().message(error_number))};
}

}  // namespace puna
