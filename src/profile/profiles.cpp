#include "profile/profiles.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>

#include "base/clock.h"
#include "base/text.h"
#include "profile/settings.h"

namespace puna::profile {
namespace {

constexpr std::int64_t kVersionsKept = 100;

struct Row {
  std::string name_key;
  std::string name;
  std::int64_t version = 0;
  std::int64_t removed = 0;
  WallTime created_at;
  WallTime modified_at;
};
BOOST_DESCRIBE_STRUCT(Row, (), (name_key, name, version, removed, created_at, modified_at))

struct VersionRow {
  std::int64_t version = 0;
  std::string settings;
  std::string note;
  WallTime made_at;
};
BOOST_DESCRIBE_STRUCT(VersionRow, (), (version, settings, note, made_at))

struct ProfileRow {
  std::string name;
  std::int64_t version = 0;
  std::string settings;
  WallTime created_at;
  WallTime modified_at;
};
BOOST_DESCRIBE_STRUCT(ProfileRow, (), (name, version, settings, created_at, modified_at))

constexpr std::string_view kSelectProfiles =
    "SELECT p.name, p.version, v.settings, p.created_at, p.modified_at FROM profiles p JOIN profile_versions v "
    "ON v.name_key = p.name_key AND v.version = p.version WHERE p.removed = 0";

// A version may have been written by another release: what this one does not know is left out.
Result<wire::ProfileSettings> stored_settings(std::string_view text) {
  auto settings = json::decode_text<wire::ProfileSettings>(text, json::Unknown::ignore);
  if (!settings) return fail(Code::corrupt_data, fmt::format("the stored settings cannot be read: {}", settings.error().message));
  return settings;
}

Result<wire::Profile> to_wire(const ProfileRow& row) {
  PUNA_TRY(auto settings, stored_settings(row.settings));
  return wire::Profile{.name = row.name,
                       .version = row.version,
                       .settings = std::move(settings),
                       .created_at = format_time(row.created_at),
                       .modified_at = format_time(row.modified_at)};
}

json::object as_object(const wire::ProfileSettings& settings) {
  return json::encode(settings).get_object();
}

std::string changed_names(const json::object& before, const json::object& after) {
  std::vector<std::string> names;
  for (const auto& entry : after)
    if (const auto* old = before.if_contains(entry.key()); old == nullptr || *old != entry.value()) names.emplace_back(entry.key());
  for (const auto& entry : before)
    if (!after.contains(entry.key())) names.emplace_back(entry.key());
  return "changed " + join(names, ", ");
}

Result<Row> find_row(store::Reader& reader, std::string_view name) {
  PUNA_TRY(auto row, reader.find_as<Row>("SELECT * FROM profiles WHERE name_key = :key", {{"key", lower_ascii(name)}}));
  if (row) return std::move(*row);
  PUNA_TRY(const auto rows, reader.query_as<Row>("SELECT * FROM profiles WHERE removed = 0"));
  std::vector<std::string> names;
  for (const auto& other : rows) names.push_back(other.name);
  const auto near = nearest(name, std::span<const std::string>(names));
  return fail(Code::not_found, fmt::format("there is no profile '{}'{}", printable(name.substr(0, 80)),
                                           near.empty() ? "; see `puna profile list`" : "; did you mean " + join(near, " or ") + "?"));
}

Result<Row> find_present(store::Reader& reader, std::string_view name) {
  PUNA_TRY(auto row, find_row(reader, name));
  if (row.removed == 0) return row;
  return fail(Code::not_found,
              fmt::format("the profile {} was removed; `puna profile restore {} {}` brings it back", row.name, row.name, row.version));
}

Result<wire::Profile> read_profile(store::Reader& reader, std::string_view key) {
  PUNA_TRY(const auto row,
           reader.find_as<ProfileRow>(fmt::format("{} AND p.name_key = :key", kSelectProfiles), {{"key", std::string(key)}}));
  if (!row) return fail(Code::internal, fmt::format("the profile {} has no settings", key));
  return to_wire(*row);
}

Result<> add_version(store::Transaction& tx, Row& row, const wire::ProfileSettings& settings, const std::string& note) {
  row.modified_at = std::chrono::system_clock::now();
  PUNA_CHECK(
      tx.execute("INSERT INTO profile_versions (name_key, version, settings, note, made_at) "
                 "VALUES (:key, :version, :settings, :note, :now)",
                 {{"key", row.name_key},
                  {"version", row.version},
                  {"settings", json::to_text(json::encode(settings))},
                  {"note", note},
                  {"now", row.modified_at}}));
  PUNA_CHECK(tx.execute("DELETE FROM profile_versions WHERE name_key = :key AND version <= :old",
                        {{"key", row.name_key}, {"old", row.version - kVersionsKept}}));
  PUNA_CHECK(tx.execute(
      "UPDATE profiles SET name = :name, version = :version, removed = :removed, modified_at = :now WHERE name_key = :key",
      {{"name", row.name}, {"version", row.version}, {"removed", row.removed}, {"now", row.modified_at}, {"key", row.name_key}}));
  return {};
}

}  // namespace

struct Profiles::State {
  State(store::Database& d, EventBus& e, FullName f) : database(d), events(e), full_name(std::move(f)) {}

  store::Database& database;
  EventBus& events;
  FullName full_name;
  std::mutex changing;  // from reading a profile to writing what became of it
  std::atomic<std::uint64_t> revision{1};

  // Models that are named by path stay as they are.
  [[nodiscard]] Result<> complete(std::string& model, std::string_view field) const {
    if (model.starts_with('/')) return {};
    auto found = full_name(model);
    if (!found) return fail(std::move(found).error().within(std::string(field)));
    model = std::move(*found);
    return {};
  }
  [[nodiscard]] Result<wire::ProfileSettings> check(const json::object& settings) const {
    PUNA_TRY(auto checked, check_settings(settings));
    if (checked.model) PUNA_CHECK(complete(*checked.model, "model"));
    if (checked.draft_model) PUNA_CHECK(complete(*checked.draft_model, "draft_model"));
    if (checked.adapters)
      for (auto& adapter : *checked.adapters) PUNA_CHECK(complete(adapter.model, "adapters"));
    return checked;
  }

  Result<wire::Profile> tell(const std::string& event, Result<wire::Profile> profile) {
    if (!profile) return profile;
    ++revision;
    events.publish_as(event, *profile);
    return profile;
  }
};

Profiles::Profiles(store::Database& database, EventBus& events, FullName full_name)
    : state_(std::make_unique<State>(database, events, std::move(full_name))) {}
Profiles::~Profiles() = default;

std::uint64_t Profiles::revision() const {
  return state_->revision;
}

Result<std::vector<wire::Profile>> Profiles::list() {
  PUNA_TRY(const auto rows, state_->database.read([](store::Reader& reader) {
    return reader.query_as<ProfileRow>(fmt::format("{} ORDER BY p.name_key", kSelectProfiles));
  }));
  std::vector<wire::Profile> out;
  for (const auto& row : rows) {
    PUNA_TRY(auto profile, to_wire(row));
    out.push_back(std::move(profile));
  }
  return out;
}

Result<wire::Profile> Profiles::find(std::string_view name) {
  return state_->database.read([&](store::Reader& reader) -> Result<wire::Profile> {
    PUNA_TRY(const auto row, find_present(reader, name));
    return read_profile(reader, row.name_key);
  });
}

Result<wire::Profile> Profiles::create(std::string_view name, const json::object& settings) {
  PUNA_CHECK(check_name(name));
  PUNA_TRY(const auto checked, state_->check(settings));
  if (state_->full_name(name))
    return fail(Code::already_exists, fmt::format("a model is called {}: a profile needs a name of its own", name));
  const std::lock_guard lock(state_->changing);
  return state_->tell("profile.added", state_->database.write([&](store::Transaction& tx) -> Result<wire::Profile> {
    const std::string key = lower_ascii(name);
    PUNA_TRY(auto row, tx.find_as<Row>("SELECT * FROM profiles WHERE name_key = :key", {{"key", key}}));
    if (row && row->removed == 0) return fail(Code::already_exists, fmt::format("there is a profile {} already", row->name));
    const auto now = std::chrono::system_clock::now();
    if (!row) {
      row = Row{.name_key = key, .created_at = now};
      PUNA_CHECK(
          tx.execute("INSERT INTO profiles (name_key, name, version, removed, created_at, modified_at) "
                     "VALUES (:key, :name, 0, 0, :now, :now)",
                     {{"key", key}, {"name", std::string(name)}, {"now", now}}));
    }
    row->name = name;
    row->removed = 0;
    ++row->version;
    PUNA_CHECK(add_version(tx, *row, checked, "created"));
    return read_profile(tx, key);
  }));
}

Result<wire::Profile> Profiles::change(std::string_view name, Mode mode, const json::object& settings,
                                       std::optional<std::int64_t> version) {
  const std::lock_guard lock(state_->changing);
  PUNA_TRY(const auto current, find(name));
  if (version && *version != current.version)
    return fail(Code::conflict, fmt::format("the profile {} was changed meanwhile: it has version {} now, not {}", current.name,
                                            current.version, *version));
  const auto before = as_object(current.settings);
  PUNA_TRY(const auto checked, state_->check(mode == Mode::merge ? merge_settings(before, settings) : settings));
  const auto after = as_object(checked);
  if (before == after) return current;
  return state_->tell("profile.updated", state_->database.write([&](store::Transaction& tx) -> Result<wire::Profile> {
    PUNA_TRY(auto row, find_present(tx, name));
    ++row.version;
    PUNA_CHECK(add_version(tx, row, checked, changed_names(before, after)));
    return read_profile(tx, row.name_key);
  }));
}

Result<wire::Profile> Profiles::remove(std::string_view name) {
  const std::lock_guard lock(state_->changing);
  return state_->tell("profile.removed", state_->database.write([&](store::Transaction& tx) -> Result<wire::Profile> {
    PUNA_TRY(const auto row, find_present(tx, name));
    PUNA_TRY(auto profile, read_profile(tx, row.name_key));
    PUNA_CHECK(tx.execute("UPDATE profiles SET removed = 1 WHERE name_key = :key", {{"key", row.name_key}}));
    return profile;
  }));
}

Result<wire::ProfileHistory> Profiles::history(std::string_view name) {
  return state_->database.read([&](store::Reader& reader) -> Result<wire::ProfileHistory> {
    PUNA_TRY(const auto row, find_row(reader, name));
    PUNA_TRY(const auto versions, reader.query_as<VersionRow>("SELECT version, settings, note, made_at FROM profile_versions "
                                                              "WHERE name_key = :key ORDER BY version DESC",
                                                              {{"key", row.name_key}}));
    wire::ProfileHistory out{.name = row.name, .removed = row.removed != 0, .versions = {}};
    for (const auto& version : versions) {
      PUNA_TRY(auto settings, stored_settings(version.settings));
      out.versions.push_back({version.version, format_time(version.made_at), version.note, std::move(settings)});
    }
    return out;
  });
}

Result<wire::Profile> Profiles::restore(std::string_view name, std::int64_t version) {
  const std::lock_guard lock(state_->changing);
  PUNA_TRY(const auto past, history(name));
  const auto old = std::ranges::find(past.versions, version, &wire::ProfileVersion::version);
  if (old == past.versions.end())
    return fail(Code::not_found, fmt::format("the profile {} has no version {} any more; `puna profile history {}` lists those there are",
                                             past.name, version, past.name));
  if (past.removed && state_->full_name(past.name))
    return fail(Code::already_exists, fmt::format("a model is called {} now: the profile cannot come back under this name", past.name));
  PUNA_TRY(const auto checked, state_->check(as_object(old->settings)));
  const std::string event = past.removed ? "profile.added" : "profile.updated";
  return state_->tell(event, state_->database.write([&](store::Transaction& tx) -> Result<wire::Profile> {
    PUNA_TRY(auto row, find_row(tx, name));
    row.removed = 0;
    ++row.version;
    PUNA_CHECK(add_version(tx, row, checked, fmt::format("version {} again", version)));
    return read_profile(tx, row.name_key);
  }));
}

Result<std::vector<std::string>> Profiles::users_of(std::string_view model) {
  PUNA_TRY(const auto profiles, list());
  std::vector<std::string> out;
  for (const auto& profile : profiles) {
    const auto& settings = profile.settings;
    bool uses = settings.model == model || settings.draft_model == model;
    for (const auto& adapter : settings.adapters.value_or(std::vector<wire::ProfileAdapter>())) uses = uses || adapter.model == model;
    if (uses) out.push_back(profile.name);
  }
  return out;
}

}  // namespace puna::profile
