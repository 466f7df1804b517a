#include "net/ndjson.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace puna::net {

Result<> NdjsonParser::feed(std::string_view bytes, const Sink& sink) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    if (line_.size() + std::min(end, bytes.size()) > max_line_.count)
      return fail(Code::too_large, fmt::format("line {} of the JSON stream is larger than {}", line_number_ + 1, format_bytes(max_line_)));
    if (end == std::string_view::npos) {
      line_ += bytes;
      return {};
    }
    if (line_.empty()) {
      PUNA_CHECK(take_line(bytes.substr(0, end), sink));
    } else {
      line_ += bytes.substr(0, end);
      const auto line = std::exchange(line_, {});
      PUNA_CHECK(take_line(line, sink));
    }
    bytes.remove_prefix(end + 1);
  }
  return {};
}

Result<> NdjsonParser::finish(const Sink& sink) {
  const auto line = std::exchange(line_, {});
  return take_line(line, sink);
}

Result<> NdjsonParser::take_line(std::string_view line, const Sink& sink) {
  ++line_number_;
  line = trim(line);
  if (line.empty()) return {};
  auto value = json::parse(line);
  if (!value) return fail(std::move(value).error().within(fmt::format("line {} of the JSON stream", line_number_)));
  sink(std::move(*value));
  return {};
}

}  // namespace puna::net
