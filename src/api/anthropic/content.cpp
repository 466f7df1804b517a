#include "api/anthropic/content.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "api/openai/members.h"
#include "base/text.h"

namespace puna::api::anthropic {
namespace {

using openai::bad;
using openai::present;
using openai::text_member;

// Claude Code puts a line with a checksum of each request before its system prompt, which would make every prompt differ from its start.
constexpr std::string_view kBillingLine = "x-anthropic-billing-header:";

json::object text_part(std::string_view text) {
  return {{"type", "text"}, {"text", text}};
}

Result<std::string> required_text(const json::object& block, std::string_view name, const std::string& path) {
  const json::value* found = present(block, name);
  if (!found || !found->is_string()) return bad(fmt::format("{}.{}", path, name), "expected a string");
  return std::string(std::string_view(found->get_string()));
}

Result<json::object> image_part(const json::object& block, const std::string& path) {
  const json::value* source = present(block, "source");
  if (!source || !source->is_object()) return bad(path + ".source", "expected an object");
  const auto type = text_member(source->get_object(), "type");
  if (type != "base64")
    return fail(Code::unsupported,
                fmt::format("{}.source.type: '{}' is not supported here; send the image inline as base64", path, printable(type)));
  const auto media = text_member(source->get_object(), "media_type");
  constexpr std::array<std::string_view, 4> kMedia = {"image/jpeg", "image/png", "image/gif", "image/webp"};
  if (std::ranges::find(kMedia, media) == kMedia.end())
    return bad(path + ".source.media_type",
               fmt::format("'{}' is not one of image/jpeg, image/png, image/gif, image/webp", printable(media)));
  PUNA_TRY(const auto data, required_text(source->get_object(), "data", path + ".source"));
  return json::object{{"type", "image_url"}, {"image_url", json::object{{"url", fmt::format("data:{};base64,{}", media, data)}}}};
}

Result<json::object> document_part(const json::object& block, const std::string& path) {
  const json::value* source = present(block, "source");
  if (!source || !source->is_object()) return bad(path + ".source", "expected an object");
  const auto type = text_member(source->get_object(), "type");
  if (type != "text")
    return fail(Code::unsupported,
                fmt::format("{}.source.type: '{}' is not supported here; send the document's text", path, printable(type)));
  PUNA_TRY(const auto data, required_text(source->get_object(), "data", path + ".source"));
  const auto title = text_member(block, "title");
  return text_part(title.empty() ? data : fmt::format("{}\n\n{}", title, data));
}

// One block that a user's message, or a tool's result, may hold.
Result<json::object> user_part(const json::object& block, const std::string& path) {
  const auto type = text_member(block, "type");
  if (type == "text") {
    PUNA_TRY(const auto text, required_text(block, "text", path));
    return text_part(text);
  }
  if (type == "image") return image_part(block, path);
  if (type == "document") return document_part(block, path);
  return fail(Code::unsupported,
              fmt::format("{}.type: '{}' is not supported here; there are text, image, document, tool_use, tool_result and thinking", path,
                          printable(type)));
}

// A single text stands as a string, which every template understands.
json::value content_of(json::array parts) {
  if (parts.size() == 1 && parts.front().at("type") == "text") return parts.front().at("text");
  return parts;
}

class Conversation {
 public:
  Result<> add_system(const json::value& system);
  Result<> add_message(const json::value& message, const std::string& path);
  json::array take() { return std::move(messages_); }

 private:
  Result<> add_user(const json::array& blocks, const std::string& path);
  Result<> add_assistant(const json::array& blocks, const std::string& path);
  Result<> add_tool_result(const json::object& block, const std::string& path);
  Result<json::object> tool_call(const json::object& block, const std::string& path);
  void add_user_parts(json::array parts);

  json::array messages_;
  std::map<std::string, std::string, std::less<>> tool_names_;  // by the ids of their uses
};

Result<> Conversation::add_system(const json::value& system) {
  std::string text;
  const auto add = [&](std::string_view piece) {
    if (piece.starts_with(kBillingLine)) return;
    if (!text.empty()) text += "\n\n";
    text += piece;
  };
  if (system.is_string()) {
    add(system.get_string());
  } else if (system.is_array()) {
    for (std::size_t i = 0; i < system.get_array().size(); ++i) {
      const std::string path = fmt::format("system[{}]", i);
      const json::value& block = system.get_array()[i];
      if (!block.is_object() || text_member(block.get_object(), "type") != "text")
        return bad(path + ".type", "only 'text' blocks are allowed");
      PUNA_TRY(const auto piece, required_text(block.get_object(), "text", path));
      add(piece);
    }
  } else {
    return bad("system", "expected a string or an array of text blocks");
  }
  if (!text.empty()) messages_.push_back(json::object{{"role", "system"}, {"content", text}});
  return {};
}

Result<> Conversation::add_message(const json::value& message, const std::string& path) {
  if (!message.is_object()) return bad(path, "expected an object");
  const auto role = text_member(message.get_object(), "role");
  const json::value* content = present(message.get_object(), "content");
  if (role != "user" && role != "assistant" && role != "system")
    return bad(path + ".role", fmt::format("'{}' is not one of user, assistant, system", printable(role)));
  if (!content) return bad(path + ".content", "required, but missing");
  if (!content->is_string() && !content->is_array()) return bad(path + ".content", "expected a string or an array of blocks");
  if (role == "system") return add_system(*content);
  json::array blocks = content->is_array() ? content->get_array() : json::array{text_part(content->get_string())};
  for (std::size_t i = 0; i < blocks.size(); ++i)
    if (!blocks[i].is_object()) return bad(fmt::format("{}.content[{}]", path, i), "expected an object");
  return role == "user" ? add_user(blocks, path) : add_assistant(blocks, path);
}

Result<> Conversation::add_user(const json::array& blocks, const std::string& path) {
  json::array parts;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::string at = fmt::format("{}.content[{}]", path, i);
    const json::object& block = blocks[i].get_object();
    if (text_member(block, "type") == "tool_result") {
      PUNA_CHECK(add_tool_result(block, at));
      continue;
    }
    PUNA_TRY(auto part, user_part(block, at));
    parts.push_back(std::move(part));
  }
  if (!parts.empty()) add_user_parts(std::move(parts));
  return {};
}

void Conversation::add_user_parts(json::array parts) {
  if (messages_.empty() || messages_.back().at("role") != "user") {
    messages_.push_back(json::object{{"role", "user"}, {"content", content_of(std::move(parts))}});
    return;
  }
  json::value& content = messages_.back().at("content");
  json::array joined = content.is_array() ? std::move(content.get_array()) : json::array{text_part(content.get_string())};
  joined.insert(joined.end(), parts.begin(), parts.end());
  content = std::move(joined);
}

Result<> Conversation::add_tool_result(const json::object& block, const std::string& path) {
  PUNA_TRY(const auto id, required_text(block, "tool_use_id", path));
  const auto name = tool_names_.find(id);
  if (name == tool_names_.end())
    return bad(path + ".tool_use_id", fmt::format("no tool_use block before it has the id '{}'", printable(id)));
  json::array parts;
  const json::value* content = present(block, "content");
  if (content && content->is_string()) parts.push_back(text_part(content->get_string()));
  if (content && content->is_array())
    for (std::size_t i = 0; i < content->get_array().size(); ++i) {
      const std::string at = fmt::format("{}.content[{}]", path, i);
      if (!content->get_array()[i].is_object()) return bad(at, "expected an object");
      PUNA_TRY(auto part, user_part(content->get_array()[i].get_object(), at));
      parts.push_back(std::move(part));
    }
  if (const json::value* failed = present(block, "is_error"); failed && *failed == json::value(true))
    parts.insert(parts.begin(), text_part("The tool failed:"));
  if (parts.empty()) parts.push_back(text_part(""));
  messages_.push_back(
      json::object{{"role", "tool"}, {"tool_call_id", id}, {"name", name->second}, {"content", content_of(std::move(parts))}});
  return {};
}

Result<json::object> Conversation::tool_call(const json::object& block, const std::string& path) {
  PUNA_TRY(const auto id, required_text(block, "id", path));
  PUNA_TRY(const auto name, required_text(block, "name", path));
  const json::value* input = present(block, "input");
  if (!input || !input->is_object()) return bad(path + ".input", "expected an object");
  tool_names_.insert_or_assign(id, name);
  return json::object{{"id", id}, {"type", "function"}, {"function", json::object{{"name", name}, {"arguments", json::to_text(*input)}}}};
}

Result<> Conversation::add_assistant(const json::array& blocks, const std::string& path) {
  std::string words, reasoning;
  json::array calls;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::string at = fmt::format("{}.content[{}]", path, i);
    const json::object& block = blocks[i].get_object();
    const auto type = text_member(block, "type");
    if (type == "text") {
      PUNA_TRY(const auto text, required_text(block, "text", at));
      words += text;
    } else if (type == "thinking") {
      reasoning += text_member(block, "thinking");
    } else if (type == "tool_use") {
      PUNA_TRY(auto call, tool_call(block, at));
      calls.push_back(std::move(call));
    } else if (type != "redacted_thinking") {
      return fail(Code::unsupported, fmt::format("{}.type: '{}' is not supported here in an answer", at, printable(type)));
    }
  }
  json::object message{{"role", "assistant"}, {"content", words}};
  if (!reasoning.empty()) message["reasoning_content"] = reasoning;
  if (!calls.empty()) message["tool_calls"] = std::move(calls);
  messages_.push_back(std::move(message));
  return {};
}

}  // namespace

Result<json::array> to_messages(const json::object& body) {
  Conversation conversation;
  if (const json::value* system = present(body, "system")) PUNA_CHECK(conversation.add_system(*system));
  const json::value* messages = present(body, "messages");
  if (!messages) return bad("messages", "required, but missing");
  if (messages->get_array().empty()) return bad("messages", "at least one message is needed");
  for (std::size_t i = 0; i < messages->get_array().size(); ++i)
    PUNA_CHECK(conversation.add_message(messages->get_array()[i], fmt::format("messages[{}]", i)));
  return conversation.take();
}

}  // namespace puna::api::anthropic
