#include "net/sse.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.h"

namespace puna::net {

std::string sse_frame(std::string_view event, std::string_view id, std::string_view data) {
  std::string out;
  out.reserve(event.size() + id.size() + data.size() + 32);
  auto field = [&out](std::string_view name, std::string_view value) { out.append(name).append(": ").append(value).append("\n"); };
  if (!event.empty()) field("event", event);
  if (!id.empty()) field("id", id);
  for (auto line : split(data, '\n')) field("data", line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
  out += '\n';
  return out;
}

Result<> SseParser::feed(std::string_view bytes, const Sink& sink) {
  if (bytes.empty()) return {};
  if (std::exchange(after_cr_, false) && bytes.starts_with('\n')) bytes.remove_prefix(1);  // the second half of a CR LF that was cut
  while (!bytes.empty()) {
    const auto end = bytes.find_first_of("\r\n");
    if (line_.size() + data_.size() + std::min(end, bytes.size()) > max_event_.count)
      return fail(Code::too_large, "a server-sent event is larger than " + format_bytes(max_event_));
    if (end == std::string_view::npos) {
      line_ += bytes;
      return {};
    }
    if (line_.empty()) {
      take_line(bytes.substr(0, end), sink);
    } else {
      line_ += bytes.substr(0, end);
      take_line(line_, sink);
      line_.clear();
    }
    const bool cr = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    after_cr_ = cr && bytes.empty();
    if (cr && bytes.starts_with('\n')) bytes.remove_prefix(1);
  }
  return {};
}

void SseParser::take_line(std::string_view line, const Sink& sink) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (std::exchange(at_start_, false) && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  if (!line.empty()) {
    const auto colon = line.find(':');
    if (colon == 0) return;  // a comment
    auto value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    take_field(line.substr(0, colon), value);
    return;
  }
  auto event = std::exchange(event_, {});
  if (!std::exchange(has_data_, false)) return;
  sink({.event = std::move(event), .data = std::exchange(data_, {}), .id = last_id_});
}

void SseParser::take_field(std::string_view name, std::string_view value) {
  if (name == "data") {
    if (std::exchange(has_data_, true)) data_ += '\n';
    data_ += value;
  } else if (name == "event") {
    event_ = value;
  } else if (name == "id") {
    if (!value.contains('\0')) last_id_ = value;
  } else if (name == "retry") {
    std::int64_t milliseconds = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), milliseconds);
    if (error == std::errc() && end == value.data() + value.size() && milliseconds >= 0) retry_ = Milliseconds(milliseconds);
  }
}

}  // namespace puna::net
