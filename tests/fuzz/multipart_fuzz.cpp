// A form means the same however it is cut.
#include <cstdlib>
#include <string>

#include "net/multipart.h"

namespace {

using puna::Result;
using puna::net::MultipartParser;

std::string reading_of(std::string_view bytes, std::size_t piece) {
  std::string out;
  MultipartParser parser("b");
  const MultipartParser::Sink sink = {.begin = [&](puna::net::FormPart part) -> Result<> {
                                        out += "\n" + part.name + "|" + part.filename.value_or("") + "|";
                                        return {};
                                      },
                                      .data = [&](std::string_view data) -> Result<> {
                                        out += data;
                                        return {};
                                      }};
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    if (!parser.feed(bytes.substr(at, piece), sink)) return "";
  return parser.finish() ? out : "";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = reading_of(bytes, size + 1);
  for (std::size_t piece : {1, 7})
    if (reading_of(bytes, piece) != whole) std::abort();
  return 0;
}
