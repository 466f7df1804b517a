#include "api/gateway.h"
#include "api/openai/page.h"
#include "api/openai/responses/create.h"
#include "api/openai/schema.h"
#include "api/routes/groups.h"

namespace puna::api {
namespace {

using openai::responses::owner_of;

net::Task<Result<>> create_response(Call& call) {
  const std::string body = call.take_body();
  PUNA_CO_TRY(auto inference, co_await openai::responses::prepare(call.workbench(), owner_of(call.caller()), body));
  co_return co_await infer(call, std::move(inference));
}

net::Task<Result<>> show_response(Call& call) {
  PUNA_CO_TRY(const bool stream, call.flag("stream"));
  if (stream) co_return fail(Code::unsupported, "stream: a kept response is given whole");
  PUNA_CO_TRY(const auto kept, co_await call.workbench().responses().find(owner_of(call.caller()), call.path_parameter("response")));
  co_return co_await call.reply(kept.response);
}

net::Task<Result<>> delete_response(Call& call) {
  const auto& id = call.path_parameter("response");
  PUNA_CO_CHECK(co_await call.workbench().responses().remove(owner_of(call.caller()), id));
  co_return co_await call.reply(json::object{{"id", id}, {"object", "response"}, {"deleted", true}});
}

// The newest first unless the order says otherwise, a page at a time.
net::Task<Result<>> list_input_items(Call& call) {
  PUNA_CO_TRY(const auto kept, co_await call.workbench().responses().find(owner_of(call.caller()), call.path_parameter("response")));
  PUNA_CO_TRY(auto items, openai::page_of(call, kept.input.as_array()));
  co_return co_await call.reply(std::move(items));
}

// What the prompt of a request would cost.
net::Task<Result<>> count_input_tokens(Call& call) {
  const std::string body = call.take_body();
  PUNA_CO_TRY(auto inference, co_await openai::responses::prepare(call.workbench(), owner_of(call.caller()), body));
  inference.target = "/v1/chat/completions/input_tokens";
  inference.stream = false;
  inference.rendering.reset();
  co_return co_await infer(call, std::move(inference));
}

}  // namespace

std::span<const Route> openai_response_routes() {
  static const std::vector<Route> routes = {
      {.method = "POST",
       .path = "/v1/responses",
       .operation = "createResponse",
       .summary = "answer a conversation of items; a stream of typed events with \"stream\": true",
       .handle = create_response,
       .scope = wire::Scope::inference,
       .request_schema = openai::responses_schema,
       .dialect = Dialect::openai},
      {.method = "POST",
       .path = "/v1/responses/input_tokens",
       .operation = "countInputTokens",
       .summary = "the tokens that a request's prompt would have",
       .handle = count_input_tokens,
       .scope = wire::Scope::inference,
       .request_schema = openai::responses_schema,
       .dialect = Dialect::openai},
      {.method = "GET",
       .path = "/v1/responses/{response}",
       .operation = "retrieveResponse",
       .summary = "an answer that was kept",
       .handle = show_response,
       .scope = wire::Scope::inference,
       .dialect = Dialect::openai,
       .query = {{"stream", "false"}}},
      {.method = "DELETE",
       .path = "/v1/responses/{response}",
       .operation = "deleteResponse",
       .summary = "forget an answer that was kept",
       .handle = delete_response,
       .scope = wire::Scope::inference,
       .dialect = Dialect::openai},
      {.method = "GET",
       .path = "/v1/responses/{response}/input_items",
       .operation = "listInputItems",
       .summary = "the items of the request that a kept answer is to",
       .handle = list_input_items,
       .scope = wire::Scope::inference,
       .dialect = Dialect::openai,
       .query = openai::page_parameters()},
  };
  return routes;
}

}  // namespace puna::api
