#include "api/inference_end.h"

#include "api/request_spans.h"
#include "base/log.h"

namespace puna::api {
namespace {

// Names that no model has would otherwise fill tables and metrics.
std::string counted_model(const InferenceEnd& end) {
  return end.error && end.error->code == Code::not_found ? std::string() : end.model;
}

access::ModelUse use_of(const InferenceEnd& end) {
  return {.client = end.lease.client.id,
          .model = counted_model(end),
          .failed = end.outcome == InferenceOutcome::refused || end.outcome == InferenceOutcome::failed,
          .tokens_in = end.usage.prompt_tokens,
          .tokens_cached = end.usage.cached_tokens,
          .tokens_out = end.usage.completion_tokens,
          .first_token = end.first_byte().value_or(Milliseconds(0)),
          .duration = end.total()};
}

metrics::RequestEnd figures_of(const InferenceEnd& end) {
  return {.model = counted_model(end),
          .outcome = std::string(json::enum_name(end.outcome)),
          .tokens_in = end.usage.prompt_tokens,
          .tokens_cached = end.usage.cached_tokens,
          .tokens_out = end.usage.completion_tokens,
          .waited = end.waited,
          .first_token = end.stream ? end.first_byte() : std::nullopt,  // a whole answer comes at once
          .writing_ms = end.usage.completion_ms,
          .total = end.total()};
}

json::object facts_of(const InferenceEnd& end) {
  json::object out{{"client", end.lease.client.id},
                   {"model", end.model},
                   {"outcome", json::enum_name(end.outcome)},
                   {"stream", end.stream},
                   {"tokens_in", end.usage.prompt_tokens},
                   {"tokens_cached", end.usage.cached_tokens},
                   {"tokens_out", end.usage.completion_tokens},
                   {"wait_ms", end.waited.count()},
                   {"inference_ms", end.total().count()}};
  if (const auto first = end.first_byte()) out["first_byte_ms"] = first->count();
  if (end.error) out["error"] = to_string(end.error->code);
  return out;
}

}  // namespace

void report(app::Workbench& workbench, const InferenceEnd& end) {
  workbench.access().used(use_of(end));
  workbench.recorder().ended(figures_of(end));
  workbench.access().request_log().add(end.lease.request_id, facts_of(end));
  if (end.trace)
    for (auto& span : inference_spans(end)) workbench.tracer().record(*end.trace, std::move(span));
  log::debug("api", "inference ended",
             {{"request", end.lease.request_id},
              {"model", end.model},
              {"outcome", json::enum_name(end.outcome)},
              {"prompt_tokens", end.usage.prompt_tokens},
              {"completion_tokens", end.usage.completion_tokens},
              {"waited_ms", end.waited.count()},
              {"first_byte_ms", end.first_byte().value_or(Milliseconds(-1)).count()},
              {"total_ms", end.total().count()}});
}

}  // namespace puna::api
