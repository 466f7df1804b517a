// The profiles: what people want to be served under a name. Every change makes a version that can be brought back.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/event_bus.h"
#include "store/database.h"
#include "wire/profile.h"

namespace puna::profile {

// Thread-safe; functions read and write the database, so they belong on a pool. Names are the same whatever their case. Unknown ones are
// Code::not_found, naming the nearest. Publishes "profile.added", "profile.updated" and "profile.removed" with a wire::Profile.
class Profiles {
 public:
  // The full name of a model of the library; Code::not_found.
  using FullName = std::function<Result<std::string>(std::string_view name)>;
  Profiles(store::Database& database, EventBus& events, FullName full_name);
  ~Profiles();
  Profiles(const Profiles&) = delete;
  Profiles& operator=(const Profiles&) = delete;

  // By name.
  [[nodiscard]] Result<std::vector<wire::Profile>> list();
  [[nodiscard]] Result<wire::Profile> find(std::string_view name);
  // Code::already_exists when a profile or a model has the name, Code::not_found when there is no such model to serve; models are kept by
  // their full names. A name that was used before goes on with its versions.
  [[nodiscard]] Result<wire::Profile> create(std::string_view name, const json::object& settings);
  enum class Mode { replace, merge };  // merge: see merge_settings()
  // Code::conflict when `version` is not the current one: somebody changed the profile meanwhile. No new version when nothing changes.
  [[nodiscard]] Result<wire::Profile> change(std::string_view name, Mode mode, const json::object& settings,
                                             std::optional<std::int64_t> version = std::nullopt);
  [[nodiscard]] Result<wire::Profile> remove(std::string_view name);
  // Of the last hundred versions, also of a removed profile.
  [[nodiscard]] Result<wire::ProfileHistory> history(std::string_view name);
  // Makes an old version the newest; a removed profile is back.
  [[nodiscard]] Result<wire::Profile> restore(std::string_view name, std::int64_t version);

  // Names of the profiles that use the model, by its full name.
  [[nodiscard]] Result<std::vector<std::string>> users_of(std::string_view model);
  // Grows with each change.
  [[nodiscard]] std::uint64_t revision() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace puna::profile
