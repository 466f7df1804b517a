#include "api/openai/prepare.h"

#include "api/openai/members.h"
#include "api/openai/recipe.h"

namespace puna::api::openai {
namespace {

fleet::Purpose purpose_of(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::chat:
    case Endpoint::completions:
      return fleet::Purpose::generate;
    case Endpoint::embeddings:
      return fleet::Purpose::embed;
  }
  return fleet::Purpose::generate;
}

// Several answers at once take several slots at once, and must find them free.
fleet::Staging staging_of(const json::object& body) {
  const auto* answers = present(body, "n");
  return answers == nullptr || *answers == 1 ? fleet::Staging::allowed : fleet::Staging::never;
}

std::string_view target_of(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::chat:
      return "/v1/chat/completions";
    case Endpoint::completions:
      return "/v1/completions";
    case Endpoint::embeddings:
      return "/v1/embeddings";
  }
  return "";
}

}  // namespace

net::Task<Result<Request>> checked(app::Workbench& workbench, Endpoint endpoint, std::string_view body) {
  auto request = validate(endpoint, body);
  if (request) co_return request;
  auto with_unlisted = validate(endpoint, body, Unlisted::ignored);
  if (!with_unlisted) co_return request;
  const auto engine = co_await workbench.engine_of(with_unlisted->model);
  if (!engine || *engine == wire::EngineKind::builtin) co_return request;
  co_return with_unlisted;
}

net::Task<Result<Inference>> prepare(app::Workbench& workbench, Endpoint endpoint, Request request, std::string original) {
  PUNA_CO_TRY(const auto recipe, co_await workbench.recipe(request.model));
  if (recipe && apply_recipe(*recipe, endpoint, request.body)) request.rewritten = true;
  const bool as_it_is = !request.rewritten && !original.empty();
  Inference out{.lease = {.purpose = purpose_of(endpoint), .staging = staging_of(request.body)},
                .target = target_of(endpoint),
                .model = std::move(request.model),
                .body = as_it_is ? std::move(original) : json::to_text(request.body),
                .stream = request.stream,
                .tools = request.tools,
                .overflow = request.overflow,
                .adapters = std::move(request.adapters)};
  if (request.keep_alive) {
    PUNA_CO_TRY(out.lease.keep_alive, parse_duration(*request.keep_alive));
  }
  co_return out;
}

}  // namespace puna::api::openai
