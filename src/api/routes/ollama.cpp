// Ollama's API: answers, and what models there are. Its long work is in ollama_work.cpp.
#include "api/gateway.h"
#include "api/ollama/models.h"
#include "api/ollama/rendering.h"
#include "api/ollama/request.h"
#include "api/openai/prepare.h"
#include "api/routes/groups.h"
#include "api/served_models.h"
#include "base/version.h"

namespace puna::api {
namespace {

// Clients ask for it to know what they may use: the version whose API this is.
constexpr std::string_view kOllamaVersion = "0.17.4";

struct CopyNames {
  std::string source;
  std::string destination;
};
BOOST_DESCRIBE_STRUCT(CopyNames, (), (source, destination))

bool is_zero(const std::optional<std::string>& keep_alive) {
  if (!keep_alive) return false;
  const auto time = parse_duration(*keep_alive);
  return time && *time == Milliseconds(0);
}

// Nothing to answer: the model is loaded, or unloaded.
net::Task<Result<>> load_only(Call& call, const ollama::Request& request) {
  const auto& keep_alive = request.engine.keep_alive;
  auto& workbench = call.workbench();
  if (!is_zero(keep_alive)) {
    PUNA_CO_CHECK(co_await workbench.load_model(request.engine.model, keep_alive));
    co_return co_await call.reply(ollama::idle_answer(request.expectations, "load"));
  }
  PUNA_CO_CHECK(co_await workbench.recipe(request.engine.model));  // refuses what is no model
  const auto unloaded = co_await workbench.unload_model(request.engine.model);
  if (!unloaded && unloaded.error().code != Code::not_found) co_return unloaded;
  co_return co_await call.reply(ollama::idle_answer(request.expectations, "unload"));
}

net::Task<Result<>> require_thinking(Call& call, const ollama::Request& request) {
  PUNA_CO_TRY(const auto model, co_await served_model(call, app::split_model_name(request.engine.model).base));
  const auto& can = model.details.capabilities;
  if (std::ranges::find(can, "thinking") != can.end()) co_return Result<>();
  co_return fail(Code::unsupported, fmt::format("think: {} does not support thinking; leave it out, or take a model whose `show` lists it",
                                                request.engine.model));
}

openai::Endpoint endpoint_of(ollama::Style style) {
  return style == ollama::Style::raw || style == ollama::Style::infill ? openai::Endpoint::completions : openai::Endpoint::chat;
}

net::Task<Result<>> answer(Call& call, ollama::Request request) {
  if (request.engine.body.empty()) co_return co_await load_only(call, request);
  if (request.wants_thinking) PUNA_CO_CHECK(co_await require_thinking(call, request));
  const auto style = request.expectations.style;
  PUNA_CO_TRY(auto inference, co_await openai::prepare(call.workbench(), endpoint_of(style), std::move(request.engine)));
  if (style == ollama::Style::infill) inference.target = "/infill";
  inference.context = request.context;
  inference.rendering = ollama::answer_rendering(std::move(request.expectations));
  co_return co_await infer(call, std::move(inference));
}

net::Task<Result<>> chat(Call& call) {
  PUNA_CO_TRY(auto request, ollama::translate_chat(call.take_body()));
  co_return co_await answer(call, std::move(request));
}
net::Task<Result<>> generate(Call& call) {
  PUNA_CO_TRY(auto request, ollama::translate_generate(call.take_body()));
  co_return co_await answer(call, std::move(request));
}

net::Task<Result<>> embed_with(Call& call, ollama::Endpoint endpoint) {
  PUNA_CO_TRY(auto request, ollama::translate_embedding(endpoint, call.take_body()));
  auto rendering = ollama::embedding_rendering(endpoint, request.model, request.dimensions);
  if (request.engine.body.empty()) {
    PUNA_CO_CHECK(co_await call.workbench().load_model(request.model, request.engine.keep_alive));
    rendering->begin({.model = request.model, .request_id = call.request().id, .arrived = std::chrono::steady_clock::now()});
    PUNA_CO_TRY(auto response, rendering->whole(json::object{{"data", json::array{}}}));
    co_return co_await call.responder().send(std::move(response));
  }
  PUNA_CO_TRY(auto inference, co_await openai::prepare(call.workbench(), openai::Endpoint::embeddings, std::move(request.engine)));
  inference.context = request.context;
  inference.rendering = std::move(rendering);
  co_return co_await infer(call, std::move(inference));
}
net::Task<Result<>> embed(Call& call) {
  return embed_with(call, ollama::Endpoint::embed);
}
net::Task<Result<>> embeddings(Call& call) {
  return embed_with(call, ollama::Endpoint::embeddings);
}

net::Task<Result<>> show_version(Call& call) {
  co_return co_await call.reply(json::object{{"version", kOllamaVersion}, {"puna", version()}});
}

net::Task<Result<>> list_tags(Call& call) {
  PUNA_CO_TRY(auto models, co_await served_models(call));
  co_return co_await call.reply(ollama::tags(std::move(models)));
}

net::Task<Result<>> list_processes(Call& call) {
  PUNA_CO_TRY(const auto models, co_await served_models(call));
  co_return co_await call.reply(ollama::processes(call.workbench().fleet().list(), models));
}

net::Task<Result<>> show_model(Call& call) {
  PUNA_CO_TRY(const auto asked, ollama::read_named(ollama::Endpoint::show, call.request().body));
  PUNA_CO_TRY(const auto detail, co_await served_detail(call, asked.model));
  co_return co_await call.reply(co_await call.blocking([&] { return ollama::details(detail); }));
}

net::Task<Result<>> copy_model(Call& call) {
  PUNA_CO_TRY(const auto body, json::parse_object(call.request().body));
  PUNA_CO_CHECK(check_members(ollama::table(ollama::Endpoint::copy), body));
  PUNA_CO_TRY(const auto wanted, json::decode_text<CopyNames>(call.request().body, json::Unknown::ignore));
  auto& library = call.workbench().library();
  PUNA_CO_CHECK(co_await call.blocking([&] { return library.copy(wanted.source, wanted.destination); }));
  co_return co_await call.responder().send({200, {}, ""});
}

net::Task<Result<>> remove_model(Call& call) {
  PUNA_CO_TRY(const auto asked, ollama::read_named(ollama::Endpoint::remove, call.request().body));
  PUNA_CO_CHECK(co_await call.workbench().remove_model(asked.model, {}));
  co_return co_await call.responder().send({200, {}, ""});
}

template <ollama::Endpoint endpoint>
json::object body_schema(wire::SchemaSet& schemas) {
  static_cast<void>(schemas);
  return members_schema(ollama::table(endpoint).members);
}

Route reading(std::string_view path, std::string_view operation, std::string_view summary, net::Task<Result<>> (*handle)(Call&)) {
  return {.method = "GET",
          .path = path,
          .operation = operation,
          .summary = summary,
          .handle = handle,
          .scope = wire::Scope::inference,
          .dialect = Dialect::ollama};
}

}  // namespace

std::span<const Route> ollama_routes() {
  static const std::vector<Route> routes = {
      {.method = "POST",
       .path = "/api/chat",
       .operation = "ollamaChat",
       .summary = "answer a conversation in Ollama's dialect; a stream of lines unless \"stream\" is false",
       .handle = chat,
       .scope = wire::Scope::inference,
       .request_schema = body_schema<ollama::Endpoint::chat>,
       .response_type = "application/x-ndjson",
       .dialect = Dialect::ollama},
      {.method = "POST",
       .path = "/api/generate",
       .operation = "ollamaGenerate",
       .summary = "answer a prompt, or continue a text, in Ollama's dialect",
       .handle = generate,
       .scope = wire::Scope::inference,
       .request_schema = body_schema<ollama::Endpoint::generate>,
       .response_type = "application/x-ndjson",
       .dialect = Dialect::ollama},
      {.method = "POST",
       .path = "/api/embed",
       .operation = "ollamaEmbed",
       .summary = "vectors for texts in Ollama's dialect",
       .handle = embed,
       .scope = wire::Scope::inference,
       .request_schema = body_schema<ollama::Endpoint::embed>,
       .dialect = Dialect::ollama},
      {.method = "POST",
       .path = "/api/embeddings",
       .operation = "ollamaEmbeddings",
       .summary = "a vector for one text in Ollama's older dialect",
       .handle = embeddings,
       .scope = wire::Scope::inference,
       .request_schema = body_schema<ollama::Endpoint::embeddings>,
       .dialect = Dialect::ollama},
      {.method = "POST",
       .path = "/api/show",
       .operation = "ollamaShow",
       .summary = "one model with its template, parameters and metadata, in Ollama's dialect",
       .handle = show_model,
       .scope = wire::Scope::inference,
       .request_schema = body_schema<ollama::Endpoint::show>,
       .dialect = Dialect::ollama},
      {.method = "POST",
       .path = "/api/copy",
       .operation = "ollamaCopy",
       .summary = "make a second model of the same files",
       .handle = copy_model,
       .scope = wire::Scope::manage,
       .request_schema = body_schema<ollama::Endpoint::copy>,
       .dialect = Dialect::ollama},
      {.method = "DELETE",
       .path = "/api/delete",
       .operation = "ollamaDelete",
       .summary = "take a name out of the library",
       .handle = remove_model,
       .scope = wire::Scope::manage,
       .request_schema = body_schema<ollama::Endpoint::remove>,
       .dialect = Dialect::ollama},
      reading("/api/version", "ollamaVersion", "the version of Ollama whose API this is, and Puna's own", show_version),
      reading("/api/tags", "ollamaTags", "the models in the library, in Ollama's dialect", list_tags),
      reading("/api/ps", "ollamaProcesses", "the models in memory, in Ollama's dialect", list_processes),
  };
  return routes;
}

}  // namespace puna::api
