#include "dataset/byte_reader.h"

#include <cstring>

namespace puna::dataset {
namespace {

constexpr std::size_t kBuffer = 256 << 10;

}  // namespace

ByteReader::ByteReader(const SourceFile& file, std::stop_token stop, std::function<void(std::uint64_t)> progress)
    : file_(file), stop_(std::move(stop)), progress_(std::move(progress)), buffer_(kBuffer, '\0'), begin_(file.text_begin()) {}

bool ByteReader::refill() {
  if (!status_) return false;
  begin_ += filled_;
  at_ = filled_ = 0;
  if (stop_.stop_requested()) {
    status_ = fail(Code::cancelled, "stopped while reading " + file_.name());
    return false;
  }
  if (progress_) progress_(begin_);
  auto got = file_.read(begin_, buffer_.data(), buffer_.size());
  if (!got) {
    status_ = fail(std::move(got).error());
    return false;
  }
  filled_ = *got;
  return filled_ > 0;
}

bool ByteReader::read_line(std::string& into, std::size_t most, Line& line) {
  into.clear();
  if (peek() == kEnd) return false;
  line = {offset(), line_, 0};
  char last = 0;
  while (peek() != kEnd) {
    const char* begin = buffer_.data() + at_;
    const auto* newline = static_cast<const char*>(std::memchr(begin, '\n', filled_ - at_));
    const std::size_t count = newline ? static_cast<std::size_t>(newline - begin) : filled_ - at_;
    if (into.size() < most) into.append(begin, std::min(count, most - into.size()));
    if (count > 0) last = begin[count - 1];
    line.length += count;
    at_ += count;
    if (!newline) continue;
    next();
    break;
  }
  if (last == '\r') {
    --line.length;
    if (into.size() > line.length) into.pop_back();
  }
  return status_.has_value();
}

}  // namespace puna::dataset
