#include "api/openai/batch_line.h"

#include "api/error_body.h"
#include "api/gateway.h"
#include "api/openai/parameters.h"
#include "api/openai/prepare.h"
#include "api/openai/responses/create.h"

namespace puna::api::openai {
namespace {

net::Task<Result<Inference>> prepare_line(app::Workbench& workbench, const batch::Request& request) {
  if (request.endpoint == "/v1/responses") co_return co_await responses::prepare(workbench, request.owner, request.body);
  const auto endpoint = request.endpoint == "/v1/embeddings"    ? Endpoint::embeddings
                        : request.endpoint == "/v1/completions" ? Endpoint::completions
                                                                : Endpoint::chat;
  PUNA_CO_TRY(auto chat, co_await checked(workbench, endpoint, request.body));
  co_return co_await prepare(workbench, endpoint, std::move(chat));
}

net::Task<Result<json::value>> answer_body(app::Workbench& workbench, const batch::Request& request) {
  PUNA_CO_TRY(auto inference, co_await prepare_line(workbench, request));
  if (inference.stream) co_return fail(Code::invalid_argument, "stream: a line of a batch is answered whole");
  const auto rendering = std::move(inference.rendering);
  if (rendering) rendering->begin({.model = inference.model, .arrived = std::chrono::steady_clock::now()});
  inference.lease.client.id = request.owner.empty() ? "batches" : request.owner;
  inference.lease.priority = fleet::Priority::low;
  inference.lease.request_id = request.id;
  inference.lease.max_wait = request.patience;
  PUNA_CO_TRY(const auto text, co_await infer_whole(workbench, std::move(inference)));
  PUNA_CO_TRY(auto answer, json::parse_object(text));
  if (!rendering) co_return answer;
  PUNA_CO_TRY(const auto rendered, rendering->whole(answer));
  co_return json::parse(rendered.body);
}

}  // namespace

net::Task<Result<batch::Answer>> answer_line(app::Workbench& workbench, batch::Request request) {
  auto body = co_await answer_body(workbench, request);
  if (body) co_return batch::Answer{.body = std::move(*body)};
  const Error& error = body.error();
  if (error.code == Code::cancelled) co_return fail(error);
  co_return batch::Answer{.status = traits(error.code).http_status, .body = openai_error(error), .error = error};
}

}  // namespace puna::api::openai
