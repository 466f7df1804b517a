// Any bytes as a safetensors file: what is taken has every tensor inside the file, what is refused is refused with words.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "safetensors/header.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using puna::safetensors::Header;
  const auto file = std::as_bytes(std::span(data, size));
  const auto header = Header::parse(file, puna::Bytes(size));
  if (!header) {
    require(header.error().code == puna::Code::corrupt_data && !header.error().message.empty());
    return 0;
  }
  require(puna::safetensors::begins_like_safetensors(file));
  for (const auto& tensor : header->tensors()) {
    require(tensor.begin <= tensor.end && header->data_offset() + tensor.end <= size);
    const auto bits = puna::safetensors::bits_of(tensor.type);
    require(bits == 0 || tensor.elements() * bits == 8 * (tensor.end - tensor.begin));
  }
  // The same from the header's bytes alone, as they come over a network.
  const auto again = Header::parse(file.first(header->data_offset()), puna::Bytes(size));
  require(again && again->tensors().size() == header->tensors().size());
  return 0;
}
