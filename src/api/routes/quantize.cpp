#include "wire/quantize.h"
#include "api/routes/groups.h"
#include "wire/job.h"

namespace puna::api {
namespace {

net::Task<Result<>> list_levels(Call& call) {
  auto& quantizer = call.workbench().quantizer();
  const std::string model(call.request().query.get("model").value_or(""));
  PUNA_CO_TRY(auto levels, co_await call.blocking([&] { return quantizer.levels(model); }));
  co_return co_await call.reply(std::move(levels));
}

net::Task<Result<>> plan_quantization(Call& call) {
  PUNA_CO_TRY(const auto request, call.body<wire::QuantizeRequest>());
  auto& quantizer = call.workbench().quantizer();
  PUNA_CO_TRY(auto plan, co_await call.blocking([&] { return quantizer.plan(call.path_parameter("name"), request); }));
  co_return co_await call.reply(std::move(plan));
}

net::Task<Result<>> quantize_model(Call& call) {
  PUNA_CO_TRY(const auto request, call.body<wire::QuantizeRequest>());
  auto& workbench = call.workbench();
  PUNA_CO_TRY(auto job, co_await call.blocking([&] { return workbench.quantize(call.path_parameter("name"), request); }));
  co_return co_await call.reply(std::move(job), 202);
}

}  // namespace

std::span<const Route> quantize_routes() {
  static const std::vector<Route> routes = {
      {.method = "GET",
       .path = "/api/v1/quantize/levels",
       .operation = "listQuantizeLevels",
       .summary = "how small a model can be made, and what that costs",
       .handle = list_levels,
       .scope = wire::Scope::read,
       .response_schema = schema_of<wire::QuantizeLevels>,
       .query = {{"model", "with the size that this model would have"}}},
      {.method = "POST",
       .path = "/api/v1/models/{name}/quantize/plan",
       .operation = "planQuantization",
       .summary = "what quantizing a model would come to; nothing is written",
       .handle = plan_quantization,
       .scope = wire::Scope::read,
       .request_schema = schema_of<wire::QuantizeRequest>,
       .response_schema = schema_of<wire::QuantizePlan>},
      {.method = "POST",
       .path = "/api/v1/models/{name}/quantize",
       .operation = "quantizeModel",
       .summary = "make a smaller model from one of the library, as a job",
       .handle = quantize_model,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::QuantizeRequest>,
       .response_schema = schema_of<wire::Job>,
       .success_status = 202},
  };
  return routes;
}

}  // namespace puna::api
