#include "cli/chat/conversation.h"

#include "os/file.h"

namespace puna::cli {
namespace {

void tell_end(Console& console, const ChatSettings& settings, const client::ChatEnd& end, Milliseconds total) {
  const bool as_wanted = settings.parameters.contains("max_tokens");
  if (end.finish_reason == "length" && !as_wanted)
    console.warn("the answer was cut: the model's context is full (/clear empties it, `puna config set models.context` widens it)");
  if (settings.verbose) print_timings(console.err, end, total);
}

}  // namespace

client::ChatRequest Conversation::request() const {
  client::ChatRequest out{.model = model_,
                          .messages = messages_,
                          .parameters = settings.parameters,
                          .response_format = settings.response_format,
                          .think = settings.think,
                          .keep_alive = settings.keep_alive};
  if (!settings.system.empty()) out.messages.insert(out.messages.begin(), {"system", settings.system});
  return out;
}

Result<Answer> Conversation::ask(std::string text, std::stop_token stop) {
  PUNA_TRY(auto* daemon, context_.daemon(Start::if_needed, stop));
  messages_.push_back({"user", std::move(text)});
  AnswerView view(context_.console(), settings.manner);
  const auto begin = std::chrono::steady_clock::now();
  auto end = daemon->chat(request(),
                          {.on_delta = [&](const client::ChatDelta& delta) { view.take(delta); },
                           .on_load = [&](const wire::RunningModel& model) { view.loading(model); }},
                          stop);
  view.finish();
  const bool keep = end || (end.error().code == Code::cancelled && !view.content().empty());
  if (keep)
    messages_.push_back({"assistant", view.content()});
  else
    messages_.pop_back();
  if (!end) return fail(std::move(end).error());
  const auto total = std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - begin);
  tell_end(context_.console(), settings, *end, total);
  return Answer{view.content(), view.reasoning(), std::move(*end)};
}

Result<json::object> read_format(const std::string& typed) {
  if (typed == "json") return json::object{{"type", "json_object"}};
  constexpr Bytes kLargestSchema = mib(1);
  auto text = os::read_file(typed, kLargestSchema);
  if (!text) return fail(std::move(text).error().within("format: neither 'json' nor a file with a JSON schema"));
  auto schema = json::parse_object(*text);
  if (!schema) return fail(std::move(schema).error().within(typed));
  return json::object{{"type", "json_schema"}, {"json_schema", {{"name", "answer"}, {"schema", std::move(*schema)}}}};
}

}  // namespace puna::cli
