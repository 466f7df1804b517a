#include "gguf/check.h"

#include <fmt/format.h>

#include <set>
#include <string_view>

#include "base/text.h"

namespace puna::gguf {
namespace {

std::unexpected<Error> fault(std::string message) {
  return fail(Code::corrupt_data, std::move(message));
}

// The later parts of a model split over several files repeat none of its metadata, and the first may hold nothing else.
bool is_later_part(const Header& header) {
  return header.integer("split.no").value_or(0) > 0;
}
bool is_part(const Header& header) {
  return header.integer("split.count").value_or(0) > 1;
}

Result<> check_names(const Header& header) {
  std::set<std::string_view> names;
  for (const auto& tensor : header.tensors()) {
    if (tensor.name.empty()) return fault("a tensor has no name");
    if (!names.insert(tensor.name).second) return fault(fmt::format("two tensors are named '{}'", printable(tensor.name)));
  }
  return {};
}

// ggml reads tensors one after the other, each padded to the alignment, and accepts neither gaps nor another order.
Result<> check_places(const Header& header) {
  std::uint64_t expected = 0;
  std::string_view previous;
  for (const auto& tensor : header.tensors()) {
    const std::string name = printable(tensor.name);
    if (tensor.offset % header.alignment() != 0)
      return fault(
          fmt::format("tensor '{}' begins at byte {} of the data, which is no multiple of {}", name, tensor.offset, header.alignment()));
    if (tensor.offset < expected && previous.empty()) return fault(fmt::format("tensor '{}' begins before the data", name));
    if (tensor.offset < expected) return fault(fmt::format("tensor '{}' overlaps tensor '{}'", name, printable(previous)));
    if (tensor.offset > expected) return fault(fmt::format("tensor '{}' begins {} bytes too late", name, tensor.offset - expected));
    // No sum overflows: sizes are below 2^63, and what came before lies inside the file.
    const std::uint64_t end = header.data_offset() + tensor.offset + tensor.size.count;
    if (end > header.file_size().count)
      return fault(fmt::format("tensor '{}' ends {} bytes after the end of the file: it was cut off, or did not arrive whole", name,
                               end - header.file_size().count));
    expected = (tensor.offset + tensor.size.count + header.alignment() - 1) / header.alignment() * header.alignment();
    previous = tensor.name;
  }
  return {};
}

}  // namespace

Result<> check(const Header& header) {
  if (header.text("general.architecture").value_or("").empty() && !is_later_part(header))
    return fault("it names no architecture (general.architecture)");
  if (header.tensors().empty() && !is_part(header)) return fault("it contains no tensors");
  PUNA_CHECK(check_names(header));
  return check_places(header);
}

Result<> check(const std::filesystem::path& path) {
  PUNA_TRY(const Header header, Header::read_file(path));
  auto checked = check(header);
  if (!checked) return fail(std::move(checked).error().within(path.filename().string()));
  return {};
}

}  // namespace puna::gguf
