#include "api/openai/members.h"
#include "api/openai/page.h"
#include "api/openai/responses/create.h"
#include "api/openai/schema.h"
#include "api/openai/tables.h"
#include "api/routes/groups.h"

namespace puna::api {
namespace {

using openai::bad;
using openai::present;
using openai::text_member;
using openai::responses::owner_of;

constexpr std::size_t kMostMetadata = 16;

json::value or_null(const auto& member) {
  return member ? json::value(json::encode(*member)) : json::value();
}

// https://platform.openai.com/docs/api-reference/batch/object
json::object batch_object(const batch::Batch& batch) {
  json::object out{{"id", batch.id},
                   {"object", "batch"},
                   {"endpoint", batch.endpoint},
                   {"model", batch.model.empty() ? json::value() : json::value(batch.model)},
                   {"errors", nullptr},
                   {"input_file_id", batch.input_file},
                   {"completion_window", batch.completion_window},
                   {"status", json::enum_name(batch.state)},
                   {"output_file_id", or_null(batch.output_file)},
                   {"error_file_id", or_null(batch.error_file)},
                   {"created_at", batch.created_at},
                   {"in_progress_at", or_null(batch.in_progress_at)},
                   {"expires_at", batch.expires_at},
                   {"finalizing_at", or_null(batch.finalizing_at)},
                   {"completed_at", or_null(batch.completed_at)},
                   {"failed_at", or_null(batch.failed_at)},
                   {"expired_at", or_null(batch.expired_at)},
                   {"cancelling_at", or_null(batch.cancelling_at)},
                   {"cancelled_at", or_null(batch.cancelled_at)},
                   {"request_counts", json::encode(batch.counts)},
                   {"metadata", batch.metadata}};
  if (!batch.errors.empty()) out["errors"] = json::object{{"object", "list"}, {"data", json::encode(batch.errors)}};
  if (batch.tokens.input + batch.tokens.output > 0)
    out["usage"] = json::object{{"input_tokens", batch.tokens.input},
                                {"input_tokens_details", json::object{{"cached_tokens", 0}}},
                                {"output_tokens", batch.tokens.output},
                                {"output_tokens_details", json::object{{"reasoning_tokens", 0}}},
                                {"total_tokens", batch.tokens.input + batch.tokens.output}};
  return out;
}

Result<std::optional<std::int64_t>> output_lifetime(const json::object& body) {
  const json::value* found = present(body, "output_expires_after");
  if (!found) return std::nullopt;
  PUNA_CHECK(check_members(openai::output_expiry_table(), found->get_object()));
  if (text_member(found->get_object(), "anchor") != "created_at") return bad("output_expires_after.anchor", "only 'created_at' is known");
  const json::value* seconds = present(found->get_object(), "seconds");
  if (!seconds) return bad("output_expires_after.seconds", "required, but missing");
  return seconds->to_number<std::int64_t>();
}

Result<batch::CreateBatch> read_request(const Call& call) {
  PUNA_TRY(const auto body, json::parse_object(call.request().body));
  PUNA_CHECK(check_members(openai::batches_table(), body));
  batch::CreateBatch out{.owner = owner_of(call.caller())};
  for (const auto& [name, into] : {std::pair{"endpoint", &out.endpoint}, std::pair{"input_file_id", &out.input_file},
                                   std::pair{"completion_window", &out.completion_window}}) {
    *into = text_member(body, name);
    if (into->empty()) return bad(name, "required, but missing");
  }
  if (const json::value* metadata = present(body, "metadata")) {
    out.metadata = metadata->get_object();
    if (out.metadata.size() > kMostMetadata) return bad("metadata", fmt::format("more than {} members", kMostMetadata));
  }
  PUNA_TRY(out.output_lifetime, output_lifetime(body));
  return out;
}

net::Task<Result<>> create_batch(Call& call) {
  PUNA_CO_TRY(auto request, read_request(call));
  auto& workbench = call.workbench();
  PUNA_CO_TRY(const auto batch, co_await call.blocking([&] { return workbench.batches().create(workbench.jobs(), std::move(request)); }));
  co_return co_await call.reply(batch_object(batch));
}

net::Task<Result<>> list_batches(Call& call) {
  auto& batches = call.workbench().batches();
  PUNA_CO_TRY(const auto all, co_await call.blocking([&] { return batches.list(owner_of(call.caller())); }));
  json::array data;
  for (const auto& batch : all) data.push_back(batch_object(batch));
  PUNA_CO_TRY(auto page, openai::page_of(call, data));
  co_return co_await call.reply(std::move(page));
}

net::Task<Result<>> show_batch(Call& call) {
  auto& workbench = call.workbench();
  PUNA_CO_TRY(const auto batch, co_await call.blocking([&] {
    return workbench.batches().find(workbench.jobs(), owner_of(call.caller()), call.path_parameter("batch"));
  }));
  co_return co_await call.reply(batch_object(batch));
}

net::Task<Result<>> cancel_batch(Call& call) {
  auto& workbench = call.workbench();
  PUNA_CO_TRY(const auto batch, co_await call.blocking([&] {
    return workbench.batches().cancel(workbench.jobs(), owner_of(call.caller()), call.path_parameter("batch"));
  }));
  co_return co_await call.reply(batch_object(batch));
}

}  // namespace

std::span<const Route> openai_batch_routes() {
  static const std::vector<Route> routes = {
      {.method = "POST",
       .path = "/v1/batches",
       .operation = "createBatch",
       .summary = "answer the requests of a file, one on each line, when there is nothing more urgent",
       .handle = create_batch,
       .scope = wire::Scope::inference,
       .request_schema = openai::batches_schema,
       .dialect = Dialect::openai},
      {.method = "GET",
       .path = "/v1/batches",
       .operation = "listBatches",
       .summary = "your batches",
       .handle = list_batches,
       .scope = wire::Scope::inference,
       .dialect = Dialect::openai,
       .query = openai::page_parameters()},
      {.method = "GET",
       .path = "/v1/batches/{batch}",
       .operation = "retrieveBatch",
       .summary = "how far a batch is, and where its output lies",
       .handle = show_batch,
       .scope = wire::Scope::inference,
       .dialect = Dialect::openai},
      {.method = "POST",
       .path = "/v1/batches/{batch}/cancel",
       .operation = "cancelBatch",
       .summary = "end a batch; what is answered is kept",
       .handle = cancel_batch,
       .scope = wire::Scope::inference,
       .dialect = Dialect::openai},
  };
  return routes;
}

}  // namespace puna::api
