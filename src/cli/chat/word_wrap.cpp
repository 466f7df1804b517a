#include "cli/chat/word_wrap.h"

#include "base/code_point.h"
#include "cli/screen/width.h"

namespace puna::cli {

void WordWrap::end_word(std::string& out) {
  if (word_.empty()) return;
  if (column_ > 0 && column_ + spaces_.size() + word_width_ > width_()) {
    out += '\n';
    column_ = 0;
  } else {
    out += spaces_;
    column_ += spaces_.size();
  }
  out += word_;
  column_ += word_width_;
  spaces_.clear();
  word_.clear();
  word_width_ = 0;
}

std::string WordWrap::feed(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const char32_t code_point = next_code_point(text, at);
    if (code_point == '\n') {
      end_word(out);
      out += '\n';
      column_ = 0;
      spaces_.clear();
    } else if (code_point == ' ') {
      end_word(out);
      spaces_ += ' ';
    } else {
      const std::size_t room = code_point_width(code_point);
      constexpr std::size_t kWide = 2;  // East Asian text breaks between any two characters
      if (room == kWide) end_word(out);
      word_ += text.substr(start, at - start);
      word_width_ += room;
      if (room == kWide) end_word(out);
    }
  }
  return out;
}

std::string WordWrap::finish() {
  std::string out;
  end_word(out);
  out += spaces_;
  column_ += spaces_.size();
  spaces_.clear();
  return out;
}

}  // namespace puna::cli
