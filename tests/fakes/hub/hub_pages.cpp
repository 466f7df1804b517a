#include <fmt/format.h>

#include <algorithm>

#include "fakes/hub/hub_answers.h"

namespace puna::fakes {
namespace {

constexpr std::uint64_t kTreePage = 1000;
constexpr std::uint64_t kExpandedPage = 50;
constexpr std::uint64_t kPointerSize = 135;

bool wants(const Request& request, const std::string& name) {
  const auto value = request.parameter(name);
  return value && *value != "false" && *value != "0";
}

json::object sibling_json(const std::string& path, const StoredFile& file, bool sizes) {
  json::object out{{"rfilename", path}};
  if (!sizes) return out;
  out["size"] = file.content->size();
  out["blobId"] = file.lfs ? sha1_of(file.sha256) : file.content->git_sha1();
  if (file.lfs) out["lfs"] = json::object{{"sha256", file.sha256}, {"size", file.content->size()}, {"pointerSize", kPointerSize}};
  return out;
}

json::object tree_json(const std::string& path, const StoredFile& file, const Commit& commit, bool expanded) {
  json::object out{{"type", "file"},
                   {"oid", file.lfs ? sha1_of(file.sha256) : file.content->git_sha1()},
                   {"size", file.content->size()},
                   {"path", path}};
  if (file.lfs) out["lfs"] = json::object{{"oid", file.sha256}, {"size", file.content->size()}, {"pointerSize", kPointerSize}};
  if (!expanded) return out;
  out["lastCommit"] = json::object{{"id", commit.id}, {"title", commit.title}, {"date", iso_date(commit.date)}};
  out["securityFileStatus"] = json::object{
      {"status", "safe"}, {"avScan", json::object{{"status", "safe"}}}, {"pickleImportScan", json::object{{"status", "unscanned"}}}};
  return out;
}

json::object folder_json(const std::string& path) {
  return {{"type", "directory"}, {"oid", sha1_of(path)}, {"size", 0}, {"path", path}};
}

// The entries below a folder, folders among them.
std::vector<json::value> entries_of(const Commit& commit, const std::string& folder, bool recursive, bool expanded) {
  std::vector<json::value> out;
  std::set<std::string> folders;
  const auto prefix = folder.empty() ? "" : folder + "/";
  for (const auto& [path, file] : commit.files) {
    if (!path.starts_with(prefix)) continue;
    auto slash = path.find('/', prefix.size());
    for (; slash != std::string::npos; slash = recursive ? path.find('/', slash + 1) : std::string::npos)
      if (folders.insert(path.substr(0, slash)).second) out.emplace_back(folder_json(path.substr(0, slash)));
    if (recursive || path.find('/', prefix.size()) == std::string::npos) out.emplace_back(tree_json(path, file, commit, expanded));
  }
  return out;
}

json::array refs_json(const std::map<std::string, std::string>& refs, const std::string& prefix) {
  json::array out;
  for (const auto& [name, commit] : refs) out.push_back(json::object{{"name", name}, {"ref", prefix + name}, {"targetCommit", commit}});
  return out;
}

std::expected<std::pair<Repository*, const Commit*>, Answer> open_commit(World& world, const Request& request, const Subject& subject,
                                                                         const std::string& revision) {
  auto repository = open_repository(world, request, subject.kind, subject.id, Right::see);
  if (!repository) return std::unexpected(repository.error());
  auto commit = find_commit(**repository, revision.empty() ? (*repository)->first_branch() : revision);
  if (!commit) return std::unexpected(commit.error());
  return std::pair(*repository, *commit);
}

json::value text_or_null(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value(nullptr);
}

}  // namespace

Page page_of(const Request& request, std::size_t count, std::uint64_t page) {
  const auto cursor = request.parameter("cursor");
  Page out{.from = cursor ? std::strtoull(base64_decoded(*cursor).c_str(), nullptr, 10) : 0, .to = 0, .link = {}};
  out.from = std::min(out.from, count);
  out.to = std::min<std::size_t>(count, out.from + page);
  if (out.to == count) return out;
  auto next = request.origin + request.path + "?";
  for (const auto& [name, value] : request.query)
    if (name != "cursor") next += percent_encoded(name, "[]") + "=" + percent_encoded(value) + "&";
  out.link = fmt::format("<{}cursor={}>; rel=\"next\"", next, percent_encoded(base64_encoded(std::to_string(out.to))));
  return out;
}

json::object repository_json(const Repository& repository, const Commit& head) {
  const auto& about = repository.about;
  const auto owner = about.id.find('/') == std::string::npos ? "" : about.id.substr(0, about.id.find('/'));
  const auto created = about.created_at.value_or("2026-01-02T03:04:05.000Z");
  std::uint64_t used = 0;
  for (const auto& [path, file] : head.files) used += file.content->size();
  json::object out{{"_id", sha1_of(about.id).substr(0, 24)},
                   {"id", about.id},
                   {"modelId", about.id},
                   {"author", owner},
                   {"sha", head.id},
                   {"lastModified", about.last_modified.value_or(created)},
                   {"createdAt", created},
                   {"private", about.visibility.value_or("public") == "private"},
                   {"gated", about.gated ? json::value(*about.gated) : json::value(false)},
                   {"disabled", about.disabled.value_or(false)},
                   {"downloads", about.downloads.value_or(0)},
                   {"likes", about.likes.value_or(0)},
                   {"trendingScore", 0},
                   {"usedStorage", used},
                   {"tags", json::encode(about.tags.value_or(std::vector<std::string>()))},
                   {"pipeline_tag", text_or_null(about.pipeline_tag)},
                   {"library_name", text_or_null(about.library_name)}};
  if (about.card) out["cardData"] = *about.card;
  if (about.gguf) out["gguf"] = *about.gguf;
  return out;
}

Answer model_info(World& world, const Request& request, const Subject& subject, const std::string& revision) {
  const auto opened = open_commit(world, request, subject, revision);
  if (!opened) return opened.error();
  const auto& [repository, commit] = *opened;
  auto info = repository_json(*repository, *commit);
  json::array siblings;
  for (const auto& [path, file] : commit->files) siblings.push_back(sibling_json(path, file, wants(request, "blobs")));
  info["siblings"] = std::move(siblings);
  const auto expand = request.parameters("expand");
  if (!expand.empty()) {
    json::object narrowed{{"_id", info["_id"]}, {"id", info["id"]}};
    for (const auto& name : expand)
      if (const auto* value = info.if_contains(name)) narrowed[name] = *value;
    info = std::move(narrowed);
  }
  return Answer::json(info);
}

Answer tree(World& world, const Request& request, const Subject& subject, const std::string& revision, const std::string& folder) {
  const auto opened = open_commit(world, request, subject, revision);
  if (!opened) return opened.error();
  const bool expanded = wants(request, "expand");
  const auto entries = entries_of(*opened->second, folder, wants(request, "recursive"), expanded);
  if (entries.empty() && !folder.empty()) return hub_error(404, folder + " does not exist on \"" + revision + "\"", "EntryNotFound");
  auto size = world.settings.tree_page.value_or(expanded ? kExpandedPage : kTreePage);
  if (const auto limit = request.parameter("limit")) size = std::min<std::uint64_t>(size, std::strtoull(limit->c_str(), nullptr, 10));
  const auto page = page_of(request, entries.size(), std::max<std::uint64_t>(size, 1));
  json::array out(entries.begin() + static_cast<std::ptrdiff_t>(page.from), entries.begin() + static_cast<std::ptrdiff_t>(page.to));
  auto answer = Answer::json(out);
  if (!page.link.empty()) answer.set("Link", page.link);
  return answer;
}

Answer paths_info(World& world, const Request& request, const Subject& subject, const std::string& revision) {
  const auto opened = open_commit(world, request, subject, revision);
  if (!opened) return opened.error();
  std::vector<std::string> asked;
  bool expanded = false;
  const auto body = request.body->text();
  if (request.header("content-type").starts_with("application/json")) {
    const auto form = json::parse_object(body);
    if (!form) return hub_error(400, form.error().message);
    if (const auto* paths = form->if_contains("paths")) asked = json::decode<std::vector<std::string>>(*paths).value_or(asked);
    if (const auto* expand = form->if_contains("expand")) expanded = expand->is_bool() && expand->get_bool();
  } else {
    for (std::size_t at = 0; at < body.size();) {
      const auto end = std::min(body.find('&', at), body.size());
      const auto field = body.substr(at, end - at);
      const auto value = percent_decoded(field.substr(std::min(field.find('=') + 1, field.size())), true);
      if (field.starts_with("paths=")) asked.push_back(value);
      if (field.starts_with("expand=")) expanded = value == "true" || value == "True" || value == "1";
      at = end + 1;
    }
  }
  json::array out;
  const auto& files = opened->second->files;
  for (const auto& path : asked) {
    if (const auto found = files.find(path); found != files.end())
      out.push_back(tree_json(path, found->second, *opened->second, expanded));
    else if (!path.empty() && std::ranges::any_of(files, [&](const auto& entry) { return entry.first.starts_with(path + "/"); }))
      out.push_back(folder_json(path));
  }
  return Answer::json(out);
}

Answer refs(World& world, const Request& request, const Subject& subject) {
  const auto repository = open_repository(world, request, subject.kind, subject.id, Right::see);
  if (!repository) return repository.error();
  json::object out{{"branches", refs_json((*repository)->branches, "refs/heads/")},
                   {"converts", json::array()},
                   {"tags", refs_json((*repository)->tags, "refs/tags/")}};
  if (wants(request, "include_prs")) out["pullRequests"] = json::array();
  return Answer::json(out);
}

Answer commits(World& world, const Request& request, const Subject& subject, const std::string& revision) {
  const auto opened = open_commit(world, request, subject, revision);
  if (!opened) return opened.error();
  json::array out;
  const auto& [repository, head] = *opened;
  bool reached = false;
  for (auto id = repository->history.rbegin(); id != repository->history.rend(); ++id) {
    reached = reached || *id == head->id;
    if (!reached) continue;
    const auto& commit = repository->commits.at(*id);
    out.push_back(
        json::object{{"id", *id}, {"title", commit.title}, {"message", ""}, {"date", iso_date(commit.date)}, {"authors", json::array()}});
  }
  return Answer::json(out);
}

}  // namespace puna::fakes
