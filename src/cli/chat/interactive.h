// A chat at the terminal.
#pragma once

#include <functional>
#include <string>

#include "cli/chat/conversation.h"
#include "cli/chat/editor.h"
#include "cli/context.h"
#include "wire/model.h"

namespace puna::cli {

// Reads, asks and answers until the user leaves. Errors of single questions are shown, and the chat goes on.
[[nodiscard]] Result<> chat_at_terminal(Context& context, Interrupt& interrupt, Conversation& conversation, const wire::ModelDetail& model);

// A message of one line, or of several between """. `read` gets a line for a prompt.
using LineReader = std::function<Result<Line>(std::string_view prompt)>;
[[nodiscard]] Result<Line> read_message(const LineReader& read);

}  // namespace puna::cli
