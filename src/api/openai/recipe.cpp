#include "api/openai/recipe.h"

#include <algorithm>

namespace puna::api::openai {
namespace {

bool is_system(const json::value& message) {
  const auto* object = message.if_object();
  const auto* role = object == nullptr ? nullptr : object->if_contains("role");
  return role != nullptr && role->is_string() && (role->get_string() == "system" || role->get_string() == "developer");
}

bool is_named(const json::object& body, std::string_view parameter) {
  const auto given = [&](std::string_view name) {
    const auto* found = body.if_contains(name);
    return found != nullptr && !found->is_null();
  };
  return given(parameter) || (parameter == "max_tokens" && given("max_completion_tokens"));
}

bool add_messages(const wire::Recipe& recipe, json::array& messages) {
  json::array before;
  const bool has_system = std::ranges::any_of(messages, is_system);
  if (recipe.system && !has_system) before.push_back({{"role", "system"}, {"content", *recipe.system}});
  for (const auto& message : recipe.messages)
    if (!(has_system && message.role == "system")) before.push_back({{"role", message.role}, {"content", message.content}});
  if (before.empty()) return false;
  // A request's own system prompt stays the first message.
  const auto at = !messages.empty() && is_system(messages.front()) ? 1 : 0;
  messages.insert(messages.begin() + at, before.begin(), before.end());
  return true;
}

}  // namespace

bool apply_recipe(const wire::Recipe& recipe, Endpoint endpoint, json::object& body) {
  if (endpoint == Endpoint::embeddings) return false;
  bool added = false;
  for (const auto& entry : recipe.parameters) {
    if (is_named(body, entry.key())) continue;
    body[entry.key()] = entry.value();
    added = true;
  }
  auto* messages = body.if_contains("messages");
  if (endpoint == Endpoint::chat && messages != nullptr && messages->is_array())
    added = add_messages(recipe, messages->get_array()) || added;
  return added;
}

}  // namespace puna::api::openai
