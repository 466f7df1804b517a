// A job as it is stored.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "wire/job.h"

namespace puna::jobs {

struct Record {
  std::string id;
  std::int64_t sequence = 0;  // order of submission
  std::string kind;
  std::string title;
  std::optional<std::string> active_key;  // "pull:sha256-…": unique among the jobs that have not ended
  wire::JobState state = wire::JobState::queued;
  json::value request;
  std::optional<json::value> result;
  std::optional<json::value> failure;  // a wire::JobFailure: of a failed job, or of the last attempt while the next one waits or is paused
  std::optional<json::value> checkpoint;
  json::value progress;  // a wire::JobProgress
  std::int64_t attempt = 0;
  std::int64_t crashes = 0;  // times in a row that the daemon ended without warning while it ran
  WallTime created_at;
  WallTime updated_at;
};
BOOST_DESCRIBE_STRUCT(Record, (),
                      (id, sequence, kind, title, active_key, state, request, result, failure, checkpoint, progress, attempt, crashes,
                       created_at, updated_at))

// Credentials in the request and in messages are masked.
[[nodiscard]] wire::Job to_wire(const Record& record);

// Whether a job may go from one state to another.
[[nodiscard]] bool may_follow(wire::JobState from, wire::JobState to);

}  // namespace puna::jobs
