#include "api/anthropic/models.h"

#include <algorithm>

#include "api/served_models.h"

namespace puna::api::anthropic {
namespace {

json::object model_object(const wire::Model& model) {
  return {{"type", "model"},
          {"id", model.name},
          {"display_name", model.name},
          {"created_at", model.modified_at},
          {"lifecycle", "active"},
          {"max_input_tokens", model.details.context_length},
          {"max_tokens", model.details.context_length}};
}

// The models behind `after_id`, or before `before_id`, at most `limit` of them.
Result<json::object> page(const std::vector<wire::Model>& models, const net::Query& query, std::uint64_t limit) {
  auto first = models.begin();
  auto last = models.end();
  const auto after = query.get("after_id");
  const auto before = query.get("before_id");
  if (after) {
    first = std::ranges::find(models, *after, &wire::Model::name);
    if (first == models.end()) return fail(Code::invalid_argument, fmt::format("after_id: there is no model '{}'", *after));
    ++first;
  }
  if (before) {
    last = std::ranges::find(models, *before, &wire::Model::name);
    if (last == models.end()) return fail(Code::invalid_argument, fmt::format("before_id: there is no model '{}'", *before));
  }
  const auto available = static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(last - first, 0));
  const auto count = static_cast<std::ptrdiff_t>(std::min(available, limit));
  const auto from = before && !after ? last - count : first;
  json::array data;
  for (auto model = from; model != from + count; ++model) data.push_back(model_object(*model));
  json::object out{{"has_more", available > limit}, {"first_id", nullptr}, {"last_id", nullptr}};
  if (!data.empty()) {
    out["first_id"] = data.front().at("id");
    out["last_id"] = data.back().at("id");
  }
  out["data"] = std::move(data);
  return out;
}

}  // namespace

net::Task<Result<>> list_models(Call& call) {
  PUNA_CO_TRY(const auto limit, call.number("limit", 20, 1000));
  PUNA_CO_TRY(const auto models, co_await served_models(call));
  PUNA_CO_TRY(auto listed, page(models, call.request().query, std::max<std::uint64_t>(limit, 1)));
  co_return co_await call.reply(std::move(listed));
}

net::Task<Result<>> show_model(Call& call) {
  PUNA_CO_TRY(const auto model, co_await served_model(call, call.path_parameter("model")));
  co_return co_await call.reply(model_object(model));
}

}  // namespace puna::api::anthropic
