#include "dataset/json_extent.h"

#include "base/json.h"

namespace puna::dataset {
namespace {

// Fed byte by byte; says when the value is complete.
class ValueEnd {
 public:
  // The first byte of the value.
  void begin(char c) {
    if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      depth_ = 1;
    } else {
      scalar_ = true;
    }
  }
  // Whether `c` is the last byte of the value.
  bool ends_with(char c) {
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
        return depth_ == 0;
      }
      return false;
    }
    if (c == '"') in_string_ = true;
    if (c == '{' || c == '[') ++depth_;
    return (c == '}' || c == ']') && --depth_ == 0;
  }
  // A scalar has no last byte of its own: it ends before one of these.
  [[nodiscard]] bool ends_before(char c) const {
    return scalar_ && (c == ',' || c == ']' || c == '}' || c == ' ' || c == '\t' || c == '\r' || c == '\n');
  }
  [[nodiscard]] bool scalar() const { return scalar_; }

 private:
  std::uint64_t depth_ = 0;
  bool in_string_ = false, escaped_ = false, scalar_ = false;
};

}  // namespace

Extent read_value(ByteReader& reader, std::string& into, std::uint64_t most) {
  into.clear();
  Extent extent;
  ValueEnd end;
  const auto keep = [&](int byte) {
    if (++extent.length <= most) into += static_cast<char>(byte);
  };
  const int first = reader.next();
  if (first == ByteReader::kEnd) return extent;
  end.begin(static_cast<char>(first));
  keep(first);
  while (true) {
    const int byte = reader.peek();
    if (byte == ByteReader::kEnd) {
      extent.closed = end.scalar();
      return extent;
    }
    if (end.ends_before(static_cast<char>(byte))) break;
    reader.next();
    keep(byte);
    if (!end.scalar() && end.ends_with(static_cast<char>(byte))) break;
  }
  extent.closed = true;
  return extent;
}

bool skip_value(ByteReader& reader, std::string* text) {
  constexpr std::uint64_t kLongestKey = 64 << 10;
  std::string unused;
  return read_value(reader, text ? *text : unused, text ? kLongestKey : 0).closed;
}

std::string member_name(std::string_view quoted) {
  const auto parsed = json::parse(quoted);
  return parsed && parsed->is_string() ? std::string(std::string_view(parsed->get_string())) : std::string();
}

std::size_t value_end(std::string_view text, std::size_t at) {
  if (at >= text.size()) return std::string_view::npos;
  ValueEnd end;
  end.begin(text[at]);
  for (++at; at < text.size(); ++at) {
    if (end.ends_before(text[at])) return at;
    if (!end.scalar() && end.ends_with(text[at])) return at + 1;
  }
  return end.scalar() ? at : std::string_view::npos;
}

std::size_t skip_space(std::string_view text, std::size_t at) {
  const auto found = text.find_first_not_of(" \t\r\n", at);
  return found == std::string_view::npos ? text.size() : found;
}

}  // namespace puna::dataset
