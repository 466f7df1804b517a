#include "net/multipart.h"

#include <algorithm>

#include "base/text.h"

namespace puna::net {
namespace {

constexpr std::size_t kLongestBoundary = 70;  // RFC 2046
constexpr std::size_t kLongestHeaders = 8192;
constexpr std::size_t kLongestPadding = 256;

std::unexpected<Error> bad(std::string what) {
  return fail(Code::invalid_argument, "the form: " + std::move(what));
}

// The value of a parameter after the first ';' of a header: name="value" with escaped quotes, or a token.
std::optional<std::string> header_parameter(std::string_view header, std::string_view wanted) {
  auto rest = header;
  while (true) {
    const auto begin = rest.find(';');
    if (begin == std::string_view::npos) return std::nullopt;
    rest = trim(rest.substr(begin + 1));
    const auto equals = rest.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto name = trim(rest.substr(0, equals));
    rest = trim(rest.substr(equals + 1));
    std::string value;
    if (rest.starts_with('"')) {
      std::size_t i = 1;
      for (; i < rest.size() && rest[i] != '"'; ++i) {
        if (rest[i] == '\\' && i + 1 < rest.size() && (rest[i + 1] == '"' || rest[i + 1] == '\\')) ++i;
        value += rest[i];
      }
      rest = rest.substr(std::min(i + 1, rest.size()));
    } else {
      value = trim(rest.substr(0, rest.find(';')));
    }
    if (equal_ignoring_case(name, wanted)) return value;
  }
}

std::optional<FormPart> part_of(std::string_view headers) {
  for (const auto line : split(headers, '\n')) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !equal_ignoring_case(trim(line.substr(0, colon)), "Content-Disposition")) continue;
    const auto value = trim(line.substr(colon + 1));
    auto name = header_parameter(value, "name");
    if (!equal_ignoring_case(trim(value.substr(0, value.find(';'))), "form-data") || !name) return std::nullopt;
    return FormPart{std::move(*name), header_parameter(value, "filename")};
  }
  return std::nullopt;
}

}  // namespace

Result<std::string> MultipartParser::boundary_of(std::string_view content_type) {
  const auto type = trim(content_type.substr(0, content_type.find(';')));
  if (!equal_ignoring_case(type, "multipart/form-data"))
    return fail(Code::invalid_argument, "a body of type multipart/form-data is needed");
  auto boundary = header_parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > kLongestBoundary) return bad("Content-Type has no usable boundary");
  return std::move(*boundary);
}

MultipartParser::MultipartParser(std::string_view boundary) : delimiter_("\r\n--" + std::string(boundary)) {}

Result<> MultipartParser::feed(std::string_view bytes, const Sink& sink) {
  if (state_ == State::done) return {};  // what follows the last delimiter says nothing
  buffer_ += bytes;
  while (true) {
    PUNA_TRY(const bool moved, step(sink));
    if (!moved) return {};
  }
}

Result<> MultipartParser::finish() const {
  return state_ == State::done ? Result<>{} : bad("it ends in the middle");
}

// Whether more can be done with what there is.
Result<bool> MultipartParser::step(const Sink& sink) {
  switch (state_) {
    case State::preamble:
      return skip_preamble();
    case State::delimiter:
      return take_delimiter();
    case State::headers:
      return take_headers(sink);
    case State::data:
      return take_data(sink);
    case State::done:
      return false;
  }
  return false;
}

Result<bool> MultipartParser::skip_preamble() {
  const auto at = buffer_.find(delimiter_);
  if (at == std::string::npos) {
    buffer_.erase(0, buffer_.size() - std::min(buffer_.size(), delimiter_.size() - 1));
    return false;
  }
  buffer_.erase(0, at + delimiter_.size());
  state_ = State::delimiter;
  return true;
}

Result<bool> MultipartParser::take_delimiter() {
  if (buffer_.size() < 2) return false;
  if (buffer_.starts_with("--")) {
    state_ = State::done;
    buffer_.clear();
    return false;
  }
  const auto end = buffer_.find("\r\n");
  const auto padding = std::string_view(buffer_).substr(0, end);
  if (padding.find_first_not_of(" \t\r") != std::string_view::npos || padding.size() > kLongestPadding)
    return bad("a boundary is followed by something else");
  if (end == std::string::npos) return false;
  buffer_.erase(0, end + 2);
  state_ = State::headers;
  return true;
}

Result<bool> MultipartParser::take_headers(const Sink& sink) {
  const auto end = buffer_.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (buffer_.size() > kLongestHeaders) return bad("the header of a part is too long");
    return false;
  }
  auto part = part_of(std::string_view(buffer_).substr(0, end));
  if (!part) return bad("a part has no Content-Disposition with a name");
  buffer_.erase(0, end + 4);
  state_ = State::data;
  PUNA_CHECK(sink.begin(std::move(*part)));
  return true;
}

Result<bool> MultipartParser::take_data(const Sink& sink) {
  const auto at = buffer_.find(delimiter_);
  const bool ends = at != std::string::npos;
  const auto ready = ends ? at : buffer_.size() - std::min(buffer_.size(), delimiter_.size() - 1);
  if (ready > 0) PUNA_CHECK(sink.data(std::string_view(buffer_).substr(0, ready)));
  buffer_.erase(0, ready + (ends ? delimiter_.size() : 0));
  if (ends) state_ = State::delimiter;
  return ends;
}

}  // namespace puna::net
