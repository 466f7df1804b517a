// Which part of the hub answers which address.
#include <fmt/format.h>

#include <algorithm>

#include "fakes/hub/hub_answers.h"

namespace puna::fakes {
namespace {

std::string joined(const std::vector<std::string>& parts, std::size_t from) {
  std::string out;
  for (auto i = from; i < parts.size(); ++i) out += (i > from ? "/" : "") + parts[i];
  return out;
}

// api/models/[owner/]name/REST: a bare name is one when there is such a repository.
std::expected<Subject, Answer> api_subject(const World& world, const std::vector<std::string>& parts) {
  Subject out{.kind = parts[1].substr(0, parts[1].size() - 1), .id = parts[2], .rest = {}};
  if (parts[2].contains('/')) return std::unexpected(hub_error(400, "Invalid repository name: a slash must not be encoded"));
  std::size_t next = 3;
  if (!world.repositories.contains(out.kind + "/" + parts[2]) && parts.size() > 3) {
    out.id += "/" + parts[3];
    next = 4;
  }
  out.rest.assign(parts.begin() + static_cast<std::ptrdiff_t>(next), parts.end());
  return out;
}

// [datasets/|spaces/][owner/]name/REST
Subject page_subject(const std::vector<std::string>& parts, std::size_t verb) {
  Subject out{.kind = "model", .id = {}, .rest = {}};
  std::size_t first = 0;
  if (parts[0] == "datasets" || parts[0] == "spaces") {
    out.kind = parts[0].substr(0, parts[0].size() - 1);
    first = 1;
  }
  out.id = joined({parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(verb)}, first);
  out.rest.assign(parts.begin() + static_cast<std::ptrdiff_t>(verb), parts.end());
  return out;
}

// A repository with a new name sends its requests on, with an address on the same host.
std::optional<Answer> moved(const World& world, const Request& request, const Subject& subject) {
  const auto found = world.repositories.find(subject.kind + "/" + subject.id);
  if (found == world.repositories.end()) return std::nullopt;
  const auto& present = found->second.about.moved_to;
  if (!present) return std::nullopt;
  auto target = request.target;
  target.replace(target.find(subject.id), subject.id.size(), *present);
  return Answer::redirect(307, target);
}

Answer whoami(World& world, const Request& request) {
  const auto user = asker(world, request);
  if (!user) return user.error();
  if (!*user) return hub_error(401, "Invalid username or password.");
  const auto& about = (*user)->about;
  json::array organizations;
  for (const auto& name : about.organizations.value_or(std::vector<std::string>()))
    organizations.push_back(json::object{{"type", "org"}, {"id", sha1_of(name).substr(0, 24)}, {"name", name}});
  return Answer::json(json::object{
      {"type", "user"},
      {"id", sha1_of(about.name).substr(0, 24)},
      {"name", about.name},
      {"fullname", about.name},
      {"isPro", false},
      {"orgs", organizations},
      {"auth", json::object{{"type", "access_token"},
                            {"accessToken", json::object{{"displayName", "double"}, {"role", about.role.value_or("write")}}}}}});
}

Answer api_repository(World& world, const Request& request, const Subject& subject) {
  if (auto away = moved(world, request, subject)) return *away;
  const auto& rest = subject.rest;
  const auto verb = rest.empty() ? "" : rest[0];
  const auto revision = rest.size() > 1 ? rest[1] : "";
  if (verb.empty()) return model_info(world, request, subject, "");
  if (verb == "revision") return model_info(world, request, subject, revision);
  if (verb == "tree") return tree(world, request, subject, revision, joined(rest, 2));
  if (verb == "paths-info") return paths_info(world, request, subject, revision);
  if (verb == "refs") return refs(world, request, subject);
  if (verb == "commits") return commits(world, request, subject, revision);
  if (verb == "auth-check") {
    const auto right = revision == "write" ? Right::write : Right::read;
    const auto repository = open_repository(world, request, subject.kind, subject.id, right);
    return repository ? Answer::json(json::object{}) : repository.error();
  }
  if (verb == "preupload") return preupload(world, request, subject);
  if (verb == "commit") return commit_files(world, request, subject, revision);
  if (verb == "branch" || verb == "tag") return change_ref(world, request, subject);
  return hub_error(404, "Sorry, we can't find the page you are looking for.");
}

Answer api(World& world, const Request& request) {
  const auto& parts = request.segments;
  if (parts.size() < 2) return hub_error(404, "not found");
  if (parts[1] == "whoami-v2") return whoami(world, request);
  if (parts[1] == "resolve-cache") return resolve_cache(world, request);
  if (parts[1] == "repos" && parts.size() == 3 && parts[2] == "create") return create_repository(world, request);
  if (parts[1] == "repos" && parts.size() == 3 && parts[2] == "delete") return delete_repository(world, request);
  if (parts[1] == "validate-yaml") return Answer::json(json::object{{"errors", json::array()}, {"warnings", json::array()}});
  if (parts[1] != "models" && parts[1] != "datasets" && parts[1] != "spaces") return hub_error(404, "not found");
  if (parts.size() == 2) return search(world, request, parts[1].substr(0, parts[1].size() - 1));
  const auto subject = api_subject(world, parts);
  return subject ? api_repository(world, request, *subject) : subject.error();
}

Answer page(World& world, const Request& request) {
  const auto& parts = request.segments;
  if (request.path.contains(".git/info/lfs/")) {
    auto verb = static_cast<std::size_t>(std::ranges::find(parts, "info") - parts.begin());
    auto subject = page_subject(parts, verb);
    subject.id.resize(subject.id.size() - std::string_view(".git").size());
    return lfs(world, request, subject);
  }
  for (std::size_t verb = 1; verb + 2 < parts.size() && verb < 4; ++verb) {
    if (parts[verb] != "resolve" && parts[verb] != "raw") continue;
    const auto subject = page_subject(parts, verb);
    if (auto away = moved(world, request, subject)) return *away;
    return resolve(world, request, subject, parts[verb + 1], joined(parts, verb + 2));
  }
  return Answer::text(404, "<!DOCTYPE html><html><body>404</body></html>", "text/html");
}

// What is left of the bucket's requests; above the quota, none.
bool within_quota(World& world, const std::string& bucket, std::optional<std::uint64_t> quota, std::string& told) {
  const auto length = std::chrono::milliseconds(world.settings.quota_window_ms.value_or(300'000));
  auto& window = world.windows[bucket];
  const auto now = Clock::now();
  if (now - window.began >= length) window = {.began = now, .used = 0};
  const auto most = quota.value_or(1'000'000);
  const bool allowed = window.used < most;
  window.used += allowed ? 1 : 0;
  const auto left = std::chrono::ceil<std::chrono::seconds>(window.began + length - now);
  told = fmt::format("\"{}\";r={};t={}", bucket, most - window.used, left.count());
  return allowed;
}

}  // namespace

Answer hub_answer(World& world, const Request& request) {
  const auto& parts = request.segments;
  if (parts.empty()) return Answer::empty(404);
  const bool resolving = request.path.contains("/resolve/");
  const std::string bucket = resolving ? "resolvers" : parts[0] == "api" ? "api" : "pages";
  const auto quota = resolving ? world.settings.resolve_quota : world.settings.api_quota;
  std::string told;
  const bool allowed = within_quota(world, bucket, quota, told);
  auto out = !allowed            ? hub_error(429, "We had to rate limit you. Log in to raise the limit.")
             : parts[0] == "v2"  ? bridge(world, request)
             : parts[0] == "api" ? api(world, request)
                                 : page(world, request);
  out.set("RateLimit", told);
  out.set("RateLimit-Policy", fmt::format("\"fixed window\";\"{}\";q={};w={}", bucket, quota.value_or(1'000'000),
                                          world.settings.quota_window_ms.value_or(300'000) / 1000));
  out.set("X-Request-Id", "Root=1-" + world.unique());
  return out;
}

}  // namespace puna::fakes
