#include "api/routes/groups.h"
#include "wire/job.h"

namespace puna::api {
namespace {

net::Task<Result<>> list_jobs(Call& call) {
  auto& queue = call.workbench().jobs();
  auto jobs = co_await call.blocking([&] { return queue.list(); });
  co_return co_await call.reply(wire::JobList{std::move(jobs)});
}

// Looks at, or acts on, one job; answers with its new state.
template <class Act>
net::Task<Result<>> act(Call& call, Act method) {
  auto& queue = call.workbench().jobs();
  PUNA_CO_TRY(auto job, co_await call.blocking([&] { return (queue.*method)(call.path_parameter("id")); }));
  co_return co_await call.reply(std::move(job));
}

net::Task<Result<>> show_job(Call& call) {
  return act(call, &jobs::Queue::get);
}
net::Task<Result<>> cancel_job(Call& call) {
  return act(call, &jobs::Queue::cancel);
}
net::Task<Result<>> pause_job(Call& call) {
  return act(call, &jobs::Queue::pause);
}
net::Task<Result<>> resume_job(Call& call) {
  return act(call, &jobs::Queue::resume);
}

}  // namespace

std::span<const Route> job_routes() {
  static const std::vector<Route> routes = {
      {.method = "GET",
       .path = "/api/v1/jobs",
       .operation = "listJobs",
       .summary = "running, waiting and remembered jobs, newest first",
       .handle = list_jobs,
       .scope = wire::Scope::read,
       .response_schema = schema_of<wire::JobList>},
      {.method = "GET",
       .path = "/api/v1/jobs/{id}",
       .operation = "showJob",
       .summary = "one job",
       .handle = show_job,
       .scope = wire::Scope::read,
       .response_schema = schema_of<wire::Job>},
      {.method = "POST",
       .path = "/api/v1/jobs/{id}/cancel",
       .operation = "cancelJob",
       .summary = "end a job and drop what it has not finished",
       .handle = cancel_job,
       .scope = wire::Scope::manage,
       .response_schema = schema_of<wire::Job>},
      {.method = "POST",
       .path = "/api/v1/jobs/{id}/pause",
       .operation = "pauseJob",
       .summary = "halt a job, keeping its progress; it stays halted over restarts",
       .handle = pause_job,
       .scope = wire::Scope::manage,
       .response_schema = schema_of<wire::Job>},
      {.method = "POST",
       .path = "/api/v1/jobs/{id}/resume",
       .operation = "resumeJob",
       .summary = "go on with a paused or failed job",
       .handle = resume_job,
       .scope = wire::Scope::manage,
       .response_schema = schema_of<wire::Job>},
  };
  return routes;
}

}  // namespace puna::api
