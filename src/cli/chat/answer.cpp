#include "cli/chat/answer.h"

#include "base/text.h"
#include "base/units.h"

namespace puna::cli {

AnswerView::AnswerView(Console& console, Manner manner)
    : console_(console),
      manner_(manner),
      progress_(console.err, console.err.is_terminal() ? Narration::full : Narration::quiet),
      wrap_([&console] { return console.out.width(); }) {}

void AnswerView::loading(const wire::RunningModel& model) {
  if (part_ == Part::nothing) progress_.show(fmt::format("loading {}", model.name), model.load_progress);
}

void AnswerView::take(const client::ChatDelta& delta) {
  if (delta.prompt && part_ == Part::nothing) {
    const auto left = delta.prompt->total - delta.prompt->cache;
    constexpr std::int64_t kWorthShowing = 512;  // tokens
    if (left >= kWorthShowing)
      progress_.show("reading the prompt", static_cast<double>(delta.prompt->processed - delta.prompt->cache) / static_cast<double>(left));
  }
  if (!delta.reasoning.empty()) think(delta.reasoning);
  if (!delta.content.empty()) answer(delta.content);
}

Stream* AnswerView::thought_stream() {
  if (manner_.thinking == Thinking::hidden || manner_.showing == Showing::nothing) return nullptr;
  if (console_.out.is_terminal()) return &console_.out;
  return console_.err.is_terminal() ? &console_.err : nullptr;
}

std::string AnswerView::shown(std::string_view text) {
  std::string whole = incomplete_ + std::string(text);
  const std::size_t complete = utf8_complete_prefix(whole);
  incomplete_ = whole.substr(complete);
  whole.resize(complete);
  whole = printable(whole);
  return manner_.wrapping == Wrapping::words ? wrap_.feed(whole) : whole;
}

void AnswerView::think(std::string_view text) {
  reasoning_ += text;
  Stream* stream = thought_stream();
  if (!stream) return;
  progress_.clear();
  if (part_ == Part::nothing) text = trim(text).empty() ? std::string_view() : text;
  if (text.empty()) return;
  part_ = Part::thoughts;
  stream->write(stream->paint(Tone::dim, shown(text)));
}

void AnswerView::end_thoughts() {
  Stream* stream = thought_stream();
  const std::string rest = wrap_.finish() + printable(std::exchange(incomplete_, {}));
  stream->write(stream->paint(Tone::dim, rest) + "\n\n");
  wrap_ = WordWrap([this] { return console_.out.width(); });
}

void AnswerView::answer(std::string_view text) {
  progress_.clear();
  if (part_ == Part::thoughts) end_thoughts();
  if (part_ != Part::answer && content_.empty()) {
    // Templates often leave line breaks between thoughts and answer.
    while (!text.empty() && (text.front() == '\n' || text.front() == ' ')) text.remove_prefix(1);
    if (text.empty()) return;
  }
  part_ = Part::answer;
  content_ += text;
  at_line_start_ = text.back() == '\n';
  if (manner_.showing == Showing::all) console_.out.write(console_.out.is_terminal() ? shown(text) : std::string(text));
}

void AnswerView::finish() {
  progress_.clear();
  if (part_ == Part::thoughts) end_thoughts();
  if (part_ != Part::answer || manner_.showing == Showing::nothing) return;
  if (console_.out.is_terminal()) console_.out.write(wrap_.finish() + printable(std::exchange(incomplete_, {})));
  if (!at_line_start_) console_.out.write("\n");
}

void print_timings(Stream& stream, const client::ChatEnd& end, Milliseconds total) {
  const auto row = [&](std::string_view name, const std::string& value) { stream.line(fmt::format("{:22}{}", name, value)); };
  const auto rate = [](std::int64_t tokens, double milliseconds) {
    return milliseconds > 0 ? fmt::format("{:.2f} tokens/s", static_cast<double>(tokens) * 1000 / milliseconds) : std::string("-");
  };
  const auto duration = [](double milliseconds) { return format_duration(Milliseconds(std::llround(milliseconds))); };
  row("total duration:", format_duration(total));
  if (end.timings) {
    const auto& timings = *end.timings;
    row("prompt eval count:", fmt::format("{} tokens ({} more were known)", timings.prompt_n, timings.cache_n));
    row("prompt eval duration:", duration(timings.prompt_ms));
    row("prompt eval rate:", rate(timings.prompt_n, timings.prompt_ms));
    row("eval count:", fmt::format("{} tokens", timings.predicted_n));
    row("eval duration:", duration(timings.predicted_ms));
    row("eval rate:", rate(timings.predicted_n, timings.predicted_ms));
  } else if (end.usage) {
    row("prompt tokens:", std::to_string(end.usage->prompt_tokens));
    row("answer tokens:", std::to_string(end.usage->completion_tokens));
  }
}

}  // namespace puna::cli
