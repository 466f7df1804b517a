#include "trainer/interview.h"

#include <algorithm>

#include "base/text.h"
#include "evaluate/scores.h"

namespace puna::trainer {
namespace {

using dataset::Message;
using dataset::Role;
using inference::Ending;

constexpr std::size_t kTogether = 4;     // answers side by side
constexpr std::size_t kFirstWords = 24;  // tokens of a document
constexpr std::size_t kMostRoom = 8192;  // tokens of all answers' contexts together

// Messages up to the last answer, and that.
struct Exchange {
  std::vector<Message> before;
  Message answer;
};

std::optional<Exchange> last_exchange(const dataset::Row& row) {
  Exchange out{.before = row.messages};
  if (row.chosen) out.before.insert(out.before.end(), row.chosen->begin(), row.chosen->end());
  const auto last = std::find_if(out.before.rbegin(), out.before.rend(), [](const Message& m) { return m.role == Role::assistant; });
  if (last == out.before.rend() || std::next(last) == out.before.rend()) return std::nullopt;
  const auto place = static_cast<std::size_t>(std::distance(last, out.before.rend()) - 1);
  out.answer = *last;
  out.before.resize(place);
  return out;
}

std::string readable(std::string text) {
  return is_utf8(text) ? text : printable(text);
}

}  // namespace

std::optional<Question> Interview::question(const dataset::Row& row) const {
  if (row.text) {
    auto tokens = vocabulary_.prompt(*row.text);
    tokens.resize(std::min(tokens.size(), kFirstWords));
    if (tokens.empty()) return std::nullopt;
    return Question{.prompt = readable(vocabulary_.text(tokens)), .tokens = std::move(tokens), .references = {}};
  }
  const auto exchange = last_exchange(row);
  if (!exchange) return std::nullopt;
  const auto prompt =
      template_.render(dataset::openai_messages(exchange->before), row.tools.value_or(json::array()), Ending::answer_follows);
  if (!prompt) return std::nullopt;
  Question out{.prompt = exchange->before.back().content, .tokens = vocabulary_.prompt(*prompt), .references = row.references};
  const bool right = row.label.value_or(true) && !exchange->answer.content.empty();
  if (out.references.empty() && right) out.references = {exchange->answer.content};
  return out;
}

Result<Question> Interview::question(const std::string& prompt, Asked asked) const {
  if (asked == Asked::text) return Question{.prompt = prompt, .tokens = vocabulary_.prompt(prompt), .references = {}};
  PUNA_TRY(const auto text, template_.render({{{"role", "user"}, {"content", prompt}}}, {}, Ending::answer_follows));
  return Question{.prompt = prompt, .tokens = vocabulary_.prompt(text), .references = {}};
}

Result<std::vector<std::string>> Interview::answers(std::span<const Question> questions, const std::filesystem::path& adapter,
                                                    const std::stop_token& stop, const Told& told) const {
  if (questions.empty()) return std::vector<std::string>();
  std::vector<std::vector<inference::Token>> prompts;
  std::size_t longest = 0;
  for (const auto& question : questions) {
    prompts.push_back(question.tokens);
    longest = std::max(longest, question.tokens.size());
  }
  const std::size_t context = longest + options_.output_tokens;
  const std::size_t together = std::clamp<std::size_t>(kMostRoom / context, 1, std::min(kTogether, questions.size()));
  PUNA_TRY(
      auto generator,
      inference::Generator::open(
          options_.model, {.context = context, .together = together, .most_tokens = options_.output_tokens, .threads = options_.threads}));
  PUNA_CHECK(generator.use_adapter(adapter));
  PUNA_TRY(const auto generated, generator.answer(prompts, stop, told));
  std::vector<std::string> out;
  for (const auto& answer : generated) out.push_back(readable(template_.shown(vocabulary_.text(answer.tokens))));
  return out;
}

Result<std::vector<wire::TuneSample>> Interview::samples(std::span<const std::string> prompts, Asked asked,
                                                         const std::filesystem::path& adapter, const std::stop_token& stop) const {
  std::vector<Question> questions;
  for (const auto& prompt : prompts) {
    PUNA_TRY(auto asking, question(prompt, asked));
    questions.push_back(std::move(asking));
  }
  PUNA_TRY(auto texts, answers(questions, adapter, stop));
  std::vector<wire::TuneSample> out;
  for (std::size_t i = 0; i < texts.size(); ++i) out.push_back({.prompt = prompts[i], .text = std::move(texts[i])});
  return out;
}

Result<> Interview::compare(const dataset::Rows& rows, std::span<const std::uint32_t> which, const std::filesystem::path& adapter,
                            wire::TuneReport& report, const std::stop_token& stop, const Told& told) const {
  std::vector<Question> questions;
  std::vector<wire::TuneOutput> outputs;
  for (const auto index : which) {
    PUNA_TRY(const auto row, rows.at(index));
    auto asked = question(row);
    if (!asked) continue;
    outputs.push_back({.file = row.file, .line = row.line, .prompt = asked->prompt, .references = asked->references});
    questions.push_back(std::move(*asked));
  }
  PUNA_TRY(const auto before, answers(questions, {}, stop, told));
  const auto told_of_second = [&](std::size_t done) {
    if (told) told(questions.size() + done);
  };
  PUNA_TRY(const auto after, answers(questions, adapter, stop, told_of_second));
  evaluate::Scores base;
  evaluate::Scores tuned;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    base.add(before[i], outputs[i].references);
    tuned.add(after[i], outputs[i].references);
    outputs[i].before = before[i];
    outputs[i].after = after[i];
  }
  const auto keep_loss = [](const wire::TuneScores& old, wire::TuneScores scores) {
    scores.loss = old.loss;
    scores.perplexity = old.perplexity;
    return scores;
  };
  report.before = keep_loss(report.before, base.mean());
  report.after = keep_loss(report.after, tuned.mean());
  report.generated = static_cast<std::int64_t>(outputs.size());
  report.outputs = std::move(outputs);
  return {};
}

}  // namespace puna::trainer
