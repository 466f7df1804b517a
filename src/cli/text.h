// Values of the API as words in tables and sentences.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/job.h"
#include "wire/model.h"

namespace puna::cli {

// The first 12 digits of a hash, as `docker` and `ollama` show them.
[[nodiscard]] std::string short_id(std::string_view sha256);
[[nodiscard]] std::string size_text(std::int64_t bytes);
// "987", "12.3k", "4.56M".
[[nodiscard]] std::string rounded_count(std::int64_t count);
// The end of a job's ID, which tells it from others.
[[nodiscard]] std::string job_tail(std::string_view id);
// "134.5M", "7.24B".
[[nodiscard]] std::string parameter_text(std::int64_t parameters);
// "loading 45%", "ready", "ready (embed)".
[[nodiscard]] std::string state_text(const wire::RunningModel& model);
// A reason, with its code: of a failed job, and by itself.
[[nodiscard]] Error failure_of(const wire::Job& job);
[[nodiscard]] Error error_of(const wire::JobFailure& failure);

}  // namespace puna::cli
