// The control route of the double, for programs that are not linked with it: /_double/… on the hub's own address.
//
//   GET|DELETE /_double/requests         what was asked for, with bytes sent; forget it
//   POST|DELETE /_double/faults          {…} as in a scenario; forget all
//   POST /_double/release|hold|expire    gates open, gates closed, every link given so far is worth nothing
//   POST /_double/revoke                 {"token": "hf_…"}
//   POST /_double/pace                   {"role": "storage", "pace": {"rate": 20000000, "delay_ms": 50, "connect_ms": 0}}
//   POST /_double/shut|reopen|break      {"role": "storage"}
//   POST /_double/repositories|modelscope|models|users|web   {…} as in a scenario
//   POST /_double/commit                 {"id": "owner/name", "branch": "main", "files": […], "removed": […]}
#include "fakes/hub/hub.h"

namespace puna::fakes {
namespace {

struct CommitSpec {
  std::string id;
  std::optional<std::string> branch;
  std::optional<std::vector<FileSpec>> files;
  std::optional<std::vector<std::string>> removed;
};
BOOST_DESCRIBE_STRUCT(CommitSpec, (), (id, branch, files, removed))

struct TokenSpec {
  std::string token;
};
BOOST_DESCRIBE_STRUCT(TokenSpec, (), (token))

Answer failure(const Error& error) {
  return Answer::json(json::object{{"error", error.text()}}, 400);
}

Answer done(const Result<>& result) {
  return result ? Answer::json(json::object{}) : failure(result.error());
}

// Decodes the body and does something with it.
template <class T, class Act>
Answer with(const json::value& body, Act act) {
  const auto spec = json::decode<T>(body);
  return spec ? done(act(*spec)) : failure(spec.error());
}

}  // namespace

std::optional<Answer> Hub::control(const Request& request) {
  if (request.segments.size() != 2 || request.segments[0] != "_double") return std::nullopt;
  const auto& verb = request.segments[1];
  if (request.method == "GET" && verb == "requests") return Answer::json(json::encode(requests()));
  if (request.method == "DELETE" && verb == "requests") return forget_requests(), Answer::json(json::object{});
  if (request.method == "DELETE" && verb == "faults") return clear_faults(), Answer::json(json::object{});
  const auto text = request.body->text();
  const auto body = json::parse_object(text.empty() ? "{}" : text);
  if (!body) return failure(body.error());
  if (request.method != "POST") return Answer::empty(405);
  return control_post(verb, *body);
}

std::optional<Answer> Hub::control_post(const std::string& verb, const json::object& body) {
  using Act = Result<>;
  if (verb == "release") return release(), Answer::json(json::object{});
  if (verb == "hold") return hold(), Answer::json(json::object{});
  if (verb == "expire") return expire_links(), Answer::json(json::object{});
  if (verb == "faults") return with<HubFault>(body, [this](const HubFault& spec) { return fault(spec), Act(); });
  if (verb == "revoke") return with<TokenSpec>(body, [this](const TokenSpec& spec) { return revoke(spec.token), Act(); });
  if (verb == "pace")
    return with<RoleSpec>(body, [this](const RoleSpec& spec) { return pace(spec.role, spec.pace.value_or(Pace())), Act(); });
  if (verb == "shut") return with<RoleSpec>(body, [this](const RoleSpec& spec) { return shut(spec.role), Act(); });
  if (verb == "reopen") return with<RoleSpec>(body, [this](const RoleSpec& spec) { return reopen(spec.role); });
  if (verb == "break") return with<RoleSpec>(body, [this](const RoleSpec& spec) { return break_connections(spec.role), Act(); });
  if (verb == "repositories") return with<RepositorySpec>(body, [this](const RepositorySpec& spec) { return add(spec); });
  if (verb == "modelscope") return with<RepositorySpec>(body, [this](const RepositorySpec& spec) { return add_modelscope(spec); });
  if (verb == "models") return with<RegistryModelSpec>(body, [this](const RegistryModelSpec& spec) { return add(spec); });
  if (verb == "users") return with<UserSpec>(body, [this](const UserSpec& spec) { return add(spec), Act(); });
  if (verb == "web") return with<FileSpec>(body, [this](const FileSpec& spec) { return add_web(spec); });
  if (verb == "commit")
    return with<CommitSpec>(body, [this](const CommitSpec& spec) -> Act {
      PUNA_CHECK(commit(spec.id, spec.files.value_or(std::vector<FileSpec>()), spec.removed.value_or(std::vector<std::string>()),
                        spec.branch.value_or("main")));
      return {};
    });
  return Answer::json(json::object{{"error", "there is no /_double/" + verb}}, 404);
}

}  // namespace puna::fakes
