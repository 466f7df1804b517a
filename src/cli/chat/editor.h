// One line from the keyboard, with editing, history and pasting; over libedit.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/interrupt.h"

namespace puna::cli {

struct Line {
  enum class Kind {
    text,
    interrupted,        // Ctrl-C (SIGINT) while something was typed
    interrupted_empty,  // the same on an empty line
    end,                // Ctrl-D, a closed terminal, or SIGTERM
  };
  Kind kind = Kind::text;
  std::string text;  // without its line break; pasted text may have some inside
};

// Standard input and output must be terminals. Their modes are changed while read() waits and are what they were when it returns.
class Editor {
 public:
  // Which words may stand where something was begun to be typed; for Tab.
  using Completer = std::function<std::vector<std::string>(std::string_view begun)>;

  [[nodiscard]] static Result<std::unique_ptr<Editor>> open(Interrupt& interrupt, Completer completer);
  ~Editor();
  Editor(const Editor&) = delete;
  Editor& operator=(const Editor&) = delete;

  [[nodiscard]] Result<Line> read(std::string_view prompt);
  // Offers a text behind the Up key.
  void remember(const std::string& text);

 private:
  struct State;
  explicit Editor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace puna::cli
