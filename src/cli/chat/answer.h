// An answer while it is written.
#pragma once

#include <optional>
#include <string>

#include "base/units.h"
#include "cli/chat/word_wrap.h"
#include "cli/screen/console.h"
#include "cli/screen/progress.h"
#include "client/chat.h"
#include "wire/model.h"

namespace puna::cli {

enum class Thinking { shown, hidden };
enum class Wrapping { words, none };
enum class Showing { all, nothing };  // nothing: the answer is only collected

// The answer goes to standard output: wrapped and free of control characters on a terminal, untouched elsewhere. Thoughts are dimmed;
// where standard output is no terminal they go to standard error, if that is one. Progress before the first word goes there too.
class AnswerView {
 public:
  struct Manner {
    Showing showing = Showing::all;
    Thinking thinking = Thinking::shown;
    Wrapping wrapping = Wrapping::words;
  };
  AnswerView(Console& console, Manner manner);

  void loading(const wire::RunningModel& model);
  void take(const client::ChatDelta& delta);
  // Completes the last line. Call once, also for an answer that was stopped.
  void finish();

  [[nodiscard]] const std::string& content() const { return content_; }
  [[nodiscard]] const std::string& reasoning() const { return reasoning_; }

 private:
  enum class Part { nothing, thoughts, answer };
  void think(std::string_view text);
  void answer(std::string_view text);
  void end_thoughts();
  [[nodiscard]] Stream* thought_stream();
  // Text for a terminal, without the bytes of a character that is not complete yet.
  [[nodiscard]] std::string shown(std::string_view text);

  Console& console_;
  Manner manner_;
  ProgressLine progress_;
  WordWrap wrap_;
  Part part_ = Part::nothing;
  std::string incomplete_;
  std::string content_;
  std::string reasoning_;
  bool at_line_start_ = true;
};

// What the engine measured, in Ollama's words, on standard error.
void print_timings(Stream& stream, const client::ChatEnd& end, Milliseconds total);

}  // namespace puna::cli
