// The model that a run trains an adapter for.
#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"
#include "wire/model.h"
#include "wire/tune_order.h"

namespace puna::jobs {
class JobContext;
}
namespace puna::model {
class Library;
}

namespace puna::training {

struct BaseModel {
  wire::ModelDetail detail;
  std::vector<wire::TuneFile> files;  // its parts, in order; a SHA-256 where the library knows it
};

[[nodiscard]] bool is_adapter(const wire::Model& model);
// Code::not_found, Code::conflict for a damaged one, Code::unsupported for what is no GGUF, an adapter, or a model with one.
[[nodiscard]] Result<BaseModel> find_base(model::Library& library, std::string_view name);

// Whether these are the files that the run began with, as far as is known without reading them. Code::conflict says what changed.
[[nodiscard]] Result<> check_same(const wire::TuneOrder& order, const BaseModel& now);
// Whether the base is still what the run began with; files whose SHA-256 nobody knew are read, and the order remembers it. Code::conflict
// says what changed.
[[nodiscard]] Result<> hold_base(model::Library& library, wire::TuneOrder& order, jobs::JobContext& context);

}  // namespace puna::training
