// ModelScope's API: errors come with status 200 or without, and always with a Code of their own.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "fakes/hub/world.h"

namespace puna::fakes {
namespace {

Answer failure(int status, int code, std::string message) {
  return Answer::json(
      json::object{{"Code", code}, {"Success", false}, {"Message", std::move(message)}, {"RequestId", "double"}, {"Data", nullptr}},
      status);
}

Answer success(json::value data) {
  return Answer::json(
      json::object{{"Code", 200}, {"Success", true}, {"Message", "success"}, {"RequestId", "double"}, {"Data", std::move(data)}});
}

json::object file_json(const std::string& path, const StoredFile& file, const Commit& commit) {
  return {{"Type", "blob"},
          {"Path", path},
          {"Name", path.substr(path.rfind('/') + 1)},
          {"Size", file.content->size()},
          {"Sha256", file.sha256},
          {"Revision", commit.id},
          {"CommittedDate", std::chrono::system_clock::to_time_t(commit.date)},
          {"IsLFS", file.lfs}};
}

Answer list(const Commit& commit, const std::string& root, bool recursive) {
  json::array out;
  std::set<std::string> folders;
  const auto prefix = root.empty() ? "" : root + "/";
  for (const auto& [path, file] : commit.files) {
    if (!path.starts_with(prefix)) continue;
    const auto slash = path.find('/', prefix.size());
    if (slash != std::string::npos && folders.insert(path.substr(0, slash)).second)
      out.push_back(json::object{{"Type", "tree"},
                                 {"Path", path.substr(0, slash)},
                                 {"Name", path.substr(prefix.size(), slash - prefix.size())},
                                 {"Size", 0},
                                 {"Sha256", ""},
                                 {"Revision", commit.id},
                                 {"IsLFS", false}});
    if (slash == std::string::npos || recursive) out.push_back(file_json(path, file, commit));
  }
  return success(json::object{{"Files", out}});
}

json::object about_json(const Repository& repository) {
  const auto& id = repository.about.id;
  return {{"Path", id.substr(0, id.find('/'))},
          {"Name", id.substr(id.find('/') + 1)},
          {"Downloads", repository.about.downloads.value_or(0)},
          {"Stars", repository.about.likes.value_or(0)},
          {"License", "apache-2.0"},
          {"LastUpdatedTime", 1767323045}};
}

Answer contents(World& world, const Request& request, const Repository& repository, const std::string& revision, const std::string& path) {
  const auto commit = find_commit(repository, revision);
  if (!commit) return failure(404, 10990, "Revision not found");
  const auto found = (*commit)->files.find(path);
  if (found == (*commit)->files.end()) return failure(404, 10990, "File not found");
  if (!found->second.lfs) return file_answer(request, found->second.served, "\"" + found->second.sha256 + "\"");
  Grant grant;
  grant.content = found->second.served;
  grant.name = path;
  auto out = Answer::redirect(302, world.sign(Role::storage, "/lfs/" + found->second.sha256, grant));
  out.set("X-Linked-ETag", "\"" + found->second.sha256 + "\"");
  return out;
}

Answer search(World& world, const Request& request) {
  const auto text = lower_ascii(request.parameter("search").value_or(""));
  const auto owner = request.parameter("owner").value_or("");
  const auto size = std::clamp<std::size_t>(std::strtoull(request.parameter("page_size").value_or("10").c_str(), nullptr, 10), 1, 50);
  const auto page = std::max<std::size_t>(std::strtoull(request.parameter("page_number").value_or("1").c_str(), nullptr, 10), 1);
  std::vector<const Repository*> found;
  for (const auto& [id, repository] : world.modelscope)
    if (lower_ascii(id).contains(text) && (owner.empty() || id.starts_with(owner + "/"))) found.push_back(&repository);
  std::ranges::sort(found, [](const Repository* a, const Repository* b) {
    const auto first = a->about.downloads.value_or(0), second = b->about.downloads.value_or(0);
    return first == second ? a->about.id < b->about.id : first > second;
  });
  json::array models;
  for (auto i = (page - 1) * size; i < std::min(page * size, found.size()); ++i) {
    const auto& about = found[i]->about;
    models.push_back(json::object{{"id", about.id},
                                  {"display_name", about.id.substr(about.id.find('/') + 1)},
                                  {"downloads", about.downloads.value_or(0)},
                                  {"likes", about.likes.value_or(0)},
                                  {"license", "apache-2.0"},
                                  {"tags", json::encode(about.tags.value_or(std::vector<std::string>()))},
                                  {"last_modified", about.last_modified.value_or("2026-01-02T03:04:05Z")}});
  }
  return Answer::json(
      json::object{{"success", true},
                   {"request_id", "double"},
                   {"data", json::object{{"models", models}, {"total_count", found.size()}, {"page_number", page}, {"page_size", size}}}});
}

}  // namespace

Answer modelscope_answer(World& world, const Request& request) {
  const auto& parts = request.segments;
  if (request.path == "/openapi/v1/models") return search(world, request);
  // api/v1/models/OWNER/NAME/… or models/OWNER/NAME/resolve/REVISION/PATH
  const bool api = parts.size() >= 5 && parts[0] == "api" && parts[1] == "v1" && parts[2] == "models";
  const bool page = parts.size() >= 6 && parts[0] == "models" && parts[3] == "resolve";
  if (!api && !page) return failure(404, 404, "not found");
  const std::size_t owner = api ? 3 : 1;
  const auto found = world.modelscope.find(parts[owner] + "/" + parts[owner + 1]);
  // An unknown model is told with status 200 by some addresses.
  if (found == world.modelscope.end()) return failure(api && parts.size() > 5 ? 200 : 404, 10205001, "Model does not exist");
  auto& repository = found->second;
  if (page) {
    std::string path;
    for (std::size_t i = 5; i < parts.size(); ++i) path += (i > 5 ? "/" : "") + parts[i];
    return contents(world, request, repository, parts[4], path);
  }
  const auto revision = request.parameter("Revision").value_or("master");
  if (parts.size() == 5) return success(about_json(repository));
  if (parts.size() == 6 && parts[5] == "revisions")
    return success(json::object{
        {"RevisionMap", json::object{{"Branches", json::array{json::object{{"Revision", "master"}}}}, {"Tags", json::array()}}}});
  if (parts.size() == 6 && parts[5] == "repo")
    return contents(world, request, repository, revision, request.parameter("FilePath").value_or(""));
  const auto commit = find_commit(repository, revision);
  if (!commit) return failure(200, 10990, "Revision not found");
  const auto recursive = lower_ascii(request.parameter("Recursive").value_or("false"));
  return list(**commit, request.parameter("Root").value_or(""), recursive == "true" || recursive == "1");
}

}  // namespace puna::fakes
