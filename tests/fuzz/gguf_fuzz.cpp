// Any bytes as a model file: parsing, checking and summarizing may refuse, never crash; and a prefix may only ask for more, or agree.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <variant>

#include "base/json.h"
#include "gguf/check.h"
#include "gguf/reader.h"
#include "gguf/summary.h"

using puna::Bytes;
using puna::Code;
using puna::gguf::Header;
using puna::gguf::NeedsMore;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

// Reading over a network sees the file grow; every step must ask for more than it had, and never for more than there is.
void read_piecewise(std::span<const std::byte> file, bool readable) {
  std::uint64_t length = 0;
  while (true) {
    const auto outcome = Header::parse(file.first(length), Bytes(file.size()));
    require(outcome || !readable);
    if (!outcome || std::holds_alternative<Header>(*outcome)) return;
    const auto wanted = std::get<NeedsMore>(*outcome).bytes;
    require(wanted > length && wanted <= file.size());
    length = std::max(wanted, length * 2 < file.size() ? length * 2 : wanted);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = std::as_bytes(std::span(data, size));
  const auto whole = Header::parse(file, Bytes(size));
  read_piecewise(file, whole.has_value());
  if (!whole) {
    require(whole.error().code == Code::corrupt_data && !whole.error().message.empty());
    return 0;
  }
  require(std::holds_alternative<Header>(*whole));
  const auto& header = std::get<Header>(*whole);
  const auto summary = puna::gguf::summarize(header);
  require(puna::json::to_text(puna::json::encode(summary)).size() > 2);
  const auto checked = puna::gguf::check(header);
  require(checked || checked.error().code == Code::corrupt_data);
  if (checked)
    for (const auto& tensor : header.tensors()) require(header.data_offset() + tensor.offset + tensor.size.count <= size);
  return 0;
}
