// The answer of the Responses API, made of a chat's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace puna::api::openai::responses {

// Grows with the chunks of a chat's stream, and tells the events of the growth as server-sent events.
// https://platform.openai.com/docs/api-reference/responses-streaming
class Answer {
 public:
  // `echo`: what it repeats of the request.
  explicit Answer(json::object echo, bool stored);

  [[nodiscard]] const std::string& id() const { return id_; }
  void begin(std::string model);
  // Of a stream: the events that this chunk adds; of a whole answer: takes its message.
  [[nodiscard]] std::string take_chunk(const json::object& chunk);
  void take_whole(const json::object& answer);
  // Ends what is open; the events of that and of the end.
  [[nodiscard]] std::string finish();
  [[nodiscard]] std::string fail(const Error& error);

  // As it stands.
  [[nodiscard]] json::object response() const;

 private:
  enum class Open { nothing, reasoning, message, call };

  void event(std::string_view type, json::object fields);
  void response_event(std::string_view type);
  void open(Open kind, json::object item);
  void open_part(json::object part);
  void close();
  void close_text(std::string_view event_name, json::object part);
  void add_text(Open kind, std::string_view words, json::array logprobs);
  void add_call(const json::object& call);
  void take_delta(const json::object& delta, const json::value* logprobs);
  void take_usage(const json::object& usage);
  [[nodiscard]] json::object& item() { return output_.back().get_object(); }
  [[nodiscard]] json::object place() const;  // item_id and output_index of what is open
  [[nodiscard]] std::string take_events() { return std::exchange(events_, {}); }

  const std::string id_;
  const std::int64_t created_;
  json::object echo_;
  bool stored_;
  std::string model_;
  std::string status_ = "in_progress";
  std::string finish_reason_;
  std::optional<json::object> error_;
  json::array output_;
  std::optional<json::object> usage_;
  std::size_t reasoned_ = 0;  // characters
  std::size_t said_ = 0;

  Open open_ = Open::nothing;
  std::string text_;       // of what is open: words, or a call's arguments
  json::array logprobs_;   // of the words
  std::int64_t call_ = 0;  // the open call's index in the chat

  std::string events_;
  std::int64_t sequence_ = 0;
};

}  // namespace puna::api::openai::responses
