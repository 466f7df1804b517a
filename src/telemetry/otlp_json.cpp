#include "telemetry/otlp_json.h"

#include "base/json.h"
#include "base/text.h"
#include "base/version.h"
#include "telemetry/trace.h"

namespace puna::telemetry {
namespace {

json::value value_of(std::int64_t number) {
  return {{"intValue", std::to_string(number)}};
}
json::value value_of(const std::string& text) {
  return {{"stringValue", printable(text)}};
}
json::value value_of(const std::vector<std::string>& texts) {
  json::array values;
  for (const auto& text : texts) values.push_back(value_of(text));
  return {{"arrayValue", {{"values", std::move(values)}}}};
}

json::array attributes_of(const Attributes& attributes) {
  json::array out;
  for (const auto& [key, value] : attributes)
    out.push_back({{"key", key}, {"value", std::visit([](const auto& one) { return value_of(one); }, value)}});
  return out;
}

std::string nanoseconds(WallTime time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

json::object span_of(const Span& span) {
  constexpr int kError = 2;
  json::object out{{"traceId", hex(span.trace)}, {"spanId", hex(span.id)}};
  if (span.parent) out["parentSpanId"] = hex(*span.parent);
  if (!span.state.empty()) out["traceState"] = span.state;
  out["name"] = printable(span.name);
  out["kind"] = static_cast<int>(span.kind);
  out["startTimeUnixNano"] = nanoseconds(span.begin);
  out["endTimeUnixNano"] = nanoseconds(span.end);
  out["attributes"] = attributes_of(span.attributes);
  if (span.failed) out["status"] = {{"code", kError}};
  return out;
}

}  // namespace

std::string otlp_json(const Attributes& resource, std::span<const Span> spans) {
  json::array list;
  for (const auto& span : spans) list.push_back(span_of(span));
  const json::value scope{{"name", "puna"}, {"version", version()}};
  json::object of_scope{{"scope", scope}, {"spans", std::move(list)}};
  json::object of_resource{{"resource", {{"attributes", attributes_of(resource)}}}, {"scopeSpans", json::array{std::move(of_scope)}}};
  return json::to_text(json::object{{"resourceSpans", json::array{std::move(of_resource)}}});
}

std::int64_t rejected_spans(std::string_view answer) {
  const auto parsed = json::parse_object(answer);
  const auto* partial = parsed ? parsed->if_contains("partialSuccess") : nullptr;
  const auto* rejected = partial && partial->is_object() ? partial->get_object().if_contains("rejectedSpans") : nullptr;
  if (!rejected) return 0;
  if (rejected->is_number()) return rejected->to_number<std::int64_t>();
  return rejected->is_string() ? std::strtoll(rejected->get_string().c_str(), nullptr, 10) : 0;
}

}  // namespace puna::telemetry
