#include "tune/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "gguf/reader.h"
#include "gguf/writer.h"
#include "os/mapped_file.h"

namespace puna::tune {
namespace {

constexpr std::string_view kKind = "puna-checkpoint";
constexpr std::string_view kParameters = "parameters";

// All arrays of a run, by name.
std::vector<Optimizer::Array> arrays_of(Trainer& trainer) {
  auto out = trainer.optimizer().state();
  const auto parameters = trainer.adapter().parameters().span();
  out.push_back({kParameters, gguf::TensorType::f32, parameters.size(), std::as_writable_bytes(parameters)});
  return out;
}

// Which pairs there are, so that numbers are never read into another adapter's places.
std::vector<std::string> layout_of(const Adapter& adapter) {
  std::vector<std::string> out;
  for (const auto& pair : adapter.pairs()) out.push_back(fmt::format("{} {} {}", pair.name, pair.rank, pair.scale));
  return out;
}

Error changed(const std::filesystem::path& path, std::string_view what) {
  return {Code::conflict, fmt::format("{} belongs to another run: {} changed since", path.string(), what)};
}

}  // namespace

Result<> write_checkpoint(const std::filesystem::path& path, Trainer& trainer, const CheckpointNotes& notes) {
  gguf::Writer writer;
  writer.set("general.type", std::string(kKind));
  writer.set("general.architecture", std::string(trainer.model().shape().architecture->name));
  writer.set("puna.identity", notes.identity);
  writer.set("puna.cursor", notes.cursor);
  writer.set("puna.layout", layout_of(trainer.adapter()));
  writer.set("puna.steps", trainer.steps());
  writer.set("puna.optimizer_steps", trainer.optimizer().steps());
  for (const auto& array : arrays_of(trainer))
    PUNA_CHECK(writer.add_tensor(std::string(array.name), array.type, {array.count}, array.bytes));
  return writer.write(path);
}

Result<std::string> read_checkpoint(const std::filesystem::path& path, Trainer& trainer, std::string_view identity) {
  PUNA_TRY(const auto header, gguf::Header::read_file(path));
  PUNA_TRY(const auto mapping, os::MappedFile::open(path));
  if (header.text("general.type") != kKind) return fail(Code::invalid_argument, fmt::format("{} is not a checkpoint", path.string()));
  if (header.text("puna.identity") != identity) return fail(changed(path, "the model, the data or the settings"));
  const auto* layout = header.find("puna.layout");
  if (layout == nullptr || *layout != gguf::Value(layout_of(trainer.adapter()))) return fail(changed(path, "the adapter"));
  const auto arrays = arrays_of(trainer);
  std::vector<const std::byte*> places;
  for (const auto& array : arrays) {
    const auto found = std::ranges::find(header.tensors(), array.name, &gguf::TensorInfo::name);
    if (found == header.tensors().end() || found->type != array.type || found->elements() != array.count)
      return fail(changed(path, "the optimizer"));
    const std::uint64_t begin = header.data_offset() + found->offset;
    if (begin > mapping.bytes().size() || found->size.count > mapping.bytes().size() - begin)
      return fail(Code::corrupt_data, fmt::format("{} is not whole", path.string()));
    places.push_back(mapping.bytes().data() + begin);
  }
  if (header.tensors().size() != arrays.size()) return fail(changed(path, "the optimizer"));
  for (std::size_t i = 0; i < arrays.size(); ++i) std::memcpy(arrays[i].bytes.data(), places[i], arrays[i].bytes.size());
  trainer.set_steps(header.integer("puna.steps").value_or(0));
  trainer.optimizer().set_steps(header.integer("puna.optimizer_steps").value_or(0));
  return std::string(header.text("puna.cursor").value_or(""));
}

}  // namespace puna::tune
