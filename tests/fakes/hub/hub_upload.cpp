// Creating, filling and deleting repositories: preupload, LFS objects in one piece or several, commits.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "fakes/hub/hub_answers.h"

namespace puna::fakes {
namespace {

constexpr std::uint64_t kPartSize = 20 * 1024 * 1024;
constexpr std::size_t kMostPreuploaded = 256;

std::string text_at(const json::object& in, std::string_view name) {
  const auto* value = in.if_contains(name);
  return value && value->is_string() ? std::string(std::string_view(value->get_string())) : "";
}

std::uint64_t count_at(const json::object& in, std::string_view name) {
  const auto* value = in.if_contains(name);
  return value ? json::decode<std::uint64_t>(*value).value_or(0) : 0;
}

json::array list_at(const json::object& in, std::string_view name) {
  const auto* value = in.if_contains(name);
  return value && value->is_array() ? value->get_array() : json::array();
}

// The repository that a body of /api/repos/… names; without an organization, the asker's own.
std::expected<std::pair<std::string, std::string>, Answer> named_repository(const World& world, const Request& request,
                                                                            const json::object& body) {
  const auto user = asker(world, request);
  if (!user) return std::unexpected(user.error());
  if (!*user) return std::unexpected(hub_error(401, "Invalid username or password."));
  auto owner = text_at(body, "organization");
  if (owner.empty()) owner = (*user)->about.name;
  const auto& all = (*user)->about.organizations.value_or(std::vector<std::string>());
  const bool own = owner == (*user)->about.name || std::ranges::find(all, owner) != all.end();
  if (!own || (*user)->about.role.value_or("write") != "write")
    return std::unexpected(hub_error(403, "You don't have the rights to create a model under the namespace \"" + owner + "\""));
  const auto kind = text_at(body, "type");
  return std::pair(kind.empty() ? "model" : kind, owner + "/" + text_at(body, "name"));
}

json::object put_action(World& world, const std::string& upload, std::uint64_t part) {
  Grant grant;
  grant.upload = upload;
  grant.part = part;
  return {{"href", world.sign(Role::storage, "/uploads/" + upload, grant)}};
}

json::object upload_actions(World& world, const Request& request, const Subject& subject, const std::string& sha256, std::uint64_t size,
                            bool several) {
  const auto upload = world.unique();
  world.uploads[upload].sha256 = sha256;
  const auto part = world.settings.part_size.value_or(kPartSize);
  json::object out;
  if (several && size > part) {
    json::object header{{"chunk_size", std::to_string(part)}};
    for (std::uint64_t number = 1; (number - 1) * part < size; ++number)
      header[fmt::format("{:05}", number)] = put_action(world, upload, number).at("href");
    out["upload"] = json::object{{"href", fmt::format("{}/{}.git/info/lfs/complete?upload={}", request.origin, subject.id, upload)},
                                 {"header", header}};
  } else {
    out["upload"] = put_action(world, upload, 0);
  }
  out["verify"] = json::object{{"href", fmt::format("{}/{}.git/info/lfs/verify", request.origin, subject.id)}};
  return out;
}

Answer lfs_batch(World& world, const Request& request, const Subject& subject, const json::object& body) {
  const auto transfers = list_at(body, "transfers");
  const bool several = std::ranges::find(transfers, json::value("multipart")) != transfers.end();
  bool parted = false;
  json::array objects;
  for (const auto& asked : list_at(body, "objects")) {
    const auto sha256 = text_at(asked.as_object(), "oid");
    const auto size = count_at(asked.as_object(), "size");
    json::object object{{"oid", sha256}, {"size", size}};
    if (!world.objects.contains(sha256)) {
      object["actions"] = upload_actions(world, request, subject, sha256, size, several);
      parted = parted || (several && size > world.settings.part_size.value_or(kPartSize));
    }
    objects.push_back(std::move(object));
  }
  auto out = Answer::json(json::object{{"transfer", parted ? "multipart" : "basic"}, {"objects", objects}});
  out.set("Content-Type", "application/vnd.git-lfs+json");
  return out;
}

Answer complete(World& world, const Request& request, const json::object& body) {
  const auto id = request.parameter("upload").value_or("");
  const auto upload = world.uploads.find(id);
  if (upload == world.uploads.end()) return hub_error(404, "there is no such upload");
  const auto told = list_at(body, "parts");
  if (told.size() != upload->second.parts.size()) return hub_error(400, "parts are missing");
  for (const auto& part : told) {
    const auto& fields = part.as_object();
    const auto found = upload->second.parts.find(count_at(fields, "partNumber"));
    if (found == upload->second.parts.end() || text_at(fields, "etag") != "\"" + found->second->sha256().substr(0, 32) + "\"")
      return hub_error(400, "a part has another etag");
  }
  const auto joined = world.join(id);
  return joined ? Answer::json(json::object{{"success", true}}) : hub_error(400, joined.error().message);
}

// One line of a commit, applied to the files.
std::optional<Answer> apply(const World& world, const json::object& line, Files& files) {
  const auto key = text_at(line, "key");
  const auto& value = line.at("value").as_object();
  const auto path = text_at(value, "path");
  if (key == "file") {
    const auto content = Content::of(base64_decoded(text_at(value, "content")));
    files.insert_or_assign(path, StoredFile{.content = content, .served = content, .sha256 = content->sha256(), .lfs = false});
  } else if (key == "lfsFile") {
    const auto object = world.objects.find(text_at(value, "oid"));
    if (object == world.objects.end()) return hub_error(400, "LFS pointer pointed to a file that does not exist: " + path);
    files.insert_or_assign(path, StoredFile{.content = object->second, .served = object->second, .sha256 = object->first, .lfs = true});
  } else if (key == "deletedFile" || key == "deletedFolder") {
    const auto folder = path.ends_with('/') ? path : path + "/";
    if (std::erase_if(files, [&](const auto& entry) { return entry.first == path || entry.first.starts_with(folder); }) == 0)
      return hub_error(404, "A file with the name \"" + path + "\" does not exist", "EntryNotFound");
  } else if (key != "header") {
    return hub_error(400, "unknown key " + key);
  }
  return std::nullopt;
}

}  // namespace

Answer create_repository(World& world, const Request& request) {
  const auto body = json::parse_object(request.body->text());
  if (!body) return hub_error(400, body.error().message);
  const auto named = named_repository(world, request, *body);
  if (!named) return named.error();
  const auto& [kind, id] = *named;
  const auto url = world.origins[Role::hub] + "/" + (kind == "model" ? "" : kind + "s/") + id;
  if (world.repositories.contains(kind + "/" + id)) {
    auto out = hub_error(409, "You already created this " + kind + " repo");
    out.whole(Content::of(json::to_text(json::object{{"error", "You already created this " + kind + " repo"}, {"url", url}})));
    return out;
  }
  RepositorySpec spec;
  spec.id = id;
  spec.kind = kind;
  const auto* is_private = body->if_contains("private");
  if (text_at(*body, "visibility") == "private" || (is_private && is_private->is_bool() && is_private->get_bool()))
    spec.visibility = "private";
  spec.files.push_back(file(".gitattributes", "*.gguf filter=lfs diff=lfs merge=lfs -text\n"));
  if (const auto added = world.add(spec); !added) return hub_error(500, added.error().message);
  return Answer::json(json::object{{"url", url}, {"name", id}, {"id", sha1_of(id).substr(0, 24)}});
}

Answer delete_repository(World& world, const Request& request) {
  const auto body = json::parse_object(request.body->text());
  if (!body) return hub_error(400, body.error().message);
  const auto named = named_repository(world, request, *body);
  if (!named) return named.error();
  if (world.repositories.erase(named->first + "/" + named->second) == 0) return hub_error(404, "Repository not found", "RepoNotFound");
  return Answer::text(200, "OK");
}

Answer preupload(World& world, const Request& request, const Subject& subject) {
  const auto repository = open_repository(world, request, subject.kind, subject.id, Right::write);
  if (!repository) return repository.error();
  const auto commit = find_commit(**repository, subject.rest.size() > 1 ? subject.rest[1] : "main");
  if (!commit) return commit.error();
  const auto body = json::parse_object(request.body->text());
  if (!body) return hub_error(400, body.error().message);
  const auto asked = list_at(*body, "files");
  if (asked.size() > kMostPreuploaded) return hub_error(413, "too many files");
  json::array out;
  for (const auto& one : asked) {
    const auto path = text_at(one.as_object(), "path");
    const auto size = count_at(one.as_object(), "size");
    FileSpec spec;
    spec.path = path;
    spec.sha256 = "";
    spec.content = Content::generated(size, 0);
    const auto judged = stored(spec);
    const auto old = (*commit)->files.find(path);
    const bool known = old != (*commit)->files.end();
    const auto oid = !known ? json::value(nullptr) : json::value(old->second.lfs ? old->second.sha256 : old->second.content->git_sha1());
    out.push_back(json::object{
        {"path", path}, {"uploadMode", size > 0 && judged && judged->lfs ? "lfs" : "regular"}, {"shouldIgnore", false}, {"oid", oid}});
  }
  return Answer::json(json::object{{"files", out}, {"commitOid", (*commit)->id}});
}

Answer lfs(World& world, const Request& request, const Subject& subject) {
  const auto verb = request.segments.back();
  const auto body = json::parse_object(request.body->text());
  if (!body) return hub_error(400, body.error().message);
  if (verb == "complete") return complete(world, request, *body);  // its address is as good as a signature
  const auto repository = open_repository(world, request, subject.kind, subject.id, Right::write);
  if (!repository) return repository.error();
  if (verb == "batch") return lfs_batch(world, request, subject, *body);
  const auto object = world.objects.find(text_at(*body, "oid"));
  const bool held = object != world.objects.end() && object->second->size() == count_at(*body, "size");
  return verb == "verify" && held ? Answer::json(json::object{}) : hub_error(404, "the object is not here");
}

Answer commit_files(World& world, const Request& request, const Subject& subject, const std::string& revision) {
  const auto opened = open_repository(world, request, subject.kind, subject.id, Right::write);
  if (!opened) return opened.error();
  auto& repository = **opened;
  if (!repository.branches.contains(revision)) return hub_error(404, "Invalid rev id: " + revision, "RevisionNotFound");
  auto files = repository.commits.at(repository.branches.at(revision)).files;
  const auto text = request.body->text();
  std::string title = "a commit";
  for (const auto line : split(text, '\n')) {
    if (trim(line).empty()) continue;
    const auto parsed = json::parse_object(line);
    if (!parsed || !parsed->contains("value") || !parsed->at("value").is_object()) return hub_error(400, "a line is not what it should be");
    const auto& value = parsed->at("value").get_object();
    if (text_at(*parsed, "key") == "header") {
      title = text_at(value, "summary");
      const auto parent = text_at(value, "parentCommit");
      if (!parent.empty() && !repository.branches.at(revision).starts_with(parent))
        return hub_error(412, "A commit has happened since. Please refresh and try again.");
    }
    if (auto refusal = apply(world, *parsed, files)) return *refusal;
  }
  const auto id = world.commit(repository, revision, std::move(files), title);
  return Answer::json(
      json::object{{"success", true}, {"commitOid", id}, {"commitUrl", fmt::format("{}/{}/commit/{}", request.origin, subject.id, id)}});
}

Answer change_ref(World& world, const Request& request, const Subject& subject) {
  const auto opened = open_repository(world, request, subject.kind, subject.id, Right::write);
  if (!opened) return opened.error();
  if (subject.rest.size() < 2) return hub_error(404, "not found");
  const bool branch = subject.rest[0] == "branch";
  auto& refs = branch ? (*opened)->branches : (*opened)->tags;
  if (request.method == "DELETE")
    return refs.erase(subject.rest[1]) == 0 ? hub_error(404, "Reference not found", "RevisionNotFound") : Answer::empty(200);
  const auto text = request.body->text();
  const auto body = json::parse_object(text.empty() ? "{}" : text);
  if (!body) return hub_error(400, body.error().message);
  const auto name = branch ? subject.rest[1] : text_at(*body, "tag");
  const auto start = branch ? text_at(*body, "startingPoint") : subject.rest[1];
  const auto commit = find_commit(**opened, start.empty() ? (*opened)->first_branch() : start);
  if (!commit) return commit.error();
  if (refs.contains(name)) return hub_error(409, "Reference already exists");
  refs[name] = (*commit)->id;
  return Answer::json(json::object{});
}

}  // namespace puna::fakes
