// From the files of one repository or folder to its models: parts of a split model belong together, and projectors to their neighbours.
#pragma once

#include <string>
#include <vector>

#include "model/stores/spec.h"

namespace puna::model {

struct FileGroup {
  std::string base;              // "owner/repo"; the tag is made from each file's name. Empty: so is what stands before the tag
  std::vector<FoundFile> files;  // whatever lies there; `path` is below the group's folder
  wire::Provenance provenance;
  struct Broken {
    std::string path;
    std::string problem;
  };
  std::vector<Broken> broken = {};  // files that cannot be taken: each is a model with a problem
};

// Each GGUF file or set of parts is a model, and so are all safetensors files of the group together. Sets of which parts are missing
// are left out when `partial` says that their owner is still bringing them.
void add_models(StoreScan& scan, FileGroup group, bool partial = false);

// Whether a file is of interest at all: weights, or what belongs to them.
[[nodiscard]] bool is_model_file(std::string_view file_name);

}  // namespace puna::model
