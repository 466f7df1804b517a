// What Url::parse accepts is written and read back as the same URL, and escapes are undone as they were made.
#include <cstdlib>

#include "net/http_types.h"
#include "net/url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace puna::net;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto url = Url::parse(text)) {
    const auto again = Url::parse(url->text());
    if (!again || *again != *url) std::abort();
    if (const auto moved = url->resolve(text); moved && !Url::parse(moved->text())) std::abort();
    if (url->printable().contains('@') && !url->path.contains('@')) std::abort();
  }
  if (percent_decode(percent_encode(text)).value_or("") != text) std::abort();
  const auto query = Query::parse(text);
  if (Query::parse(query.text()).text() != query.text()) std::abort();
  return 0;
}
