#include "jobs/record.h"

#include "base/secret.h"

namespace puna::jobs {
namespace {

using wire::JobState;

void mask(json::value& in) {
  if (in.is_string()) {
    in = json::encode(redact(std::string_view(in.get_string())));
  } else if (in.is_array()) {
    for (auto& item : in.get_array()) mask(item);
  } else if (in.is_object()) {
    for (auto& field : in.get_object()) mask(field.value());
  }
}

json::value masked(json::value in) {
  mask(in);
  return in;
}

}  // namespace

wire::Job to_wire(const Record& record) {
  wire::Job out;
  out.id = record.id;
  out.kind = record.kind;
  out.title = redact(record.title);
  out.state = record.state;
  if (auto progress = json::decode<wire::JobProgress>(record.progress, json::Unknown::ignore)) out.progress = std::move(*progress);
  out.request = masked(record.request);
  if (record.result) out.result = masked(*record.result);
  if (record.failure)
    if (auto failure = json::decode<wire::JobFailure>(masked(*record.failure), json::Unknown::ignore)) out.failure = std::move(*failure);
  out.attempt = record.attempt;
  out.created_at = format_time(record.created_at);
  out.updated_at = format_time(record.updated_at);
  return out;
}

bool may_follow(JobState from, JobState to) {
  switch (from) {
    case JobState::queued:
      return to == JobState::running || to == JobState::paused || to == JobState::failed || to == JobState::cancelled;
    case JobState::running:
      return to != JobState::running;
    case JobState::paused:
    case JobState::interrupted:
      return to == JobState::queued || to == JobState::failed || to == JobState::cancelled;
    case JobState::completed:
    case JobState::failed:
    case JobState::cancelled:
      return false;
  }
  return false;
}

}  // namespace puna::jobs
