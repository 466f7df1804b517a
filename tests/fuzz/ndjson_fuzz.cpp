// A stream of JSON lines means the same, and fails at the same line, however it is cut.
#include <cstdlib>
#include <string>

#include "net/ndjson.h"

namespace {

std::string values_of(std::string_view stream, std::size_t piece) {
  puna::net::NdjsonParser parser;
  std::string out;
  const auto sink = [&](const puna::json::value& value) { out += puna::json::to_text(value) + '\n'; };
  for (std::size_t at = 0; at < stream.size(); at += piece)
    if (const auto fed = parser.feed(stream.substr(at, piece), sink); !fed) return out + fed.error().text();
  if (const auto ended = parser.finish(sink); !ended) return out + ended.error().text();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view stream(reinterpret_cast<const char*>(data), size);
  const auto whole = values_of(stream, size + 1);
  for (std::size_t piece : {1, 3})
    if (values_of(stream, piece) != whole) std::abort();
  return 0;
}
