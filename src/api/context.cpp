#include "api/context.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <string_view>

namespace puna::api {
namespace {

using wire::Overflow;

std::string_view role_of(const json::value& message) {
  const auto* object = message.if_object();
  const auto* role = object == nullptr ? nullptr : object->if_contains("role");
  return role != nullptr && role->is_string() ? std::string_view(role->get_string()) : std::string_view();
}

bool is_instruction(const json::value& message) {
  return role_of(message) == "system" || role_of(message) == "developer";
}

// Messages without the instructions among them; a new group begins at each message for which `begins` holds.
template <class Begins>
std::vector<MessageGroup> group(const json::array& messages, std::size_t from, Begins begins) {
  std::vector<MessageGroup> out;
  for (std::size_t i = from; i < messages.size(); ++i) {
    if (is_instruction(messages[i])) continue;
    if (out.empty() || begins(messages[i])) out.emplace_back();
    out.back().push_back(i);
  }
  return out;
}

void order_from_the_middle(std::vector<MessageGroup>& groups) {
  if (groups.empty()) return;
  const auto middle = static_cast<std::ptrdiff_t>(groups.size() - 1);  // of doubled places
  const auto distance = [&](std::size_t place) { return std::abs(2 * static_cast<std::ptrdiff_t>(place) - middle); };
  std::vector<std::size_t> places(groups.size());
  std::iota(places.begin(), places.end(), 0U);
  std::ranges::sort(places, {}, [&](std::size_t place) { return std::pair(distance(place), place); });
  std::vector<MessageGroup> ordered;
  for (const std::size_t place : places) ordered.push_back(std::move(groups[place]));
  groups = std::move(ordered);
}

std::string content_text(const json::value& message) {
  const auto* content = message.get_object().if_contains("content");
  if (content == nullptr) return {};
  if (content->is_string()) return std::string(std::string_view(content->get_string()));
  std::string out;
  if (!content->is_array()) return out;
  for (const auto& part : content->get_array()) {
    const auto* object = part.if_object();
    const auto* text = object == nullptr ? nullptr : object->if_contains("text");
    if (text != nullptr && text->is_string()) out += std::string_view(text->get_string());
  }
  return out;
}

std::string tool_calls_text(const json::value& message) {
  const auto* calls = message.get_object().if_contains("tool_calls");
  return calls == nullptr || !calls->is_array() ? std::string() : json::to_text(*calls);
}

}  // namespace

std::vector<MessageGroup> droppable(const json::array& messages, Overflow strategy) {
  auto turns = group(messages, 0, [](const json::value& message) { return role_of(message) == "user"; });
  if (strategy == Overflow::refuse || turns.empty()) return {};

  const std::size_t question = turns.back().front();
  turns.pop_back();
  auto steps = group(messages, question + 1, [](const json::value& message) { return role_of(message) == "assistant"; });
  if (!steps.empty()) steps.pop_back();
  if (strategy == Overflow::middle_out) {
    if (!turns.empty()) turns.erase(turns.begin());
    order_from_the_middle(turns);
    order_from_the_middle(steps);
  }
  turns.insert(turns.end(), steps.begin(), steps.end());
  return turns;
}

json::array without(const json::array& messages, std::span<const MessageGroup> dropped) {
  json::array out;
  for (std::size_t i = 0; i < messages.size(); ++i)
    if (std::ranges::none_of(dropped, [i](const MessageGroup& gone) { return std::ranges::find(gone, i) != gone.end(); }))
      out.push_back(messages[i]);
  return out;
}

std::string transcript(const json::array& messages, std::span<const MessageGroup> dropped) {
  std::string out;
  for (const auto& gone : dropped)
    for (const std::size_t i : gone)
      out += fmt::format("{}: {}{}\n\n", role_of(messages[i]), content_text(messages[i]), tool_calls_text(messages[i]));
  return out;
}

std::size_t count_messages(std::span<const MessageGroup> groups) {
  std::size_t out = 0;
  for (const auto& group : groups) out += group.size();
  return out;
}

}  // namespace puna::api
