#include "worker/routes.h"

#include <fmt/format.h>

#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/text.h"
#include "server-context.h"
#include "server-http.h"
#include "worker/engine_log.h"
#include "worker/generation.h"

namespace puna::worker {
namespace {

using Handler = server_http_context::handler_t;

struct Failure {
  int status = 500;
  std::string message;
  std::optional<std::string_view> code = {};  // OpenAI's, such as "context_length_exceeded"
  json::object counts = {};                   // of a prompt that is too long: n_prompt_tokens, n_ctx
};

std::string failure_body(const Failure& failure) {
  const std::string_view type = failure.status < 500 ? "invalid_request_error" : "server_error";
  json::object error{{"message", failure.message}, {"type", type}, {"param", nullptr}, {"code", nullptr}};
  if (failure.code) error["code"] = *failure.code;
  error.insert(failure.counts.begin(), failure.counts.end());
  return json::to_text(json::object{{"error", std::move(error)}});
}

server_http_res_ptr failure_response(const Failure& failure) {
  auto response = std::make_unique<server_http_res>();
  response->status = failure.status;
  response->data = failure_body(failure);
  return response;
}

// A text to embed must fit into one pass, which we made as long as the context; llama.cpp takes the length of the pass for its own limit.
constexpr std::string_view kTooLongToEmbed = " is too large to process";

// llama.cpp's own failures are {"error": {"code": STATUS, "message", "type"}}.
Failure read_failure(const server_http_res& response, std::int64_t context_length) {
  Failure out{.status = response.status, .message = "the worker failed without a reason"};
  const auto body = json::parse_object(response.data);
  const json::value* error = body ? body->if_contains("error") : nullptr;
  if (!error || !error->is_object()) return out;
  const json::value* message = error->get_object().if_contains("message");
  const json::value* type = error->get_object().if_contains("type");
  if (message && message->is_string()) out.message = std::string_view(message->get_string());
  if (type && *type == "exceed_context_size_error") {
    out.code = "context_length_exceeded";
    for (const std::string_view name : {"n_prompt_tokens", "n_ctx"})
      if (const json::value* count = error->get_object().if_contains(name)) out.counts[name] = *count;
  }
  if (type && *type == "not_supported_error") out.status = 400;
  if (const auto end = out.message.find(kTooLongToEmbed); end != std::string::npos)
    out = {.status = 400,
           .message = fmt::format("{} exceeds the context of {} tokens", out.message.substr(0, end), context_length),
           .code = "context_length_exceeded"};
  return out;
}

// llama.cpp's streams that go on when their client has left are not offered here.
constexpr std::string_view kResumable = "x-conversation-id";

bool has_header(const server_http_req& request, std::string_view name) {
  for (const auto& [key, value] : request.headers)
    if (equal_ignoring_case(key, name)) return true;
  return false;
}

// Handlers throw only while they read a request: what inference does wrong arrives as a result.
server_http_res_ptr answer(const Handler& handler, const server_http_req& request, std::int64_t context_length) {
  try {
    if (has_header(request, kResumable))
      return failure_response({.status = 400, .message = "streams that survive their client are not offered"});
    auto response = handler(request);
    if (response->is_stream() || response->status < 400) return response;
    const Failure failure = read_failure(*response, context_length);
    write_log_line(fmt::format("{} answered with status {}", request.path, failure.status));
    response->status = failure.status;
    response->data = failure_body(failure);
    return response;
  } catch (const std::bad_alloc&) {
    write_log_line(fmt::format("{} failed: out of memory", request.path));
    return failure_response({.message = "the worker is out of memory: try a shorter prompt, or fewer slots"});
  } catch (const std::exception& exception) {
    write_log_line(fmt::format("{} was refused", request.path));
    return failure_response({.status = 400, .message = exception.what()});
  }
}

}  // namespace

void register_routes(server_http_context& http, const server_routes& routes, ServedModel model, const GenerationParts& generation) {
  const auto guarded = [context_length = model.context_length](const Handler& handler) -> Handler {
    return [handler, context_length](const server_http_req& request) { return answer(handler, request, context_length); };
  };
  const auto generates = [&](const Handler& handler, PromptKind kind) { return guarded(generating(handler, kind, generation)); };
  http.get("/health", guarded(routes.get_health));
  http.get("/props", guarded(routes.get_props));
  http.get("/slots", guarded(routes.get_slots));
  http.get("/metrics", guarded(routes.get_metrics));
  http.post("/tokenize", guarded(routes.post_tokenize));
  http.post("/detokenize", guarded(routes.post_detokenize));
  if (model.mode == Mode::rank) {
    http.post("/v1/rerank", guarded(routes.post_rerank));
    return;
  }
  if (model.mode == Mode::embed) {
    http.post("/v1/embeddings", guarded(routes.post_embeddings_oai));
    return;
  }
  http.post("/v1/chat/completions", generates(routes.post_chat_completions, PromptKind::chat));
  http.post("/v1/chat/completions/input_tokens", guarded(routes.post_chat_completions_tok));
  http.post("/v1/completions", generates(routes.post_completions_oai, PromptKind::text));
  http.post("/infill", guarded(routes.post_infill));
  http.post("/apply-template", guarded(routes.post_apply_template));
}

}  // namespace puna::worker
