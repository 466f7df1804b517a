#include "batch/input.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/text.h"

namespace puna::batch {
namespace {

constexpr std::size_t kLongestId = 512;

std::string_view text_member(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found && found->is_string() ? std::string_view(found->get_string()) : std::string_view();
}

std::unexpected<LineError> wrong(const InputLine& line, std::string code, std::string message, std::optional<std::string> param = {}) {
  return std::unexpected(LineError{std::move(code), std::move(message), std::move(param), line.number});
}

}  // namespace

Result<std::optional<InputLine>> InputReader::next() {
  while (true) {
    const auto end = buffer_.find('\n', begin_);
    if (end != std::string::npos || (ended_ && begin_ < buffer_.size())) {
      const auto size = end == std::string::npos ? std::string::npos : end - begin_;
      InputLine line{++number_, buffer_.substr(begin_, size)};
      begin_ = end == std::string::npos ? buffer_.size() : end + 1;
      if (trim(line.text).empty()) continue;
      return line;
    }
    if (ended_) return std::nullopt;
    buffer_.erase(0, std::exchange(begin_, 0));
    if (buffer_.size() > longest_.count)
      return fail(Code::too_large,
                  fmt::format("line {} is longer than {} (the setting server.max_body)", number_ + 1, format_bytes(longest_)));
    std::array<char, 1 << 16> piece{};
    const auto got = ::read(file_.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno_error(errno, "the input of the batch cannot be read"));
    ended_ = got == 0;
    buffer_.append(piece.data(), static_cast<std::size_t>(got));
  }
}

std::expected<Entry, LineError> read_entry(const InputLine& line, std::string_view endpoint) {
  if (!is_utf8(line.text)) return wrong(line, "invalid_json_line", "the line is not UTF-8");
  auto parsed = json::parse_object(line.text);
  if (!parsed) return wrong(line, "invalid_json_line", fmt::format("the line is not a JSON object: {}", parsed.error().message));
  const auto id = text_member(*parsed, "custom_id");
  if (id.empty()) return wrong(line, "missing_required_parameter", "custom_id: a text is needed that no other line has", "custom_id");
  if (id.size() > kLongestId) return wrong(line, "invalid_value", fmt::format("custom_id: longer than {} bytes", kLongestId), "custom_id");
  if (text_member(*parsed, "method") != "POST") return wrong(line, "invalid_method", "method: only 'POST' is possible", "method");
  if (const auto url = text_member(*parsed, "url"); url != endpoint)
    return wrong(line, "invalid_url", fmt::format("url: '{}' is not the endpoint of the batch, {}", printable(url), endpoint), "url");
  json::value* body = parsed->if_contains("body");
  if (body == nullptr || !body->is_object()) return wrong(line, "missing_required_parameter", "body: an object is needed", "body");
  if (text_member(body->get_object(), "model").empty())
    return wrong(line, "missing_required_parameter", "body.model: the name of a model is needed", "body.model");
  return Entry{std::string(id), std::move(body->get_object())};
}

void InputCheck::add(LineError error) {
  if (errors_.size() < kMostErrors) errors_.push_back(std::move(error));
}

void InputCheck::take(const InputLine& line) {
  if (++lines_ == kMostLines + 1)
    return add({.code = "too_many_requests", .message = fmt::format("a batch has at most {} lines", kMostLines), .line = line.number});
  const auto entry = read_entry(line, endpoint_);
  if (!entry) return add(entry.error());
  if (model_.empty()) model_ = text_member(entry->body, "model");
  if (!ids_.insert(entry->custom_id).second)
    add({.code = "duplicate_custom_id",
         .message = fmt::format("custom_id: '{}' stands on an earlier line", printable(entry->custom_id)),
         .param = "custom_id",
         .line = line.number});
}

std::vector<LineError> InputCheck::errors() const {
  if (lines_ == 0) return {{.code = "empty_file", .message = "the input file has no lines"}};
  return errors_;
}

}  // namespace puna::batch
