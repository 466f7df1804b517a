#include "model/library_jobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/log.h"
#include "base/text.h"
#include "model/name.h"
#include "model/take_in.h"

namespace puna::model {
namespace {

constexpr std::string_view kVerify = "verify";
constexpr std::string_view kAdopt = "adopt";

struct VerifyRequest {
  std::vector<std::string> names;
};
BOOST_DESCRIBE_STRUCT(VerifyRequest, (), (names))
struct AdoptRequest {
  std::string name;
  std::string new_name;
};
BOOST_DESCRIBE_STRUCT(AdoptRequest, (), (name, new_name))

std::string verify_title(const json::value& request) {
  const auto wanted = json::decode<VerifyRequest>(request);
  return wanted && !wanted->names.empty() ? "verify " + join(wanted->names, ", ") : "verify all models";
}
std::string adopt_title(const json::value& request) {
  const auto wanted = json::decode<AdoptRequest>(request);
  return wanted ? fmt::format("adopt {} as {}", wanted->name, wanted->new_name) : "adopt";
}

std::int64_t total_of(const std::map<std::string, wire::VerifiedFile>& files) {
  std::int64_t out = 0;
  for (const auto& [place, file] : files) out += file.size;
  return out;
}

// Each file once, with all models that have it.
Result<std::map<std::string, wire::VerifiedFile>> files_of(Library& library, std::vector<std::string> names) {
  if (names.empty()) {
    PUNA_TRY(const auto all, library.list());
    for (const auto& model : all)
      if (!model.alias_of) names.push_back(model.name);
  }
  std::map<std::string, wire::VerifiedFile> out;
  for (const auto& name : names) {
    PUNA_TRY(const auto detail, library.show(name));
    for (const auto& file : detail.files) {
      auto& entry = out[file.place];
      entry.place = file.place;
      entry.sha256 = file.sha256;
      entry.size = file.size;
      entry.models.push_back(detail.model.name);
    }
  }
  return out;
}

}  // namespace

jobs::JobSpec LibraryJobs::verify_spec() {
  return {.kind = kVerify, .title = verify_title, .run = [this](jobs::JobContext& context) { return run_verify(context); }};
}

jobs::JobSpec LibraryJobs::adopt_spec() {
  return {.kind = kAdopt, .title = adopt_title, .run = [this](jobs::JobContext& context) { return run_adopt(context); }};
}

Result<wire::Job> LibraryJobs::verify(jobs::Queue& queue, std::vector<std::string> names) {
  for (auto& name : names) {
    PUNA_TRY(const auto model, library_.find(name));
    name = model.name;
  }
  const auto key = join(names, " ");
  return queue.submit(kVerify, json::encode(VerifyRequest{std::move(names)}), key);
}

Result<json::value> LibraryJobs::run_verify(jobs::JobContext& context) {
  PUNA_TRY(const auto request, json::decode<VerifyRequest>(context.request()));
  PUNA_TRY(auto files, files_of(library_, request.names));
  Reading reading(context, "verifying", total_of(files));
  wire::Verification out;
  for (auto& [place, file] : files) {
    auto found = reading.hash(place, file.size);
    if (!found && found.error().code == Code::cancelled) return fail(std::move(found).error());
    ++out.files;
    out.bytes += file.size;
    const bool unknown = file.sha256.empty();  // the store does not say: there is nothing to compare with
    if (found && (unknown || *found == file.sha256)) {
      if (const auto own = unknown ? Result<std::filesystem::path>() : library_.blob_path(file.sha256); own && own->string() == place)
        PUNA_CHECK(library_.note_fault(file.sha256, std::nullopt));
      if (unknown) ++out.unknown;
      continue;
    }
    file.problem = found ? fmt::format("its file {} has the SHA-256 {} instead of {}: it was damaged or changed; pull the model again",
                                       place, *found, file.sha256)
                         : found.error().text();
    log::warning("model", "a file is wrong", {{"file", place}, {"problem", *file.problem}});
    if (const auto own = library_.blob_path(file.sha256); own && own->string() == place)
      PUNA_CHECK(library_.note_fault(file.sha256, file.problem));
    out.wrong.push_back(std::move(file));
  }
  return json::encode(out);
}

Result<wire::Job> LibraryJobs::adopt(jobs::Queue& queue, std::string_view name, std::string_view new_name) {
  PUNA_TRY(const auto model, library_.find(name));
  PUNA_TRY(const auto wanted, Name::parse(new_name));
  if (model.store == "puna") return fail(Code::invalid_argument, fmt::format("model {} is the library's own already", model.name));
  if (model.problem) return fail(Code::conflict, fmt::format("model {}: {}", model.name, *model.problem));
  const AdoptRequest request{model.name, wanted.text()};
  return queue.submit(kAdopt, json::encode(request), model.name + " " + wanted.text());
}

Result<json::value> LibraryJobs::run_adopt(jobs::JobContext& context) {
  PUNA_TRY(const auto request, json::decode<AdoptRequest>(context.request()));
  PUNA_TRY(const auto detail, library_.show(request.name));
  Reading reading(context, "reading", detail.model.size);
  NewModel model{.name = request.new_name, .files = {}, .provenance = detail.model.provenance};
  if (model.provenance.catalogue.empty()) model.provenance = {.catalogue = "file", .url = detail.path};
  for (const auto& file : detail.files) {
    PUNA_TRY(auto taken, take_in(library_, reading, file));
    model.files.push_back(std::move(taken));
  }
  PUNA_TRY(const auto added, library_.add(model));
  return json::encode(added);
}

}  // namespace puna::model
