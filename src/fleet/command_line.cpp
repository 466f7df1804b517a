#include "fleet/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

namespace puna::fleet {
namespace {

constexpr auto kPlaces = std::to_array<std::string_view>({"port", "socket", "model", "context", "slots", "threads"});

// Calls `place` for each {word} of lower-case letters and `text` for what lies between.
void walk(std::string_view word, const std::function<void(std::string_view)>& text, const std::function<void(std::string_view)>& place) {
  while (!word.empty()) {
    const auto open = word.find('{');
    text(word.substr(0, open));
    if (open == std::string_view::npos) return;
    word.remove_prefix(open);
    const auto end = std::ranges::find_if_not(word.substr(1), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
    const auto length = static_cast<std::size_t>(end - word.begin());
    const bool closed = length > 1 && length < word.size() && word[length] == '}';
    if (closed)
      place(word.substr(1, length - 1));
    else
      text(word.substr(0, 1));
    word.remove_prefix(closed ? length + 1 : 1);
  }
}

}  // namespace

Result<> check_command_template(const std::vector<std::string>& words) {
  std::string unknown;
  bool port = false;
  bool socket = false;
  for (const auto& word : words)
    walk(
        word, [](auto) {},
        [&](std::string_view place) {
          if (std::ranges::find(kPlaces, place) == kPlaces.end()) unknown = place;
          port = port || place == "port";
          socket = socket || place == "socket";
        });
  if (!unknown.empty())
    return fail(
        Code::invalid_argument,
        fmt::format("{{{}}} stands for nothing; these do: {{port}} {{socket}} {{model}} {{context}} {{slots}} {{threads}}", unknown));
  if (port == socket) return fail(Code::invalid_argument, "{port} or {socket} has to say where the program is to listen: one of the two");
  return {};
}

bool names_place(const std::vector<std::string>& words, std::string_view place) {
  bool found = false;
  for (const auto& word : words) walk(word, [](auto) {}, [&](std::string_view name) { found = found || name == place; });
  return found;
}

std::vector<std::string> fill_command(const std::vector<std::string>& words, const std::map<std::string, std::string>& values) {
  std::vector<std::string> out;
  for (const auto& word : words) {
    std::string filled;
    walk(
        word, [&](std::string_view text) { filled += text; },
        [&](std::string_view place) {
          const auto value = values.find(std::string(place));
          filled += value == values.end() ? fmt::format("{{{}}}", place) : value->second;
        });
    out.push_back(std::move(filled));
  }
  return out;
}

}  // namespace puna::fleet
