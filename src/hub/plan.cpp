#include "hub/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "hub/transfer/digester.h"
#include "os/disk.h"
#include "os/file.h"
#include "os/sha256.h"

namespace puna::hub {
namespace {

constexpr Bytes kLargestGitFile = mib(64);  // larger ones are in Git LFS, where SHA-256 names them
constexpr std::size_t kKeyDigits = 40;

Result<std::string> key_of(const Listing& listing, const ListedFile& file) {
  if (file.digest) return fmt::format("{}-{}", file.digest->algorithm == transfer::Algorithm::sha256 ? "sha256" : "git", file.digest->hex);
  // Nothing says what the content is: the same place is the same file until the server says otherwise.
  PUNA_TRY(const auto hash, os::sha256_of(fmt::format("{} {} {}", listing.reference.shown(), listing.commit, file.path)));
  return fmt::format("at-{}", std::string_view(hash).substr(0, kKeyDigits));
}

const wire::ModelFile* same_path(const std::optional<wire::ModelDetail>& have, std::string_view path) {
  if (!have) return nullptr;
  const auto found = std::ranges::find(have->files, path, &wire::ModelFile::path);
  return found == have->files.end() ? nullptr : &*found;
}

// The SHA-256 under which the library has this content; empty when it has not.
std::string sha256_here(const ListedFile& file, const std::optional<wire::ModelDetail>& have, model::Library& library) {
  if (!file.digest) return {};
  if (file.digest->algorithm == transfer::Algorithm::sha256) return library.holds(file.digest->hex) ? file.digest->hex : "";
  const auto* mine = same_path(have, file.path);
  if (!mine || mine->sha256.empty() || !file.size || static_cast<std::uint64_t>(mine->size) != file.size->count ||
      !library.holds(mine->sha256))
    return {};
  const auto sha1 = git_sha1_of(mine->place);
  return sha1 && *sha1 == file.digest->hex ? mine->sha256 : "";
}

// The same version of the same URL under another name.
Result<std::string> sha256_of_same_url(const Listing& listing, model::Library& library) {
  if (listing.reference.catalogue != kUrl || listing.commit.empty()) return std::string();
  PUNA_TRY(const auto models, library.list());
  for (const auto& model : models)
    if (model.provenance.url == listing.reference.place && model.provenance.commit == listing.commit && library.holds(model.sha256))
      return model.sha256;
  return std::string();
}

// What the name stands for now, if that is the library's own.
Result<std::optional<wire::ModelDetail>> present_model(model::Library& library, const std::string& name) {
  auto model = library.find(name);
  if (!model && model.error().code == Code::not_found) return std::nullopt;
  if (!model) return fail(std::move(model).error());
  if (model->store != "puna" || model->alias_of) return std::nullopt;
  PUNA_TRY(auto detail, library.show(name));
  return detail;
}

bool is_same_model(const Plan& plan, const wire::ModelDetail& have) {
  if (have.model.problem || have.files.size() != plan.files.size()) return false;
  return std::ranges::all_of(plan.files, [&](const PlannedFile& planned) {
    return !planned.sha256.empty() && std::ranges::any_of(have.files, [&](const wire::ModelFile& file) {
      return file.sha256 == planned.sha256 && file.role == planned.file.role;
    });
  });
}

bool is_another_repository(const Prepared& prepared, const wire::ModelDetail& have) {
  const auto& reference = prepared.listing.reference;
  const auto& from = have.model.provenance;
  return !reference.repository.empty() && reference.repository.contains('/') &&
         (from.catalogue != reference.catalogue || from.repository != repository_text(reference));
}

wire::PlanFile shown_file(const PlannedFile& planned, const std::optional<wire::ModelDetail>& have, bool local) {
  wire::PlanFile out{.path = planned.file.path, .role = planned.file.role};
  if (planned.file.size) out.size = static_cast<std::int64_t>(planned.file.size->count);
  if (planned.file.digest) out.digest = digest_text(*planned.file.digest);
  if (!planned.sha256.empty()) {
    out.state = wire::PlanState::here;
    out.reason = "here already";
  } else if (local) {
    out.state = wire::PlanState::import;
    out.reason = "on this machine";
  } else {
    out.reason = same_path(have, planned.file.path) ? "differs from the one here" : "not here";
  }
  return out;
}

Result<> look_at_disk(Plan& plan, const PlanParts& parts) {
  Bytes left;
  for (const auto& planned : plan.files) {
    if (!planned.sha256.empty()) continue;
    const auto size = planned.file.size.value_or(Bytes());
    left += size - std::min(size, parts.partial(planned.key));
  }
  PUNA_TRY(const auto room, os::disk_space(parts.downloads));
  plan.shown.disk_free = static_cast<std::int64_t>(room.available.count);
  plan.shown.disk_suffices = left <= room.available;
  if (!plan.shown.disk_suffices)
    plan.shown.warnings.push_back(fmt::format("the disk has {} free, and {} are needed: {} too little", format_bytes(room.available),
                                              format_bytes(left), format_bytes(left - room.available)));
  return {};
}

void look_at_memory(Plan& plan, const Prepared& prepared, const PlanParts& parts) {
  if (prepared.variant.format != "gguf" || !plan.shown.total) return;
  Bytes weights;
  for (const auto& planned : plan.files)
    if (planned.file.role == wire::FileRole::weights || planned.file.role == wire::FileRole::projector)
      weights += planned.file.size.value_or(Bytes());
  plan.shown.memory = memory_need(weights, prepared.facts, *parts.settings.snapshot(), os::probe_hardware());
  if (plan.shown.memory->fit == wire::MemoryFit::too_large)
    plan.shown.warnings.push_back(fmt::format("the model needs {} of memory, and this machine has {}",
                                              format_bytes(Bytes(static_cast<std::uint64_t>(plan.shown.memory->total))),
                                              format_bytes(Bytes(static_cast<std::uint64_t>(plan.shown.memory->installed)))));
}

wire::PullPlan heading_of(const Prepared& prepared) {
  const auto& listing = prepared.listing;
  wire::PullPlan out{.source = listing.reference.text(), .name = prepared.name, .catalogue = listing.reference.catalogue};
  if (!listing.reference.repository.empty()) out.repository = listing.reference.repository;
  if (!listing.revision.empty()) out.revision = listing.revision;
  if (!listing.commit.empty()) out.commit = listing.commit;
  out.filter = prepared.filter;
  out.variant = prepared.variant.name;
  out.warnings = prepared.notes;
  return out;
}

}  // namespace

Result<std::string> git_sha1_of(const std::filesystem::path& file) {
  PUNA_TRY(const auto text, os::read_file(file, kLargestGitFile));
  transfer::Digester digester(transfer::Algorithm::git_sha1, Bytes(text.size()));
  digester.update(std::as_bytes(std::span(text)));
  PUNA_TRY(auto found, digester.found());
  return std::move(found.wanted);
}

Result<Plan> make_plan(const Prepared& prepared, const PlanParts& parts) {
  Plan out{.shown = heading_of(prepared), .files = {}};
  PUNA_TRY(auto have, present_model(parts.library, prepared.name));
  if (have && !prepared.name_was_given && is_another_repository(prepared, *have)) {
    out.shown.name = fmt::format("{}/{}", prepared.listing.reference.owner(), prepared.name);
    PUNA_TRY(have, present_model(parts.library, out.shown.name));
  }
  if (have) out.shown.replaces = have->model.source;
  const bool local = prepared.listing.reference.catalogue == kFile;
  Bytes total, fetch;
  bool sizes_known = true;
  for (const auto& file : prepared.variant.files) {
    PlannedFile planned{.file = file, .key = {}, .sha256 = sha256_here(file, have, parts.library)};
    if (planned.sha256.empty()) {
      PUNA_TRY(planned.sha256, sha256_of_same_url(prepared.listing, parts.library));
    }
    PUNA_TRY(planned.key, key_of(prepared.listing, file));
    out.shown.files.push_back(shown_file(planned, have, local));
    sizes_known = sizes_known && file.size;
    total += file.size.value_or(Bytes());
    if (planned.sha256.empty())
      fetch += file.size.value_or(Bytes());
    else
      out.shown.here += static_cast<std::int64_t>(file.size.value_or(Bytes()).count);
    out.files.push_back(std::move(planned));
  }
  if (sizes_known) out.shown.total = static_cast<std::int64_t>(total.count);
  if (sizes_known) out.shown.fetch = static_cast<std::int64_t>(local ? 0 : fetch.count);
  out.shown.unchanged = have && is_same_model(out, *have);
  if (out.shown.unchanged) {
    out.shown.fetch = 0;
    out.shown.here = out.shown.total.value_or(out.shown.here);
    for (auto& file : out.shown.files) file = {file.path, file.role, file.size, file.digest, wire::PlanState::here, "here already"};
  }
  if (!out.shown.unchanged) PUNA_CHECK(look_at_disk(out, parts));
  look_at_memory(out, prepared, parts);
  return out;
}

std::vector<std::string> changed_roles(const Plan& plan, const wire::ModelDetail& have) {
  std::vector<std::string> out;
  const auto add = [&](wire::FileRole role) {
    const std::string name(role == wire::FileRole::chat_template ? "template" : json::enum_name(role));
    if (std::ranges::find(out, name) == out.end()) out.push_back(name);
  };
  std::set<std::string> wanted;
  for (const auto& planned : plan.files) {
    if (!planned.sha256.empty()) wanted.insert(planned.sha256);
    const auto same = std::ranges::any_of(have.files, [&](const wire::ModelFile& file) {
      return file.role == planned.file.role && !planned.sha256.empty() && file.sha256 == planned.sha256;
    });
    if (!same) add(planned.file.role);
  }
  for (const auto& file : have.files)
    if (!wanted.contains(file.sha256)) add(file.role);
  return out;
}

}  // namespace puna::hub
