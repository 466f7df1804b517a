#include "api/openai/responses/items.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "api/openai/members.h"
#include "base/id.h"
#include "base/text.h"

namespace puna::api::openai::responses {
namespace {

Result<> check_text_part(const json::object& part, std::string_view member, const std::string& path) {
  const json::value* words = present(part, member);
  return words && words->is_string() ? Result<>{} : bad(fmt::format("{}.{}", path, member), "expected a string");
}

// A URL would make the worker fetch on behalf of whoever asks; only inline data is taken.
Result<> check_image_part(const json::object& part, const std::string& path) {
  if (present(part, "file_id")) return fail(Code::unsupported, path + ".file_id: uploaded files are not read; send the image inline");
  if (!text_member(part, "image_url").starts_with("data:"))
    return bad(path + ".image_url", "only data: URLs are accepted; send the image inline");
  return {};
}

Result<> check_part(const json::value& part, const std::string& path) {
  if (!part.is_object()) return bad(path, "expected an object");
  const auto& object = part.get_object();
  const auto type = text_member(object, "type");
  if (type == "input_text" || type == "output_text" || type == "reasoning_text" || type == "summary_text")
    return check_text_part(object, "text", path);
  if (type == "refusal") return check_text_part(object, "refusal", path);
  if (type == "input_image") return check_image_part(object, path);
  if (type == "input_audio") return {};
  if (type == "input_file") return fail(Code::unsupported, path + ".type: files are not read; put their text into an input_text");
  return bad(path + ".type", fmt::format("'{}' is not one of input_text, input_image, input_audio, output_text, refusal", printable(type)));
}

Result<> check_content(const json::object& item, std::string_view member, const std::string& path) {
  const json::value* content = present(item, member);
  const std::string place = fmt::format("{}.{}", path, member);
  if (!content) return bad(place, "required, but missing");
  if (content->is_string()) return {};
  if (!content->is_array()) return bad(place, "expected a string or an array of parts");
  for (std::size_t i = 0; i < content->get_array().size(); ++i)
    PUNA_CHECK(check_part(content->get_array()[i], fmt::format("{}[{}]", place, i)));
  return {};
}

Result<> check_text(const json::object& item, std::string_view member, const std::string& path) {
  return text_member(item, member).empty() ? Result<>(bad(fmt::format("{}.{}", path, member), "required, but missing")) : Result<>{};
}

Result<> check_item(const json::object& item, std::string_view type, const std::string& path) {
  if (type == "message") {
    constexpr std::array<std::string_view, 4> kRoles = {"user", "assistant", "system", "developer"};
    const auto role = text_member(item, "role");
    if (std::ranges::find(kRoles, role) == kRoles.end())
      return bad(path + ".role", fmt::format("'{}' is not one of user, assistant, system, developer", printable(role)));
    return check_content(item, "content", path);
  }
  if (type == "function_call") {
    PUNA_CHECK(check_text(item, "call_id", path));
    return check_text(item, "name", path);
  }
  if (type == "function_call_output") {
    PUNA_CHECK(check_text(item, "call_id", path));
    return check_content(item, "output", path);
  }
  if (type == "reasoning") return present(item, "content") ? check_content(item, "content", path) : Result<>{};
  if (type == "item_reference")
    return fail(Code::unsupported, path + ".type: items are not kept one by one; send the item, or go on with previous_response_id");
  return fail(Code::unsupported,
              fmt::format("{}.type: '{}' is not one of message, function_call, function_call_output, reasoning", path, printable(type)));
}

std::string_view id_prefix(std::string_view type) {
  if (type == "message") return "msg";
  if (type == "reasoning") return "rs";
  return type == "function_call" ? "fc" : "fco";
}

json::array parts_of(const json::value& content) {
  if (content.is_array()) return content.get_array();
  return {json::object{{"type", "input_text"}, {"text", content}}};
}

// Plain text where all parts are text: templates know that best.
json::value chat_content(const json::value& content) {
  if (content.is_string()) return content;
  std::string words;
  json::array parts;
  bool plain = true;
  for (const auto& item : content.get_array()) {
    const auto& part = item.get_object();
    const auto type = text_member(part, "type");
    if (type == "input_image") {
      plain = false;
      parts.push_back({{"type", "image_url"}, {"image_url", json::object{{"url", part.at("image_url")}}}});
    } else if (type == "input_audio") {
      plain = false;
      parts.push_back({{"type", "input_audio"}, {"input_audio", part.contains("input_audio") ? part.at("input_audio") : json::value()}});
    } else {
      const auto said = text_member(part, type == "refusal" ? "refusal" : "text");
      words += words.empty() ? "" : "\n";
      words += said;
      parts.push_back({{"type", "text"}, {"text", said}});
    }
  }
  return plain ? json::value(words) : json::value(std::move(parts));
}

// Grows a chat, joining what belongs to one turn of the assistant.
class Conversation {
 public:
  json::array messages;

  void add(const json::object& item) {
    const auto type = text_member(item, "type");
    if (type == "message" && text_member(item, "role") == "assistant") return say(item);
    if (type == "message") return other({{"role", item.at("role")}, {"content", chat_content(item.at("content"))}});
    if (type == "function_call") return call(item);
    if (type == "reasoning") return reason(item);
    other({{"role", "tool"}, {"tool_call_id", item.at("call_id")}, {"content", chat_content(item.at("output"))}});
  }

 private:
  void other(json::object message) {
    messages.push_back(std::move(message));
    assistant_ = false;
  }
  json::object& assistant() {
    if (!std::exchange(assistant_, true)) messages.push_back({{"role", "assistant"}, {"content", ""}});
    return messages.back().get_object();
  }
  void say(const json::object& item) {
    if (assistant_ && messages.back().get_object().contains("tool_calls")) assistant_ = false;
    auto& message = assistant();
    const auto said = chat_content(item.at("content"));
    const auto before = text_member(message, "content");
    message["content"] = before.empty() || !said.is_string() ? said : json::value(fmt::format("{}\n{}", before, said.get_string().c_str()));
  }
  void reason(const json::object& item) {
    const json::value* content = present(item, "content");
    if (!content) return;  // encrypted by another server: there is nothing to read
    const auto words = chat_content(*content);
    if (!words.is_string() || words.get_string().empty()) return;
    if (assistant_ && !messages.back().get_object().at("content").as_string().empty()) assistant_ = false;
    assistant()["reasoning_content"] = words;
  }
  void call(const json::object& item) {
    auto& message = assistant();
    if (!message.contains("tool_calls")) message["tool_calls"] = json::array{};
    const json::value* arguments = present(item, "arguments");
    message["tool_calls"].get_array().push_back(
        {{"id", item.at("call_id")},
         {"type", "function"},
         {"function", json::object{{"name", item.at("name")}, {"arguments", arguments ? *arguments : json::value("{}")}}}});
  }

  bool assistant_ = false;
};

}  // namespace

std::string new_id(std::string_view prefix) {
  return fmt::format("{}_{}", prefix, lower_ascii(new_ulid()));
}

Result<json::array> read_items(const json::value& input) {
  if (input.is_string())
    return json::array{json::object{{"id", new_id("msg")}, {"type", "message"}, {"role", "user"}, {"content", parts_of(input)}}};
  if (!input.is_array()) return bad("input", "expected a string or an array of items");
  if (input.get_array().empty()) return bad("input", "at least one item is needed");
  json::array out;
  for (std::size_t i = 0; i < input.get_array().size(); ++i) {
    const std::string path = fmt::format("input[{}]", i);
    if (!input.get_array()[i].is_object()) return bad(path, "expected an object");
    json::object item = input.get_array()[i].get_object();
    if (!present(item, "type")) item["type"] = "message";
    const std::string type(text_member(item, "type"));
    PUNA_CHECK(check_item(item, type, path));
    if (text_member(item, "id").empty()) item["id"] = new_id(id_prefix(type));
    if (type == "message") item["content"] = parts_of(item.at("content"));
    out.push_back(std::move(item));
  }
  return out;
}

json::array messages_of(const std::optional<std::string>& instructions, const json::array& items) {
  Conversation out;
  if (instructions) out.messages.push_back({{"role", "system"}, {"content", *instructions}});
  for (const auto& item : items) out.add(item.get_object());
  return std::move(out.messages);
}

}  // namespace puna::api::openai::responses
