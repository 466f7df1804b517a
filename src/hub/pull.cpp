#include "hub/pull.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/log.h"
#include "base/text.h"
#include "hub/default_name.h"
#include "hub/sha256.h"
#include "hub/source.h"
#include "model/library.h"
#include "model/name.h"
#include "os/file.h"
#include "os/place_file.h"

namespace puna::hub {
namespace {

constexpr std::string_view kKind = "pull";

// What the queue keeps of a request: no secrets.
struct StoredPull {
  std::string source;
  std::string name;
  std::optional<std::string> sha256;
  std::optional<bool> had_credentials;
};
BOOST_DESCRIBE_STRUCT(StoredPull, (), (source, name, sha256, had_credentials))

std::string key_of(const StoredPull& pull) {
  return fmt::format("{} {} {}", pull.name, pull.sha256.value_or("-"), pull.source);
}

std::string title_of(const json::value& request) {
  const auto pull = json::decode<StoredPull>(request);
  return pull ? fmt::format("pull {}", pull->name) : "pull";
}

// "model-00001-of-00003.gguf"
bool is_split_part(std::string_view file_name) {
  constexpr std::string_view kShape = "-ddddd-of-ddddd.gguf";
  if (file_name.size() < kShape.size()) return false;
  const std::string ending = lower_ascii(file_name.substr(file_name.size() - kShape.size()));
  return std::ranges::equal(ending, kShape, [](char c, char shape) { return shape == 'd' ? c >= '0' && c <= '9' : c == shape; });
}

Result<std::string> choose_name(const wire::PullRequest& request, const Origin& origin) {
  if (is_split_part(origin.file_name))
    return fail(Code::unsupported,
                fmt::format("{} is one part of a split model, of no use alone: pull a model of one file", printable(origin.file_name)));
  const std::string chosen = request.name ? *request.name : default_name(origin.file_name);
  if (chosen.empty()) return fail(Code::invalid_argument, fmt::format("no model name can be made from {}: give one", origin.shown));
  PUNA_TRY(const auto name, model::Name::parse(chosen));
  return name.text();
}

Result<> remove_wrong(const std::filesystem::path& blob) {
  std::error_code error;
  std::filesystem::remove(blob, error);
  if (error)
    return fail(errno_error(error.value(), fmt::format("cannot remove {}, whose content is not what its name says", blob.string())));
  return {};
}

// One run of the job.
class PullRun {
 public:
  PullRun(const PullParts& parts, jobs::JobContext& context, StoredPull request)
      : parts_(parts), context_(context), request_(std::move(request)) {}

  Result<PullResult> run(const SourceSpec& source, const Origin& origin) {
    if (request_.sha256 && parts_.library.holds(*request_.sha256)) return name_held(*request_.sha256, origin);
    PUNA_TRY(auto opened, source.open(origin, fetch()));
    if (const auto* held = std::get_if<Held>(&opened)) {
      PUNA_CHECK(require_expected(held->sha256, origin));
      return name_held(held->sha256, origin);
    }
    auto& delivery = *std::get<std::unique_ptr<Delivery>>(opened);
    if (auto usable = verify(delivery, origin); !usable) {
      if (usable.error().code == Code::corrupt_data || usable.error().code == Code::unsupported) PUNA_CHECK(delivery.rejected());
      return fail(std::move(usable).error());
    }
    PUNA_CHECK(place(delivery));
    report("adding", delivery.size(), delivery.size());
    PUNA_TRY(auto result, name_held(delivery.sha256(), origin));
    if (auto tidied = delivery.accepted(); !tidied)
      log::warning("hub", "a download could not be tidied up", {{"error", tidied.error().text()}});
    return result;
  }

 private:
  Fetch fetch() {
    return {.io = parts_.io,
            .http = parts_.http,
            .settings = parts_.settings,
            .downloads = parts_.downloads,
            .models = parts_.models,
            .checkpoints = parts_.checkpoints,
            .held = [this](const std::string& sha256) { return parts_.library.holds(sha256); },
            .stop = context_.stop(),
            .progress = [this](std::string_view phase, Bytes done, std::optional<Bytes> total) { report(phase, done, total); }};
  }

  void report(std::string_view phase, Bytes done, std::optional<Bytes> total) {
    wire::JobProgress progress{.done = static_cast<std::int64_t>(done.count), .unit = "bytes", .phase = std::string(phase)};
    if (total) progress.total = static_cast<std::int64_t>(total->count);
    context_.progress(std::move(progress));
  }

  Result<> require_expected(const std::string& sha256, const Origin& origin) const {
    if (!request_.sha256 || *request_.sha256 == sha256) return {};
    return fail(Code::corrupt_data, fmt::format("{} has the SHA-256 {} instead of {}: it is another file than the one wanted, or was "
                                                "damaged on the way",
                                                origin.shown, sha256, *request_.sha256));
  }

  Result<> verify(const Delivery& delivery, const Origin& origin) {
    report("verifying", delivery.size(), delivery.size());
    PUNA_CHECK(require_expected(delivery.sha256(), origin));
    auto checked = parts_.check(delivery.file(), context_.stop());
    if (!checked) return fail(std::move(checked).error().within(origin.shown));
    if (checked->kind == "adapter" || checked->kind == "mmproj")
      return fail(Code::unsupported, fmt::format("{} is no model by itself but a part for one ({})", origin.shown, checked->kind));
    return {};
  }

  // Makes the library's folder hold the delivered bytes.
  Result<> place(const Delivery& delivery) {
    if (parts_.library.holds(delivery.sha256())) return {};
    PUNA_TRY(const auto blob, parts_.library.blob_path(delivery.sha256()));
    PUNA_CHECK(remove_unless_intact(blob, delivery));
    const auto placed =
        os::place_file(delivery.file(), blob, context_.stop(), [this](Bytes done, Bytes total) { report("copying", done, total); });
    if (placed) log::info("hub", "a model file is in place", {{"file", blob.string()}, {"how", json::encode(*placed)}});
    if (!placed && placed.error().code != Code::already_exists) return fail(placed.error());
    auto same = delivery.confirm();
    if (!same) PUNA_CHECK(remove_wrong(blob));
    return same;
  }

  // A kill between placing and adding leaves a file that the library does not know.
  Result<> remove_unless_intact(const std::filesystem::path& blob, const Delivery& delivery) {
    const auto file = os::open_regular_file(blob);
    if (!file) return file.error().code == Code::not_found ? Result<>() : fail(file.error());
    Sha256 hash;
    const auto hashed = hash_file(hash, file->get(), Bytes(0), delivery.size(), context_.stop());
    if (!hashed && hashed.error().code != Code::corrupt_data) return fail(hashed.error());
    std::error_code error;
    if (hashed && std::filesystem::file_size(blob, error) == delivery.size().count && hash.hex() == delivery.sha256()) return {};
    return remove_wrong(blob);
  }

  Result<PullResult> name_held(const std::string& sha256, const Origin& origin) {
    PullResult out{.name = request_.name, .sha256 = sha256};
    const auto present = parts_.library.find(request_.name);
    if (!present && present.error().code != Code::not_found) return fail(present.error());
    if (present && present->sha256 == sha256 && !present->problem) {
      out.change = PullChange::unchanged;
      out.size = present->size;
      return out;
    }
    const std::string catalogue = origin.source.starts_with("http") ? "url" : "file";
    PUNA_TRY(const auto model, parts_.library.add({.name = request_.name,
                                                   .files = {{.path = origin.file_name, .sha256 = sha256}},
                                                   .provenance = {.catalogue = catalogue, .url = origin.source}}));
    out.name = model.name;
    out.size = model.size;
    out.change = present ? PullChange::replaced : PullChange::added;
    return out;
  }

  const PullParts& parts_;
  jobs::JobContext& context_;
  const StoredPull request_;
};

}  // namespace

Pulls::Pulls(PullParts parts) : parts_(std::move(parts)) {}

jobs::JobSpec Pulls::job_spec() {
  return {.kind = kKind,
          .title = title_of,
          .run = [this](jobs::JobContext& context) { return run(context); },
          .resumable = true};  // what came is kept; failures that may pass are tried again inside, where progress counts
}

Result<wire::Job> Pulls::submit(jobs::Queue& queue, const wire::PullRequest& request) {
  PUNA_TRY(const auto* source, find_source(request.source));
  PUNA_TRY(auto origin, source->resolve(request.source));
  StoredPull stored{.source = origin.source, .name = {}, .sha256 = {}, .had_credentials = {}};
  PUNA_TRY(stored.name, choose_name(request, origin));
  if (request.sha256) {
    PUNA_TRY(stored.sha256, parse_sha256(*request.sha256));
  }
  const auto key = key_of(stored);
  if (!origin.secret_source.empty()) {
    stored.had_credentials = true;
    const std::lock_guard lock(mutex_);
    secrets_.insert_or_assign(key, std::move(origin.secret_source));
  }
  return queue.submit(kKind, json::encode(stored), key);
}

Result<json::value> Pulls::run(jobs::JobContext& context) {
  PUNA_TRY(const auto request, json::decode<StoredPull>(context.request()));
  const auto key = key_of(request);
  PUNA_TRY(const auto* source, find_source(request.source));
  PUNA_TRY(auto origin, source->resolve(request.source));
  if (request.had_credentials.value_or(false)) {
    PUNA_TRY(origin.secret_source, secret_for(key));
  }
  const auto waits = [&] { context.progress({.unit = "bytes", .phase = "waiting"}); };
  PUNA_TRY(const auto turn, turns_.take(origin.source, context.stop(), waits));
  auto result = PullRun(parts_, context, request).run(*source, origin);
  // One that was only asked to end may go on later.
  if (result || result.error().code != Code::cancelled) forget_secret(key);
  if (!result) return fail(std::move(result).error());
  return json::encode(*result);
}

Result<Secret> Pulls::secret_for(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = secrets_.find(key);
  if (found != secrets_.end()) return found->second;
  return fail(Code::unauthenticated,
              "the credentials in the URL are not kept when the daemon ends: pull it again; what has come already is not fetched again");
}

void Pulls::forget_secret(const std::string& key) {
  const std::lock_guard lock(mutex_);
  secrets_.erase(key);
}

}  // namespace puna::hub
