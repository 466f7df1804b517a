// Long work: downloads, imports, later conversions and training. One state machine for all.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace puna::wire {

enum class JobState { queued, running, paused, completed, failed, cancelled, interrupted };
BOOST_DESCRIBE_ENUM(JobState, queued, running, paused, completed, failed, cancelled, interrupted)

[[nodiscard]] constexpr bool is_terminal(JobState state) {
  return state == JobState::completed || state == JobState::failed || state == JobState::cancelled;
}

// One file of a job that moves several; the ones on their way, a bounded number.
struct JobFile {
  std::string name;
  std::string state;  // "waiting", "running", "verifying", "complete"
  std::int64_t done = 0;
  std::optional<std::int64_t> total;  // absent while unknown
};
BOOST_DESCRIBE_STRUCT(JobFile, (), (name, state, done, total))

struct JobProgress {
  std::int64_t done = 0;
  std::optional<std::int64_t> total;  // absent while unknown
  std::string unit;                   // "bytes", "files", "steps"
  std::string phase;                  // "downloading", "verifying"
  std::optional<double> per_second;   // units
  std::optional<std::int64_t> eta_seconds;
  std::optional<std::string> note;          // for people: why it waits
  std::optional<std::int64_t> connections;  // of a transfer, bringing bytes
  std::optional<std::int64_t> files_done;   // of a job that moves files
  std::optional<std::int64_t> files_total;
  std::optional<std::vector<JobFile>> files;
};
BOOST_DESCRIBE_STRUCT(JobProgress, (),
                      (done, total, unit, phase, per_second, eta_seconds, note, connections, files_done, files_total, files))

struct JobFailure {
  std::string code;  // a name from base/error.h
  std::string message;
};
BOOST_DESCRIBE_STRUCT(JobFailure, (), (code, message))

struct Job {
  std::string id;
  std::string kind;   // "pull"
  std::string title;  // for people: "pull smollm2:135m"
  JobState state = JobState::queued;
  JobProgress progress;
  json::value request;                // what was asked, without secrets
  std::optional<json::value> result;  // of a completed job
  std::optional<JobFailure> failure;  // of a failed one; of a paused one: why it paused by itself
  std::int64_t attempt = 0;
  std::string created_at;  // RFC 3339
  std::string updated_at;
};
BOOST_DESCRIBE_STRUCT(Job, (), (id, kind, title, state, progress, request, result, failure, attempt, created_at, updated_at))

struct JobList {
  std::vector<Job> jobs;
};
BOOST_DESCRIBE_STRUCT(JobList, (), (jobs))

}  // namespace puna::wire
