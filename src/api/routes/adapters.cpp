#include "api/routes/groups.h"
#include "wire/adapter_work.h"
#include "wire/job.h"

namespace puna::api {
namespace {

template <class Request>
net::Task<Result<>> submit(Call& call) {
  PUNA_CO_TRY(const auto request, call.body<Request>());
  auto& workbench = call.workbench();
  PUNA_CO_TRY(auto job, co_await call.blocking([&] { return workbench.adapter_jobs().submit(workbench.jobs(), request); }));
  co_return co_await call.reply(std::move(job), 202);
}

}  // namespace

std::span<const Route> adapter_routes() {
  static const std::vector<Route> routes = {
      {.method = "POST",
       .path = "/api/v1/tune/merge",
       .operation = "mergeAdapter",
       .summary = "make one model of a base and its adapters, as a job that says how far it is from both",
       .handle = submit<wire::MergeRequest>,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::MergeRequest>,
       .response_schema = schema_of<wire::Job>,
       .success_status = 202},
      {.method = "POST",
       .path = "/api/v1/tune/export",
       .operation = "exportAdapter",
       .summary = "write an adapter for other programs into a folder of the daemon's machine, as a job",
       .handle = submit<wire::ExportRequest>,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::ExportRequest>,
       .response_schema = schema_of<wire::Job>,
       .success_status = 202},
      {.method = "POST",
       .path = "/api/v1/tune/import",
       .operation = "importAdapter",
       .summary = "take in an adapter in PEFT's form from a folder of the daemon's machine, as a job",
       .handle = submit<wire::ImportRequest>,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::ImportRequest>,
       .response_schema = schema_of<wire::Job>,
       .success_status = 202},
  };
  return routes;
}

}  // namespace puna::api
