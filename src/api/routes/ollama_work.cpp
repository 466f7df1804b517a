// Ollama's API: bringing models here and elsewhere, and making them.
#include "api/ollama/create.h"
#include "api/ollama/progress.h"
#include "api/ollama/request.h"
#include "api/ollama/uploads.h"
#include "api/openai/members.h"
#include "api/routes/groups.h"
#include "model/name.h"

namespace puna::api {
namespace {

using ollama::ProgressStream;
using ollama::Work;

bool streams(const json::object& body) {
  const json::value* stream = openai::present(body, "stream");
  return !stream || stream->get_bool();
}

// What the name of a model means elsewhere: "llama3.2" is of Ollama's registry, "hf.co/owner/repo:Q4_K_M" of Hugging Face.
std::string source_of(std::string_view name) {
  const bool elsewhere = name.starts_with("hf.co/") || name.starts_with("huggingface.co/") || name.contains("://");
  return elsewhere ? std::string(name) : fmt::format("ollama://{}", name);
}

// Follows a job to its end, and says "success", or why not.
net::Task<Result<>> tell(ProgressStream& stream, Result<wire::Job> job) {
  if (job) job = co_await stream.follow(std::move(*job));
  if (!job) co_return co_await stream.fail_with(job.error());
  co_return co_await stream.succeed();
}

net::Task<Result<>> pull(Call& call) {
  PUNA_CO_TRY(const auto asked, ollama::read_named(ollama::Endpoint::pull, call.request().body));
  auto& workbench = call.workbench();
  wire::PullRequest request{.source = source_of(asked.model)};
  if (!asked.model.contains("://")) request.name = asked.model;
  ProgressStream stream(call, Work::pull, streams(asked.body));
  auto job = co_await call.blocking([&] { return workbench.pull(request); });
  co_return co_await tell(stream, std::move(job));
}

net::Task<Result<>> push(Call& call) {
  PUNA_CO_TRY(const auto asked, ollama::read_named(ollama::Endpoint::push, call.request().body));
  auto& workbench = call.workbench();
  const wire::PushRequest request{.destination = source_of(asked.model)};
  ProgressStream stream(call, Work::push, streams(asked.body));
  auto job = co_await call.blocking([&] { return workbench.push(asked.model, request); });
  co_return co_await tell(stream, std::move(job));
}

// Made as it is under another name first, which then goes.
net::Task<Result<>> create_quantized(Call& call, ProgressStream& stream, const wire::CreateModel& request, const std::string& level) {
  auto& workbench = call.workbench();
  PUNA_CO_TRY(const auto name, model::Name::parse(request.name));
  wire::CreateModel whole = request;
  whole.name = name.with_tag(name.tag() + "-unquantized").text();
  auto job = co_await call.blocking([&] { return workbench.library_jobs().create(workbench.jobs(), whole); });
  if (job) job = co_await stream.follow(std::move(*job));
  if (!job) co_return fail(job.error());
  const wire::QuantizeRequest order{.level = level, .name = name.text()};
  job = co_await call.blocking([&] { return workbench.quantize(whole.name, order); });
  if (job) job = co_await stream.follow(std::move(*job));
  const auto removed = co_await workbench.remove_model(whole.name, {.now = true});
  if (!job) co_return fail(job.error());
  if (!removed) co_return fail(removed.error());
  co_return Result<>();
}

net::Task<Result<>> create_plain(Call& call, ProgressStream& stream, const wire::CreateModel& request) {
  auto& workbench = call.workbench();
  auto job = co_await call.blocking([&] { return workbench.library_jobs().create(workbench.jobs(), request); });
  if (job) job = co_await stream.follow(std::move(*job));
  co_return job ? Result<>() : fail(job.error());
}

net::Task<Result<>> create(Call& call) {
  PUNA_CO_TRY(const auto asked, ollama::read_named(ollama::Endpoint::create, call.request().body));
  auto& workbench = call.workbench();
  const auto find = [&](const std::string& sha256) { return ollama::find_content(workbench, sha256); };
  PUNA_CO_TRY(const auto creation, co_await call.blocking([&] { return ollama::read_creation(asked.body, find); }));
  const wire::CreateModel request{.name = asked.model, .recipe = creation.recipe, .format = wire::RecipeFormat::toml};
  ProgressStream stream(call, Work::create, streams(asked.body));
  const auto made = creation.quantize.empty() ? co_await create_plain(call, stream, request)
                                              : co_await create_quantized(call, stream, request, creation.quantize);
  if (!made) co_return co_await stream.fail_with(made.error());
  co_await call.blocking([&] {
    for (const auto& sha256 : creation.uploads) ollama::forget_upload(workbench, sha256);
    return Result<>();
  });
  co_return co_await stream.succeed();
}

net::Task<Result<>> find_blob(Call& call) {
  PUNA_CO_TRY(const auto sha256, ollama::parse_digest(call.path_parameter("digest")));
  auto& workbench = call.workbench();
  PUNA_CO_CHECK(co_await call.blocking([&] { return ollama::find_content(workbench, sha256); }));
  co_return co_await call.responder().send({200, {}, ""});
}

net::Task<Result<>> receive_blob(Call& call) {
  PUNA_CO_TRY(const auto sha256, ollama::parse_digest(call.path_parameter("digest")));
  PUNA_CO_TRY(const bool is_new, co_await ollama::receive(call, sha256));
  co_return co_await call.responder().send({is_new ? 201 : 200, {}, ""});
}

// As large as models are.
Bytes blob_limit(const Settings&) {
  return gib(1024);
}

template <ollama::Endpoint endpoint>
json::object body_schema(wire::SchemaSet& schemas) {
  static_cast<void>(schemas);
  return members_schema(ollama::table(endpoint).members);
}

}  // namespace

std::span<const Route> ollama_work_routes() {
  static const std::vector<Route> routes = {
      {.method = "POST",
       .path = "/api/pull",
       .operation = "ollamaPull",
       .summary = "bring a model from Ollama's registry or Hugging Face into the library",
       .handle = pull,
       .scope = wire::Scope::manage,
       .request_schema = body_schema<ollama::Endpoint::pull>,
       .response_type = "application/x-ndjson",
       .dialect = Dialect::ollama},
      {.method = "POST",
       .path = "/api/push",
       .operation = "ollamaPush",
       .summary = "bring a model of the library to a registry",
       .handle = push,
       .scope = wire::Scope::manage,
       .request_schema = body_schema<ollama::Endpoint::push>,
       .response_type = "application/x-ndjson",
       .dialect = Dialect::ollama},
      {.method = "POST",
       .path = "/api/create",
       .operation = "ollamaCreate",
       .summary = "make a model of another one, or of a file that was brought before",
       .handle = create,
       .scope = wire::Scope::manage,
       .request_schema = body_schema<ollama::Endpoint::create>,
       .response_type = "application/x-ndjson",
       .dialect = Dialect::ollama},
      {.method = "HEAD",
       .path = "/api/blobs/{digest}",
       .operation = "ollamaFindBlob",
       .summary = "whether the content of a digest is here",
       .handle = find_blob,
       .scope = wire::Scope::manage,
       .dialect = Dialect::ollama},
      {.method = "POST",
       .path = "/api/blobs/{digest}",
       .operation = "ollamaReceiveBlob",
       .summary = "bring a file for /api/create; refused when its content has another digest",
       .handle = receive_blob,
       .scope = wire::Scope::manage,
       .success_status = 201,
       .dialect = Dialect::ollama,
       .streamed_body = blob_limit},
  };
  return routes;
}

}  // namespace puna::api
