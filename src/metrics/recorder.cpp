#include "metrics/recorder.h"

#include <array>

namespace puna::metrics {
namespace {

constexpr std::size_t kMostModels = 200;

// The boundaries that OpenTelemetry advises for generative AI:
// https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/
constexpr std::array kFirstToken = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,  0.25, 0.5,
                                    0.75,  1.0,   2.5,  5.0,  7.5,  10.0, 20.0, 40.0, 80.0};
constexpr std::array kPerToken = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5};
constexpr std::array kTotal = {0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};

double seconds(Milliseconds time) {
  return static_cast<double>(time.count()) / 1000;
}

bool is_loaded(wire::WorkerState state) {
  return state == wire::WorkerState::ready || state == wire::WorkerState::busy;
}

}  // namespace

Recorder::Model::Model() : first_token(kFirstToken), per_token(kPerToken), waited(kTotal), total(kTotal) {}

Recorder::Model& Recorder::model(const std::string& name) {
  const bool fits = models_.size() < kMostModels || models_.contains(name);
  return models_[fits ? name : std::string("other")];
}

void Recorder::ended(const RequestEnd& end) {
  auto& into = model(end.model);
  ++into.requests[end.outcome];
  into.tokens_in += static_cast<std::uint64_t>(end.tokens_in);
  into.tokens_cached += static_cast<std::uint64_t>(end.tokens_cached);
  into.tokens_out += static_cast<std::uint64_t>(end.tokens_out);
  into.waited.observe(seconds(end.waited));
  into.total.observe(seconds(end.total));
  if (end.first_token) into.first_token.observe(seconds(*end.first_token));
  if (end.tokens_out > 1 && end.writing_ms > 0) into.per_token.observe(end.writing_ms / 1000 / static_cast<double>(end.tokens_out - 1));
}

void Recorder::changed(const wire::RunningModel& worker) {
  auto& before = states_.try_emplace({worker.name, worker.purpose}, wire::WorkerState::stopped).first->second;
  const auto was = std::exchange(before, worker.state);
  auto& into = model(worker.name);
  if (!is_loaded(was) && is_loaded(worker.state)) ++into.loads;
  if (was != wire::WorkerState::stopped && worker.state == wire::WorkerState::stopped) ++into.unloads;
  if (was != wire::WorkerState::failed && worker.state == wire::WorkerState::failed)
    ++into.failures[std::string(json::enum_name(worker.failure ? worker.failure->fault : wire::WorkerFault::none))];
  if (worker.state == wire::WorkerState::stopped || worker.state == wire::WorkerState::failed) states_.erase({worker.name, worker.purpose});
}

void Recorder::write(TextPage& page) const {
  write_counters(page);
  write_histograms(page);
}

void Recorder::write_counters(TextPage& page) const {
  const auto each = [&](std::string_view name, std::string_view help, auto value) {
    page.family(name, Kind::counter, help);
    for (const auto& [model, counted] : models_) page.sample({{"model_name", model}}, static_cast<double>(value(counted)));
  };
  page.family("puna_requests_total", Kind::counter, "Requests that used a model or failed to, by how they ended.");
  for (const auto& [name, counted] : models_)
    for (const auto& [outcome, count] : counted.requests)
      page.sample({{"model_name", name}, {"outcome", outcome}}, static_cast<double>(count));
  each("puna_prompt_tokens_total", "Tokens read, those in the KV cache included.", [](const Model& model) { return model.tokens_in; });
  each("puna_prompt_tokens_cached_total", "Tokens read that the KV cache had already.",
       [](const Model& model) { return model.tokens_cached; });
  each("puna_generation_tokens_total", "Tokens written.", [](const Model& model) { return model.tokens_out; });
  each("puna_model_loads_total", "Loads that succeeded.", [](const Model& model) { return model.loads; });
  each("puna_model_unloads_total", "Ends of loaded models that were asked for: idleness, another model's need of room, people.",
       [](const Model& model) { return model.unloads; });
  each("puna_model_evictions_total", "Of these, to make room for another model.", [](const Model& model) { return model.evictions; });
  page.family("puna_model_failures_total", Kind::counter, "Workers that failed, by fault.");
  for (const auto& [name, counted] : models_)
    for (const auto& [fault, count] : counted.failures) page.sample({{"model_name", name}, {"fault", fault}}, static_cast<double>(count));
}

void Recorder::write_histograms(TextPage& page) const {
  const auto each = [&](std::string_view name, std::string_view help, Histogram Model::* member) {
    page.family(name, Kind::histogram, help);
    for (const auto& [model, counted] : models_) page.histogram({{"model_name", model}}, counted.*member);
  };
  each("puna_time_to_first_token_seconds", "From the arrival of a request to the first bytes of its answer.", &Model::first_token);
  each("puna_time_per_output_token_seconds", "Mean time between the tokens of an answer.", &Model::per_token);
  each("puna_request_queue_time_seconds", "Time that a request waited for a worker, its load included.", &Model::waited);
  each("puna_e2e_request_latency_seconds", "From the arrival of a request to the end of its answer.", &Model::total);
}

}  // namespace puna::metrics
