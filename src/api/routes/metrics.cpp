#include <unistd.h>

#include "api/routes/groups.h"
#include "api/samples.h"
#include "base/version.h"
#include "metrics/text_page.h"
#include "net/sse.h"
#include "os/usage.h"

namespace puna::api {
namespace {

using metrics::Kind;
using metrics::TextPage;

void write_process(TextPage& page, const os::ProcessUsage& used, Call& call) {
  page.family("puna_build_info", Kind::gauge, "Versions, as labels.");
  page.sample({{"version", version()}, {"llama_cpp", llama_cpp_version()}}, 1);
  page.family("process_resident_memory_bytes", Kind::gauge, "Resident memory of the daemon.");
  page.sample(static_cast<double>(used.resident.count));
  page.family("process_cpu_seconds_total", Kind::counter, "CPU time of the daemon.");
  page.sample(static_cast<double>(used.cpu.count()) / 1000);
  page.family("process_open_fds", Kind::gauge, "Open descriptors of the daemon.");
  page.sample(static_cast<double>(os::own_usage().descriptors));
  page.family("process_start_time_seconds", Kind::gauge, "Start of the daemon, since 1970.");
  page.sample(static_cast<double>(unix_seconds(call.host().started())));
}

void write_server(TextPage& page, Call& call, std::size_t jobs) {
  const auto stats = call.host().stats();
  page.family("puna_http_connections", Kind::gauge, "Open connections.");
  page.sample(static_cast<double>(stats.connections));
  page.family("puna_http_requests_active", Kind::gauge, "HTTP requests under way.");
  page.sample(static_cast<double>(stats.active_requests));
  page.family("puna_http_requests_total", Kind::counter, "HTTP requests since the start.");
  page.sample(static_cast<double>(stats.requests));
  page.family("puna_jobs_active", Kind::gauge, "Jobs that wait or run.");
  page.sample(static_cast<double>(jobs));
}

void write_telemetry(TextPage& page, const telemetry::Tracer::Counts& counts) {
  page.family("puna_telemetry_spans_total", Kind::counter, "Spans by what became of them.");
  page.sample({{"outcome", "sent"}}, static_cast<double>(counts.sent));
  page.sample({{"outcome", "dropped"}}, static_cast<double>(counts.dropped));
  page.family("puna_telemetry_spans_waiting", Kind::gauge, "Spans that wait to be sent.");
  page.sample(static_cast<double>(counts.waiting));
}

using Samples = std::vector<wire::WorkerSample>;

// One of each model and purpose, the newest: a worker may still be ending while the next one starts, and a series has one sample.
template <class T>
std::vector<T> newest(const std::vector<T>& of) {
  std::map<std::pair<std::string, std::string>, T> by_model;
  for (const auto& item : of) by_model.insert_or_assign({item.name, item.purpose}, item);
  std::vector<T> out;
  for (auto& [key, item] : by_model) out.push_back(std::move(item));
  return out;
}

void write_workers(TextPage& page, const Samples& samples) {
  const auto each = [&](std::string_view name, Kind kind, std::string_view help, auto value) {
    page.family(name, kind, help);
    for (const auto& sample : samples)
      if (const std::optional<double> found = value(sample))
        page.sample({{"model_name", sample.name}, {"purpose", sample.purpose}}, *found);
  };
  using Sample = wire::WorkerSample;
  page.family("puna_worker_state", Kind::gauge, "1 for the state that each worker is in.");
  for (const auto& sample : samples)
    page.sample({{"model_name", sample.name}, {"purpose", sample.purpose}, {"state", json::enum_name(sample.state)}}, 1);
  each("puna_num_requests_running", Kind::gauge, "Requests that a worker answers.",
       [](const Sample& sample) { return std::optional(static_cast<double>(sample.active_requests)); });
  each("puna_worker_memory_bytes", Kind::gauge, "Resident memory of a worker.",
       [](const Sample& sample) { return std::optional(static_cast<double>(sample.memory_bytes)); });
  each("puna_worker_device_memory_bytes", Kind::gauge, "Memory on GPUs that a worker's engine has allocated.",
       [](const Sample& sample) { return sample.device_bytes ? std::optional(static_cast<double>(*sample.device_bytes)) : std::nullopt; });
  each("puna_worker_cpu_seconds_total", Kind::counter, "CPU time of a worker.",
       [](const Sample& sample) { return std::optional(sample.cpu_seconds); });
  each("puna_kv_cache_usage_ratio", Kind::gauge, "Share of the KV cache that holds tokens, 0 to 1.", [](const Sample& sample) {
    if (!sample.kv_tokens || sample.kv_capacity.value_or(0) == 0) return std::optional<double>();
    return std::optional(static_cast<double>(*sample.kv_tokens) / static_cast<double>(*sample.kv_capacity));
  });
}

void write_transfers(TextPage& page, app::Workbench& workbench) {
  page.family("puna_transfer_bytes_total", Kind::counter,
              "Bytes of models that came from elsewhere or went there, repeated ones included.");
  page.sample({{"direction", "received"}}, static_cast<double>(workbench.transfers().received().count));
  page.sample({{"direction", "sent"}}, static_cast<double>(workbench.published_bytes().count));
}

void write_queues(TextPage& page, const std::vector<wire::RunningModel>& models) {
  page.family("puna_num_requests_waiting", Kind::gauge, "Requests that wait for a model.");
  for (const auto& model : models)
    page.sample({{"model_name", model.name}, {"purpose", model.purpose}}, static_cast<double>(model.queued_requests));
}

net::Task<Result<>> show_metrics(Call& call) {
  auto& workbench = call.workbench();
  const auto used = co_await call.blocking([] { return os::process_usage(::getpid()); });
  const auto jobs = co_await call.blocking([&] { return workbench.jobs().active(); });
  WorkerSampler sampler(workbench);
  const auto samples = newest(co_await sampler.look());
  TextPage page;
  write_process(page, used.value_or(os::ProcessUsage{}), call);
  write_server(page, call, jobs);
  write_workers(page, samples);
  write_transfers(page, workbench);
  write_queues(page, newest(workbench.fleet().list()));
  write_telemetry(page, workbench.tracer().counts());
  workbench.recorder().write(page);
  net::Response response{200, {{"Content-Type", metrics::kContentType}}, page.take()};
  co_return co_await call.responder().send(std::move(response));
}

Result<Milliseconds> interval(const Call& call) {
  constexpr Milliseconds kUsual{2000}, kLeast{250}, kMost{60'000};
  const auto text = call.request().query.get("every");
  if (!text) return kUsual;
  auto every = parse_duration(*text);
  if (!every || *every < kLeast || *every > kMost) return fail(Code::invalid_argument, "every: expected a duration from 250ms to 1m");
  return every;
}

// Until the time has passed, or the daemon drains.
net::Task<Result<>> pause(Call& call, Milliseconds time) {
  net::Notifier published(call.workbench().io());
  const auto subscription = call.workbench().events().subscribe([&published] { published.notify(); }, EventBus::Listener::client);
  const auto due = net::deadline_after(time);
  while (call.host().phase() != Phase::draining) {
    const auto seen = published.epoch();
    const auto woken = co_await published.wait(seen, std::chrono::ceil<Milliseconds>(due - std::chrono::steady_clock::now()));
    if (woken) continue;
    if (woken.error().code != Code::deadline_exceeded) co_return woken;
    break;
  }
  co_return Result<>();
}

net::Task<Result<>> stream_samples(Call& call) {
  PUNA_CO_TRY(const auto every, interval(call));
  WorkerSampler sampler(call.workbench());
  PUNA_CO_CHECK(co_await call.responder().start_sse());
  while (call.host().phase() != Phase::draining) {
    const wire::WorkerSamples samples{co_await sampler.look()};
    PUNA_CO_CHECK(co_await call.responder().write(net::sse_frame("workers.sample", "", json::to_text(json::encode(samples)))));
    PUNA_CO_CHECK(co_await pause(call, every));
  }
  co_return co_await call.responder().finish();
}

}  // namespace

std::span<const Route> metrics_routes() {
  static const std::vector<Route> routes = {
      {.method = "GET",
       .path = "/metrics",
       .operation = "metrics",
       .summary = "what Prometheus reads",
       .handle = show_metrics,
       .scope = wire::Scope::metrics,
       .response_type = "text/plain"},
      {.method = "GET",
       .path = "/api/v1/running/samples",
       .operation = "streamWorkerSamples",
       .summary = "CPU, memory, KV use and tokens a second of each worker, as server-sent events; nothing is measured while nobody reads",
       .handle = stream_samples,
       .scope = wire::Scope::read,
       .response_schema = schema_of<wire::WorkerSamples>,
       .response_type = "text/event-stream",
       .query = {{"every", "time between samples, 250ms to 1m; 2s unless told"}}},
  };
  return routes;
}

}  // namespace puna::api
