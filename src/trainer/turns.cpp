#include "trainer/turns.h"

#include <algorithm>
#include <span>

#include "base/text.h"

namespace puna::trainer {
namespace {

using inference::Ending;
using inference::Token;
using Tokens = std::vector<Token>;

std::size_t common_beginning(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

std::string_view without_leading_space(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

bool begins_with(std::span<const Token> tokens, std::span<const Token> beginning) {
  return std::ranges::mismatch(beginning, tokens).in1 == beginning.end();
}

std::size_t ends_in(const inference::Vocabulary& vocabulary, std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(vocabulary.continuation(text), [&](Token token) { return vocabulary.ends(token); }));
}

// What stands behind `before` when both are read together; where their border would vanish in a token, read on its own.
TokenTurn behind(const inference::Vocabulary& vocabulary, std::string_view before, std::string_view text) {
  TokenTurn out{vocabulary.prompt(before), {}};
  const Tokens both = vocabulary.prompt(std::string(before).append(text));
  if (begins_with(both, out.before))
    out.turn.assign(both.begin() + static_cast<std::ptrdiff_t>(out.before.size()), both.end());
  else
    out.turn = vocabulary.continuation(text);
  return out;
}

}  // namespace

Turns::Turns(const inference::Vocabulary& vocabulary, const inference::ChatTemplate& chat_template,
             const std::vector<dataset::Message>& messages, const std::optional<json::array>& tools)
    : vocabulary_(vocabulary),
      template_(chat_template),
      messages_(messages),
      rendered_(dataset::openai_messages(messages)),
      tools_(tools.value_or(json::array())) {}

Result<std::string> Turns::render(std::size_t count, Ending ending) const {
  return template_.render(json::array(rendered_.begin(), rendered_.begin() + static_cast<std::ptrdiff_t>(count)), tools_, ending);
}

// What the template writes of the answer is what follows the prompt. Some templates begin an answer in another way than they show a past
// one: with a tag that opens the model's thoughts. Then these are closed, empty or not, before the answer.
std::string Turns::answer_text(std::size_t index, std::string_view prompt, std::string_view complete) const {
  const std::size_t shared = common_beginning(prompt, complete);
  const std::string_view opened = trim(prompt.substr(shared));
  const std::string_view rest = complete.substr(shared);
  if (shared == prompt.size()) return std::string(rest);
  if (opened.empty()) return std::string(without_leading_space(rest));
  const auto& tags = template_.thinking();
  if (tags.end.empty() || opened != trim(tags.start)) return std::string(rest);
  return messages_[index].reasoning.value_or("") + "\n" + tags.end + "\n\n" + std::string(without_leading_space(rest));
}

// Up to the first end that is not a part of what was said; one is added where the template writes none.
void Turns::close(Tokens& turn, std::size_t index) const {
  const auto is_end = [&](Token token) { return vocabulary_.ends(token); };
  auto end = std::ranges::find_if(turn, is_end);
  if (end != turn.end() && std::any_of(end + 1, turn.end(), is_end)) {
    const auto& message = messages_[index];
    auto said = ends_in(vocabulary_, message.reasoning.value_or("")) + ends_in(vocabulary_, message.content);
    for (; said > 0 && end != turn.end(); --said) end = std::find_if(end + 1, turn.end(), is_end);
  }
  if (end != turn.end()) {
    turn.erase(end + 1, turn.end());
  } else if (const auto token = vocabulary_.end_of_text() ? vocabulary_.end_of_text() : vocabulary_.end_of_turn()) {
    turn.push_back(*token);
  }
}

Result<TokenTurn> Turns::answer(std::size_t index) const {
  PUNA_TRY(const auto prompt, render(index, Ending::answer_follows));
  PUNA_TRY(const auto complete, render(index + 1, Ending::complete));
  auto out = behind(vocabulary_, prompt, answer_text(index, prompt, complete));
  close(out.turn, index);
  return out;
}

Result<std::optional<TokenTurn>> Turns::whole(std::size_t index) const {
  const bool last = index + 1 == messages_.size();
  const auto complete = render(index + 1, Ending::complete);
  if (!complete) return last ? Result<std::optional<TokenTurn>>(std::unexpected(complete.error())) : std::optional<TokenTurn>();
  std::string before;
  for (std::size_t count = index; count > 0 && before.empty(); --count) before = render(count, Ending::complete).value_or("");
  TokenTurn out{vocabulary_.prompt(before), vocabulary_.prompt(*complete)};
  const auto border = std::ranges::mismatch(out.before, out.turn);
  out.before.erase(border.in1, out.before.end());
  out.turn.erase(out.turn.begin(), border.in2);
  if (last && messages_[index].role == dataset::Role::assistant &&
      std::ranges::none_of(out.turn, [&](Token token) { return vocabulary_.ends(token); }))
    close(out.turn, index);
  return out;
}

}  // namespace puna::trainer
