#include "training/adapted_model.h"

#include <fmt/format.h>

#include "base/text.h"
#include "gguf/adapter_fit.h"
#include "gguf/reader.h"
#include "model/library.h"

namespace puna::training {
namespace {

// The base of an adapter that stands alone.
Result<std::string> base_of(model::Library& library, std::string_view name) {
  PUNA_TRY(const auto model, library.find(name));
  if (!is_adapter(model))
    return fail(Code::invalid_argument, fmt::format("{0} is a model without an adapter; name one behind a plus: {0}+ADAPTER", model.name));
  const auto& from = model.provenance;
  if ((from.catalogue != "tune" && from.catalogue != "peft") || !from.repository)
    return fail(Code::invalid_argument,
                fmt::format("{0} is an adapter, and nobody knows for which base; name that too: BASE+{0}", model.name));
  return *from.repository;
}

Result<wire::ModelDetail> adapter_for(model::Library& library, const BaseModel& base, std::string_view name) {
  PUNA_TRY(auto detail, library.show(name));
  const auto& model = detail.model;
  if (model.problem) return fail(Code::conflict, fmt::format("model {}: {}", model.name, *model.problem));
  if (!is_adapter(model)) return fail(Code::invalid_argument, fmt::format("{} is a model, no adapter", model.name));
  PUNA_TRY(const auto adapter, gguf::Header::read_file(detail.path));
  PUNA_TRY(const auto header, gguf::Header::read_file(base.detail.path));
  PUNA_CHECK(gguf::check_adapter_fit(adapter, header, model.name, base.detail.model.name));
  return detail;
}

}  // namespace

Result<AdaptedModel> find_adapted(model::Library& library, std::string_view name) {
  auto words = split(name, '+');
  std::string base(words.front());
  if (words.size() > 1) {
    words.erase(words.begin());
  } else {
    PUNA_TRY(base, base_of(library, name));
  }
  AdaptedModel out;
  PUNA_TRY(out.base, find_base(library, base));
  for (const auto word : words) {
    PUNA_TRY(auto adapter, adapter_for(library, out.base, word));
    out.adapters.push_back(std::move(adapter));
  }
  return out;
}

}  // namespace puna::training
