// What may be typed behind a slash in a chat.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/chat/conversation.h"
#include "cli/context.h"
#include "wire/model.h"

namespace puna::cli {

struct ChatDesk {
  Context& context;
  Conversation& conversation;
  const wire::ModelDetail& model;
  bool keep_history = true;
};

enum class After { go_on, leave };

struct SlashSpec {
  std::string_view name;  // "set"
  std::string_view alias = {};
  std::string_view arguments;  // "parameter NAME VALUE"
  std::string_view help;
  Result<After> (*run)(ChatDesk&, std::string_view arguments);
};
[[nodiscard]] std::span<const SlashSpec> slash_commands();

// Whether the line is meant for us: "/help", but neither "/usr/bin/x" nor "//".
[[nodiscard]] bool is_slash_command(std::string_view line);
// Code::invalid_argument for an unknown one, with the nearest.
[[nodiscard]] Result<After> run_slash_command(ChatDesk& desk, std::string_view line);
// What the begun line may become.
[[nodiscard]] std::vector<std::string> complete_slash_command(std::string_view begun);

}  // namespace puna::cli
