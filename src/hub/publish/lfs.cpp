#include "hub/publish/lfs.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/json.h"
#include "hub/catalogues/web.h"
#include "hub/publish/refusal.h"
#include "hub/publish/tracker.h"

namespace puna::hub::publish {
namespace {

constexpr std::string_view kLfsType = "application/vnd.git-lfs+json";
constexpr std::size_t kObjectsOfBatch = 100;
constexpr std::uint64_t kMostParts = 100'000;

// What the server wants done to get one object.
struct Wanted {
  const CargoFile* file = nullptr;
  json::object actions;
};

using TrackerPointer = std::shared_ptr<Tracker>;

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(out) : std::nullopt;
}

class Sender {
 public:
  Sender(const LfsPlace& place, const Progress& progress, const std::stop_token& stop) : place_(place), progress_(progress), stop_(stop) {}

  Result<Bytes> run(const std::vector<const CargoFile*>& files) {
    PUNA_TRY(const auto wanted, batch(files));
    Bytes total;
    for (const auto& one : wanted) total += one.file->size;
    const TrackerScope scope(total, progress_);
    const TrackerPointer& tracker = scope.get();
    Bytes before;
    for (const auto& one : wanted) {
      PUNA_CHECK(send(one, before, tracker));
      before += one.file->size;
    }
    return total;
  }

 private:
  std::string host() const { return place_.endpoint.authority(); }
  std::string key_of(const CargoFile& file) const { return fmt::format("{} {} {}", host(), place_.repository, file.sha256); }

  Result<std::vector<Wanted>> batch(const std::vector<const CargoFile*>& files) const {
    std::vector<Wanted> out;
    for (std::size_t from = 0; from < files.size(); from += kObjectsOfBatch) {
      const auto count = std::min(kObjectsOfBatch, files.size() - from);
      PUNA_CHECK(batch_some(std::span(files).subspan(from, count), out));
    }
    return out;
  }

  Result<> batch_some(std::span<const CargoFile* const> files, std::vector<Wanted>& out) const {
    json::array objects;
    for (const auto* file : files) objects.push_back(json::object{{"oid", file->sha256}, {"size", file->size.count}});
    const json::object asked{{"operation", "upload"},
                             {"transfers", json::array{"basic", "multipart"}},
                             {"objects", std::move(objects)},
                             {"hash_algo", "sha256"},
                             {"ref", json::object{{"name", place_.branch}}}};
    PUNA_TRY(const auto url, behind(place_.endpoint, fmt::format("/{}.git/info/lfs/objects/batch", place_.repository)));
    PUNA_TRY(const auto answer, post(url, asked, fmt::format("asking {} for places to upload to", place_.repository)));
    const auto* rows = array_at(answer, "objects");
    if (rows == nullptr) return fail(Code::upstream_failed, fmt::format("{} names no places to upload to", host()));
    for (const auto& row : *rows) {
      if (!row.is_object()) continue;
      const auto oid = text_at(row.get_object(), "oid").value_or("");
      const auto file = std::ranges::find(files, oid, [](const CargoFile* one) { return one->sha256; });
      if (file == files.end()) continue;
      if (const auto* error = object_at(row.get_object(), "error"))
        return fail(Code::upstream_failed, fmt::format("{}: {} does not take it: {}", (*file)->path, host(),
                                                       text_at(*error, "message").value_or("it does not say why")));
      if (const auto* actions = object_at(row.get_object(), "actions"); actions != nullptr && actions->contains("upload"))
        out.push_back({*file, *actions});
    }
    return {};
  }

  // To the endpoint with the token, elsewhere without.
  Result<json::object> post(const net::Url& url, const json::object& body, std::string_view what) const {
    net::HttpRequest request{.method = "POST", .url = url, .headers = {}, .body = json::to_text(body)};
    if (url.same_origin(place_.endpoint)) request.headers = authorization(place_.token);
    request.headers.set("Accept", std::string(kLfsType));
    request.headers.set("Content-Type", std::string(kLfsType));
    request.repeatable = true;  // asking again changes nothing
    PUNA_TRY(const auto response, place_.courier.ask(std::move(request), stop_));
    if (!is_success(response)) return fail(refusal_of(what, url.authority(), response));
    return json::parse_object(response.body).value_or(json::object());
  }

  Result<net::Url> url_in(const json::object& action, std::string_view name) const {
    PUNA_TRY(auto url, net::Url::parse(text_at(action, name).value_or(""), "https"));
    if (url.scheme != place_.endpoint.scheme && url.scheme != "https")
      return fail(Code::upstream_failed, fmt::format("{} names an unprotected place to upload to: {}", host(), url.printable()));
    return url;
  }

  Result<> send(const Wanted& wanted, Bytes before, const TrackerPointer& tracker) {
    const auto* upload = object_at(wanted.actions, "upload");
    const auto* header = upload == nullptr ? nullptr : object_at(*upload, "header");
    if (upload == nullptr) return fail(Code::upstream_failed, fmt::format("{}: {} names no place to upload to", wanted.file->path, host()));
    const bool several = header != nullptr && header->contains("chunk_size");
    PUNA_CHECK(several ? send_parts(*wanted.file, *upload, *header, before, tracker) : send_whole(*wanted.file, *upload, before, tracker));
    const auto* verify = object_at(wanted.actions, "verify");
    if (verify == nullptr) return {};
    PUNA_TRY(const auto url, url_in(*verify, "href"));
    const json::object body{{"oid", wanted.file->sha256}, {"size", wanted.file->size.count}};
    const auto verified = post(url, body, fmt::format("{}: the server's look at what arrived", wanted.file->path));
    return verified ? Result<>() : fail(verified.error());
  }

  Result<net::HttpResponse> put(const net::Url& url, const net::Headers& headers, const CargoFile& file, FilePart part, Bytes before,
                                const TrackerPointer& tracker) {
    net::HttpRequest request{.method = "PUT", .url = url, .headers = headers};
    Result<net::HttpResponse> response = fail(Code::internal, "nothing was sent");
    if (file.place.empty()) {
      request.body = file.text.substr(part.from.count, part.size.count);
      response = place_.courier.ask(std::move(request), stop_);
    } else {
      const auto sent = [tracker, at = before + part.from](Bytes now) { tracker->moved(at, now); };
      response = place_.courier.send(std::move(request), part, sent, stop_);
    }
    if (!response) return fail(std::move(response).error().within(file.path));
    if (!is_success(*response)) return fail(refusal_of(file.path, url.authority(), *response));
    tracker->moved(before + part.from, part.size);
    return response;
  }

  Result<> send_whole(const CargoFile& file, const json::object& upload, Bytes before, const TrackerPointer& tracker) {
    PUNA_TRY(const auto url, url_in(upload, "href"));
    net::Headers headers;
    if (const auto* given = object_at(upload, "header"))
      for (const auto& field : *given)
        if (field.value().is_string()) headers.set(std::string(field.key()), std::string(std::string_view(field.value().get_string())));
    PUNA_CHECK(put(url, headers, file, {file.place, Bytes(0), file.size}, before, tracker));
    return {};
  }

  Result<HalfSent> parts_in(const CargoFile& file, const json::object& upload, const json::object& header) const {
    HalfSent out;
    PUNA_TRY(out.complete, url_in(upload, "href"));
    out.part_size = Bytes(number_in(text_at(header, "chunk_size").value_or("")).value_or(0));
    std::map<std::uint64_t, net::Url> numbered;
    for (const auto& field : header) {
      const auto number = number_in(field.key());
      if (!number) continue;
      PUNA_TRY(auto url, url_in(header, field.key()));
      numbered.emplace(*number, std::move(url));
    }
    for (auto& [number, url] : numbered) out.parts.push_back(std::move(url));
    const bool sensible = out.part_size.count > 0 && file.size.count / out.part_size.count < kMostParts &&
                          out.parts.size() == (file.size.count + out.part_size.count - 1) / out.part_size.count;
    if (!sensible) return fail(Code::upstream_failed, fmt::format("{}: {} names parts that do not make up the file", file.path, host()));
    return out;
  }

  Result<> send_parts(const CargoFile& file, const json::object& upload, const json::object& header, Bytes before,
                      const TrackerPointer& tracker) {
    const auto key = key_of(file);
    if (auto begun = place_.half_sent.find(key)) {
      const auto went_on = send_rest(file, std::move(*begun), key, before, tracker);
      if (went_on || !may_be_outdated(went_on.error())) return went_on;
      place_.half_sent.forget(key);
    }
    PUNA_TRY(auto fresh, parts_in(file, upload, header));
    return send_rest(file, std::move(fresh), key, before, tracker);
  }

  // Storage that does not know the links any more.
  static bool may_be_outdated(const Error& error) {
    return error.code == Code::permission_denied || error.code == Code::not_found || error.code == Code::invalid_argument;
  }

  Result<> send_rest(const CargoFile& file, HalfSent upload, const std::string& key, Bytes before, const TrackerPointer& tracker) {
    while (upload.etags.size() < upload.parts.size()) {
      const Bytes from(upload.part_size.count * upload.etags.size());
      const FilePart part{file.place, from, std::min(upload.part_size, file.size - from)};
      PUNA_TRY(const auto response, put(upload.parts[upload.etags.size()], {}, file, part, before, tracker));
      const auto etag = response.headers.get("ETag");
      if (!etag) return fail(Code::upstream_failed, fmt::format("{}: {} does not acknowledge a part", file.path, host()));
      upload.etags.emplace_back(*etag);
      place_.half_sent.keep(key, upload);
    }
    json::array parts;
    for (std::size_t i = 0; i < upload.etags.size(); ++i) parts.push_back(json::object{{"partNumber", i + 1}, {"etag", upload.etags[i]}});
    const json::object body{{"oid", file.sha256}, {"parts", std::move(parts)}};
    const auto joined = post(upload.complete, body, fmt::format("{}: joining its parts", file.path));
    if (!joined) return fail(joined.error());
    place_.half_sent.forget(key);
    return {};
  }

  const LfsPlace& place_;
  const Progress& progress_;
  const std::stop_token& stop_;
};

}  // namespace

Result<Bytes> send_objects(const LfsPlace& place, const std::vector<const CargoFile*>& files, const Progress& progress,
                           const std::stop_token& stop) {
  if (files.empty()) return Bytes(0);
  return Sender(place, progress, stop).run(files);
}

}  // namespace puna::hub::publish
