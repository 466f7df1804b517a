#include <algorithm>

#include "base/text.h"
#include "fakes/hub/hub_answers.h"

namespace puna::fakes {
namespace {

constexpr std::uint64_t kSearchPage = 1000;

bool tagged(const RepositorySpec& about, const std::string& tag) {
  const auto& tags = about.tags.value_or(std::vector<std::string>());
  return std::ranges::find(tags, tag) != tags.end() || about.library_name == tag || about.pipeline_tag == tag;
}

// "6B" and the like.
double count_of(const std::string& text) {
  const double number = std::strtod(text.c_str(), nullptr);
  switch (text.empty() ? ' ' : text.back()) {
    case 'K':
      return number * 1e3;
    case 'M':
      return number * 1e6;
    case 'B':
      return number * 1e9;
    default:
      return number;
  }
}

bool has_parameters(const RepositorySpec& about, const std::string& bounds) {
  if (!about.gguf || !about.gguf->if_contains("total")) return false;
  const auto total = about.gguf->at("total").to_number<double>();
  for (const auto part : split(bounds, ',')) {
    const auto bound = count_of(std::string(part.substr(std::min(part.find(':') + 1, part.size()))));
    if (part.starts_with("min:") && total < bound) return false;
    if (part.starts_with("max:") && total > bound) return false;
  }
  return true;
}

bool matches(const Request& request, const RepositorySpec& about) {
  if (const auto text = request.parameter("search"))
    for (const auto word : split(*text, ' '))
      if (!lower_ascii(about.id).contains(lower_ascii(word))) return false;
  if (const auto author = request.parameter("author"); author && !about.id.starts_with(*author + "/")) return false;
  for (const auto& filter : request.parameters("filter"))
    for (const auto tag : split(filter, ','))
      if (!tagged(about, std::string(tag))) return false;
  if (const auto app = request.parameter("apps"); app && !tagged(about, "gguf")) return false;
  if (const auto task = request.parameter("pipeline_tag"); task && about.pipeline_tag != *task) return false;
  if (const auto gated = request.parameter("gated"); gated && (*gated == "true") != about.gated.has_value()) return false;
  if (const auto bounds = request.parameter("num_parameters"); bounds && !has_parameters(about, *bounds)) return false;
  return true;
}

// Descending; what is equal keeps the order of the names.
void sort(std::vector<const Repository*>& found, const std::string& by) {
  const auto rank = [&](const RepositorySpec& about) -> std::pair<std::uint64_t, std::string> {
    if (by == "downloads") return {about.downloads.value_or(0), ""};
    if (by == "likes") return {about.likes.value_or(0), ""};
    if (by == "lastModified" || by == "last_modified") return {0, about.last_modified.value_or("")};
    if (by == "createdAt" || by == "created_at") return {0, about.created_at.value_or("")};
    return {0, ""};
  };
  std::ranges::sort(found, [&](const Repository* a, const Repository* b) {
    const auto first = rank(a->about), second = rank(b->about);
    return first == second ? a->about.id < b->about.id : first > second;
  });
}

bool flag(const Request& request, const std::string& name) {
  const auto value = request.parameter(name);
  return value && *value != "false" && *value != "0" && *value != "False";
}

json::value row(const Request& request, const Repository& repository) {
  const auto& head = repository.commits.at(repository.branches.at(repository.first_branch()));
  auto out = repository_json(repository, head);
  json::array siblings;
  for (const auto& [path, file] : head.files) siblings.push_back(json::object{{"rfilename", path}});
  out["siblings"] = std::move(siblings);
  const auto expand = request.parameters("expand");
  if (!expand.empty()) {
    json::object narrowed{{"_id", out["_id"]}, {"id", out["id"]}};
    for (const auto& name : expand)
      if (const auto* value = out.if_contains(name)) narrowed[name] = *value;
    return narrowed;
  }
  for (const auto* left_out : {"gguf", "usedStorage"}) out.erase(left_out);
  if (!flag(request, "cardData")) out.erase("cardData");
  if (flag(request, "full")) return out;
  for (const auto* only_in_full : {"siblings", "sha", "lastModified", "gated", "disabled", "author"}) out.erase(only_in_full);
  return out;
}

}  // namespace

Answer search(World& world, const Request& request, const std::string& kind) {
  const auto user = asker(world, request);
  if (!user) return user.error();
  std::vector<const Repository*> found;
  for (const auto& [key, repository] : world.repositories) {
    if (!key.starts_with(kind + "/") || !matches(request, repository.about)) continue;
    if (open_repository(world, request, kind, repository.about.id, Right::see)) found.push_back(&repository);
  }
  sort(found, request.parameter("sort").value_or(""));
  auto size = world.settings.search_page.value_or(kSearchPage);
  if (const auto limit = request.parameter("limit")) size = std::min<std::uint64_t>(size, std::strtoull(limit->c_str(), nullptr, 10));
  const auto page = page_of(request, found.size(), std::max<std::uint64_t>(size, 1));
  json::array out;
  for (auto i = page.from; i < page.to; ++i) out.push_back(row(request, *found[i]));
  auto answer = Answer::json(out);
  if (!page.link.empty()) answer.set("Link", page.link);
  return answer;
}

}  // namespace puna::fakes
