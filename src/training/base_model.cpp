#include "training/base_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "model/library.h"
#include "model/take_in.h"

namespace puna::training {

bool is_adapter(const wire::Model& model) {
  return std::ranges::find(model.details.capabilities, "adapter") != model.details.capabilities.end();
}

Result<BaseModel> find_base(model::Library& library, std::string_view name) {
  if (name.contains('+'))
    return fail(Code::unsupported,
                fmt::format("{} is a model with an adapter; train the model itself, or merge the adapter into it first", printable(name)));
  BaseModel out;
  PUNA_TRY(out.detail, library.show(name));
  const auto& model = out.detail.model;
  if (model.problem) return fail(Code::conflict, fmt::format("model {}: {}", model.name, *model.problem));
  if (model.details.format != "gguf")
    return fail(Code::unsupported, fmt::format("{} is {}, and only GGUF files can be trained", model.name, model.details.format));
  if (is_adapter(model))
    return fail(Code::unsupported, fmt::format("{} is an adapter itself; train the model that it belongs to", model.name));
  if (!out.detail.adapters.empty())
    return fail(Code::unsupported, fmt::format("{} is a model with an adapter; train the model that it is made of", model.name));
  for (const auto& file : out.detail.files)
    if (file.role == wire::FileRole::weights) out.files.push_back({.path = file.place, .size = file.size, .sha256 = file.sha256});
  return out;
}

Result<> check_same(const wire::TuneOrder& order, const BaseModel& now) {
  const auto changed = [&](std::string_view what) {
    return fail(Code::conflict, fmt::format("{} is another model than when run {} began ({}): an adapter of the old one would not fit; "
                                            "start a new run",
                                            order.request.model, order.name, what));
  };
  if (now.files.size() != order.base.size()) return changed(fmt::format("{} files instead of {}", now.files.size(), order.base.size()));
  for (std::size_t i = 0; i < now.files.size(); ++i) {
    const auto& file = now.files[i];
    if (file.size != order.base[i].size) return changed(fmt::format("{} has another size", file.path));
    if (!file.sha256.empty() && !order.base[i].sha256.empty() && file.sha256 != order.base[i].sha256)
      return changed(fmt::format("{} has other bytes", file.path));
  }
  return {};
}

Result<> hold_base(model::Library& library, wire::TuneOrder& order, jobs::JobContext& context) {
  PUNA_TRY(auto now, find_base(library, order.request.model));
  PUNA_CHECK(check_same(order, now));
  std::int64_t unknown = 0;
  for (const auto& file : now.files)
    if (file.sha256.empty()) unknown += file.size;
  if (unknown > 0) {
    model::Reading reading(context, "hashing", unknown);
    for (auto& file : now.files) {
      if (!file.sha256.empty()) continue;
      PUNA_TRY(file.sha256, reading.hash(file.path, file.size));
    }
    PUNA_CHECK(check_same(order, now));
  }
  order.base = std::move(now.files);
  order.load = now.detail.path;
  return {};
}

}  // namespace puna::training
