#include "wire/publish.h"
#include "api/routes/groups.h"
#include "wire/job.h"

namespace puna::api {
namespace {

net::Task<Result<>> push_model(Call& call) {
  PUNA_CO_TRY(const auto request, call.body<wire::PushRequest>());
  auto& workbench = call.workbench();
  PUNA_CO_TRY(auto job, co_await call.blocking([&] { return workbench.push(call.path_parameter("name"), request); }));
  co_return co_await call.reply(std::move(job), 202);
}

}  // namespace

std::span<const Route> publish_routes() {
  static const std::vector<Route> routes = {
      {.method = "POST",
       .path = "/api/v1/models/{name}/push",
       .operation = "pushModel",
       .summary = "bring a model of the library to a Hugging Face repository or a registry, as a job",
       .handle = push_model,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::PushRequest>,
       .response_schema = schema_of<wire::Job>,
       .success_status = 202},
  };
  return routes;
}

}  // namespace puna::api
