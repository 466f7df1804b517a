#include "api/ollama/progress.h"

#include "base/log.h"
#include "net/ndjson.h"

namespace puna::api::ollama {
namespace {

// Lost events are caught up with at this pace; also how often a client that has left is noticed.
constexpr Milliseconds kLookAgain{5'000};

Error failure_of(const wire::Job& job) {
  if (job.state == wire::JobState::cancelled) return {Code::conflict, fmt::format("{} was cancelled", job.title)};
  if (!job.failure) return {Code::internal, fmt::format("{} failed without a reason", job.title)};
  return {code_from_name(job.failure->code).value_or(Code::internal), job.failure->message};
}

// The digest that a line's bar belongs to: Ollama's clients draw one for each.
std::string_view digest_of(const wire::Job& job, const wire::JobFile* file) {
  return file ? std::string_view(file->name) : std::string_view(job.id);
}

json::object bytes_line(Work work, const wire::Job& job) {
  const auto& progress = job.progress;
  const wire::JobFile* file = progress.files && progress.files->size() == 1 ? &progress.files->front() : nullptr;
  const std::string_view verb = work == Work::push ? "pushing" : work == Work::pull ? "pulling" : "reading";
  json::object out{{"status", file ? fmt::format("{} {}", verb, file->name) : fmt::format("{} files", verb)},
                   {"digest", digest_of(job, file)},
                   {"completed", file ? file->done : progress.done}};
  if (const auto total = file ? file->total : progress.total) out["total"] = *total;
  return out;
}

}  // namespace

json::object progress_line(Work work, const wire::Job& job) {
  const auto& progress = job.progress;
  if (job.state == wire::JobState::queued) return {{"status", "waiting for other jobs"}};
  if (progress.note) return {{"status", *progress.note}};
  if (progress.phase == "resolving") return {{"status", work == Work::push ? "retrieving manifest" : "pulling manifest"}};
  if (progress.phase == "verifying") return {{"status", "verifying sha256 digest"}};
  if (progress.phase == "adding") return {{"status", "writing manifest"}};
  if (progress.unit == "bytes") return bytes_line(work, job);
  if (progress.phase.empty()) return {};
  return {{"status", progress.phase}};
}

net::Task<Result<>> ProgressStream::write(json::object line) {
  if (!stream_ || line.empty()) co_return Result<>();
  std::string text = net::ndjson_line(line);
  if (text == last_) co_return Result<>();
  auto& responder = call_.responder();
  if (!responder.started())
    PUNA_CO_CHECK(co_await responder.start(200, {{"Content-Type", "application/x-ndjson"}, {"Cache-Control", "no-cache"}}));
  last_ = std::move(text);
  co_return co_await responder.write(last_);
}

net::Task<Result<>> ProgressStream::say(std::string_view status) {
  return write({{"status", status}});
}

net::Task<Result<>> ProgressStream::show(const wire::Job& job) {
  return write(progress_line(work_, job));
}

net::Task<Result<wire::Job>> ProgressStream::follow(wire::Job job) {
  auto& workbench = call_.workbench();
  net::Notifier published(workbench.io());
  const auto subscription = workbench.events().subscribe([&published] { published.notify(); }, EventBus::Listener::client);
  for (;;) {
    const auto seen = published.epoch();
    PUNA_CO_TRY(job, co_await call_.blocking([&] { return workbench.jobs().get(job.id); }));
    if (job.state == wire::JobState::completed) co_return job;
    if (wire::is_terminal(job.state) || (job.state == wire::JobState::paused && job.failure)) co_return fail(failure_of(job));
    PUNA_CO_CHECK(co_await show(job));
    if (call_.host().phase() == Phase::draining)
      co_return fail(Code::unavailable, "the daemon is stopping; the job goes on when it comes back");
    const auto waited = co_await published.wait(seen, kLookAgain);
    if (!waited && waited.error().code != Code::deadline_exceeded) co_return fail(waited.error());
  }
}

net::Task<Result<>> ProgressStream::succeed() {
  if (!stream_) co_return co_await call_.reply(json::object{{"status", "success"}});
  PUNA_CO_CHECK(co_await say("success"));
  co_return co_await call_.responder().finish();
}

net::Task<Result<>> ProgressStream::fail_with(const Error& error) {
  if (error.code == Code::cancelled || !call_.responder().started()) co_return fail(error);
  log::info("api", "work failed in the middle of its stream", {{"request", call_.request().id}, {"error", error.text()}});
  PUNA_CO_CHECK(co_await call_.responder().write(net::ndjson_line(json::object{{"error", error.message}})));
  co_return co_await call_.responder().finish();
}

}  // namespace puna::api::ollama
