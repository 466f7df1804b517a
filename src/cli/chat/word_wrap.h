// Breaks a stream of text between words, as it arrives.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace puna::cli {

// Holds the word back that has not ended yet, so that it can still move to the next line. The text's own line breaks stay; a word longer
// than a line is left to the terminal.
class WordWrap {
 public:
  // `width`: the columns of a line, asked anew for each word, since windows change.
  explicit WordWrap(std::function<std::size_t()> width) : width_(std::move(width)) {}

  [[nodiscard]] std::string feed(std::string_view text);
  // The word held back, at the end of the text.
  [[nodiscard]] std::string finish();

 private:
  void end_word(std::string& out);

  std::function<std::size_t()> width_;
  std::size_t column_ = 0;
  std::string spaces_;  // between the last word and the one held back
  std::string word_;
  std::size_t word_width_ = 0;
};

}  // namespace puna::cli
