// Newline-delimited JSON, read from a stream cut anywhere.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "base/units.h"

namespace puna::net {

class NdjsonParser {
 public:
  using Sink = std::function<void(json::value)>;
  explicit NdjsonParser(Bytes max_line = mib(16)) : max_line_(max_line) {}

  // Calls the sink for each complete line; blank lines are skipped. Code::invalid_argument names the line (from 1) that is not JSON,
  // Code::too_large one beyond the limit; the parser is then done for.
  [[nodiscard]] Result<> feed(std::string_view bytes, const Sink& sink);
  // The stream has ended: takes a last line without a line break.
  [[nodiscard]] Result<> finish(const Sink& sink);

 private:
  Result<> take_line(std::string_view line, const Sink& sink);

  Bytes max_line_;
  std::string line_;
  std::size_t line_number_ = 0;
};

[[nodiscard]] inline std::string ndjson_line(const json::value& value) {
  return json::to_text(value) + '\n';
}

}  // namespace puna::net
