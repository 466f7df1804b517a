#include "access/owner.h"
#include "api/routes/groups.h"
#include "wire/access.h"

namespace puna::api {
namespace {

net::Task<Result<>> list_keys(Call& call) {
  auto& access = call.workbench().access();
  wire::KeyList list{access.keys().list()};
  for (auto& key : list.keys) key = access.with_spent(std::move(key));
  co_return co_await call.reply(std::move(list));
}

net::Task<Result<>> create_key(Call& call) {
  PUNA_CO_CHECK(access::require_owner(call.caller(), "API keys are guarded"));
  PUNA_CO_TRY(auto request, call.body<wire::KeyRequest>());
  PUNA_CO_TRY(auto made, co_await call.workbench().access().keys().create(std::move(request)));
  call.responder().add_header("Cache-Control", "no-store");
  co_return co_await call.reply(std::move(made), 201);
}

net::Task<Result<>> show_key(Call& call) {
  auto& access = call.workbench().access();
  PUNA_CO_TRY(auto key, access.keys().find(call.path_parameter("key")));
  co_return co_await call.reply(access.with_spent(std::move(key)));
}

net::Task<Result<>> revoke_key(Call& call) {
  PUNA_CO_CHECK(access::require_owner(call.caller(), "API keys are guarded"));
  PUNA_CO_TRY(auto key, co_await call.workbench().access().keys().revoke(call.path_parameter("key")));
  co_return co_await call.reply(std::move(key));
}

}  // namespace

std::span<const Route> key_routes() {
  static const std::vector<Route> routes = {
      {.method = "GET",
       .path = "/api/v1/keys",
       .operation = "listKeys",
       .summary = "the API keys, revoked ones too, without their texts",
       .handle = list_keys,
       .scope = wire::Scope::admin,
       .response_schema = schema_of<wire::KeyList>},
      {.method = "POST",
       .path = "/api/v1/keys",
       .operation = "createKey",
       .summary = "make an API key; its text is told this once",
       .handle = create_key,
       .scope = wire::Scope::admin,
       .request_schema = schema_of<wire::KeyRequest>,
       .response_schema = schema_of<wire::NewKey>,
       .success_status = 201},
      {.method = "GET",
       .path = "/api/v1/keys/{key}",
       .operation = "showKey",
       .summary = "one key, by its ID or name",
       .handle = show_key,
       .scope = wire::Scope::admin,
       .response_schema = schema_of<wire::ApiKey>},
      {.method = "DELETE",
       .path = "/api/v1/keys/{key}",
       .operation = "revokeKey",
       .summary = "refuse a key from now on, and end the requests that run with it",
       .handle = revoke_key,
       .scope = wire::Scope::admin,
       .response_schema = schema_of<wire::ApiKey>},
  };
  return routes;
}

}  // namespace puna::api
