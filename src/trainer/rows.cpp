#include "trainer/rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "trainer/turns.h"

namespace puna::trainer {
namespace {

using dataset::Message;
using dataset::Role;
using tune::TokenRow;

// Turn behind turn in one row, as long as each stands behind the ones before it.
class RowBuilder {
 public:
  void add(const TokenTurn& turn, double weight) {
    if (std::ranges::mismatch(row_.tokens, turn.before).in1 != row_.tokens.end()) finish();
    for (std::size_t i = row_.tokens.size(); i < turn.before.size(); ++i) push(turn.before[i], 0);
    for (const auto token : turn.turn) push(token, static_cast<float>(weight));
  }
  [[nodiscard]] std::vector<TokenRow> take() && {
    finish();
    return std::move(out_);
  }

 private:
  void push(inference::Token token, float weight) {
    row_.tokens.push_back(token);
    row_.weights.push_back(weight);
  }
  void finish() {
    if (!row_.tokens.empty()) out_.push_back(std::move(row_));
    row_ = {};
  }

  TokenRow row_;
  std::vector<TokenRow> out_;
};

// The first token of a row is predicted from nothing.
bool trains(const TokenRow& row) {
  return std::any_of(row.weights.begin() + 1, row.weights.end(), [](float weight) { return weight > 0; });
}

std::vector<Message> joined(const std::vector<Message>& messages, const std::vector<Message>& answer) {
  std::vector<Message> out = messages;
  out.insert(out.end(), answer.begin(), answer.end());
  return out;
}

}  // namespace

RowRenderer::RowRenderer(const inference::Vocabulary& vocabulary, const inference::ChatTemplate& chat_template, const RowOptions& options)
    : vocabulary_(vocabulary), template_(chat_template), options_(options) {}

Result<std::vector<TokenRow>> RowRenderer::conversation(std::vector<Message> messages, const std::optional<json::array>& tools) const {
  const Turns turns(vocabulary_, template_, messages, tools);
  RowBuilder builder;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].weight <= 0) continue;
    if (messages[i].role == Role::assistant && options_.train_on != wire::TrainOn::all) {
      PUNA_TRY(const auto turn, turns.answer(i));
      builder.add(turn, messages[i].weight);
    } else {
      PUNA_TRY(const auto turn, turns.whole(i));
      if (turn) builder.add(*turn, messages[i].weight);
    }
  }
  return std::move(builder).take();
}

// Of each answer its last row: what stands in it before is the prompt.
Result<std::vector<TokenRow>> RowRenderer::answers(const dataset::Row& row) const {
  std::vector<TokenRow> out;
  const auto add = [&](const std::vector<Message>& answer, tune::Answer kind) -> Result<> {
    PUNA_TRY(auto rows, conversation(joined(row.messages, answer), row.tools));
    if (rows.empty()) return fail(Code::invalid_argument, "nothing of an answer is trained");
    out.push_back(std::move(rows.back()));
    out.back().answer = kind;
    return {};
  };
  if (!row.chosen) return fail(Code::invalid_argument, "there is no answer to compare or to judge");
  if (row.label) {
    PUNA_CHECK(add(*row.chosen, *row.label ? tune::Answer::good : tune::Answer::bad));
    return out;
  }
  if (!row.rejected) return fail(Code::invalid_argument, "there is no second answer to compare with");
  PUNA_CHECK(add(*row.chosen, tune::Answer::chosen));
  PUNA_CHECK(add(*row.rejected, tune::Answer::rejected));
  return out;
}

// A document ends with a token that says so. Each piece begins with the last token of the one before it, so that every token is trained.
std::vector<TokenRow> RowRenderer::document(std::string_view text) const {
  auto tokens = vocabulary_.prompt(text);
  const auto end = vocabulary_.end_of_text();
  if (end && (tokens.empty() || tokens.back() != *end)) tokens.push_back(*end);
  const std::size_t most = options_.max_tokens == 0 ? tokens.size() : std::max<std::size_t>(options_.max_tokens, 2);
  std::vector<TokenRow> out;
  for (std::size_t first = 0; first + 1 < tokens.size(); first += most - 1) {
    const std::size_t last = std::min(first + most, tokens.size());
    TokenRow row;
    row.tokens.assign(tokens.begin() + static_cast<std::ptrdiff_t>(first), tokens.begin() + static_cast<std::ptrdiff_t>(last));
    row.weights.assign(row.tokens.size(), 1);
    out.push_back(std::move(row));
  }
  return out;
}

Result<> RowRenderer::cut(RenderedRow& out) const {
  for (auto& row : out.rows) {
    out.longest = std::max(out.longest, row.tokens.size());
    if (options_.max_tokens == 0 || row.tokens.size() <= options_.max_tokens) continue;
    out.truncated = true;
    row.tokens.resize(options_.max_tokens);
    row.weights.resize(options_.max_tokens);
  }
  const auto useless = [](const TokenRow& row) { return !trains(row); };
  const bool belong_together = options_.method != wire::TuneMethod::sft;
  if (!belong_together) std::erase_if(out.rows, useless);
  if (!out.rows.empty() && std::ranges::none_of(out.rows, useless)) return {};
  if (!out.truncated) return fail(Code::invalid_argument, "nothing of this row is trained");
  return fail(Code::too_large, fmt::format("what is to be learnt begins behind the {} tokens that a row may have; allow longer rows "
                                           "(context), or shorten its prompt",
                                           options_.max_tokens));
}

Result<RenderedRow> RowRenderer::render(const dataset::Row& row) const {
  RenderedRow out;
  if (row.text) {
    out.rows = document(*row.text);
  } else if (row.chosen) {
    PUNA_TRY(out.rows, answers(row));
  } else {
    PUNA_TRY(out.rows, conversation(row.messages, row.tools));
  }
  PUNA_CHECK(cut(out));
  return out;
}

dataset::TokenCounter RowRenderer::counter() const {
  return [this](const dataset::Row& row) -> Result<std::size_t> {
    PUNA_TRY(const auto rendered, render(row));
    return rendered.longest;
  };
}

}  // namespace puna::trainer
