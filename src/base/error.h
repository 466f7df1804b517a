// One way to fail: Result<T>, carrying an Error whose Code alone decides what callers do.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace puna {

enum class Code : std::uint8_t {
  invalid_argument,   // the request is malformed or out of bounds
  unsupported,        // understood, but this build or this model cannot do it
  not_found,          // the named thing does not exist
  already_exists,     // the name is taken
  conflict,           // the thing is in a state that does not allow this
  unauthenticated,    // no credentials, or wrong ones
  permission_denied,  // credentials are fine, the act is not allowed
  too_large,          // a stated limit is exceeded
  overloaded,         // a bounded queue or rate is full: try again later
  unavailable,        // a needed service cannot be reached, or is going away
  deadline_exceeded,  // a stated time ran out
  cancelled,          // somebody asked for the end
  out_of_memory,      // memory does not suffice
  disk_full,          // disk space does not suffice
  corrupt_data,       // stored or received bytes are not what they claim to be
  upstream_failed,    // another server or child process answered with a failure
  internal,           // our own fault
};

// What a code means to the outside. The only table from a code to a status, an API error type or an exit code.
struct CodeTraits {
  Code code;
  std::string_view name;  // "not_found"; stable, part of the API
  int http_status;
  std::string_view openai_type;  // the "type" of OpenAI's error object
  int exit_code;                 // 1 failure, 2 usage, 3 not found, 4 not allowed, 5 unavailable, 130 interrupted
};
[[nodiscard]] const CodeTraits& traits(Code code);
[[nodiscard]] std::string_view to_string(Code code);
[[nodiscard]] std::optional<Code> code_from_name(std::string_view name);
// The code that stands for a foreign server's HTTP status.
[[nodiscard]] Code code_from_http_status(int status);

struct [[nodiscard]] Error {
  Code code = Code::internal;
  std::string message;                                   // lower case; names the thing and the way out
  std::vector<std::string> context;                      // what was being done, innermost first
  std::optional<std::chrono::milliseconds> retry_after;  // when a retry may succeed

  Error() = default;
  Error(Code c, std::string m) : code(c), message(std::move(m)) {}

  // "cannot open library: /x/puna.db: permission denied"
  [[nodiscard]] std::string text() const;
  Error&& within(std::string what) &&;
};

template <class T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(Code code, std::string message) {
  return std::unexpected<Error>(Error(code, std::move(message)));
}
[[nodiscard]] inline std::unexpected<Error> fail(Error error) {
  return std::unexpected<Error>(std::move(error));
}

// An Error for a failed system call: the code follows errno, the message reads "what: reason".
Error errno_error(int error_number, std::string_view what);

}  // namespace puna

#define PUNA_JOIN_(a, b) a##b
#define PUNA_JOIN(a, b) PUNA_JOIN_(a, b)
#define PUNA_TRY_(leave, result, declaration, ...)               \
  auto result = (__VA_ARGS__);                                   \
  if (!result) leave std::unexpected(std::move(result).error()); \
  declaration = std::move(*result)
#define PUNA_CHECK_(leave, ...) \
  if (auto checked_result = (__VA_ARGS__); !checked_result) leave std::unexpected(std::move(checked_result).error())

// PUNA_TRY(auto file, open(path));   declares `file`, or returns the error. The CO_ forms are for coroutines.
#define PUNA_TRY(declaration, ...) PUNA_TRY_(return, PUNA_JOIN(result_, __LINE__), declaration, __VA_ARGS__)
#define PUNA_CO_TRY(declaration, ...) PUNA_TRY_(co_return, PUNA_JOIN(result_, __LINE__), declaration, __VA_ARGS__)
// PUNA_CHECK(write(path));           for a Result whose value is not needed.
#define PUNA_CHECK(...) PUNA_CHECK_(return, __VA_ARGS__)
#define PUNA_CO_CHECK(...) PUNA_CHECK_(co_return, __VA_ARGS__)
