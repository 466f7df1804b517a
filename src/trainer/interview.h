// What base and tuned model answer: samples while a run goes on, and the outputs of its report.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/dataset.h"
#include "inference/chat_template.h"
#include "inference/generator.h"
#include "inference/vocabulary.h"
#include "wire/tune.h"

namespace puna::trainer {

// What is asked, and what would be right.
struct Question {
  std::string prompt;  // for people: what was said last
  std::vector<inference::Token> tokens;
  std::vector<std::string> references;  // empty: nothing to compare with
};

struct InterviewOptions {
  std::filesystem::path model;
  std::size_t output_tokens = 128;  // of an answer, at most
  std::size_t threads = 1;
};

// Loads the model for each round of answers and lets it go again, so that between them it takes no memory.
class Interview {
 public:
  // Both outlive it.
  Interview(const inference::Vocabulary& vocabulary, const inference::ChatTemplate& chat_template, InterviewOptions options)
      : vocabulary_(vocabulary), template_(chat_template), options_(std::move(options)) {}

  // The conversation up to its last answer, which is the reference unless the row has others; of two answers the chosen one. Of a document
  // the first words. Nothing, where there is no answer, or the template refuses.
  [[nodiscard]] std::optional<Question> question(const dataset::Row& row) const;
  // As the only message of a chat; with text, as the beginning of a document.
  enum class Asked : std::uint8_t { chat, text };
  [[nodiscard]] Result<Question> question(const std::string& prompt, Asked asked) const;

  // Answers by the base, or with the adapter in that file.
  using Told = std::function<void(std::size_t done)>;
  [[nodiscard]] Result<std::vector<std::string>> answers(std::span<const Question> questions, const std::filesystem::path& adapter,
                                                         const std::stop_token& stop, const Told& told = {}) const;
  [[nodiscard]] Result<std::vector<wire::TuneSample>> samples(std::span<const std::string> prompts, Asked asked,
                                                              const std::filesystem::path& adapter, const std::stop_token& stop) const;
  // Both answer these rows: outputs, their number and the scores of texts are added to the report. `told` counts both models' answers.
  [[nodiscard]] Result<> compare(const dataset::Rows& rows, std::span<const std::uint32_t> which, const std::filesystem::path& adapter,
                                 wire::TuneReport& report, const std::stop_token& stop, const Told& told = {}) const;

 private:
  const inference::Vocabulary& vocabulary_;
  const inference::ChatTemplate& template_;
  InterviewOptions options_;
};

}  // namespace puna::trainer
