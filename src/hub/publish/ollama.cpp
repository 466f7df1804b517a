#include "hub/publish/ollama.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/json.h"
#include "hub/catalogues/ollama_registry.h"
#include "hub/catalogues/web.h"
#include "hub/publish/registry_line.h"
#include "hub/publish/tracker.h"
#include "os/file.h"
#include "os/sha256.h"

namespace puna::hub::publish {
namespace {

constexpr std::string_view kConfigType = "application/vnd.docker.container.image.v1+json";
constexpr std::uint64_t kMostParts = 1000;
constexpr std::size_t kChunk = 1 << 20;
constexpr int kLinksOfPart = 2;  // a link to storage may have expired while we sent

using TrackerPointer = std::shared_ptr<Tracker>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

// An MD5 as storage computes it of what it gets, to be compared there; nothing that anybody's safety depends on.
class Md5 {
 public:
  Md5() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free), working_(context_ && EVP_DigestInit_ex(context_.get(), EVP_md5(), nullptr) == 1) {}
  void update(std::string_view bytes) { working_ = working_ && EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1; }
  Result<std::string> bytes() {
    std::string out(16, '\0');
    if (!working_ || EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(out.data()), nullptr) != 1)
      return fail(Code::internal, "OpenSSL computes no MD5");
    return out;
  }

 private:
  Context context_;
  bool working_;
};

Result<std::string> md5_of(const LayerPart& part, const std::stop_token& stop) {
  Md5 md5;
  if (part.file.place.empty()) {
    md5.update(std::string_view(part.file.text).substr(part.from.count, part.size.count));
    return md5.bytes();
  }
  PUNA_TRY(const auto file, os::open_regular_file(part.file.place));
  std::string chunk(kChunk, '\0');
  for (std::uint64_t at = 0; at < part.size.count;) {
    if (stop.stop_requested()) return fail(net::cancelled_error());
    const auto wanted = std::min<std::uint64_t>(chunk.size(), part.size.count - at);
    const ssize_t got = ::pread(file.get(), chunk.data(), wanted, static_cast<off_t>(part.from.count + at));
    if (got < 0) return fail(errno_error(errno, fmt::format("cannot read {}", part.file.place.string())));
    if (got == 0) return fail(Code::corrupt_data, fmt::format("{} has become shorter", part.file.place.string()));
    md5.update({chunk.data(), static_cast<std::size_t>(got)});
    at += static_cast<std::uint64_t>(got);
  }
  return md5.bytes();
}

// "<MD5 of the parts' MD5s>-<number of parts>".
Result<std::string> etag_of(const std::vector<std::string>& parts) {
  Md5 md5;
  for (const auto& part : parts) md5.update(part);
  PUNA_TRY(const auto digest, md5.bytes());
  std::string hex;
  for (const char c : digest) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return fmt::format("{}-{}", hex, parts.size());
}

json::object descriptor(std::string_view media, const CargoFile& file) {
  return json::object{{"mediaType", media}, {"digest", "sha256:" + file.sha256}, {"size", file.size.count}};
}

std::string manifest_of(const std::vector<CargoFile>& files) {
  json::object config;
  json::array layers;
  for (const auto& file : files) {
    const auto kinds = layer_kinds();
    const auto kind = std::ranges::find(kinds, file.role, &LayerKind::role);
    if (kind != kinds.end())
      layers.push_back(descriptor(fmt::format("{}{}", kLayerPrefix, kind->media), file));
    else
      config = descriptor(kConfigType, file);
  }
  return json::to_text(
      json::object{{"schemaVersion", 2}, {"mediaType", kManifestType}, {"config", std::move(config)}, {"layers", std::move(layers)}});
}

// What an upload that the registry knows no more is answered with.
bool may_be_outdated(const Error& error) {
  return error.code == Code::permission_denied || error.code == Code::not_found || error.code == Code::invalid_argument;
}

class Push {
 public:
  Push(const OllamaParts& parts, const Cargo& cargo, const Progress& progress, const std::stop_token& stop)
      : parts_(parts),
        cargo_(cargo),
        progress_(progress),
        stop_(stop),
        line_(parts.courier, parts.registry, parts.key_file, stop),
        id_(cargo.destination.repository) {}

  Result<Published> run() {
    const auto manifest = manifest_of(cargo_.files);
    PUNA_TRY(out_.commit, os::sha256_of(manifest));
    out_.url = parts_.page;
    PUNA_TRY(const auto present, current_manifest());
    if (present == manifest) return out_;
    out_.created = !present;
    PUNA_CHECK(send_blobs());
    PUNA_CHECK(put_manifest(manifest));
    out_.changed = true;
    return out_;
  }

 private:
  std::string manifest_target() const { return fmt::format("/v2/{}/manifests/{}", id_, net::percent_encode(tag_of(cargo_.destination))); }
  std::string key_of(const CargoFile& file) const { return fmt::format("{} {} {}", line_.host(), id_, file.sha256); }
  Error refused(std::string_view what, const net::HttpResponse& response, std::string_view host = {}) const {
    return refusal_of(what, host.empty() ? line_.host() : host, response, kRegistryWaysIn);
  }

  Result<net::HttpRequest> request(std::string_view method, std::string_view target) const {
    PUNA_TRY(auto url, behind(parts_.registry, target));
    return net::HttpRequest{.method = std::string(method), .url = std::move(url)};
  }

  Result<std::optional<std::string>> current_manifest() {
    PUNA_TRY(auto asked, request("GET", manifest_target()));
    asked.headers.set("Accept", std::string(kManifestType));
    PUNA_TRY(auto response, line_.ask(std::move(asked)));
    if (response.status == 404) return std::nullopt;
    if (!is_success(response)) return fail(refused(cargo_.destination.text(), response));
    return std::move(response.body);
  }

  Result<> put_manifest(const std::string& manifest) {
    PUNA_TRY(auto asked, request("PUT", manifest_target()));
    asked.headers.set("Content-Type", std::string(kManifestType));
    asked.body = manifest;
    PUNA_TRY(const auto response, line_.ask(std::move(asked)));
    return is_success(response) ? Result<>() : fail(refused(fmt::format("the manifest of {}", cargo_.destination.text()), response));
  }

  Result<bool> lacks(const CargoFile& file) {
    PUNA_TRY(auto asked, request("HEAD", fmt::format("/v2/{}/blobs/sha256:{}", id_, file.sha256)));
    PUNA_TRY(const auto response, line_.ask(std::move(asked)));
    if (response.status == 404) return true;
    if (response.status < 400) return false;  // 307: it is in storage
    return fail(refused(fmt::format("asking for {}", file.path), response));
  }

  Result<> send_blobs() {
    std::vector<const CargoFile*> missing;
    std::set<std::string_view> seen;
    Bytes total;
    for (const auto& file : cargo_.files) {
      if (!seen.insert(file.sha256).second) continue;
      PUNA_TRY(const bool wanted, lacks(file));
      if (!wanted) continue;
      missing.push_back(&file);
      total += file.size;
    }
    if (missing.empty()) return {};
    const TrackerScope scope(total, progress_);
    Bytes before;
    for (const auto* file : missing) {
      PUNA_CHECK(send(*file, before, scope.get()));
      before += file->size;
      scope.get()->moved(before, Bytes(0));
    }
    return {};
  }

  Result<> send(const CargoFile& file, Bytes before, const TrackerPointer& tracker) {
    const auto key = key_of(file);
    if (auto begun = parts_.half_sent.find(key)) {
      if (line_.token().empty()) line_.use(begun->token);  // else a whole part would go for being asked to sign in
      PUNA_TRY(const bool there, send_rest(file, std::move(*begun), before, tracker));
      if (there) return {};
    }
    PUNA_TRY(auto fresh, begin(file));
    if (!fresh) return {};
    PUNA_TRY(const bool there, send_rest(file, std::move(*fresh), before, tracker));
    return there ? Result<>() : fail(*lost_);
  }

  // Nothing when the registry took the blob from another repository of its own.
  Result<std::optional<HalfSentBlob>> begin(const CargoFile& file) {
    std::string target = fmt::format("/v2/{}/blobs/uploads/", id_);
    if (!parts_.mount_from.empty())
      target += fmt::format("?mount=sha256:{}&from={}", file.sha256, net::percent_encode(parts_.mount_from, "/"));
    PUNA_TRY(auto asked, request("POST", target));
    asked.repeatable = true;  // an upload that nobody uses costs nothing
    const auto url = asked.url;
    PUNA_TRY(const auto response, line_.ask(std::move(asked)));
    if (response.status == 201) return std::nullopt;
    if (!is_success(response)) return fail(refused(fmt::format("{}: asking for an upload", file.path), response));
    PUNA_TRY(auto next, next_of(response, url));
    if (next == url) return fail(Code::upstream_failed, fmt::format("{}: {} names no place to upload to", file.path, line_.host()));
    const auto size = std::max(parts_.part_size, Bytes(file.size.count / kMostParts + 1));
    return HalfSentBlob{.next = std::move(next), .token = {}, .part_size = size, .parts = {}};
  }

  // Where the upload goes on; `from` when the registry does not say.
  Result<net::Url> next_of(const net::HttpResponse& response, const net::Url& from) const {
    auto said = response.headers.get("Docker-Upload-Location");
    if (!said && response.status != 307) said = response.headers.get("Location");
    if (!said) return from;
    PUNA_TRY(auto next, from.resolve(*said));
    return safe(std::move(next));
  }

  Result<net::Url> safe(net::Url url) const {
    const bool as_the_registry = url.scheme == parts_.registry.scheme && (!url.is_loopback() || parts_.registry.is_loopback());
    if (as_the_registry || (url.scheme == "https" && !url.is_loopback())) return url;
    return fail(Code::upstream_failed, fmt::format("{} names an unsafe place to upload to: {}", line_.host(), url.printable()));
  }

  // Whether the blob is there now; false when the registry does not know the upload any more, and `lost_` says how it put that.
  Result<bool> send_rest(const CargoFile& file, HalfSentBlob upload, Bytes before, const TrackerPointer& tracker) {
    const auto sent = send_parts(file, std::move(upload), before, tracker);
    if (!sent && !may_be_outdated(sent.error())) return fail(sent.error());
    parts_.half_sent.forget(key_of(file));
    if (!sent) {
      lost_ = sent.error();
      // The answer to the last step may have been lost, and the step not.
      PUNA_TRY(const bool still, lacks(file));
      if (still) return false;
    }
    out_.sent += file.size;
    return true;
  }

  Result<> send_parts(const CargoFile& file, HalfSentBlob upload, Bytes before, const TrackerPointer& tracker) {
    for (;;) {
      const Bytes from(upload.part_size.count * upload.parts.size());
      if (from >= file.size) break;
      const LayerPart part{file, from, std::min(upload.part_size, file.size - from)};
      PUNA_TRY(auto md5, md5_of(part, stop_));
      PUNA_TRY(upload.next, send_part(upload.next, part, before, tracker));
      upload.parts.push_back(std::move(md5));
      upload.token = line_.token();
      parts_.half_sent.keep(key_of(file), upload);
    }
    return finish(file, upload);
  }

  // Returns where the upload goes on. The registry takes the part itself, or sends it on to storage.
  Result<net::Url> send_part(const net::Url& to, const LayerPart& part, Bytes before, const TrackerPointer& tracker) {
    const auto moved = [tracker, at = before + part.from](Bytes now) { tracker->moved(at, now); };
    const auto unheard = [](Bytes) {};  // what a registry that sends us on has read of a part, storage has not
    net::Url at = to;
    for (int link = 1;; ++link) {
      net::HttpRequest patch{.method = "PATCH", .url = at};
      patch.headers.set("Content-Range", fmt::format("{}-{}", part.from.count, part.from.count + part.size.count - 1));
      patch.headers.set("X-Redirect-Uploads", "1");
      PUNA_TRY(auto response, line_.send(std::move(patch), part, redirects_ ? std::function<void(Bytes)>(unheard) : moved));
      PUNA_TRY(at, next_of(response, at));
      const auto elsewhere = response.headers.get("Location");
      redirects_ = response.status == 307 && elsewhere;
      std::string host = line_.host();
      if (redirects_) {
        PUNA_TRY(auto storage, to.resolve(*elsewhere));
        PUNA_TRY(storage, safe(std::move(storage)));
        host = storage.authority();
        PUNA_TRY(response, line_.send(net::HttpRequest{.method = "PUT", .url = std::move(storage)}, part, moved));
      }
      if (is_success(response)) {
        tracker->moved(before + part.from, part.size);
        return at;
      }
      const bool expired = redirects_ && response.status == 403;
      if (!expired || link == kLinksOfPart) return fail(refused(part.file.path, response, host));
    }
  }

  Result<> finish(const CargoFile& file, const HalfSentBlob& upload) {
    PUNA_TRY(const auto etag, etag_of(upload.parts));
    auto url = upload.next;
    url.query =
        fmt::format("{}{}digest=sha256:{}&etag={}", url.query.value_or(""), url.query.value_or("").empty() ? "" : "&", file.sha256, etag);
    PUNA_TRY(const auto response, line_.ask(net::HttpRequest{.method = "PUT", .url = std::move(url)}));
    return is_success(response) ? Result<>() : fail(refused(fmt::format("{}: joining its parts", file.path), response));
  }

  const OllamaParts& parts_;
  const Cargo& cargo_;
  const Progress& progress_;
  const std::stop_token& stop_;
  RegistryLine line_;
  const std::string id_;
  bool redirects_ = false;  // the registry sent the last part on to storage
  std::optional<Error> lost_;
  Published out_;
};

}  // namespace

Result<Published> publish_on_ollama(const OllamaParts& parts, const Cargo& cargo, const Progress& progress, const std::stop_token& stop) {
  return Push(parts, cargo, progress, stop).run();
}

}  // namespace puna::hub::publish
