#include "api/ollama/rendering.h"

#include <algorithm>
#include <cmath>

#include "api/engine_usage.h"
#include "api/openai/members.h"
#include "base/clock.h"
#include "net/ndjson.h"

namespace puna::api::ollama {
namespace {

using openai::present;
using openai::text_member;

std::int64_t nanoseconds(double milliseconds) {
  return static_cast<std::int64_t>(std::llround(milliseconds * 1e6));
}
std::int64_t nanoseconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
}

json::object header_of(const Expectations& expectations) {
  return {{"model", expectations.model}, {"created_at", format_time(std::chrono::system_clock::now())}};
}

// Words of an answer, or of a piece of it.
struct Words {
  std::string_view text;
  std::string_view thinking;
  const json::value* calls = nullptr;
  const json::value* logprobs = nullptr;
};

class AnswerRendering final : public Rendering {
 public:
  explicit AnswerRendering(Expectations expectations) : expectations_(std::move(expectations)) {}

  void begin(const Begun& begun) override { begun_ = begun; }
  Result<net::Response> whole(const json::object& answer) override;
  net::Headers stream_headers() const override;
  Result<std::string> chunk(const json::object& chunk) override;
  std::string finish() override;
  std::string failure(const Error& error) override { return net::ndjson_line(json::object{{"error", error.message}}); }

 private:
  // A tool call whose arguments arrive in pieces: Ollama's clients get it whole.
  struct Call {
    std::int64_t index = 0;
    std::string id;
    std::string name;
    std::string arguments;
  };

  Words read(const json::object& answer, std::string_view message);
  json::object line(const Words& words, json::array calls, bool done) const;
  void add_summary(json::object& line) const;
  void take_call(const json::object& call);
  json::array take_calls();
  json::value logprobs_of(const json::value& content) const;

  const Expectations expectations_;
  Begun begun_;
  EngineUsage usage_;
  std::string finish_reason_;
  std::vector<Call> calls_;
};

Words AnswerRendering::read(const json::object& answer, std::string_view message) {
  take_usage(answer, usage_);
  Words words;
  if (expectations_.style == Style::infill) {  // llama.cpp's own shape
    words.text = text_member(answer, "content");
    if (const auto type = text_member(answer, "stop_type"); !type.empty() && type != "none")
      finish_reason_ = type == "limit" ? "length" : "stop";
    return words;
  }
  const json::value* choices = present(answer, "choices");
  if (!choices || !choices->is_array() || choices->get_array().empty() || !choices->get_array().front().is_object()) return words;
  const json::object& choice = choices->get_array().front().get_object();
  if (const auto reason = text_member(choice, "finish_reason"); !reason.empty()) finish_reason_ = reason == "length" ? "length" : "stop";
  if (const json::value* logprobs = present(choice, "logprobs"); logprobs && logprobs->is_object())
    words.logprobs = present(logprobs->get_object(), "content");
  words.text = text_member(choice, "text");
  const json::value* found = present(choice, message);
  if (!found || !found->is_object()) return words;
  words.text = text_member(found->get_object(), "content");
  words.thinking = text_member(found->get_object(), "reasoning_content");
  words.calls = present(found->get_object(), "tool_calls");
  return words;
}

json::value AnswerRendering::logprobs_of(const json::value& content) const {
  json::array out;
  for (const auto& entry : content.get_array()) {
    json::object shown = entry.is_object() ? entry.get_object() : json::object{};
    if (!expectations_.alternatives) shown.erase("top_logprobs");
    out.push_back(std::move(shown));
  }
  return out;
}

json::object AnswerRendering::line(const Words& words, json::array calls, bool done) const {
  json::object out = header_of(expectations_);
  if (expectations_.style == Style::chat) {
    json::object message{{"role", "assistant"}, {"content", words.text}};
    if (!words.thinking.empty()) message["thinking"] = words.thinking;
    if (!calls.empty()) message["tool_calls"] = std::move(calls);
    out["message"] = std::move(message);
  } else {
    out["response"] = words.text;
    if (!words.thinking.empty()) out["thinking"] = words.thinking;
  }
  if (words.logprobs && words.logprobs->is_array()) out["logprobs"] = logprobs_of(*words.logprobs);
  out["done"] = done;
  if (done) add_summary(out);
  return out;
}

void AnswerRendering::add_summary(json::object& line) const {
  line["done_reason"] = finish_reason_.empty() ? std::string_view("stop") : finish_reason_;
  line["total_duration"] = nanoseconds(std::chrono::steady_clock::now() - begun_.arrived);
  line["load_duration"] = nanoseconds(begun_.waited);
  line["prompt_eval_count"] = usage_.prompt_tokens;
  line["prompt_eval_duration"] = nanoseconds(usage_.prompt_ms);
  line["eval_count"] = usage_.completion_tokens;
  line["eval_duration"] = nanoseconds(usage_.completion_ms);
}

void AnswerRendering::take_call(const json::object& call) {
  const json::value* number = present(call, "index");
  const std::int64_t index = number && number->is_int64() ? number->get_int64() : static_cast<std::int64_t>(calls_.size());
  auto found = std::ranges::find(calls_, index, &Call::index);
  if (found == calls_.end()) found = calls_.insert(calls_.end(), Call{.index = index});
  if (const auto id = text_member(call, "id"); !id.empty()) found->id = id;
  const json::value* function = present(call, "function");
  if (!function || !function->is_object()) return;
  found->name += text_member(function->get_object(), "name");
  found->arguments += text_member(function->get_object(), "arguments");
}

json::array AnswerRendering::take_calls() {
  json::array out;
  for (auto& call : std::exchange(calls_, {})) {
    auto arguments = json::parse_object(call.arguments);
    json::object shown{
        {"function",
         json::object{{"index", call.index}, {"name", call.name}, {"arguments", arguments ? std::move(*arguments) : json::object{}}}}};
    if (!call.id.empty()) shown["id"] = call.id;
    out.push_back(std::move(shown));
  }
  return out;
}

Result<net::Response> AnswerRendering::whole(const json::object& answer) {
  Words words = read(answer, "message");
  if (words.text.starts_with(expectations_.begun)) words.text.remove_prefix(expectations_.begun.size());
  if (words.calls && words.calls->is_array())
    for (const auto& call : words.calls->get_array())
      if (call.is_object()) take_call(call.get_object());
  auto response = net::json_response(200, line(words, take_calls(), true));
  if (!expectations_.ignored.empty()) response.headers.set("X-Puna-Ignored", expectations_.ignored);
  return response;
}

net::Headers AnswerRendering::stream_headers() const {
  net::Headers out{{"Content-Type", "application/x-ndjson"}, {"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}};
  if (!expectations_.ignored.empty()) out.set("X-Puna-Ignored", expectations_.ignored);
  return out;
}

Result<std::string> AnswerRendering::chunk(const json::object& chunk) {
  const Words words = read(chunk, "delta");
  if (words.calls && words.calls->is_array())
    for (const auto& call : words.calls->get_array())
      if (call.is_object()) take_call(call.get_object());
  if (words.text.empty() && words.thinking.empty()) return std::string();
  return net::ndjson_line(line(words, {}, false));
}

std::string AnswerRendering::finish() {
  if (finish_reason_.empty()) return failure(Error(Code::upstream_failed, "the engine's answer ended early"));
  std::string out;
  if (auto calls = take_calls(); !calls.empty()) out = net::ndjson_line(line({}, std::move(calls), false));
  return out + net::ndjson_line(line({}, {}, true));
}

// Shortened to its first numbers, and of length one again.
json::array shortened(const json::array& vector, std::optional<std::int64_t> dimensions) {
  if (!dimensions || static_cast<std::size_t>(*dimensions) >= vector.size()) return vector;
  double sum = 0;
  for (std::int64_t i = 0; i < *dimensions; ++i) sum += std::pow(vector[static_cast<std::size_t>(i)].to_number<double>(), 2);
  const double length = sum > 0 ? std::sqrt(sum) : 1;
  json::array out;
  for (std::int64_t i = 0; i < *dimensions; ++i) out.push_back(vector[static_cast<std::size_t>(i)].to_number<double>() / length);
  return out;
}

class EmbeddingRendering final : public Rendering {
 public:
  EmbeddingRendering(Endpoint endpoint, std::string model, std::optional<std::int64_t> dimensions)
      : endpoint_(endpoint), model_(std::move(model)), dimensions_(dimensions) {}

  void begin(const Begun& begun) override { begun_ = begun; }
  Result<net::Response> whole(const json::object& answer) override {
    const json::value* data = present(answer, "data");
    if (!data || !data->is_array()) return fail(Code::upstream_failed, "the engine's answer has no embeddings");
    json::array vectors;
    for (const auto& entry : data->get_array()) {
      const json::value* vector = entry.is_object() ? present(entry.get_object(), "embedding") : nullptr;
      if (!vector || !vector->is_array()) return fail(Code::upstream_failed, "the engine's answer has an entry without an embedding");
      vectors.push_back(shortened(vector->get_array(), dimensions_));
    }
    if (endpoint_ == Endpoint::embeddings)
      return net::json_response(200, json::object{{"embedding", vectors.empty() ? json::value(json::array{}) : vectors.front()}});
    EngineUsage usage;
    take_usage(answer, usage);
    return net::json_response(200, json::object{{"model", model_},
                                                {"embeddings", std::move(vectors)},
                                                {"total_duration", nanoseconds(std::chrono::steady_clock::now() - begun_.arrived)},
                                                {"load_duration", nanoseconds(begun_.waited)},
                                                {"prompt_eval_count", usage.prompt_tokens}});
  }
  // Embeddings are never streamed.
  net::Headers stream_headers() const override { return {}; }
  Result<std::string> chunk(const json::object&) override { return std::string(); }
  std::string finish() override { return {}; }
  std::string failure(const Error& error) override { return net::ndjson_line(json::object{{"error", error.message}}); }

 private:
  const Endpoint endpoint_;
  const std::string model_;
  const std::optional<std::int64_t> dimensions_;
  Begun begun_;
};

}  // namespace

std::unique_ptr<Rendering> answer_rendering(Expectations expectations) {
  return std::make_unique<AnswerRendering>(std::move(expectations));
}

std::unique_ptr<Rendering> embedding_rendering(Endpoint endpoint, std::string model, std::optional<std::int64_t> dimensions) {
  return std::make_unique<EmbeddingRendering>(endpoint, std::move(model), dimensions);
}

json::object idle_answer(const Expectations& expectations, std::string_view reason) {
  json::object out = header_of(expectations);
  if (expectations.style == Style::chat)
    out["message"] = json::object{{"role", "assistant"}, {"content", ""}};
  else
    out["response"] = "";
  out["done"] = true;
  out["done_reason"] = reason;
  return out;
}

}  // namespace puna::api::ollama
