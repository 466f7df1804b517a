#include "api/anthropic/rendering.h"
#include "api/anthropic/request.h"
#include "api/openai/members.h"
#include "api/openai/prepare.h"
#include "api/routes/groups.h"

namespace puna::api {
namespace {

net::Task<Result<>> create_message(Call& call) {
  PUNA_CO_TRY(auto request, anthropic::translate(anthropic::Endpoint::messages, call.take_body()));
  PUNA_CO_TRY(auto inference, co_await openai::prepare(call.workbench(), openai::Endpoint::chat, std::move(request.chat)));
  inference.rendering = anthropic::message_rendering(std::move(request.expectations));
  co_return co_await infer(call, std::move(inference));
}

net::Task<Result<>> count_tokens(Call& call) {
  PUNA_CO_TRY(auto request, anthropic::translate(anthropic::Endpoint::count_tokens, call.take_body()));
  PUNA_CO_TRY(auto inference, co_await openai::prepare(call.workbench(), openai::Endpoint::chat, std::move(request.chat)));
  inference.target = "/v1/chat/completions/input_tokens";
  PUNA_CO_TRY(const auto body, co_await infer_whole(call, std::move(inference)));
  PUNA_CO_TRY(const auto answer, json::parse_object(body));
  const json::value* count = openai::present(answer, "input_tokens");
  if (!count) co_return fail(Code::upstream_failed, "the engine did not count the prompt");
  co_return co_await call.reply(json::object{{"input_tokens", *count}});
}

template <anthropic::Endpoint endpoint>
json::object body_schema(wire::SchemaSet& schemas) {
  static_cast<void>(schemas);
  return members_schema(anthropic::table(endpoint).members);
}

}  // namespace

std::span<const Route> anthropic_routes() {
  static const std::vector<Route> routes = {
      {.method = "POST",
       .path = "/v1/messages",
       .operation = "createMessage",
       .summary = "answer a conversation in Anthropic's dialect; a stream of events with \"stream\": true",
       .handle = create_message,
       .scope = wire::Scope::inference,
       .request_schema = body_schema<anthropic::Endpoint::messages>,
       .dialect = Dialect::anthropic},
      {.method = "POST",
       .path = "/v1/messages/count_tokens",
       .operation = "countMessageTokens",
       .summary = "how many tokens a conversation's prompt has",
       .handle = count_tokens,
       .scope = wire::Scope::inference,
       .request_schema = body_schema<anthropic::Endpoint::count_tokens>,
       .dialect = Dialect::anthropic},
  };
  return routes;
}

}  // namespace puna::api
