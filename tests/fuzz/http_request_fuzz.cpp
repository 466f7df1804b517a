// A request that is understood means the same however it is cut, and what is taken never exceeds its limits.
#include <cstdlib>
#include <string>

#include "net/request_parser.h"

namespace {

using puna::net::RequestParser;
using puna::net::ServerRequest;

std::string reading_of(std::string_view bytes, std::size_t piece) {
  ServerRequest request;
  RequestParser parser(request, puna::Bytes(512));
  std::string waiting;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    waiting += bytes.substr(at, piece);
    std::string_view rest = waiting;
    auto fed = parser.feed(rest);
    if (fed && *fed == RequestParser::Progress::header_done) {
      if (parser.limit_body(puna::Bytes(256))) return "";
      fed = parser.feed(rest);
    }
    waiting.erase(0, waiting.size() - rest.size());
    if (!fed) return "";
    if (request.body.size() > 256) std::abort();
    if (*fed != RequestParser::Progress::done) continue;
    std::string out = request.method + "|" + request.target + "|" + request.path + "|" + request.query.text() + "|" + request.body;
    for (const auto& [name, value] : request.headers) {
      if (!puna::net::is_header_name(name)) std::abort();
      out += "|" + name + "=" + value;
    }
    return out;
  }
  return "";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = reading_of(bytes, size + 1);
  for (std::size_t piece : {1, 7})
    if (reading_of(bytes, piece) != whole) std::abort();
  return 0;
}
