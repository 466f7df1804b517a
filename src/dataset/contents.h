// The files of a data set and the place of each row in them.
#pragma once

#include <vector>

#include "dataset/convert.h"
#include "dataset/scan.h"
#include "dataset/source_file.h"

namespace puna::dataset {

struct OpenFile {
  SourceFile file;
  Layout layout;
  wire::DatasetSource about;
};

struct RowPlace {
  std::uint64_t offset = 0;
  std::uint32_t length = 0;
  std::uint32_t line = 0;
  std::uint32_t file = 0;
  std::uint32_t characters = 0;
  std::uint32_t tokens = 0;
  std::uint32_t messages = 0;
};

struct Contents {
  std::vector<OpenFile> files;
  std::vector<RowPlace> places;  // of usable rows, in the order of the files
  Converter converter{{}, {}};
};

}  // namespace puna::dataset
