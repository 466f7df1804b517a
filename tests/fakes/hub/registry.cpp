// Ollama's registry: manifests and blobs, blobs from storage, sign-in with a key, pushes.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <charconv>

#include "base/text.h"
#include "fakes/hub/world.h"

namespace puna::fakes {
namespace {

constexpr std::string_view kManifestType = "application/vnd.docker.distribution.manifest.v2+json";

Answer refusal(int status, std::string_view code, std::string_view message) {
  return Answer::json(json::object{{"errors", json::array{json::object{{"code", code}, {"message", message}}}}}, status);
}

Answer challenge(const Request& request, const std::string& repository, std::string_view what) {
  auto out = refusal(401, "UNAUTHORIZED", "authentication required");
  out.set("WWW-Authenticate", fmt::format(R"(Bearer realm="{}/token",service="{}",scope="repository:{}:{}")", request.origin,
                                          request.header("host"), repository, what));
  return out;
}

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t out = 0;
  for (const char c : bytes.substr(0, 4)) out = out << 8 | static_cast<unsigned char>(c);
  return out;
}

// The key in SSH's wire format: "ssh-ed25519" and 32 bytes, each behind its length.
std::string key_bytes(std::string_view blob) {
  constexpr std::size_t kBefore = 4 + 11 + 4;
  return blob.size() == kBefore + 32 && blob.substr(4, 11) == "ssh-ed25519" && big_endian(blob.substr(15)) == 32
             ? std::string(blob.substr(kBefore))
             : "";
}

bool signed_by(const std::string& key, std::string_view signature, std::string_view message) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pkey(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(key.data()), key.size()),
      EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  return pkey && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                          reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1;
}

// "<base64 key>:<base64 signature>" over method, address and the digest of an empty body. Any key is let in.
Answer give_token(World& world, const Request& request) {
  const auto field = request.header("authorization");
  const auto colon = field.find(':');
  if (colon == std::string::npos) return refusal(401, "UNAUTHORIZED", "a signature is needed");
  const auto key = key_bytes(base64_decoded(field.substr(0, colon)));
  const auto message = fmt::format("{},{}{},{}", request.method, request.origin, request.target, base64_encoded(sha256_of("")));
  if (key.empty() || !signed_by(key, base64_decoded(field.substr(colon + 1)), message))
    return refusal(401, "UNAUTHORIZED", "the signature is wrong");
  const auto token = "registry-" + world.unique();
  world.registry_tokens.insert(token);
  return Answer::json(json::object{{"token", token}, {"access_token", token}});
}

Answer blob(World& world, const Request& request, const std::string& repository, const std::string& digest) {
  const auto sha256 = digest.substr(digest.find(':') + 1);
  const auto object = world.objects.find(sha256);
  if (!world.blobs[repository].contains(sha256) || object == world.objects.end())
    return refusal(404, "BLOB_UNKNOWN", "blob unknown to registry");
  if (request.method != "GET" && request.method != "HEAD") return Answer::empty(405);
  Grant grant;
  grant.content = object->second;
  return Answer::redirect(307, world.sign(Role::storage, "/blobs/" + digest, grant));
}

Answer put_manifest(World& world, const Request& request, const std::string& repository, const std::string& tag) {
  const auto text = request.body->text();
  const auto manifest = json::parse_object(text);
  if (!manifest) return refusal(400, "MANIFEST_INVALID", manifest.error().message);
  json::array layers;
  if (const auto* listed = manifest->if_contains("layers"); listed && listed->is_array()) layers = listed->get_array();
  if (const auto* config = manifest->if_contains("config")) layers.push_back(*config);
  for (const auto& layer : layers) {
    const auto digest = json::decode<std::string>(layer.at("digest")).value_or("");
    if (!world.blobs[repository].contains(digest.substr(digest.find(':') + 1)))
      return refusal(400, "BLOB_UNKNOWN", digest + " was not uploaded");
  }
  world.models[repository + ":" + tag].manifest = text;
  auto out = Answer::empty(201);
  out.set("Docker-Content-Digest", "sha256:" + sha256_of(text));
  return out;
}

Answer get_manifest(World& world, const std::string& repository, const std::string& tag) {
  const auto found = world.models.find(repository + ":" + tag);
  if (found == world.models.end()) return refusal(404, "MANIFEST_UNKNOWN", "manifest unknown");
  auto out = Answer::text(200, found->second.manifest, std::string(kManifestType));
  out.set("Docker-Content-Digest", "sha256:" + sha256_of(found->second.manifest));
  return out;
}

// The next address of an upload; its state changes with every step, as the registry's does.
std::string step(World& world, const Request& request, const std::string& repository, const std::string& upload) {
  return fmt::format("{}/v2/{}/blobs/uploads/{}?_state={}", request.origin, repository, upload, world.unique());
}

Answer begin_upload(World& world, const Request& request, const std::string& repository) {
  if (const auto mounted = request.parameter("mount")) {
    const auto sha256 = mounted->substr(mounted->find(':') + 1);
    if (world.blobs[request.parameter("from").value_or("")].contains(sha256)) {
      world.blobs[repository].insert(sha256);
      return Answer::empty(201);
    }
  }
  const auto upload = world.unique();
  world.uploads[upload].repository = repository;
  auto out = Answer::empty(202);
  out.set("Docker-Upload-Location", step(world, request, repository, upload));
  return out;
}

Answer add_part(World& world, const Request& request, const std::string& repository, const std::string& id) {
  const auto range = request.header("content-range");
  std::uint64_t from = 0;
  std::from_chars(range.data(), range.data() + range.size(), from);
  auto out = Answer::empty(202);
  if (request.header("x-redirect-uploads") == "1" && world.settings.redirect_uploads.value_or(true)) {
    Grant grant;
    grant.upload = id;
    grant.part = from + 1;
    out = Answer::redirect(307, world.sign(Role::storage, "/uploads/" + id, grant));
  } else {
    world.uploads[id].parts[from + 1] = request.body;
  }
  out.set("Docker-Upload-Location", step(world, request, repository, id));
  return out;
}

Answer end_upload(World& world, const Request& request, const std::string& repository, const std::string& id) {
  const auto digest = request.parameter("digest").value_or("");
  world.uploads[id].sha256 = digest.substr(digest.find(':') + 1);
  if (request.body->size() > 0) world.uploads[id].parts[UINT64_MAX] = request.body;
  const auto joined = world.join(id);
  if (!joined) return refusal(400, "DIGEST_INVALID", joined.error().message);
  world.blobs[repository].insert((*joined)->sha256());
  return Answer::empty(201);
}

Answer upload(World& world, const Request& request, const std::string& repository, const std::string& id) {
  if (request.method == "POST") return begin_upload(world, request, repository);
  if (!world.uploads.contains(id)) return refusal(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
  if (request.method == "PATCH") return add_part(world, request, repository, id);
  return request.method == "PUT" ? end_upload(world, request, repository, id) : Answer::empty(405);
}

}  // namespace

Result<> World::add(const RegistryModelSpec& spec) {
  const auto repository = spec.name.substr(0, spec.name.find(':'));
  const auto keep = [&](const Content::Ptr& content, const std::string& sha256) {
    objects.insert_or_assign(sha256, content);
    blobs[repository].insert(sha256);
  };
  json::array layers, diffs;
  for (const auto& layer : spec.layers) {
    PUNA_TRY(auto file, stored(layer));
    keep(file.served, file.sha256);
    diffs.push_back(json::string("sha256:" + file.sha256));
    layers.push_back(json::object{{"mediaType", "application/vnd.ollama.image." + layer.kind.value_or("model")},
                                  {"digest", "sha256:" + file.sha256},
                                  {"size", file.content->size()}});
  }
  json::object described = spec.config.value_or(json::object{{"model_format", "gguf"},
                                                             {"model_family", "llama"},
                                                             {"model_families", json::array{"llama"}},
                                                             {"model_type", "1M"},
                                                             {"file_type", "F16"},
                                                             {"architecture", "amd64"},
                                                             {"os", "linux"}});
  if (!described.contains("rootfs")) described["rootfs"] = json::object{{"type", "layers"}, {"diff_ids", diffs}};
  const auto config = Content::of(json::to_text(described));
  keep(config, config->sha256());
  auto& model = models[spec.name];
  model.closed = spec.closed.value_or(false);
  model.manifest = json::to_text(json::object{{"schemaVersion", 2},
                                              {"mediaType", kManifestType},
                                              {"config", json::object{{"mediaType", "application/vnd.docker.container.image.v1+json"},
                                                                      {"digest", "sha256:" + config->sha256()},
                                                                      {"size", config->size()}}},
                                              {"layers", layers}});
  return {};
}

Answer registry_answer(World& world, const Request& request) {
  const auto& parts = request.segments;
  if (request.path == "/token") return give_token(world, request);
  // v2/NAMESPACE/MODEL/manifests/TAG, …/blobs/DIGEST, …/blobs/uploads/[ID]
  if (parts.size() < 5 || parts[0] != "v2") return refusal(404, "NOT_FOUND", "not found");
  const auto repository = parts[1] + "/" + parts[2];
  const bool writes = request.method != "GET" && request.method != "HEAD";
  bool closed = writes;
  for (const auto& [name, model] : world.models) closed = closed || (model.closed && name.starts_with(repository + ":"));
  if (closed && !world.registry_tokens.contains(request.token())) return challenge(request, repository, writes ? "push,pull" : "pull");
  if (parts[3] == "manifests")
    return writes ? put_manifest(world, request, repository, parts[4]) : get_manifest(world, repository, parts[4]);
  if (parts[3] == "blobs" && parts.size() == 6 && parts[4] == "uploads") return upload(world, request, repository, parts[5]);
  return parts[3] == "blobs" ? blob(world, request, repository, parts[4]) : refusal(404, "NOT_FOUND", "not found");
}

}  // namespace puna::fakes
