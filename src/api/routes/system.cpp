#include <unistd.h>

#include "api/openapi.h"
#include "api/routes/groups.h"
#include "base/version.h"
#include "os/hardware.h"
#include "os/usage.h"
#include "wire/system.h"

namespace puna::api {
namespace {

net::Task<Result<>> health(Call& call) {
  constexpr std::array<std::string_view, 3> kWords = {"starting", "ok", "draining"};
  co_return co_await call.reply(wire::Health{std::string(kWords[static_cast<std::size_t>(call.host().phase())])});
}

net::Task<Result<>> ready(Call& call) {
  if (call.host().phase() != Phase::ready) co_return fail(Code::unavailable, "the daemon is starting or stopping");
  co_return co_await health(call);
}

net::Task<Result<>> show_version(Call& call) {
  co_return co_await call.reply(wire::Version{std::string(version()), std::string(llama_cpp_version()), std::string(compiler_version())});
}

net::Task<Result<>> show_status(Call& call) {
  auto& workbench = call.workbench();
  auto& host = call.host();
  const auto usage = co_await call.blocking([] { return os::own_usage(); });
  const auto active_jobs = co_await call.blocking([&] { return workbench.jobs().active(); });
  wire::Status status;
  status.version = version();
  status.pid = ::getpid();
  status.started_at = format_time(host.started());
  status.data = workbench.places().data.string();
  status.socket = host.socket();
  status.tcp = host.tcp();
  status.tls = host.tls();
  status.on_demand = host.on_demand();
  const auto stats = host.stats();
  status.connections = static_cast<std::int64_t>(stats.connections);
  status.active_requests = static_cast<std::int64_t>(stats.active_requests);
  status.requests = static_cast<std::int64_t>(stats.requests);
  status.active_jobs = static_cast<std::int64_t>(active_jobs);
  status.event_subscribers = static_cast<std::int64_t>(workbench.events().subscribers(EventBus::Listener::client));
  status.memory_bytes = static_cast<std::int64_t>(usage.resident.count);
  status.open_descriptors = static_cast<std::int64_t>(usage.descriptors);
  status.problems = host.problems();
  for (const auto& problem : workbench.settings_problems()) status.problems.push_back(problem);
  co_return co_await call.reply(std::move(status));
}

net::Task<Result<>> show_hardware(Call& call) {
  auto hardware = co_await call.blocking([] { return os::probe_hardware(); });
  co_return co_await call.reply(std::move(hardware));
}

net::Task<Result<>> shut_down(Call& call) {
  PUNA_CO_CHECK(co_await call.reply(wire::Health{"draining"}, 202));
  call.host().request_shutdown();
  co_return Result<>{};
}

net::Task<Result<>> show_openapi(Call& call) {
  static const json::object document = openapi_document(routes());
  co_return co_await call.reply(document);
}

}  // namespace

std::span<const Route> system_routes() {
  static const std::vector<Route> routes = {
      {.method = "GET",
       .path = "/health",
       .operation = "health",
       .summary = "whether the daemon lives",
       .handle = health,
       .open = true,
       .response_schema = schema_of<wire::Health>},
      {.method = "GET",
       .path = "/ready",
       .operation = "ready",
       .summary = "whether the daemon takes requests; 503 while it starts or stops",
       .handle = ready,
       .open = true,
       .response_schema = schema_of<wire::Health>},
      {.method = "GET",
       .path = "/openapi.json",
       .operation = "openapi",
       .summary = "this description",
       .handle = show_openapi,
       .open = true},
      {.method = "GET",
       .path = "/api/v1/version",
       .operation = "version",
       .summary = "versions of the program and its engine",
       .handle = show_version,
       .scope = wire::Scope::read,
       .response_schema = schema_of<wire::Version>},
      {.method = "GET",
       .path = "/api/v1/status",
       .operation = "status",
       .summary = "the daemon's state and what it uses",
       .handle = show_status,
       .scope = wire::Scope::read,
       .response_schema = schema_of<wire::Status>},
      {.method = "GET",
       .path = "/api/v1/hardware",
       .operation = "hardware",
       .summary = "what this machine offers",
       .handle = show_hardware,
       .scope = wire::Scope::read,
       .response_schema = schema_of<os::HardwareInfo>},
      {.method = "POST",
       .path = "/api/v1/shutdown",
       .operation = "shutdown",
       .summary = "end the daemon after its running requests",
       .handle = shut_down,
       .scope = wire::Scope::admin,
       .response_schema = schema_of<wire::Health>,
       .success_status = 202},
  };
  return routes;
}

}  // namespace puna::api
