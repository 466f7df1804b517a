// Training data of any bytes is read or refused with words, in every format; whatever row it yields can be read again, and is the same.
#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "dataset/dataset.h"
#include "os/file.h"
#include "os/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using puna::wire::DatasetFormat;

fs::path input_file() {
  static const auto folder = puna::os::TemporaryFolder::create();
  if (!folder) std::abort();
  return folder->path() / "input";
}

void read_as(std::optional<DatasetFormat> format, const fs::path& file) {
  puna::dataset::Options options;
  options.format = format;
  options.eval_fraction = 0.25;
  options.longest_row = puna::kib(8);
  options.unpack.most = puna::mib(1);
  const std::array paths{file};
  const auto data = puna::dataset::open(paths, options);
  if (!data) {
    if (data.error().message.empty()) std::abort();
    return;
  }
  if (data->rows().size() + data->evaluation().size() == 0) std::abort();
  for (const auto* rows : {&data->rows(), &data->evaluation()})
    for (std::size_t i = 0; i < rows->size(); ++i)
      if (!rows->at(i)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = input_file();
  if (!puna::os::write_file_atomic(file, {reinterpret_cast<const char*>(data), size})) std::abort();
  read_as(std::nullopt, file);
  for (const auto format : {DatasetFormat::json, DatasetFormat::jsonl, DatasetFormat::csv, DatasetFormat::text}) read_as(format, file);
  return 0;
}
