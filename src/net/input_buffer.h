// Bytes that came and were not taken yet, in one piece.
#pragma once

#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace puna::net {

class InputBuffer {
 public:
  [[nodiscard]] std::string_view readable() const { return {bytes_.data() + begin_, end_ - begin_}; }
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  void consume(std::size_t count) { begin_ += count; }

  // Room for at least `least` bytes; moves what is readable, so not while something reads into the room given before.
  [[nodiscard]] std::span<char> room(std::size_t least) {
    if (empty()) begin_ = end_ = 0;
    if (bytes_.size() - end_ < least && begin_ > 0) {
      std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
      end_ -= std::exchange(begin_, 0);
    }
    if (bytes_.size() - end_ < least) bytes_.resize(std::max(end_ + least, 2 * bytes_.size()));
    return std::span(bytes_).subspan(end_);
  }
  void commit(std::size_t count) { end_ += count; }

 private:
  std::vector<char> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace puna::net
