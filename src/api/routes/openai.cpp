#include "api/anthropic/models.h"
#include "api/error_body.h"
#include "api/gateway.h"
#include "api/openai/parameters.h"
#include "api/openai/prepare.h"
#include "api/openai/rerank.h"
#include "api/openai/schema.h"
#include "api/routes/groups.h"
#include "api/served_models.h"

namespace puna::api {
namespace {

net::Task<Result<>> forward(Call& call, openai::Endpoint endpoint) {
  PUNA_CO_TRY(auto request, co_await openai::checked(call.workbench(), endpoint, call.request().body));
  PUNA_CO_TRY(auto inference, co_await openai::prepare(call.workbench(), endpoint, std::move(request), call.take_body()));
  co_return co_await infer(call, std::move(inference));
}

net::Task<Result<>> chat(Call& call) {
  return forward(call, openai::Endpoint::chat);
}
net::Task<Result<>> completions(Call& call) {
  return forward(call, openai::Endpoint::completions);
}
net::Task<Result<>> embeddings(Call& call) {
  return forward(call, openai::Endpoint::embeddings);
}

net::Task<Result<>> rerank(Call& call) {
  PUNA_CO_TRY(auto inference, openai::prepare_rerank(call.request().body));
  co_return co_await infer(call, std::move(inference));
}

json::object model_object(const wire::Model& model) {
  const auto created = parse_time(model.modified_at);
  return {{"id", model.name}, {"object", "model"}, {"created", created ? unix_seconds(*created) : 0}, {"owned_by", "puna"}};
}

net::Task<Result<>> list_models(Call& call) {
  if (dialect_of(call.request()) == Dialect::anthropic) co_return co_await anthropic::list_models(call);
  PUNA_CO_TRY(const auto models, co_await served_models(call));
  json::array data;
  for (const auto& model : models) data.push_back(model_object(model));
  co_return co_await call.reply(json::object{{"object", "list"}, {"data", std::move(data)}});
}

net::Task<Result<>> show_model(Call& call) {
  if (dialect_of(call.request()) == Dialect::anthropic) co_return co_await anthropic::show_model(call);
  PUNA_CO_TRY(const auto model, co_await served_model(call, call.path_parameter("model")));
  co_return co_await call.reply(model_object(model));
}

}  // namespace

std::span<const Route> openai_routes() {
  static const std::vector<Route> routes = {
      {.method = "POST",
       .path = "/v1/chat/completions",
       .operation = "createChatCompletion",
       .summary = "answer a conversation; a stream of chunks with \"stream\": true",
       .handle = chat,
       .scope = wire::Scope::inference,
       .request_schema = openai::chat_schema,
       .dialect = Dialect::openai},
      {.method = "POST",
       .path = "/v1/completions",
       .operation = "createCompletion",
       .summary = "continue a text",
       .handle = completions,
       .scope = wire::Scope::inference,
       .request_schema = openai::completions_schema,
       .dialect = Dialect::openai},
      {.method = "POST",
       .path = "/v1/embeddings",
       .operation = "createEmbedding",
       .summary = "vectors for texts",
       .handle = embeddings,
       .scope = wire::Scope::inference,
       .request_schema = openai::embeddings_schema,
       .dialect = Dialect::openai},
      {.method = "POST",
       .path = "/v1/rerank",
       .operation = "rerankDocuments",
       .summary = "score documents for a query, the best first",
       .handle = rerank,
       .scope = wire::Scope::inference,
       .request_schema = openai::rerank_schema,
       .dialect = Dialect::openai},
      {.method = "POST",
       .path = "/v2/rerank",
       .operation = "rerankDocumentsV2",
       .summary = "score documents for a query, the best first: where Cohere's clients ask",
       .handle = rerank,
       .scope = wire::Scope::inference,
       .request_schema = openai::rerank_schema,
       .dialect = Dialect::openai},
      {.method = "POST",
       .path = "/rerank",
       .operation = "rerankDocumentsPlain",
       .summary = "score documents for a query, the best first: where clients without a version ask",
       .handle = rerank,
       .scope = wire::Scope::inference,
       .request_schema = openai::rerank_schema,
       .dialect = Dialect::openai},
      {.method = "GET",
       .path = "/v1/models",
       .operation = "listModelsOpenAi",
       .summary = "the profiles, and the models in the library",
       .handle = list_models,
       .scope = wire::Scope::inference,
       .dialect = Dialect::openai},
      {.method = "GET",
       .path = "/v1/models/{model}",
       .operation = "retrieveModelOpenAi",
       .summary = "one model",
       .handle = show_model,
       .scope = wire::Scope::inference,
       .dialect = Dialect::openai},
  };
  return routes;
}

}  // namespace puna::api
