// A file from its beginning to its end, byte by byte or line by line, with the place in it.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "dataset/source_file.h"

namespace puna::dataset {

class ByteReader {
 public:
  static constexpr int kEnd = -1;

  ByteReader(const SourceFile& file, std::stop_token stop, std::function<void(std::uint64_t taken)> progress);

  // The next byte, or kEnd: of the file, or because of status().
  [[nodiscard]] int peek() { return at_ < filled_ || refill() ? static_cast<unsigned char>(buffer_[at_]) : kEnd; }
  int next() {
    const int byte = peek();
    if (byte == kEnd) return kEnd;
    ++at_;
    if (byte == '\n') ++line_;
    return byte;
  }
  int skip_space() {
    int byte = peek();
    while (byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n') next(), byte = peek();
    return byte;
  }

  struct Line {
    std::uint64_t offset = 0;
    std::uint64_t number = 0;
    std::uint64_t length = 0;  // without its end; more than `into` got when it is longer than `most`
  };
  // False at the end. A final "\r" belongs to the line's end.
  [[nodiscard]] bool read_line(std::string& into, std::size_t most, Line& line);

  [[nodiscard]] std::uint64_t offset() const { return begin_ + at_; }
  [[nodiscard]] std::uint64_t line() const { return line_; }
  [[nodiscard]] const Result<>& status() const { return status_; }

 private:
  bool refill();

  const SourceFile& file_;
  std::stop_token stop_;
  std::function<void(std::uint64_t)> progress_;
  std::string buffer_;
  std::uint64_t begin_;  // offset of the buffer in the file
  std::size_t at_ = 0, filled_ = 0;
  std::uint64_t line_ = 1;
  Result<> status_;
};

}  // namespace puna::dataset
