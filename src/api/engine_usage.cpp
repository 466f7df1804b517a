#include "api/engine_usage.h"

#include <algorithm>
#include <optional>

namespace puna::api {
namespace {

// The last events of a stream: the one that ends the choices, usage, and [DONE].
constexpr std::size_t kTail = 4096;

void take(const json::object& from, std::string_view name, auto& into) {
  const json::value* found = from.if_contains(name);
  if (found && found->is_number()) into = static_cast<std::remove_reference_t<decltype(into)>>(found->to_number<double>());
}

void take_timings(const json::object& timings, EngineUsage& into) {
  std::int64_t processed = 0;
  take(timings, "cache_n", into.cached_tokens);
  take(timings, "prompt_n", processed);
  take(timings, "predicted_n", into.completion_tokens);
  take(timings, "prompt_ms", into.prompt_ms);
  take(timings, "predicted_ms", into.completion_ms);
  into.prompt_tokens = into.cached_tokens + processed;
  into.exact = true;
}

void take_counts(const json::object& usage, EngineUsage& into) {
  take(usage, "prompt_tokens", into.prompt_tokens);
  take(usage, "completion_tokens", into.completion_tokens);
  take(usage, "input_tokens", into.prompt_tokens);
  take(usage, "output_tokens", into.completion_tokens);
  for (const auto* name : {"prompt_tokens_details", "input_tokens_details"})
    if (const auto* details = usage.if_contains(name); details && details->is_object())
      take(details->get_object(), "cached_tokens", into.cached_tokens);
  into.exact = true;
}

// The last object that is the value of `key` (with its quotes and colon). Inside a JSON string the quotes would be escaped, so what is
// found is a member; its own values are numbers, so that braces can be counted.
std::optional<json::object> last_object(std::string_view text, std::string_view key) {
  const auto at = text.rfind(key);
  if (at == std::string_view::npos) return std::nullopt;
  auto rest = text.substr(at + key.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(" \n"), rest.size()));
  if (!rest.starts_with('{')) return std::nullopt;
  int depth = 0;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '{') ++depth;
    if (rest[i] != '}' || --depth > 0) continue;
    auto parsed = json::parse_object(rest.substr(0, i + 1));
    return parsed ? std::optional(std::move(*parsed)) : std::nullopt;
  }
  return std::nullopt;
}

// The quotes say that it is a member: inside a text they would be escaped.
void take_finish_reasons(std::string_view text, std::vector<std::string>& into) {
  constexpr std::string_view kMember = R"("finish_reason":")";
  constexpr std::size_t kLongest = 32;
  for (auto at = text.find(kMember); at != std::string_view::npos; at = text.find(kMember, at)) {
    at += kMember.size();
    const auto end = text.find('"', at);
    if (end != std::string_view::npos && end - at <= kLongest) into.emplace_back(text.substr(at, end - at));
  }
}

void scan(std::string_view text, EngineUsage& into) {
  take_finish_reasons(text, into.finish_reasons);
  if (const auto timings = last_object(text, R"("timings":)")) take_timings(*timings, into);
  if (const auto usage = last_object(text, R"("usage":)")) take_counts(*usage, into);
}

}  // namespace

void take_usage(const json::object& answer, EngineUsage& into) {
  if (const auto* progress = answer.if_contains("prompt_progress"); progress && progress->is_object()) {
    take(progress->get_object(), "total", into.prompt_tokens);
    take(progress->get_object(), "cache", into.cached_tokens);
  }
  if (const auto* timings = answer.if_contains("timings"); timings && timings->is_object()) take_timings(timings->get_object(), into);
  if (const auto* usage = answer.if_contains("usage"); usage && usage->is_object()) take_counts(usage->get_object(), into);
}

void UsageReader::feed(std::string_view bytes) {
  for (auto at = bytes.find("\n\n"); at != std::string_view::npos; at = bytes.find("\n\n", at + 2)) ++events_;
  if (bytes.size() >= kTail) {
    tail_.assign(bytes.substr(bytes.size() - kTail));
    return;
  }
  if (tail_.size() + bytes.size() > 2 * kTail) tail_.erase(0, tail_.size() - kTail);
  tail_.append(bytes);
}

void UsageReader::whole(std::string_view body) {
  scan(body, whole_);
}

EngineUsage UsageReader::usage() const {
  EngineUsage out = whole_;
  if (out.exact) return out;
  scan(tail_, out);
  if (!out.exact) out.completion_tokens = events_;
  return out;
}

}  // namespace puna::api
