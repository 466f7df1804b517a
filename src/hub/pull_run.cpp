#include "hub/pull_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <system_error>

#include "base/log.h"
#include "base/settings_registry.h"
#include "base/text.h"
#include "hub/file_magic.h"
#include "model/library.h"
#include "model/name.h"
#include "net/on_network.h"
#include "os/file.h"
#include "os/place_file.h"
#include "os/sha256.h"

namespace puna::hub {
namespace {

constexpr Milliseconds kLongestPatience{10 * 60'000};  // that a catalogue may ask of a job

// What a job remembers, so that a branch that moves while it rests cannot mix two versions.
struct Checkpoint {
  std::string revision;
  std::string commit;
};
BOOST_DESCRIBE_STRUCT(Checkpoint, (), (revision, commit))

bool names_commits(const Reference& reference) {
  return reference.catalogue == kHuggingFace;
}

Result<> wait(Milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
  if (stop.stop_requested()) return fail(net::cancelled_error());
  return {};
}

bool is_gguf(const PlannedFile& planned) {
  return lower_ascii(planned.file.path).ends_with(".gguf");
}

Result<> remove_wrong(const std::filesystem::path& blob) {
  std::error_code error;
  std::filesystem::remove(blob, error);
  if (error)
    return fail(errno_error(error.value(), fmt::format("cannot remove {}, whose content is not what its name says", blob.string())));
  return {};
}

}  // namespace

Result<PullResult> PullRun::run(Reference reference) {
  PUNA_TRY(const auto prepared, is_held(reference) ? without_asking(reference) : resolve(std::move(reference)));
  PUNA_TRY(const auto plan,
           make_plan(prepared,
                     {.library = parts_.library, .settings = parts_.settings, .downloads = parts_.downloads, .models = parts_.models}));
  if (plan.shown.unchanged) return unchanged(prepared, plan);
  PUNA_TRY(auto files, bring(prepared, plan));
  // One at a time: another pull may bring the same content.
  const auto waits = [&] { report("waiting"); };
  PUNA_TRY(const auto turn, turns_.take(files.front().sha256, context_.stop(), waits));
  return take_in(prepared, plan, std::move(files));
}

// Whoever names the digest of an URL's content, and has it, needs nobody's answer.
bool PullRun::is_held(const Reference& reference) const {
  return reference.catalogue == kUrl && request_.sha256 && request_.name && parts_.library.holds(*request_.sha256);
}

Result<Prepared> PullRun::without_asking(const Reference& reference) const {
  Prepared out;
  out.listing.reference = reference;
  out.listing.files.push_back({.path = "model.gguf",
                               .size = {},
                               .digest = transfer::Digest{transfer::Algorithm::sha256, *request_.sha256},
                               .role = wire::FileRole::weights});
  out.variant = {.name = {}, .format = "gguf", .files = out.listing.files};
  PUNA_TRY(const auto name, model::Name::parse(*request_.name));
  out.name = name.text();
  out.name_was_given = true;
  return out;
}

Result<Prepared> PullRun::resolve(Reference reference) {
  report("resolving");
  std::optional<Checkpoint> pinned;
  if (const auto saved = context_.checkpoint()) {
    if (auto known = json::decode<Checkpoint>(*saved)) pinned = std::move(*known);
  }
  if (pinned && names_commits(reference)) reference.revision = pinned->commit;
  PUNA_TRY(auto out, prepare_patiently(reference));
  if (pinned && names_commits(reference)) out.listing.revision = pinned->revision;
  if (!pinned && names_commits(reference))
    PUNA_CHECK(context_.save_checkpoint(json::encode(Checkpoint{.revision = out.listing.revision, .commit = out.listing.commit})));
  return out;
}

Result<Prepared> PullRun::prepare_patiently(const Reference& reference) {
  const auto attempts = parts_.settings.snapshot()->get(setting::kRetryAttempts);
  for (std::int64_t attempt = 1;; ++attempt) {
    auto prepared = net::on_network<Prepared>(
        parts_.io, "resolve",
        [&hub = parts_.hub, reference, request = wire::PullRequest{.source = request_.source, .name = request_.name}] {
          return hub.prepare(reference, request, Hub::Look::names_only);
        },
        context_.stop());
    if (prepared) return prepared;
    const auto& error = prepared.error();
    const auto pause = error.retry_after.value_or(kForever);
    if (error.code != Code::overloaded || attempt >= attempts || pause > kLongestPatience) return prepared;
    report("waiting", {}, {}, fmt::format("asked again in {}: {}", format_duration(pause), error.message));
    PUNA_CHECK(wait(pause, context_.stop()));
  }
}

Result<std::vector<PullRun::Ready>> PullRun::bring(const Prepared& prepared, const Plan& plan) {
  return prepared.listing.reference.catalogue == kFile ? import(prepared, plan) : fetch(prepared, plan);
}

Result<std::vector<PullRun::Ready>> PullRun::import(const Prepared& prepared, const Plan& plan) {
  std::vector<Ready> out;
  const auto folder = std::filesystem::path(prepared.listing.reference.place).parent_path();
  for (const auto& planned : plan.files) {
    const auto path = folder / planned.file.path;
    PUNA_TRY(auto local, LocalFile::open(path, context_.stop(), [&](Bytes done, Bytes total) { report("verifying", done, total); }));
    const auto sha256 = local.sha256();
    out.push_back({planned, parts_.library.holds(sha256) ? std::filesystem::path() : path, sha256, std::move(local)});
  }
  return out;
}

Result<std::vector<PullRun::Ready>> PullRun::fetch(const Prepared& prepared, const Plan& plan) {
  std::vector<Ready> out;
  std::vector<transfer::Wanted> missing;
  for (const auto& planned : plan.files) {
    if (planned.sha256.empty()) missing.push_back(wanted(prepared, planned));
    out.push_back({planned, {}, planned.sha256, {}});
  }
  if (missing.empty()) return out;
  transfer::Ask ask{.stop = context_.stop(), .target = parts_.models};
  ask.progress = [this](const transfer::Progress& progress) { report(progress); };
  PUNA_TRY(const auto arrived, parts_.engine.fetch(missing, ask));
  auto next = arrived.begin();
  for (auto& ready : out) {
    if (!ready.sha256.empty()) continue;
    ready.file = next->file;
    ready.sha256 = next->sha256;
    ++next;
  }
  return out;
}

transfer::Wanted PullRun::wanted(const Prepared& prepared, const PlannedFile& planned) const {
  auto listing = std::make_shared<Listing>(prepared.listing);
  listing->files.clear();
  auto mirror = std::make_shared<std::atomic<std::size_t>>(0);
  transfer::Wanted out{.key = planned.key,
                       .shown = prepared.listing.reference.place.empty()
                                    ? fmt::format("{}/{}", prepared.listing.reference.shown(), planned.file.path)
                                    : prepared.listing.reference.place,
                       .size = planned.file.size,
                       .digest = planned.file.digest};
  if (!out.digest && request_.sha256 && planned.file.role == wire::FileRole::weights)
    out.digest = transfer::Digest{transfer::Algorithm::sha256, *request_.sha256};
  out.locate = [&hub = parts_.hub, &io = parts_.io, listing, mirror, file = planned.file](transfer::Why why, const std::stop_token& stop) {
    if (why == transfer::Why::mirror) ++*mirror;
    const auto renew = why == transfer::Why::expired ? Catalogue::Renew::yes : Catalogue::Renew::no;
    return net::on_network<transfer::Location>(
        io, "locate", [&hub, listing, file, number = mirror->load(), renew] { return hub.locate(*listing, file, number, renew); }, stop);
  };
  if (is_gguf(planned)) out.begins_right = [](std::string_view beginning, std::string_view type) { return require_gguf(beginning, type); };
  return out;
}

Result<PullResult> PullRun::take_in(const Prepared& prepared, const Plan& plan, std::vector<Ready> files) {
  report("verifying");
  for (auto& ready : files)  // another pull may have taken the same content in meanwhile
    if (!ready.file.empty() && parts_.library.holds(ready.sha256)) ready.file.clear();
  for (const auto& ready : files) {
    auto usable = verify(prepared, ready);
    if (usable) continue;
    // The same bytes would be as wrong at the next try.
    if (usable.error().code == Code::corrupt_data || usable.error().code == Code::unsupported) tidy(files);
    return fail(std::move(usable).error());
  }
  for (const auto& ready : files) PUNA_CHECK(place(ready));
  report("adding");
  Plan done = plan;
  for (std::size_t i = 0; i < files.size(); ++i) done.files[i].sha256 = files[i].sha256;
  const auto before = parts_.library.show(plan.shown.name);
  const bool known = before && before->model.store == "puna";
  PullResult out;
  if (known) out.changed = changed_roles(done, *before);
  if (known) out.change = out.changed.empty() && !before->model.problem ? PullChange::unchanged : PullChange::replaced;
  // What came from a catalogue does not lose its upstream because the same file lies on this machine, too.
  const bool keep = out.change == PullChange::unchanged && prepared.listing.reference.catalogue == kFile;
  auto model = keep ? Result<wire::Model>(before->model) : add(prepared, done);
  if (!model) return fail(std::move(model).error());
  tidy(files);
  out.name = model->name;
  out.sha256 = model->sha256;
  out.size = model->size;
  return out;
}

Result<wire::Model> PullRun::add(const Prepared& prepared, const Plan& done) {
  model::NewModel model{.name = done.shown.name, .files = {}, .provenance = provenance_of(prepared)};
  for (const auto& planned : done.files)
    model.files.push_back({.path = planned.file.path, .role = planned.file.role, .sha256 = planned.sha256});
  return parts_.library.add(model);
}

Result<> PullRun::verify(const Prepared& prepared, const Ready& ready) {
  const auto& file = ready.planned.file;
  const std::string shown = prepared.listing.reference.place.empty()
                                ? fmt::format("{} of {}", file.path, prepared.listing.reference.shown())
                                : prepared.listing.reference.place;
  const bool first = file.path == prepared.variant.files.front().path;
  if (first && request_.sha256 && *request_.sha256 != ready.sha256)
    return fail(Code::corrupt_data,
                fmt::format("{} has the SHA-256 {} instead of {}: it is another file than the one wanted, or was damaged "
                            "on the way",
                            shown, ready.sha256, *request_.sha256));
  const bool model = is_gguf(ready.planned) || ready.local || prepared.listing.reference.catalogue == kUrl;
  if (ready.file.empty() || !model) return {};
  auto checked = parts_.check(ready.file, context_.stop());
  if (!checked) return fail(std::move(checked).error().within(shown));
  // An adapter is kept under a name of its own: requests name it after its base.
  if (file.role == wire::FileRole::weights && checked->kind == "mmproj")
    return fail(Code::unsupported, fmt::format("{} is no model by itself but a part for one ({})", shown, checked->kind));
  return {};
}

// Makes the library's folder hold the bytes.
Result<> PullRun::place(const Ready& ready) {
  if (ready.file.empty() || parts_.library.holds(ready.sha256)) return {};
  PUNA_TRY(const auto blob, parts_.library.blob_path(ready.sha256));
  PUNA_CHECK(remove_unless_intact(blob, ready));
  const auto placed =
      os::place_file(ready.file, blob, context_.stop(), [this](Bytes done, Bytes total) { report("copying", done, total); });
  if (placed) log::info("hub", "a model file is in place", {{"file", blob.string()}, {"how", json::encode(*placed)}});
  if (!placed && placed.error().code != Code::already_exists) return fail(placed.error());
  auto same = ready.local ? ready.local->confirm() : Result<>();
  if (!same) PUNA_CHECK(remove_wrong(blob));
  return same;
}

// A kill between placing and adding leaves a file that the library does not know.
Result<> PullRun::remove_unless_intact(const std::filesystem::path& blob, const Ready& ready) {
  const auto file = os::open_regular_file(blob);
  if (!file) return file.error().code == Code::not_found ? Result<>() : fail(file.error());
  std::error_code error;
  const Bytes size(std::filesystem::file_size(blob, error));
  os::Sha256 hash;
  const auto hashed = error ? fail(Code::corrupt_data, error.message()) : os::hash_file(hash, file->get(), Bytes(0), size, context_.stop());
  if (!hashed && hashed.error().code != Code::corrupt_data) return fail(hashed.error());
  if (hashed && hash.hex() == ready.sha256) return {};
  return remove_wrong(blob);
}

Result<PullResult> PullRun::unchanged(const Prepared& prepared, const Plan& plan) {
  PUNA_TRY(const auto model, parts_.library.find(plan.shown.name));
  if (request_.sha256 && *request_.sha256 != model.sha256)
    return fail(Code::corrupt_data, fmt::format("{} has the SHA-256 {} instead of {}: it is another file than the one wanted",
                                                prepared.listing.reference.shown(), model.sha256, *request_.sha256));
  return PullResult{.name = model.name, .sha256 = model.sha256, .size = model.size, .change = PullChange::unchanged};
}

wire::Provenance PullRun::provenance_of(const Prepared& prepared) const {
  const auto& listing = prepared.listing;
  wire::Provenance out{.catalogue = listing.reference.catalogue};
  if (!listing.reference.place.empty()) out.url = listing.reference.place;
  if (!listing.reference.repository.empty()) out.repository = repository_text(listing.reference);
  if (!listing.revision.empty()) out.revision = listing.revision;
  if (!listing.commit.empty()) out.commit = listing.commit;
  out.filter = prepared.filter;
  return out;
}

// What the engine keeps of these files is of no more use.
void PullRun::tidy(const std::vector<Ready>& files) {
  for (const auto& ready : files) {
    if (!ready.planned.sha256.empty() || ready.local) continue;
    if (auto forgotten = parts_.engine.forget(ready.planned.key); !forgotten && forgotten.error().code != Code::not_found)
      log::warning("hub", "a download could not be tidied up", {{"error", forgotten.error().text()}});
  }
}

void PullRun::report(std::string_view phase, std::optional<Bytes> done, std::optional<Bytes> total, std::string note) {
  // What has no count of its own does not take back what was counted.
  if (!done) done = brought_, total = wanted_;
  wire::JobProgress progress{.done = static_cast<std::int64_t>(done->count), .unit = "bytes", .phase = std::string(phase)};
  if (total) progress.total = static_cast<std::int64_t>(total->count);
  if (!note.empty()) progress.note = std::move(note);
  context_.progress(std::move(progress));
}

void PullRun::report(const transfer::Progress& progress) {
  brought_ = progress.done;
  wanted_ = progress.total;
  wire::JobProgress out{.done = static_cast<std::int64_t>(progress.done.count), .unit = "bytes", .phase = std::string(progress.phase)};
  if (progress.total) out.total = static_cast<std::int64_t>(progress.total->count);
  if (!progress.note.empty()) out.note = progress.note;
  out.connections = progress.connections;
  std::vector<wire::JobFile> files;
  for (const auto& file : progress.files) {
    wire::JobFile row{.name = file.shown, .state = {}, .done = static_cast<std::int64_t>(file.done.count)};
    if (file.total) row.total = static_cast<std::int64_t>(file.total->count);
    switch (file.state) {
      case transfer::FileState::waiting:
        row.state = "waiting";
        break;
      case transfer::FileState::running:
        row.state = "running";
        break;
      case transfer::FileState::verifying:
        row.state = "verifying";
        break;
      case transfer::FileState::complete:
        row.state = "complete";
        break;
    }
    files.push_back(std::move(row));
  }
  out.files_done = std::ranges::count(progress.files, transfer::FileState::complete, &transfer::FileProgress::state);
  out.files_total = static_cast<std::int64_t>(progress.files.size());
  // One file is the job itself; of many those that are on their way.
  std::erase_if(files, [](const wire::JobFile& file) { return file.state == "waiting" || file.state == "complete"; });
  if (progress.files.size() > 1) out.files = std::move(files);
  context_.progress(std::move(out));
}

}  // namespace puna::hub
