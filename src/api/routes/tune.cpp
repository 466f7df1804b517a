#include "wire/tune.h"
#include "api/routes/groups.h"
#include "evaluate/loss_plot.h"
#include "net/stoppable.h"
#include "os/file.h"
#include "wire/job.h"
#include "wire/tune_reference.h"
#include "wire/tune_schema.h"

namespace puna::api {
namespace {

constexpr std::uint64_t kUsualPreviewRows = 3, kMostPreviewRows = 1'000;

// The body, with every trouble of its settings at once.
Result<wire::TuneRequest> request_of(const Call& call) {
  PUNA_TRY(const auto body, json::parse(call.request().body.empty() ? "{}" : std::string_view(call.request().body)));
  return wire::read_tune_request(body);
}

net::Task<Result<>> list_settings(Call& call) {
  co_return co_await call.reply(wire::tune_reference());
}

net::Task<Result<>> start_run(Call& call) {
  PUNA_CO_TRY(const auto request, request_of(call));
  auto& workbench = call.workbench();
  PUNA_CO_TRY(auto job, co_await call.blocking([&] { return workbench.tuning().submit(workbench.jobs(), request); }));
  co_return co_await call.reply(std::move(job), 202);
}

net::Task<Result<>> estimate_run(Call& call) {
  PUNA_CO_TRY(const auto request, request_of(call));
  auto& tuning = call.workbench().tuning();
  PUNA_CO_TRY(auto estimate, co_await net::on_pool_until_stopped(
                                 call.workbench().io(), [&](const std::stop_token& stop) { return tuning.estimate(request, stop); }));
  co_return co_await call.reply(std::move(estimate));
}

net::Task<Result<>> preview_run(Call& call) {
  PUNA_CO_TRY(const auto request, request_of(call));
  PUNA_CO_TRY(const auto rows, call.number("rows", kUsualPreviewRows, kMostPreviewRows));
  auto& tuning = call.workbench().tuning();
  PUNA_CO_TRY(auto preview, co_await net::on_pool_until_stopped(
                                call.workbench().io(), [&](const std::stop_token& stop) { return tuning.preview(request, rows, stop); }));
  co_return co_await call.reply(std::move(preview));
}

net::Task<Result<>> list_runs(Call& call) {
  auto& workbench = call.workbench();
  PUNA_CO_TRY(auto list, co_await call.blocking([&] { return workbench.tuning().list(workbench.jobs()); }));
  co_return co_await call.reply(std::move(list));
}

net::Task<Result<>> show_run(Call& call) {
  auto& workbench = call.workbench();
  PUNA_CO_TRY(auto run, co_await call.blocking([&] { return workbench.tuning().get(workbench.jobs(), call.path_parameter("name")); }));
  co_return co_await call.reply(std::move(run));
}

net::Task<Result<>> show_metrics(Call& call) {
  PUNA_CO_TRY(const auto from, call.number("from", 0, std::numeric_limits<std::int64_t>::max()));
  auto& tuning = call.workbench().tuning();
  PUNA_CO_TRY(auto metrics,
              co_await call.blocking([&] { return tuning.metrics(call.path_parameter("name"), static_cast<std::int64_t>(from)); }));
  co_return co_await call.reply(std::move(metrics));
}

Result<std::vector<wire::TuneEvent>> all_metrics(training::Tuning& tuning, std::string_view name) {
  std::vector<wire::TuneEvent> out;
  for (std::int64_t from = 0;;) {
    PUNA_TRY(auto metrics, tuning.metrics(name, from));
    if (metrics.events.empty()) return out;
    out.insert(out.end(), std::make_move_iterator(metrics.events.begin()), std::make_move_iterator(metrics.events.end()));
    from = metrics.next;
  }
}

net::Task<Result<>> send_text(Call& call, std::string text, std::string type) {
  co_return co_await call.responder().send({.status = 200, .headers = {{"Content-Type", std::move(type)}}, .body = std::move(text)});
}

net::Task<Result<>> show_plot(Call& call) {
  auto& tuning = call.workbench().tuning();
  PUNA_CO_TRY(auto plot, co_await call.blocking([&]() -> Result<std::string> {
    PUNA_TRY(const auto metrics, all_metrics(tuning, call.path_parameter("name")));
    return evaluate::loss_plot(metrics);
  }));
  co_return co_await send_text(call, std::move(plot), "image/svg+xml");
}

net::Task<Result<>> show_report(Call& call) {
  auto& tuning = call.workbench().tuning();
  PUNA_CO_TRY(auto page, co_await call.blocking([&]() -> Result<std::string> {
    const auto& name = call.path_parameter("name");
    PUNA_TRY(const auto folder, tuning.folder(name));
    auto text = os::read_file(folder / "report.md", mib(64));
    if (!text && text.error().code == Code::not_found)
      return fail(Code::not_found, fmt::format("run '{}' has no report: it has not come to its end", name));
    return text;
  }));
  co_return co_await send_text(call, std::move(page), "text/markdown; charset=utf-8");
}

// Acts on the job that works on a run.
template <class Act>
net::Task<Result<>> act_on_job(Call& call, Act method) {
  auto& workbench = call.workbench();
  PUNA_CO_TRY(auto job, co_await call.blocking([&]() -> Result<wire::Job> {
    PUNA_TRY(const auto run, workbench.tuning().get(workbench.jobs(), call.path_parameter("name")));
    const bool has_ended =
        run.state == wire::JobState::completed || run.state == wire::JobState::failed || run.state == wire::JobState::cancelled;
    if (!run.job || has_ended)
      return fail(Code::conflict, fmt::format("run '{}' is {}; nothing works on it", run.name, json::enum_name(run.state)));
    return (workbench.jobs().*method)(*run.job);
  }));
  co_return co_await call.reply(std::move(job));
}
net::Task<Result<>> pause_run(Call& call) {
  return act_on_job(call, &jobs::Queue::pause);
}
net::Task<Result<>> cancel_run(Call& call) {
  return act_on_job(call, &jobs::Queue::cancel);
}

net::Task<Result<>> resume_run(Call& call) {
  auto& workbench = call.workbench();
  PUNA_CO_TRY(auto job, co_await call.blocking([&] { return workbench.tuning().resume(workbench.jobs(), call.path_parameter("name")); }));
  co_return co_await call.reply(std::move(job), 202);
}

net::Task<Result<>> remove_run(Call& call) {
  auto& workbench = call.workbench();
  const std::string name = call.path_parameter("name");
  PUNA_CO_TRY(const auto freed, co_await call.blocking([&] { return workbench.tuning().remove(workbench.jobs(), name); }));
  co_return co_await call.reply(wire::TuneRemoval{name, static_cast<std::int64_t>(freed.count)});
}

// Looking, before there is a run.
std::vector<Route> asking_routes() {
  return {
      {.method = "GET",
       .path = "/api/v1/tune/settings",
       .operation = "listTuneSettings",
       .summary = "every setting of a run of training: what it does, its range and its default",
       .handle = list_settings,
       .scope = wire::Scope::read,
       .response_schema = schema_of<wire::TuneSettingList>},
      {.method = "POST",
       .path = "/api/v1/tune/preview",
       .operation = "previewTuning",
       .summary = "the first rows as they would be trained, token by token; nothing is trained",
       .handle = preview_run,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::TuneRequest>,
       .response_schema = schema_of<wire::TunePreview>,
       .query = {{"rows", "how many, 3 unless told"}}},
      {.method = "POST",
       .path = "/api/v1/tune/estimate",
       .operation = "estimateTuning",
       .summary = "memory, time and disk that a run would take, by trying a step with its longest rows",
       .handle = estimate_run,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::TuneRequest>,
       .response_schema = schema_of<wire::TuneEstimate>},
  };
}

std::vector<Route> showing_routes() {
  return {
      {.method = "GET",
       .path = "/api/v1/tune/runs",
       .operation = "listTuneRuns",
       .summary = "runs of training, newest first",
       .handle = list_runs,
       .scope = wire::Scope::read,
       .response_schema = schema_of<wire::TuneRunList>},
      {.method = "GET",
       .path = "/api/v1/tune/runs/{name}",
       .operation = "showTuneRun",
       .summary = "one run: how far it is, and what came of it",
       .handle = show_run,
       .scope = wire::Scope::read,
       .response_schema = schema_of<wire::TuneRun>},
      {.method = "GET",
       .path = "/api/v1/tune/runs/{name}/metrics",
       .operation = "showTuneMetrics",
       .summary = "what a run has told: steps, evaluations, samples, notes",
       .handle = show_metrics,
       .scope = wire::Scope::read,
       .response_schema = schema_of<wire::TuneMetrics>,
       .query = {{"from", "the `next` of the answer before; absent: from the beginning"}}},
      {.method = "GET",
       .path = "/api/v1/tune/runs/{name}/plot",
       .operation = "showTunePlot",
       .summary = "the curves of a run's loss so far, as a picture",
       .handle = show_plot,
       .scope = wire::Scope::read,
       .response_type = "image/svg+xml"},
      {.method = "GET",
       .path = "/api/v1/tune/runs/{name}/report",
       .operation = "showTuneReport",
       .summary = "what came of a run, as a page: scores and answers of base and tuned model",
       .handle = show_report,
       .scope = wire::Scope::read,
       .response_type = "text/markdown"},
  };
}

std::vector<Route> steering_routes() {
  return {
      {.method = "POST",
       .path = "/api/v1/tune/runs",
       .operation = "startTuning",
       .summary = "train an adapter for a model of the library, as a job",
       .handle = start_run,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::TuneRequest>,
       .response_schema = schema_of<wire::Job>,
       .success_status = 202},
      {.method = "POST",
       .path = "/api/v1/tune/runs/{name}/pause",
       .operation = "pauseTuning",
       .summary = "let a run rest, over restarts too",
       .handle = pause_run,
       .scope = wire::Scope::manage,
       .response_schema = schema_of<wire::Job>},
      {.method = "POST",
       .path = "/api/v1/tune/runs/{name}/resume",
       .operation = "resumeTuning",
       .summary = "go on from the last checkpoint",
       .handle = resume_run,
       .scope = wire::Scope::manage,
       .response_schema = schema_of<wire::Job>,
       .success_status = 202},
      {.method = "POST",
       .path = "/api/v1/tune/runs/{name}/cancel",
       .operation = "cancelTuning",
       .summary = "end a run; its last checkpoint and its log stay",
       .handle = cancel_run,
       .scope = wire::Scope::manage,
       .response_schema = schema_of<wire::Job>},
      {.method = "DELETE",
       .path = "/api/v1/tune/runs/{name}",
       .operation = "removeTuneRun",
       .summary = "remove a run's folder; its adapter stays in the library",
       .handle = remove_run,
       .scope = wire::Scope::manage,
       .response_schema = schema_of<wire::TuneRemoval>},
  };
}

}  // namespace

std::span<const Route> tune_routes() {
  static const std::vector<Route> routes = [] {
    std::vector<Route> out = asking_routes();
    for (auto& more : {showing_routes(), steering_routes()}) out.insert(out.end(), more.begin(), more.end());
    return out;
  }();
  return routes;
}

}  // namespace puna::api
