#include "api/request_spans.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace puna::api {
namespace {

using telemetry::Span;
using telemetry::SpanKind;

constexpr std::chrono::microseconds kWorthTelling{100};
constexpr std::string_view kChat = "chat", kCompletion = "text_completion";

std::string_view operation_of(std::string_view target) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kOperations = {
      {{"/v1/chat/completions", kChat},
       {"/v1/completions", kCompletion},
       {"/infill", kCompletion},
       {"/v1/embeddings", "embeddings"},
       {"/v1/rerank", "rerank"},
       {"/v1/chat/completions/input_tokens", "count_tokens"}}};
  const auto found = std::ranges::find(kOperations, target, &std::pair<std::string_view, std::string_view>::first);
  return found == kOperations.end() ? kCompletion : found->second;
}

std::string method_of(const std::string& method) {
  constexpr std::array<std::string_view, 7> kKnown = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"};
  return std::ranges::find(kKnown, method) == kKnown.end() ? "_OTHER" : method;
}

// A name that no model has is whatever the client sent.
bool names_a_model(const InferenceEnd& end) {
  return !end.model.empty() && !(end.error && end.error->code == Code::not_found);
}

telemetry::Attributes attributes_of(const InferenceEnd& end, std::string_view operation) {
  telemetry::Attributes out{{"gen_ai.operation.name", std::string(operation)}, {"gen_ai.provider.name", "puna"}};
  if (names_a_model(end)) {
    out.emplace_back("gen_ai.request.model", end.asked);
    out.emplace_back("gen_ai.response.model", end.model);
  }
  if (end.usage.exact) {
    out.emplace_back("gen_ai.usage.input_tokens", end.usage.prompt_tokens);
    out.emplace_back("gen_ai.usage.cache_read.input_tokens", end.usage.cached_tokens);
    out.emplace_back("gen_ai.usage.output_tokens", end.usage.completion_tokens);
  }
  if (!end.usage.finish_reasons.empty()) out.emplace_back("gen_ai.response.finish_reasons", end.usage.finish_reasons);
  out.emplace_back("puna.outcome", std::string(json::enum_name(end.outcome)));
  if (end.error) out.emplace_back("error.type", std::string(to_string(end.error->code)));
  return out;
}

struct Phase {
  std::string_view name;
  MonotonicTime from;
  MonotonicTime to;
};

std::vector<Phase> waiting_phases(const InferenceEnd& end) {
  const auto& when = end.when;
  const auto until = std::min(when.slot.value_or(when.ended), when.ended);
  if (!when.load || when.load->ended <= when.arrived) return {{"queue", when.arrived, until}};
  const auto from = std::max(when.load->began, when.arrived), to = std::min(when.load->ended, until);
  return {{"queue", when.arrived, from}, {"load", from, to}, {"queue", to, until}};
}

std::vector<Phase> working_phases(const InferenceEnd& end, std::string_view operation) {
  const auto& when = end.when;
  if (!when.slot) return {};
  const bool generates = operation == kChat || operation == kCompletion;
  if (!generates || !when.first_byte) return {{"prefill", *when.slot, when.ended}};
  if (end.stream) return {{"prefill", *when.slot, *when.first_byte}, {"generate", *when.first_byte, when.ended}};
  // A whole answer comes at once: the engine tells how long it wrote, if it is ours.
  if (end.usage.completion_ms <= 0) return {{"generate", *when.slot, *when.first_byte}};
  const auto writing =
      std::chrono::duration_cast<MonotonicTime::duration>(std::chrono::duration<double, std::milli>(end.usage.completion_ms));
  const auto first_token = std::max(*when.slot, *when.first_byte - writing);
  return {{"prefill", *when.slot, first_token}, {"generate", first_token, *when.first_byte}};
}

}  // namespace

Span request_span(const telemetry::Trace& trace, const RequestEnd& end) {
  constexpr int kServerError = 500;
  const auto method = method_of(end.method);
  const auto name = end.route.empty() ? method : fmt::format("{} {}", method, end.route);
  auto span = trace.span(name, SpanKind::server, end.began, end.ended);
  span.attributes = {{"http.request.method", method}, {"url.scheme", end.tls ? "https" : "http"}, {"puna.request.id", end.id}};
  if (!end.route.empty()) {
    span.attributes.emplace_back("http.route", std::string(end.route));
    span.attributes.emplace_back("url.path", end.path);
  }
  if (end.status != 0) span.attributes.emplace_back("http.response.status_code", std::int64_t{end.status});
  span.failed = end.status >= kServerError;
  if (span.failed) span.attributes.emplace_back("error.type", std::to_string(end.status));
  return span;
}

std::vector<Span> inference_spans(const InferenceEnd& end) {
  const auto& trace = *end.trace;
  const auto operation = operation_of(end.target);
  const std::string name = names_a_model(end) ? fmt::format("{} {}", operation, end.model) : std::string(operation);
  auto whole = trace.span(name, SpanKind::internal, end.when.arrived, end.when.ended);
  whole.attributes = attributes_of(end, operation);
  whole.failed = end.outcome == InferenceOutcome::failed;
  std::vector<Span> out{std::move(whole)};
  auto phases = waiting_phases(end);
  std::ranges::move(working_phases(end, operation), std::back_inserter(phases));
  for (const auto& phase : phases)
    if (phase.to - phase.from >= kWorthTelling)
      out.push_back(trace.below().span(std::string(phase.name), SpanKind::internal, phase.from, phase.to));
  return out;
}

}  // namespace puna::api
