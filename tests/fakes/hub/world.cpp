#include "fakes/hub/world.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace puna::fakes {
namespace {

constexpr std::uint64_t kLfsFrom = 1024 * 1024;
constexpr std::uint64_t kJoined = 4 * 1024 * 1024;
constexpr int kLinkLifeMs = 3600 * 1000;

bool lfs_by_default(const std::string& path, std::uint64_t size) {
  const auto dot = path.rfind('.');
  const auto ending = dot == std::string::npos ? "" : path.substr(dot);
  constexpr std::array<std::string_view, 7> kEndings = {".gguf", ".safetensors", ".bin", ".pt", ".pth", ".onnx", ".zip"};
  return size > kLfsFrom || std::ranges::find(kEndings, ending) != kEndings.end();
}

bool has(const std::optional<std::vector<std::string>>& list, const std::string& item) {
  return list && std::ranges::find(*list, item) != list->end();
}

bool owns(const User& user, const std::string& id) {
  const auto owner = id.substr(0, id.find('/'));
  return owner == user.about.name || has(user.about.organizations, owner);
}

}  // namespace

FileSpec file(std::string path, Content::Ptr content) {
  FileSpec out;
  out.path = std::move(path);
  out.content = std::move(content);
  return out;
}

FileSpec file(std::string path, std::string text) {
  return file(std::move(path), Content::of(std::move(text)));
}

Result<Content::Ptr> content_of(const FileSpec& spec) {
  if (spec.content) return spec.content;
  if (spec.text) return Content::of(*spec.text);
  if (spec.base64) return Content::of(base64_decoded(*spec.base64));
  if (spec.disk) return Content::on_disk(*spec.disk);
  if (spec.size) return Content::generated(*spec.size, spec.seed.value_or(1), base64_decoded(spec.head_base64.value_or("")));
  return fail(Code::invalid_argument, spec.path + ": has none of text, base64, disk, size");
}

Result<StoredFile> stored(const FileSpec& spec) {
  PUNA_TRY(auto content, content_of(spec));
  StoredFile out;
  out.content = content;
  out.served = spec.served ? spec.served : content;
  out.lfs = spec.lfs.value_or(lfs_by_default(spec.path, content->size()));
  out.sha256 = spec.sha256 ? *spec.sha256 : content->sha256();
  return out;
}

std::string World::unique() {
  ++serial;
  return fmt::format("{:016x}{:016x}", mix(7, serial), mix(8, serial));
}

Result<> World::add(const RepositorySpec& spec) {
  auto& repository = repositories[spec.kind.value_or("model") + "/" + spec.id];
  repository.about = spec;
  repository.about.files.clear();
  repository.about.revisions.reset();
  PUNA_CHECK(commit(repository, "main", spec.files, {}, "initial commit"));
  for (const auto& revision : spec.revisions.value_or(std::vector<RevisionSpec>())) {
    PUNA_TRY(auto id, commit(repository, revision.name, revision.files, {}, "revision " + revision.name));
    if (!revision.tag.value_or(false)) continue;
    repository.branches.erase(revision.name);
    repository.tags[revision.name] = id;
  }
  return {};
}

Result<> World::add_modelscope(const RepositorySpec& spec) {
  auto& repository = modelscope[spec.id];
  repository.about = spec;
  repository.about.files.clear();
  PUNA_CHECK(commit(repository, "master", spec.files, {}, "initial commit"));
  return {};
}

Result<> World::add_web(const FileSpec& spec) {
  PUNA_TRY(auto file, stored(spec));
  web.insert_or_assign(spec.path.starts_with('/') ? spec.path : "/" + spec.path, std::move(file));
  return {};
}

void World::add(const UserSpec& spec) {
  users.insert_or_assign(spec.token, User{.about = spec, .revoked = false});
}

Result<std::string> World::commit(Repository& repository, const std::string& branch, const std::vector<FileSpec>& put,
                                  const std::vector<std::string>& removed, std::string title) {
  Files files;
  if (const auto head = repository.branches.find(branch); head != repository.branches.end()) files = repository.commits[head->second].files;
  for (const auto& path : removed)
    std::erase_if(files, [&](const auto& entry) { return entry.first == path || entry.first.starts_with(path + "/"); });
  for (const auto& spec : put) {
    PUNA_TRY(auto file, stored(spec));
    files.insert_or_assign(spec.path, std::move(file));
  }
  return commit(repository, branch, std::move(files), std::move(title));
}

std::string World::commit(Repository& repository, const std::string& branch, Files files, std::string title) {
  std::string named = repository.about.id + branch + title + std::to_string(repository.history.size());
  for (const auto& [path, file] : files) {
    named += path + file.sha256;
    objects.insert_or_assign(file.sha256, file.content);
  }
  Commit made{.id = sha1_of(named), .title = std::move(title), .date = Clock::now(), .files = std::move(files)};
  const auto id = made.id;
  repository.history.push_back(id);
  repository.branches[branch] = id;
  repository.commits.insert_or_assign(id, std::move(made));
  return id;
}

std::string World::sign(Role role, std::string_view path, Grant grant) {
  const auto life = link_ms.value_or(settings.link_life_ms.value_or(kLinkLifeMs));
  const auto signature = unique() + unique();
  grant.until = Clock::now() + std::chrono::milliseconds(life);
  grant.left = link_bytes;
  auto out =
      fmt::format("{}{}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={}&X-Amz-Expires={}&X-Amz-Signature={}&response-content-disposition={}",
                  origins[role], path, percent_encoded(iso_date(Clock::now())), (life + 999) / 1000, signature,
                  percent_encoded("inline; filename=\"" + grant.name.substr(grant.name.rfind('/') + 1) + "\";"));
  grants.insert_or_assign(signature, std::move(grant));
  return out;
}

Result<Content::Ptr> World::join(const std::string& upload) {
  const auto found = uploads.find(upload);
  if (found == uploads.end()) return fail(Code::not_found, "there is no such upload");
  const auto path = folder / ("joined-" + unique());
  {
    os::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file) return fail(errno_error(errno, path.string()));
    for (const auto& [number, part] : found->second.parts)
      for (std::uint64_t at = 0; at < part->size(); at += kJoined) PUNA_CHECK(os::write_all(file.get(), part->text(at, kJoined)));
  }
  PUNA_TRY(auto joined, Content::on_disk(path));
  if (joined->sha256() != found->second.sha256) return fail(Code::corrupt_data, "the digest of what came is sha256:" + joined->sha256());
  objects.insert_or_assign(joined->sha256(), joined);
  uploads.erase(found);
  return joined;
}

Answer hub_error(int status, std::string message, std::string code) {
  auto out = Answer::json(json::object{{"error", message}}, status);
  if (!code.empty()) out.set("X-Error-Code", std::move(code));
  out.set("X-Error-Message", std::move(message));
  return out;
}

std::expected<const User*, Answer> asker(const World& world, const Request& request) {
  const auto token = request.token();
  if (token.empty()) return nullptr;
  const auto found = world.users.find(token);
  if (found == world.users.end() || found->second.revoked)
    return std::unexpected(hub_error(401, "Invalid credentials in Authorization header"));
  return &found->second;
}

std::expected<Repository*, Answer> open_repository(World& world, const Request& request, const std::string& kind, const std::string& id,
                                                   Right right) {
  const auto user = asker(world, request);
  if (!user) return std::unexpected(user.error());
  const auto found = world.repositories.find(kind + "/" + id);
  const bool known = *user != nullptr;
  const bool visible = found != world.repositories.end() && (found->second.about.visibility.value_or("public") != "private" ||
                                                             (known && (owns(**user, id) || has((*user)->about.reads, id))));
  if (!visible)
    return std::unexpected(known ? hub_error(404, "Repository not found", "RepoNotFound")
                                 : hub_error(401, "Invalid username or password.", "RepoNotFound"));
  const auto& about = found->second.about;
  if (about.disabled.value_or(false)) return std::unexpected(hub_error(403, "Access to this resource is disabled."));
  if (right == Right::write && (!known || !owns(**user, id) || (*user)->about.role.value_or("write") != "write"))
    return std::unexpected(hub_error(known ? 403 : 401, "You don't have the rights to write to " + id));
  if (right == Right::read && about.gated && !(known && (owns(**user, id) || has((*user)->about.accepted, id)))) {
    const auto reason =
        known ? "Access to model " + id + " is restricted and you are not in the authorized list. Visit " + world.origins[Role::hub] + "/" +
                    id + " to ask for access."
              : "Access to model " + id + " is restricted. You must have access to it and be authenticated to access it. Please log in.";
    return std::unexpected(hub_error(known ? 403 : 401, reason, "GatedRepo"));
  }
  return &found->second;
}

std::expected<const Commit*, Answer> find_commit(const Repository& repository, const std::string& revision) {
  auto name = revision;
  for (const auto* prefix : {"refs/heads/", "refs/tags/"})
    if (name.starts_with(prefix)) name = name.substr(std::string_view(prefix).size());
  for (const auto* names : {&repository.branches, &repository.tags})
    if (const auto found = names->find(name); found != names->end()) return &repository.commits.at(found->second);
  if (name.size() >= 7)
    for (const auto& [id, commit] : repository.commits)
      if (id.starts_with(name)) return &commit;
  return std::unexpected(hub_error(404, "Invalid rev id: " + revision, "RevisionNotFound"));
}

}  // namespace puna::fakes
