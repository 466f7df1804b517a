#include "api/context_exchange.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/error_body.h"

namespace puna::api {
namespace {

constexpr std::string_view kChat = "/v1/chat/completions";
constexpr std::string_view kCount = "/v1/chat/completions/input_tokens";
constexpr std::string_view kHeader = "X-Puna-Dropped";
constexpr std::string_view kMember = "puna";

net::Task<Result<json::object>> post(net::HttpClient& http, const std::filesystem::path& socket, std::string_view target,
                                     const json::object& body) {
  auto request = net::HttpRequest::to_socket(socket, "POST", target);
  request.headers.add("Content-Type", "application/json");
  request.body = json::to_text(body);
  request.deadlines = {.connect = Milliseconds(5000), .first_byte = kForever, .idle = kForever, .total = kForever};
  PUNA_CO_TRY(const auto response, co_await http.fetch(std::move(request)));
  if (response.status != 200) co_return fail(engine_error(response.status, response.body));
  co_return json::parse_object(response.body);
}

Result<std::string> answer_text(const json::object& answer) {
  boost::system::error_code absent;
  const json::value whole = answer;
  const auto* content = whole.find_pointer("/choices/0/message/content", absent);
  if (content == nullptr || !content->is_string()) return fail(Code::upstream_failed, "the model did not sum the conversation up");
  return std::string(std::string_view(content->get_string()));
}

bool ends_choice(const json::object& chunk) {
  const auto* choices = chunk.if_contains("choices");
  if (choices == nullptr || !choices->is_array() || choices->get_array().empty()) return false;
  const auto* choice = choices->get_array().front().if_object();
  const auto* reason = choice == nullptr ? nullptr : choice->if_contains("finish_reason");
  return reason != nullptr && reason->is_string();
}

}  // namespace

ContextTools context_tools(net::HttpClient& http, std::filesystem::path socket) {
  return {.count = [&http, socket](const json::object& body) -> net::Task<Result<std::int64_t>> {
            PUNA_CO_TRY(const auto counted, co_await post(http, socket, kCount, body));
            const auto* tokens = counted.if_contains("input_tokens");
            if (tokens == nullptr || !tokens->is_int64()) co_return fail(Code::upstream_failed, "the engine cannot count tokens");
            co_return tokens->get_int64();
          },
          .answer = [&http, socket](json::object body) -> net::Task<Result<std::string>> {
            PUNA_CO_TRY(const auto answer, co_await post(http, socket, kChat, body));
            co_return answer_text(answer);
          }};
}

void tell_dropped(net::Headers& headers, const wire::Dropped& dropped) {
  headers.set(kHeader,
              fmt::format("messages={}, tokens={}, strategy={}", dropped.dropped_messages, dropped.dropped_tokens, dropped.strategy));
}

std::string tell_dropped(std::string body, const wire::Dropped& dropped) {
  auto parsed = json::parse_object(body);
  if (!parsed) return body;
  (*parsed)[kMember] = json::encode(dropped);
  return json::to_text(*parsed);
}

std::string tell_dropped_in_stream(std::string_view lines, const wire::Dropped& dropped) {
  constexpr std::string_view kData = "data: ";
  std::string out;
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    const auto field = line.starts_with(kData) ? kData : std::string_view();
    auto object = json::parse_object(line.substr(field.size()));
    const auto is = [&](std::string_view member, const json::value& value) {
      const auto* found = object->if_contains(member);
      return found != nullptr && *found == value;
    };
    if (object && (is("type", "message_delta") || is("done", true))) {
      (*object)[kMember] = json::encode(dropped);
      out += fmt::format("{}{}\n", field, json::to_text(*object));
    } else {
      out += fmt::format("{}\n", line);
    }
  }
  return out;
}

Result<std::string> DroppedTeller::feed(std::string_view bytes) {
  std::string out;
  PUNA_CHECK(parser_.feed(bytes, [&](const net::SseEvent& event) {
    auto chunk = json::parse_object(event.data);
    if (chunk && ends_choice(*chunk)) {
      (*chunk)[kMember] = json::encode(dropped_);
      out += net::sse_frame("", "", json::to_text(*chunk));
    } else {
      out += net::sse_frame("", "", event.data);
    }
  }));
  return out;
}

}  // namespace puna::api
