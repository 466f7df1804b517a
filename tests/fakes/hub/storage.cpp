// Where signed links lead, as object stores behave: the signature alone decides, and errors are XML.
#include <fmt/format.h>

#include "fakes/hub/world.h"

namespace puna::fakes {
namespace {

constexpr std::uint64_t kMostAtOnce = 50'000'000'000;  // above it, only ranges are served

Answer refusal(int status, std::string_view code, std::string_view message) {
  return Answer::text(
      status, fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{}</Code><Message>{}</Message></Error>", code, message),
      "application/xml");
}

// As of an object that came in parts: no digest of its bytes.
std::string etag_of(const Content& content) {
  return fmt::format("\"{}-3\"", sha1_of(content.text(0, 4096) + std::to_string(content.size())).substr(0, 32));
}

Answer store(World& world, const Request& request, const Grant& grant) {
  auto& upload = world.uploads[grant.upload];
  upload.parts[grant.part] = request.body;
  if (grant.part == 0) {
    if (request.body->sha256() != upload.sha256)
      return refusal(400, "BadDigest", "The SHA-256 you specified did not match what we received.");
    world.objects.insert_or_assign(upload.sha256, request.body);
  }
  auto out = Answer::empty(200);
  out.set("ETag", "\"" + request.body->sha256().substr(0, 32) + "\"");
  return out;
}

}  // namespace

Answer storage_answer(World& world, const Request& request) {
  const auto signature = request.parameter("X-Amz-Signature");
  const auto found = world.grants.find(signature.value_or(""));
  if (found == world.grants.end()) return refusal(403, "AccessDenied", "Access Denied");
  if (!request.header("authorization").empty())
    return refusal(400, "InvalidArgument",
                   "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header");
  auto& grant = found->second;
  if (Clock::now() >= grant.until || grant.left == 0) return refusal(403, "AccessDenied", "Request has expired");
  if (!grant.upload.empty()) return request.method == "PUT" ? store(world, request, grant) : refusal(405, "MethodNotAllowed", "PUT only");
  if (request.method != "GET" && request.method != "HEAD") return refusal(405, "MethodNotAllowed", "GET only");
  if (request.method == "GET" && grant.content->size() > kMostAtOnce && !request.range(grant.content->size()))
    return refusal(400, "EntityTooLarge", "The file is too large to be served as a whole; use ranges");
  auto out = file_answer(request, grant.content, etag_of(*grant.content));
  out.link = found->first;
  out.cut_after = grant.left;
  return out;
}

Answer web_answer(World& world, const Request& request) {
  const auto found = world.web.find(request.decoded_path());
  if (found == world.web.end()) return Answer::text(404, "<!DOCTYPE html><html><body>404</body></html>", "text/html");
  auto out = file_answer(request, found->second.served, "\"" + found->second.served->git_sha1().substr(0, 16) + "\"");
  out.set("Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT");
  return out;
}

}  // namespace puna::fakes
