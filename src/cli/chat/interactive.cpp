#include "cli/chat/interactive.h"

#include <termios.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/chat/history.h"
#include "cli/chat/slash.h"

namespace puna::cli {
namespace {

constexpr std::string_view kQuotes = "\"\"\"";
constexpr std::string_view kPrompt = ">>> ";
constexpr std::string_view kFurtherPrompt = "... ";

// What stands before the opening quotes, if the line opens a message of several lines.
std::optional<std::string_view> opening(std::string_view line) {
  for (const std::string_view before : {std::string_view(), std::string_view("/set system ")})
    if (line.starts_with(before) && line.substr(before.size()).starts_with(kQuotes)) return before;
  return std::nullopt;
}

// Keys that are pressed while the model writes do not show in its answer; they stand in the next line instead.
class SilentKeys {
 public:
  SilentKeys() : is_set_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!is_set_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &silent);
  }
  SilentKeys(const SilentKeys&) = delete;
  SilentKeys& operator=(const SilentKeys&) = delete;
  ~SilentKeys() {
    if (is_set_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }

 private:
  termios before_{};
  bool is_set_ = false;
};

class Chat {
 public:
  Chat(Context& context, Interrupt& interrupt, Editor& editor, ChatDesk desk)
      : context_(context), interrupt_(interrupt), editor_(editor), desk_(desk) {}

  Result<> open_history() {
    PUNA_TRY(const auto places, context_.places());
    PUNA_CHECK(os::ensure_places(places));
    PUNA_TRY(auto history, InputHistory::open(places.state / "chat_history"));
    for (const auto& entry : history.entries()) editor_.remember(entry);
    history_.emplace(std::move(history));
    return {};
  }

  Result<> run() {
    while (true) {
      PUNA_TRY(const auto line, read_message([&](std::string_view prompt) { return editor_.read(prompt); }));
      switch (line.kind) {
        case Line::Kind::end:
          return {};
        case Line::Kind::interrupted_empty:
          if (std::exchange(asked_to_leave_, true)) return {};
          context_.console().err.line("(Ctrl-C again, Ctrl-D or /bye leaves)");
          continue;
        case Line::Kind::interrupted:
          break;
        case Line::Kind::text:
          if (answer(line.text) == After::leave) return {};
          break;
      }
      asked_to_leave_ = false;
    }
  }

 private:
  void remember(const std::string& text) {
    editor_.remember(text);
    if (!desk_.keep_history || !history_) return;
    const auto kept = history_->add(text);
    if (!kept) context_.console().warn(kept.error().text());
  }

  After answer(const std::string& text) {
    if (trim(text).empty()) return After::go_on;
    remember(text);
    if (is_slash_command(text)) {
      const auto after = run_slash_command(desk_, text);
      if (!after) context_.console().complain(after.error());
      return after.value_or(After::go_on);
    }
    interrupt_.rearm();
    const SilentKeys silent;
    const auto answered = desk_.conversation.ask(text, interrupt_.token());
    if (!answered && answered.error().code != Code::cancelled) context_.console().complain(answered.error());
    interrupt_.rearm();
    context_.console().out.line("");
    return interrupt_.requested() ? After::leave : After::go_on;
  }

  Context& context_;
  Interrupt& interrupt_;
  Editor& editor_;
  ChatDesk desk_;
  std::optional<InputHistory> history_;
  bool asked_to_leave_ = false;
};

}  // namespace

Result<Line> read_message(const LineReader& read) {
  PUNA_TRY(auto line, read(kPrompt));
  const auto before = line.kind == Line::Kind::text ? opening(line.text) : std::nullopt;
  if (!before) return line;
  std::string text = line.text.substr(before->size() + kQuotes.size());
  while (true) {
    if (const auto end = text.find(kQuotes); end != std::string::npos)
      return Line{Line::Kind::text, fmt::format("{}{}", *before, std::string_view(text).substr(0, end))};
    PUNA_TRY(const auto more, read(kFurtherPrompt));
    if (more.kind == Line::Kind::interrupted_empty) return Line{Line::Kind::interrupted, {}};
    if (more.kind != Line::Kind::text) return more;
    text += (text.empty() ? "" : "\n") + more.text;
  }
}

Result<> chat_at_terminal(Context& context, Interrupt& interrupt, Conversation& conversation, const wire::ModelDetail& model) {
  PUNA_TRY(const auto editor, Editor::open(interrupt, complete_slash_command));
  Chat chat(context, interrupt, *editor, {.context = context, .conversation = conversation, .model = model});
  const auto history = chat.open_history();
  if (!history) context.console().warn(history.error().text());
  context.console().err.line(fmt::format("{}   /help tells what can be done, Ctrl-D leaves", printable(conversation.model())));
  return chat.run();
}

}  // namespace puna::cli
