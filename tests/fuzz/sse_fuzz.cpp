// A stream of server-sent events means the same however it is cut.
#include <cstdlib>
#include <string>

#include "net/sse.h"

namespace {

std::string events_of(std::string_view stream, std::size_t piece) {
  puna::net::SseParser parser(puna::Bytes(4096));
  std::string out;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    const auto fed = parser.feed(stream.substr(at, piece), [&](const puna::net::SseEvent& event) {
      out.append(event.event).append("|").append(event.id).append("|").append(event.data).append("\n");
    });
    if (!fed) return "too large";
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 2048) return 0;  // below the parser's limit, whose place depends on the cut
  const std::string_view stream(reinterpret_cast<const char*>(data), size);
  const auto whole = events_of(stream, size + 1);
  for (std::size_t piece : {1, 2, 5})
    if (events_of(stream, piece) != whole) std::abort();
  return 0;
}
