#include "inference/vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common.h"
#include "inference/engine.h"
#include "llama.h"

namespace puna::inference {
namespace {

const llama_vocab* vocabulary_of(const llama_model* model) {
  return llama_model_get_vocab(model);
}

std::optional<Token> present(Token token) {
  return token == LLAMA_TOKEN_NULL ? std::nullopt : std::optional(token);
}

}  // namespace

void Vocabulary::Free::operator()(llama_model* model) const {
  llama_model_free(model);
}

Vocabulary::Vocabulary(Vocabulary&&) noexcept = default;
Vocabulary& Vocabulary::operator=(Vocabulary&&) noexcept = default;
Vocabulary::~Vocabulary() = default;

Result<Vocabulary> Vocabulary::open(const std::filesystem::path& model) {
  PUNA_CHECK(start_engine());
  auto parameters = llama_model_default_params();
  parameters.vocab_only = true;
  std::unique_ptr<llama_model, Free> loaded;
  const auto complaint = complaints_of([&] { loaded.reset(llama_model_load_from_file(model.c_str(), parameters)); });
  if (!loaded) return fail(Code::unsupported, fmt::format("llama.cpp cannot read the vocabulary of {}: {}", model.string(), complaint));
  if (llama_vocab_type(vocabulary_of(loaded.get())) == LLAMA_VOCAB_TYPE_NONE)
    return fail(Code::unsupported, fmt::format("{} has no vocabulary: text cannot become tokens", model.string()));
  return Vocabulary(std::move(loaded));
}

std::size_t Vocabulary::size() const {
  return static_cast<std::size_t>(llama_vocab_n_tokens(vocabulary_of(model_.get())));
}

std::vector<Token> Vocabulary::prompt(std::string_view text) const {
  return common_tokenize(vocabulary_of(model_.get()), std::string(text), true, true);
}

std::vector<Token> Vocabulary::continuation(std::string_view text) const {
  if (text.empty()) return {};
  const auto* vocabulary = vocabulary_of(model_.get());
  // Behind something that becomes tokens of its own, there is no beginning to put a space before.
  for (const std::string_view before : {"\n", "a", "|", "0"}) {
    const auto alone = common_tokenize(vocabulary, std::string(before), false, true);
    auto both = common_tokenize(vocabulary, std::string(before).append(text), false, true);
    if (both.size() <= alone.size() || !std::equal(alone.begin(), alone.end(), both.begin())) continue;
    both.erase(both.begin(), both.begin() + static_cast<std::ptrdiff_t>(alone.size()));
    return both;
  }
  return common_tokenize(vocabulary, std::string(text), false, true);
}

std::string Vocabulary::piece(Token token) const {
  return common_token_to_piece(vocabulary_of(model_.get()), token, true);
}

std::string Vocabulary::text(std::span<const Token> tokens) const {
  std::string out;
  for (const auto token : tokens) out += piece(token);
  return out;
}

bool Vocabulary::ends(Token token) const {
  return llama_vocab_is_eog(vocabulary_of(model_.get()), token);
}

std::optional<Token> Vocabulary::end_of_text() const {
  return present(llama_vocab_eos(vocabulary_of(model_.get())));
}

std::optional<Token> Vocabulary::end_of_turn() const {
  return present(llama_vocab_eot(vocabulary_of(model_.get())));
}

}  // namespace puna::inference
