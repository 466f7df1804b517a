// A model of the library with adapters, as people name it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "training/base_model.h"
#include "wire/model.h"

namespace puna::training {

struct AdaptedModel {
  BaseModel base;
  std::vector<wire::ModelDetail> adapters;  // at least one; each fits the base
};

// "BASE+ADAPTER", with further "+ADAPTER"; or an adapter that was made here, for the base that it was made for. Code::invalid_argument
// when there is no adapter in it, or one of another base; otherwise as find_base().
[[nodiscard]] Result<AdaptedModel> find_adapted(model::Library& library, std::string_view name);

}  // namespace puna::training
