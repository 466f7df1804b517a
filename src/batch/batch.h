// A batch: requests in a file, answered one by one when there is nothing more urgent.
// https://platform.openai.com/docs/api-reference/batch/object
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace puna::batch {

enum class State { validating, failed, in_progress, finalizing, completed, expired, cancelling, cancelled };
BOOST_DESCRIBE_ENUM(State, validating, failed, in_progress, finalizing, completed, expired, cancelling, cancelled)

[[nodiscard]] constexpr bool has_ended(State state) {
  return state == State::failed || state == State::completed || state == State::expired || state == State::cancelled;
}

// Where a batch's requests may go.
inline constexpr std::array<std::string_view, 4> kEndpoints = {"/v1/chat/completions", "/v1/completions", "/v1/embeddings",
                                                               "/v1/responses"};

// Why the input was refused.
struct LineError {
  std::string code;
  std::string message;
  std::optional<std::string> param;
  std::optional<std::int64_t> line;  // from 1
};
BOOST_DESCRIBE_STRUCT(LineError, (), (code, message, param, line))

struct Counts {
  std::int64_t total = 0;
  std::int64_t completed = 0;
  std::int64_t failed = 0;
};
BOOST_DESCRIBE_STRUCT(Counts, (), (total, completed, failed))

struct TokenCounts {
  std::int64_t input = 0;
  std::int64_t output = 0;
};
BOOST_DESCRIBE_STRUCT(TokenCounts, (), (input, output))

// Times are seconds since 1970.
struct Batch {
  std::string id;     // "batch_…"
  std::string owner;  // as a file's
  std::string endpoint;
  std::string input_file;
  std::string completion_window;
  json::object metadata;
  State state = State::validating;
  std::string job;  // that answers it
  std::vector<LineError> errors;
  Counts counts;
  TokenCounts tokens;
  std::string model;  // of its first line
  std::optional<std::string> output_file;
  std::optional<std::string> error_file;
  std::optional<std::int64_t> output_lifetime;  // seconds
  std::int64_t created_at = 0;
  std::int64_t expires_at = 0;
  std::optional<std::int64_t> in_progress_at;
  std::optional<std::int64_t> finalizing_at;
  std::optional<std::int64_t> completed_at;
  std::optional<std::int64_t> failed_at;
  std::optional<std::int64_t> expired_at;
  std::optional<std::int64_t> cancelling_at;
  std::optional<std::int64_t> cancelled_at;
};
BOOST_DESCRIBE_STRUCT(Batch, (),
                      (id, owner, endpoint, input_file, completion_window, metadata, state, job, errors, counts, tokens, model, output_file,
                       error_file, output_lifetime, created_at, expires_at, in_progress_at, finalizing_at, completed_at, failed_at,
                       expired_at, cancelling_at, cancelled_at))

}  // namespace puna::batch
