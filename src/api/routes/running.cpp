#include "api/routes/groups.h"
#include "wire/model.h"

namespace puna::api {
namespace {

net::Task<Result<>> list_running(Call& call) {
  co_return co_await call.reply(wire::RunningList{call.workbench().fleet().list()});
}

net::Task<Result<>> load_model(Call& call) {
  PUNA_CO_TRY(const auto load, call.body<wire::LoadRequest>());
  PUNA_CO_TRY(auto running, co_await call.workbench().load_model(call.path_parameter("name"), load.keep_alive));
  co_return co_await call.reply(std::move(running));
}

net::Task<Result<>> unload_model(Call& call) {
  PUNA_CO_CHECK(co_await call.workbench().unload_model(call.path_parameter("name")));
  co_return co_await call.reply(wire::RunningList{call.workbench().fleet().list()});
}

}  // namespace

std::span<const Route> running_routes() {
  static const std::vector<Route> routes = {
      {.method = "GET",
       .path = "/api/v1/running",
       .operation = "listRunning",
       .summary = "models in memory, loading, or lately failed",
       .handle = list_running,
       .scope = wire::Scope::read,
       .response_schema = schema_of<wire::RunningList>},
      {.method = "POST",
       .path = "/api/v1/running/{name}",
       .operation = "loadModel",
       .summary = "load a model; answers when it is ready",
       .handle = load_model,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::LoadRequest>,
       .response_schema = schema_of<wire::RunningModel>},
      {.method = "DELETE",
       .path = "/api/v1/running/{name}",
       .operation = "unloadModel",
       .summary = "take a model out of memory once its requests have ended",
       .handle = unload_model,
       .scope = wire::Scope::manage,
       .response_schema = schema_of<wire::RunningList>},
  };
  return routes;
}

}  // namespace puna::api
