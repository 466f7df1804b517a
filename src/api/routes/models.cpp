#include "api/routes/groups.h"
#include "wire/job.h"
#include "wire/model.h"

namespace puna::api {
namespace {

net::Task<Result<>> list_models(Call& call) {
  auto& library = call.workbench().library();
  PUNA_CO_TRY(auto models, co_await call.blocking([&] { return library.list(); }));
  co_return co_await call.reply(wire::ModelList{std::move(models)});
}

net::Task<Result<>> show_model(Call& call) {
  auto& library = call.workbench().library();
  PUNA_CO_TRY(auto detail, co_await call.blocking([&] { return library.show(call.path_parameter("name")); }));
  co_return co_await call.reply(std::move(detail));
}

net::Task<Result<>> copy_model(Call& call) {
  PUNA_CO_TRY(const auto copy, call.body<wire::ModelCopy>());
  auto& library = call.workbench().library();
  PUNA_CO_TRY(auto model, co_await call.blocking([&] { return library.copy(call.path_parameter("name"), copy.destination); }));
  co_return co_await call.reply(std::move(model));
}

net::Task<Result<>> remove_model(Call& call) {
  PUNA_CO_TRY(auto removal, co_await call.workbench().remove_model(call.path_parameter("name")));
  co_return co_await call.reply(std::move(removal));
}

net::Task<Result<>> pull_model(Call& call) {
  PUNA_CO_TRY(const auto pull, call.body<wire::PullRequest>());
  auto& workbench = call.workbench();
  PUNA_CO_TRY(auto job, co_await call.blocking([&] { return workbench.pull(pull); }));
  co_return co_await call.reply(std::move(job), 202);
}

}  // namespace

std::span<const Route> model_routes() {
  static const std::vector<Route> routes = {
      {.method = "GET",
       .path = "/api/v1/models",
       .operation = "listModels",
       .summary = "the models in the library",
       .handle = list_models,
       .response_schema = schema_of<wire::ModelList>},
      {.method = "POST",
       .path = "/api/v1/models/pull",
       .operation = "pullModel",
       .summary = "bring a model from a file or a URL into the library, as a job",
       .handle = pull_model,
       .request_schema = schema_of<wire::PullRequest>,
       .response_schema = schema_of<wire::Job>,
       .success_status = 202},
      {.method = "GET",
       .path = "/api/v1/models/{name}",
       .operation = "showModel",
       .summary = "one model with its metadata and template",
       .handle = show_model,
       .response_schema = schema_of<wire::ModelDetail>},
      {.method = "DELETE",
       .path = "/api/v1/models/{name}",
       .operation = "removeModel",
       .summary = "take a name out of the library; the file goes with its last name",
       .handle = remove_model,
       .response_schema = schema_of<wire::ModelRemoval>},
      {.method = "POST",
       .path = "/api/v1/models/{name}/copy",
       .operation = "copyModel",
       .summary = "give a model a further name",
       .handle = copy_model,
       .request_schema = schema_of<wire::ModelCopy>,
       .response_schema = schema_of<wire::Model>},
  };
  return routes;
}

}  // namespace puna::api
