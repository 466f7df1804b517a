#include "hub/hub.h"
#include "api/routes/groups.h"
#include "wire/hub.h"
#include "wire/job.h"

namespace puna::api {
namespace {

constexpr std::uint64_t kUsualResults = 20;
constexpr std::uint64_t kMostResults = 100;

std::optional<std::string> parameter(const Call& call, std::string_view name) {
  const auto text = call.request().query.get(name);
  return text && !text->empty() ? std::optional(std::string(*text)) : std::nullopt;
}

Result<hub::SearchQuery> search_query(const Call& call) {
  hub::SearchQuery out{.text = parameter(call, "q").value_or(""),
                       .owner = parameter(call, "owner"),
                       .licence = parameter(call, "licence"),
                       .task = parameter(call, "task"),
                       .cursor = parameter(call, "cursor")};
  PUNA_TRY(const auto limit, call.number("limit", kUsualResults, kMostResults));
  out.limit = std::max<std::size_t>(limit, 1);
  const auto order = parameter(call, "sort").value_or("trending");
  const auto known = json::enum_from_name<hub::SearchOrder>(order);
  if (!known) return fail(Code::invalid_argument, "sort: expected trending, downloads, likes, updated or created");
  out.order = *known;
  const auto format = parameter(call, "format").value_or("gguf");
  if (format != "gguf" && format != "any") return fail(Code::invalid_argument, "format: expected gguf or any");
  out.any_format = format == "any";
  return out;
}

net::Task<Result<>> search(Call& call) {
  PUNA_CO_TRY(auto query, search_query(call));
  PUNA_CO_TRY(auto page, co_await call.workbench().hub().search(parameter(call, "catalogue").value_or("huggingface"), std::move(query)));
  co_return co_await call.reply(std::move(page));
}

net::Task<Result<>> show(Call& call) {
  PUNA_CO_TRY(auto reference, hub::parse_reference(call.path_parameter("source")));
  const auto card = parameter(call, "card") == "true" ? hub::Hub::Card::bring : hub::Hub::Card::leave;
  PUNA_CO_TRY(auto model, co_await call.workbench().hub().show(std::move(reference), card));
  co_return co_await call.reply(std::move(model));
}

net::Task<Result<>> plan(Call& call) {
  PUNA_CO_TRY(auto request, call.body<wire::PullRequest>());
  PUNA_CO_TRY(auto plan, co_await call.workbench().pulls().plan(std::move(request)));
  co_return co_await call.reply(std::move(plan));
}

net::Task<Result<>> outdated(Call& call) {
  std::vector<std::string> names;
  for (const auto name : call.request().query.all("name")) names.emplace_back(name);
  PUNA_CO_TRY(auto list, co_await call.workbench().pulls().outdated(std::move(names)));
  co_return co_await call.reply(std::move(list));
}

net::Task<Result<>> update(Call& call) {
  auto& workbench = call.workbench();
  PUNA_CO_TRY(auto job, co_await call.blocking([&] { return workbench.update(call.path_parameter("name")); }));
  co_return co_await call.reply(std::move(job), 202);
}

}  // namespace

std::span<const Route> hub_routes() {
  static const std::vector<Route> routes = {
      {.method = "GET",
       .path = "/api/v1/hub/search",
       .operation = "searchHub",
       .summary = "models that a catalogue has",
       .handle = search,
       .scope = wire::Scope::manage,
       .response_schema = schema_of<wire::HubPage>,
       .query = {{"q", "words in the name"},
                 {"catalogue", "huggingface (unless told) or modelscope"},
                 {"sort", "trending (unless told), downloads, likes, updated or created"},
                 {"format", "gguf (unless told): only what has GGUF files; or any"},
                 {"owner", "only this owner's"},
                 {"licence", "only with this licence, such as apache-2.0"},
                 {"task", "only for this task, such as text-generation"},
                 {"limit", "models on a page, at most 100; 20 unless told"},
                 {"cursor", "`next` of the page before"}}},
      {.method = "GET",
       .path = "/api/v1/hub/models/{source}",
       .operation = "showHubModel",
       .summary = "a repository: its licence, its quantizations with sizes, and whether they fit into memory",
       .handle = show,
       .scope = wire::Scope::manage,
       .response_schema = schema_of<wire::HubModel>,
       .query = {{"card", "true: with the model card"}}},
      {.method = "POST",
       .path = "/api/v1/hub/plan",
       .operation = "planPull",
       .summary = "what a pull would bring, without bringing it: files, what is here, disk, memory",
       .handle = plan,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::PullRequest>,
       .response_schema = schema_of<wire::PullPlan>},
      {.method = "GET",
       .path = "/api/v1/models/outdated",
       .operation = "listOutdatedModels",
       .summary = "which models have something new upstream, and what",
       .handle = outdated,
       .scope = wire::Scope::manage,
       .response_schema = schema_of<wire::OutdatedList>,
       .query = {{"name", "only this model; may be repeated"}}},
      {.method = "POST",
       .path = "/api/v1/models/{name}/update",
       .operation = "updateModel",
       .summary = "bring what is new upstream of a model, with the filter it was pulled with, as a job",
       .handle = update,
       .scope = wire::Scope::manage,
       .response_schema = schema_of<wire::Job>,
       .success_status = 202},
  };
  return routes;
}

}  // namespace puna::api
