#include "batch/batches.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "batch/run.h"

namespace puna::batch {
namespace {

std::int64_t now() {
  return unix_seconds(std::chrono::system_clock::now());
}

}  // namespace

Batches::Batches(net::Io& io, store::Database& database, Files& files, const SettingsStore& settings)
    : io_(io), table_(database), files_(files), settings_(settings) {}

jobs::JobSpec Batches::job_spec() {
  return {.kind = "batch",
          .title = [](const json::value& request) { return fmt::format("batch {}", request.at("batch").as_string().c_str()); },
          .run = [this](jobs::JobContext& context) { return run(context); },
          .resumable = true,
          .retry = {.attempts = 3},
          .background = true};
}

Result<json::value> Batches::run(jobs::JobContext& context) {
  const std::string id(context.request().at("batch").as_string());
  std::stop_source stop;
  {
    const std::lock_guard lock(mutex_);
    running_.insert_or_assign(id, stop);
  }
  const std::stop_callback also_by_the_queue(context.stop(), [&stop] { stop.request_stop(); });
  Run run({.io = io_, .table = table_, .files = files_, .settings = settings_, .answerer = answerer_}, id, context, stop.get_token());
  auto outcome = run.run();
  const std::lock_guard lock(mutex_);
  running_.erase(id);
  return outcome;
}

Result<> Batches::resume(jobs::Queue& queue) {
  PUNA_TRY(auto batches, table_.unfinished());
  for (auto& batch : batches) PUNA_CHECK(with_job(queue, std::move(batch)));
  return {};
}

// A job that somebody cancelled or that failed leaves its batch to be ended by another one.
Result<Batch> Batches::with_job(jobs::Queue& queue, Batch batch) {
  if (has_ended(batch.state)) return batch;
  if (const auto job = queue.get(batch.job); job && !wire::is_terminal(job->state)) return batch;
  // The next job must find what it is for.
  if (const auto job = queue.get(batch.job); job && wire::is_terminal(job->state)) {
    PUNA_TRY(batch, table_.change(batch.id, [&](Batch& changed) -> Result<> {
      if (has_ended(changed.state)) return {};  // by that job, since it was read
      changed.state = State::cancelling;
      changed.cancelling_at = now();
      if (job->failure) changed.errors = {{.code = job->failure->code, .message = job->failure->message}};
      return {};
    }));
    if (has_ended(batch.state)) return batch;
  }
  PUNA_TRY(const auto next, queue.submit("batch", json::object{{"batch", batch.id}}, batch.id));
  return table_.change(batch.id, [&](Batch& changed) -> Result<> {
    changed.job = next.id;
    return {};
  });
}

Result<Batch> Batches::create(jobs::Queue& queue, CreateBatch request) {
  if (std::ranges::find(kEndpoints, request.endpoint) == kEndpoints.end())
    return fail(Code::invalid_argument,
                fmt::format("endpoint: '{}' is not one of {}", printable(request.endpoint), fmt::join(kEndpoints, ", ")));
  const auto window = parse_duration(request.completion_window);
  if (!window || *window <= Milliseconds(0) || *window == kForever)
    return fail(Code::invalid_argument, "completion_window: expected a duration such as \"24h\"");
  const auto file = files_.find(request.owner, request.input_file);
  if (!file) return fail(file.error().code, "input_file_id: " + file.error().message);
  if (file->purpose != "batch")
    return fail(Code::invalid_argument,
                fmt::format("input_file_id: {} was uploaded with purpose '{}', not 'batch'", file->id, file->purpose));
  Batch batch{.id = fmt::format("batch_{}", lower_ascii(new_ulid())),
              .owner = std::move(request.owner),
              .endpoint = std::move(request.endpoint),
              .input_file = file->id,
              .completion_window = std::move(request.completion_window),
              .metadata = std::move(request.metadata),
              .output_lifetime = request.output_lifetime,
              .created_at = now()};
  batch.expires_at = batch.created_at + std::chrono::ceil<std::chrono::seconds>(*window).count();
  PUNA_CHECK(table_.insert(batch));
  auto begun = with_job(queue, batch);
  if (begun) return begun;
  // The queue is full: there is no batch then, rather than one that nobody answers.
  const auto ended = table_.end(batch.id, [&](store::Transaction&, Batch& changed) -> Result<> {
    changed.state = State::failed;
    changed.failed_at = now();
    changed.errors = {{.code = std::string(to_string(begun.error().code)), .message = begun.error().message}};
    return {};
  });
  if (!ended) log::error("batch", "a batch that could not begin is left", {{"batch", batch.id}, {"error", ended.error().text()}});
  return begun;
}

Result<Batch> Batches::find(jobs::Queue& queue, std::string_view owner, std::string_view id) {
  PUNA_TRY(auto batch, table_.find(id, owner));
  return with_job(queue, std::move(batch));
}

Result<Batch> Batches::cancel(jobs::Queue& queue, std::string_view owner, std::string_view id) {
  PUNA_TRY(auto batch, find(queue, owner, id));
  PUNA_TRY(batch, table_.change(id, [](Batch& changed) -> Result<> {
    if (has_ended(changed.state))
      return fail(Code::conflict, fmt::format("batch {} has ended already: it is {}", changed.id, json::enum_name(changed.state)));
    if (changed.state == State::finalizing || changed.state == State::cancelling) return {};
    changed.state = State::cancelling;
    changed.cancelling_at = now();
    return {};
  }));
  const auto job = queue.get(batch.job);
  const bool waits = job && (job->state == wire::JobState::queued || job->state == wire::JobState::paused);
  if (waits && batch.counts.completed + batch.counts.failed == 0) {
    // There is no output to write, so nothing needs to wait for its turn.
    PUNA_TRY(batch, table_.end(batch.id, [](store::Transaction&, Batch& changed) -> Result<> {
      changed.state = State::cancelled;
      changed.cancelled_at = now();
      return {};
    }));
    PUNA_CHECK(queue.cancel(batch.job));
  } else if (waits && job->state == wire::JobState::paused) {
    PUNA_CHECK(queue.resume(batch.job));  // only a running job writes the output
  }
  const std::lock_guard lock(mutex_);
  if (const auto found = running_.find(batch.id); found != running_.end()) found->second.request_stop();
  return batch;
}

Result<> Batches::remove_file(std::string_view owner, std::string_view id) {
  PUNA_TRY(const auto batches, table_.unfinished());
  for (const auto& batch : batches)
    if (batch.input_file == id)
      return fail(Code::conflict, fmt::format("file {} is being read by batch {}; cancel that first", printable(id), batch.id));
  return files_.remove(owner, id);
}

}  // namespace puna::batch
