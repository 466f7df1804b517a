#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "fakes/hub/hub_answers.h"

namespace puna::fakes {
namespace {

struct Sought {
  const Commit* commit = nullptr;
  const StoredFile* file = nullptr;
};

std::expected<Sought, Answer> seek(World& world, const Request& request, const Subject& subject, const std::string& revision,
                                   const std::string& path) {
  auto repository = open_repository(world, request, subject.kind, subject.id, Right::read);
  if (!repository) return std::unexpected(repository.error());
  auto commit = find_commit(**repository, revision);
  if (!commit) return std::unexpected(commit.error());
  const auto file = (*commit)->files.find(path);
  if (file == (*commit)->files.end()) {
    auto out = hub_error(404, "Entry not found", "EntryNotFound");
    out.set("X-Repo-Commit", (*commit)->id);
    return std::unexpected(out);
  }
  return Sought{*commit, &file->second};
}

void describe(Answer& answer, const Sought& sought) {
  const auto& file = *sought.file;
  answer.set("X-Repo-Commit", sought.commit->id);
  answer.set("Accept-Ranges", "bytes");
  answer.set("X-Linked-Size", fmt::format("{}", file.content->size()));
  if (file.lfs) answer.set("X-Linked-ETag", "\"" + file.sha256 + "\"");
  answer.set("ETag", "\"" + (file.lfs ? file.sha256 : file.content->git_sha1()) + "\"");
}

// The GGUF file that a tag of the registry means.
std::string file_of_tag(const Files& files, const std::string& tag) {
  const auto wanted = lower_ascii(tag);
  std::vector<std::string> models;
  for (const auto& [path, file] : files)
    if (path.ends_with(".gguf") && !path.contains("mmproj")) models.push_back(path);
  for (const auto& path : models) {
    const auto name = lower_ascii(path);
    if (name == wanted || name.ends_with(wanted + ".gguf")) return path;
  }
  if (wanted != "latest" || models.empty()) return "";
  const auto usual = std::ranges::find_if(models, [](const auto& path) { return lower_ascii(path).contains("q4_k_m"); });
  return usual == models.end() ? models.front() : *usual;
}

json::object layer_json(const std::string& kind, const std::string& sha256, std::uint64_t size) {
  return {{"mediaType", "application/vnd.ollama.image." + kind}, {"digest", "sha256:" + sha256}, {"size", size}};
}

Answer bridge_manifest(World& world, const Request& request, const Repository& repository, const std::string& tag) {
  const auto& files = repository.commits.at(repository.branches.at(repository.first_branch())).files;
  const auto path = file_of_tag(files, tag);
  if (path.empty()) return Answer::empty(400);
  const auto& model = files.at(path);
  const auto config = Content::of(R"({"model_format":"gguf","architecture":"amd64","os":"linux"})");
  world.objects.insert_or_assign(config->sha256(), config);
  json::object manifest{{"schemaVersion", 2},
                        {"mediaType", "application/vnd.docker.distribution.manifest.v2+json"},
                        {"config", json::object{{"mediaType", "application/vnd.docker.container.image.v1+json"},
                                                {"digest", "sha256:" + config->sha256()},
                                                {"size", config->size()}}},
                        {"layers", json::array{layer_json("model", model.sha256, model.content->size())}}};
  if (request.header("user-agent").starts_with("llama-cpp"))
    manifest["ggufFile"] = json::object{{"rfilename", path},
                                        {"size", model.content->size()},
                                        {"blobId", sha1_of(model.sha256)},
                                        {"lfs", json::object{{"sha256", model.sha256}, {"size", model.content->size()}}}};
  return Answer::json(manifest);
}

}  // namespace

Answer resolve(World& world, const Request& request, const Subject& subject, const std::string& revision, const std::string& path) {
  const auto sought = seek(world, request, subject, revision, path);
  if (!sought) return sought.error();
  const auto& file = *sought->file;
  Answer out;
  if (file.lfs) {
    Grant grant;
    grant.content = file.served;
    grant.name = path;
    out =
        Answer::redirect(302, world.sign(Role::storage, "/xet-bridge-us/" + sha1_of(subject.id).substr(0, 24) + "/" + file.sha256, grant));
  } else {
    out = Answer::redirect(
        307, fmt::format("/api/resolve-cache/{}s/{}/{}/{}", subject.kind, subject.id, sought->commit->id, percent_encoded(path)));
  }
  describe(out, *sought);
  return out;
}

Answer resolve_cache(World& world, const Request& request) {
  // api/resolve-cache/models/[owner/]name/COMMIT/PATH
  const auto& parts = request.segments;
  if (parts.size() < 6) return hub_error(404, "not found");
  const bool bare = parts.size() == 6;
  const Subject subject{.kind = parts[2].substr(0, parts[2].size() - 1), .id = bare ? parts[3] : parts[3] + "/" + parts[4], .rest = {}};
  const auto sought = seek(world, request, subject, parts[bare ? 4 : 5], parts.back());
  if (!sought) return sought.error();
  auto out = file_answer(request, sought->file->served, "\"" + sought->file->content->git_sha1() + "\"");
  describe(out, *sought);
  out.set("Content-Type", "text/plain; charset=utf-8");
  return out;
}

Answer bridge(World& world, const Request& request) {
  // v2/owner/name/manifests|blobs/X
  const auto& parts = request.segments;
  if (parts.size() != 5) return Answer::empty(404);
  const auto repository = open_repository(world, request, "model", parts[1] + "/" + parts[2], Right::read);
  if (!repository) return repository.error();
  if (parts[3] == "manifests") return bridge_manifest(world, request, **repository, parts[4]);
  const auto found = world.objects.find(parts[4].substr(parts[4].find(':') + 1));
  if (found == world.objects.end()) return Answer::empty(404);
  Grant grant;
  grant.content = found->second;
  return Answer::redirect(307, world.sign(Role::storage, "/blobs/" + parts[4], grant));
}

}  // namespace puna::fakes
