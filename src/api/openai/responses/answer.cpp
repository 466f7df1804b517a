#include "api/openai/responses/answer.h"

#include <fmt/format.h>

#include "api/error_body.h"
#include "api/openai/members.h"
#include "api/openai/responses/items.h"
#include "base/clock.h"
#include "net/sse.h"

namespace puna::api::openai::responses {
namespace {

std::int64_t now() {
  return unix_seconds(std::chrono::system_clock::now());
}

std::int64_t count_member(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found && found->is_number() ? found->to_number<std::int64_t>() : 0;
}

const json::object* first_choice(const json::object& answer) {
  const json::value* choices = present(answer, "choices");
  if (!choices || !choices->is_array() || choices->get_array().empty()) return nullptr;
  return choices->get_array().front().if_object();
}

const json::object* object_in(const json::object& from, std::string_view name) {
  const json::value* found = from.if_contains(name);
  return found ? found->if_object() : nullptr;
}

json::object text_part(std::string_view words, json::array logprobs) {
  return {{"type", "output_text"}, {"text", words}, {"annotations", json::array{}}, {"logprobs", std::move(logprobs)}};
}

json::object reasoning_part(std::string_view words) {
  return {{"type", "reasoning_text"}, {"text", words}};
}

}  // namespace

Answer::Answer(json::object echo, bool stored) : id_(new_id("resp")), created_(now()), echo_(std::move(echo)), stored_(stored) {}

void Answer::begin(std::string model) {
  model_ = std::move(model);
}

void Answer::event(std::string_view type, json::object fields) {
  fields["type"] = type;
  fields["sequence_number"] = sequence_++;
  events_ += net::sse_frame(type, "", json::to_text(fields));
}

void Answer::response_event(std::string_view type) {
  event(type, {{"response", response()}});
}

json::object Answer::place() const {
  return {{"item_id", output_.back().at("id")}, {"output_index", output_.size() - 1}};
}

void Answer::open(Open kind, json::object added) {
  close();
  open_ = kind;
  added["status"] = "in_progress";
  output_.push_back(std::move(added));
  event("response.output_item.added", {{"output_index", output_.size() - 1}, {"item", item()}});
}

void Answer::open_part(json::object part) {
  auto fields = place();
  fields["content_index"] = 0;
  fields["part"] = std::move(part);
  event("response.content_part.added", std::move(fields));
}

void Answer::close_text(std::string_view event_name, json::object part) {
  auto words = place();
  words["content_index"] = 0;
  auto whole = words;
  words["text"] = text_;
  if (open_ == Open::message) words["logprobs"] = logprobs_;
  event(event_name, std::move(words));
  whole["part"] = part;
  event("response.content_part.done", std::move(whole));
  item()["content"] = json::array{std::move(part)};
}

void Answer::close() {
  switch (open_) {
    case Open::nothing:
      return;
    case Open::reasoning:
      close_text("response.reasoning_text.done", reasoning_part(text_));
      break;
    case Open::message:
      close_text("response.output_text.done", text_part(text_, logprobs_));
      break;
    case Open::call: {
      item()["arguments"] = text_;
      auto fields = place();
      fields["arguments"] = text_;
      fields["name"] = item().at("name");
      event("response.function_call_arguments.done", std::move(fields));
      break;
    }
  }
  item()["status"] = finish_reason_ == "length" ? "incomplete" : "completed";
  event("response.output_item.done", {{"output_index", output_.size() - 1}, {"item", item()}});
  open_ = Open::nothing;
  text_.clear();
  logprobs_.clear();
}

void Answer::add_text(Open kind, std::string_view words, json::array logprobs) {
  const bool reasoning = kind == Open::reasoning;
  if (open_ != kind) {
    if (reasoning)
      open(kind, {{"id", new_id("rs")}, {"type", "reasoning"}, {"summary", json::array{}}, {"content", json::array{}}});
    else
      open(kind, {{"id", new_id("msg")}, {"type", "message"}, {"role", "assistant"}, {"content", json::array{}}});
    open_part(reasoning ? reasoning_part("") : text_part("", {}));
  }
  text_ += words;
  (reasoning ? reasoned_ : said_) += words.size();
  auto fields = place();
  fields["content_index"] = 0;
  fields["delta"] = words;
  if (!reasoning) fields["logprobs"] = logprobs;
  logprobs_.insert(logprobs_.end(), logprobs.begin(), logprobs.end());
  event(reasoning ? "response.reasoning_text.delta" : "response.output_text.delta", std::move(fields));
}

void Answer::add_call(const json::object& call) {
  const json::object* function = object_in(call, "function");
  if (!function) return;
  const auto index = count_member(call, "index");
  if (const auto name = text_member(*function, "name"); open_ != Open::call || (index != call_ && !name.empty())) {
    const auto id = text_member(call, "id");
    open(Open::call, {{"id", new_id("fc")},
                      {"type", "function_call"},
                      {"call_id", id.empty() ? new_id("call") : std::string(id)},
                      {"name", name},
                      {"arguments", ""}});
    call_ = index;
  }
  const auto arguments = text_member(*function, "arguments");
  if (arguments.empty()) return;
  text_ += arguments;
  said_ += arguments.size();
  auto fields = place();
  fields["delta"] = arguments;
  event("response.function_call_arguments.delta", std::move(fields));
}

void Answer::take_delta(const json::object& delta, const json::value* logprobs) {
  if (const auto words = text_member(delta, "reasoning_content"); !words.empty()) add_text(Open::reasoning, words, {});
  if (const auto words = text_member(delta, "content"); !words.empty()) {
    const json::object* held = logprobs ? logprobs->if_object() : nullptr;
    const json::value* tokens = held ? present(*held, "content") : nullptr;
    add_text(Open::message, words, tokens && tokens->is_array() ? tokens->get_array() : json::array{});
  }
  const json::value* calls = present(delta, "tool_calls");
  if (!calls || !calls->is_array()) return;
  std::int64_t index = 0;
  for (const auto& entry : calls->get_array()) {
    if (!entry.is_object()) continue;
    json::object call = entry.get_object();
    if (!call.contains("index")) call["index"] = index++;
    add_call(call);
  }
}

void Answer::take_usage(const json::object& usage) {
  const json::object* details = object_in(usage, "prompt_tokens_details");
  const auto output = count_member(usage, "completion_tokens");
  const auto characters = reasoned_ + said_;
  // The engine counts all tokens alike: the share of the text tells how many were reasoning.
  const auto reasoning = characters == 0 ? 0 : output * static_cast<std::int64_t>(reasoned_) / static_cast<std::int64_t>(characters);
  usage_ = json::object{{"input_tokens", count_member(usage, "prompt_tokens")},
                        {"input_tokens_details", json::object{{"cached_tokens", details ? count_member(*details, "cached_tokens") : 0}}},
                        {"output_tokens", output},
                        {"output_tokens_details", json::object{{"reasoning_tokens", reasoning}}},
                        {"total_tokens", count_member(usage, "total_tokens")}};
}

std::string Answer::take_chunk(const json::object& chunk) {
  if (sequence_ == 0) {
    response_event("response.created");
    response_event("response.in_progress");
  }
  if (const json::object* choice = first_choice(chunk)) {
    if (const json::object* delta = object_in(*choice, "delta")) take_delta(*delta, choice->if_contains("logprobs"));
    if (const auto reason = text_member(*choice, "finish_reason"); !reason.empty()) finish_reason_ = reason;
  }
  if (const json::object* usage = object_in(chunk, "usage")) take_usage(*usage);
  return take_events();
}

void Answer::take_whole(const json::object& answer) {
  if (const json::object* choice = first_choice(answer)) {
    finish_reason_ = text_member(*choice, "finish_reason");
    if (const json::object* message = object_in(*choice, "message")) take_delta(*message, choice->if_contains("logprobs"));
  }
  if (const json::object* usage = object_in(answer, "usage")) take_usage(*usage);
}

std::string Answer::finish() {
  close();
  const bool cut = finish_reason_ == "length";
  status_ = cut ? "incomplete" : "completed";
  response_event(cut ? "response.incomplete" : "response.completed");
  return take_events();
}

std::string Answer::fail(const Error& error) {
  close();
  status_ = "failed";
  error_ = json::object{{"code", "server_error"}, {"message", error.message}};
  response_event("response.failed");
  return take_events();
}

json::object Answer::response() const {
  json::object out{{"id", id_},
                   {"object", "response"},
                   {"created_at", created_},
                   {"status", status_},
                   {"error", error_ ? json::value(*error_) : json::value()},
                   {"incomplete_details", status_ == "incomplete" ? json::value{{"reason", "max_output_tokens"}} : json::value()},
                   {"model", model_},
                   {"output", output_},
                   {"store", stored_},
                   {"usage", usage_ ? json::value(*usage_) : json::value()}};
  if (status_ == "completed") out["completed_at"] = now();
  for (const auto& member : echo_) out[member.key()] = member.value();
  return out;
}

}  // namespace puna::api::openai::responses
