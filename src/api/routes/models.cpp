#include "api/routes/groups.h"
#include "wire/job.h"
#include "wire/model.h"

namespace puna::api {
namespace {

net::Task<Result<>> list_models(Call& call) {
  auto& library = call.workbench().library();
  PUNA_CO_TRY(const auto text, co_await call.blocking([&] { return library.list_text(); }));
  co_return co_await call.responder().send({200, {{"Content-Type", "application/json"}}, *text});
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
  PUNA_CO_TRY(const bool now, call.flag("now"));
  PUNA_CO_TRY(const bool force, call.flag("force"));
  PUNA_CO_TRY(auto removal, co_await call.workbench().remove_model(call.path_parameter("name"), {.now = now, .force = force}));
  co_return co_await call.reply(std::move(removal));
}

net::Task<Result<>> undo_removal(Call& call) {
  PUNA_CO_TRY(const auto undo, call.body<wire::ModelUndo>());
  auto& library = call.workbench().library();
  PUNA_CO_TRY(auto model, co_await call.blocking([&] { return library.undo(undo.name); }));
  co_return co_await call.reply(std::move(model));
}

net::Task<Result<>> alias_model(Call& call) {
  PUNA_CO_TRY(const auto alias, call.body<wire::ModelAlias>());
  auto& library = call.workbench().library();
  PUNA_CO_TRY(auto model, co_await call.blocking([&] { return library.alias(alias.alias, call.path_parameter("name")); }));
  co_return co_await call.reply(std::move(model));
}

net::Task<Result<>> pin_model(Call& call) {
  PUNA_CO_TRY(const auto pin, call.body<wire::ModelPin>());
  auto& library = call.workbench().library();
  PUNA_CO_TRY(auto model, co_await call.blocking([&] { return library.pin(call.path_parameter("name"), pin.pinned); }));
  co_return co_await call.reply(std::move(model));
}

net::Task<Result<>> adopt_model(Call& call) {
  PUNA_CO_TRY(const auto copy, call.body<wire::ModelCopy>());
  auto& workbench = call.workbench();
  PUNA_CO_TRY(auto job, co_await call.blocking([&] {
    return workbench.library_jobs().adopt(workbench.jobs(), call.path_parameter("name"), copy.destination);
  }));
  co_return co_await call.reply(std::move(job), 202);
}

net::Task<Result<>> probe_model(Call& call) {
  auto& workbench = call.workbench();
  PUNA_CO_TRY(auto job, co_await call.blocking([&] { return workbench.probe(call.path_parameter("name")); }));
  co_return co_await call.reply(std::move(job), 202);
}

net::Task<Result<>> create_model(Call& call) {
  PUNA_CO_TRY(const auto request, call.body<wire::CreateModel>());
  auto& workbench = call.workbench();
  PUNA_CO_TRY(auto job, co_await call.blocking([&] { return workbench.library_jobs().create(workbench.jobs(), request); }));
  co_return co_await call.reply(std::move(job), 202);
}

net::Task<Result<>> verify_models(Call& call) {
  PUNA_CO_TRY(auto request, call.body<wire::VerifyModels>());
  auto& workbench = call.workbench();
  PUNA_CO_TRY(auto job, co_await call.blocking([&] {
    return workbench.library_jobs().verify(workbench.jobs(), request.names.value_or(std::vector<std::string>{}));
  }));
  co_return co_await call.reply(std::move(job), 202);
}

net::Task<Result<>> show_usage(Call& call) {
  auto& workbench = call.workbench();
  PUNA_CO_TRY(auto usage, co_await call.blocking([&] { return workbench.disk_usage(); }));
  co_return co_await call.reply(std::move(usage));
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
       .scope = wire::Scope::read,
       .response_schema = schema_of<wire::ModelList>},
      {.method = "POST",
       .path = "/api/v1/models/pull",
       .operation = "pullModel",
       .summary = "bring a model from a file or a URL into the library, as a job",
       .handle = pull_model,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::PullRequest>,
       .response_schema = schema_of<wire::Job>,
       .success_status = 202},
      {.method = "GET",
       .path = "/api/v1/models/{name}",
       .operation = "showModel",
       .summary = "one model with its metadata and template",
       .handle = show_model,
       .scope = wire::Scope::read,
       .response_schema = schema_of<wire::ModelDetail>},
      {.method = "DELETE",
       .path = "/api/v1/models/{name}",
       .operation = "removeModel",
       .summary = "take a name out of the library; the files go with their last name, when the removal can no longer be undone",
       .handle = remove_model,
       .scope = wire::Scope::manage,
       .response_schema = schema_of<wire::ModelRemoval>,
       .query = {{"now", "true: without undo"}, {"force", "true: although the model is pinned"}}},
      {.method = "POST",
       .path = "/api/v1/models/undo",
       .operation = "undoModelRemoval",
       .summary = "bring a removed model back",
       .handle = undo_removal,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::ModelUndo>,
       .response_schema = schema_of<wire::Model>},
      {.method = "POST",
       .path = "/api/v1/models/create",
       .operation = "createModel",
       .summary = "make a model of another one's files and a recipe, as a job; its result is a Model",
       .handle = create_model,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::CreateModel>,
       .response_schema = schema_of<wire::Job>,
       .success_status = 202},
      {.method = "POST",
       .path = "/api/v1/models/verify",
       .operation = "verifyModels",
       .summary = "read every byte of models again, as a job; its result is a Verification",
       .handle = verify_models,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::VerifyModels>,
       .response_schema = schema_of<wire::Job>,
       .success_status = 202},
      {.method = "POST",
       .path = "/api/v1/models/{name}/alias",
       .operation = "aliasModel",
       .summary = "give a model a further name that follows it",
       .handle = alias_model,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::ModelAlias>,
       .response_schema = schema_of<wire::Model>},
      {.method = "POST",
       .path = "/api/v1/models/{name}/pin",
       .operation = "pinModel",
       .summary = "protect a model from removal, or end that",
       .handle = pin_model,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::ModelPin>,
       .response_schema = schema_of<wire::Model>},
      {.method = "POST",
       .path = "/api/v1/models/{name}/adopt",
       .operation = "adoptModel",
       .summary = "make another program's model the library's own, as a job",
       .handle = adopt_model,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::ModelCopy>,
       .response_schema = schema_of<wire::Job>,
       .success_status = 202},
      {.method = "POST",
       .path = "/api/v1/models/{name}/probe",
       .operation = "probeModel",
       .summary = "try what a model can do, as a job that gives way to everything; its result is a Model",
       .handle = probe_model,
       .scope = wire::Scope::manage,
       .response_schema = schema_of<wire::Job>,
       .success_status = 202},
      {.method = "GET",
       .path = "/api/v1/usage",
       .operation = "showDiskUsage",
       .summary = "which models take which bytes",
       .handle = show_usage,
       .scope = wire::Scope::read,
       .response_schema = schema_of<wire::DiskUsage>},
      {.method = "POST",
       .path = "/api/v1/models/{name}/copy",
       .operation = "copyModel",
       .summary = "make a second model of the same files",
       .handle = copy_model,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::ModelCopy>,
       .response_schema = schema_of<wire::Model>},
  };
  return routes;
}

}  // namespace puna::api
