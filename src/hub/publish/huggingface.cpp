#include "hub/publish/huggingface.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json.h"
#include "hub/catalogues/web.h"
#include "hub/publish/encoding.h"
#include "hub/publish/lfs.h"
#include "hub/publish/refusal.h"
#include "os/file.h"

namespace puna::hub::publish {
namespace {

constexpr std::string_view kMain = "main";
constexpr std::size_t kFilesOfPreupload = 256;
constexpr std::size_t kSample = 512;
constexpr Bytes kLargestInline = mib(32);
constexpr int kCommitAttempts = 3;  // when others commit at the same time

Result<std::string> content_of(const CargoFile& file) {
  if (file.place.empty()) return file.text;
  if (file.size > kLargestInline)
    return fail(Code::too_large,
                fmt::format("{}: the server wants it inside the commit, and it has {}", file.path, format_bytes(file.size)));
  return os::read_file(file.place, kLargestInline);
}

// What the server wants to do with a file.
struct Judged {
  const CargoFile* file = nullptr;
  bool lfs = false;
};

class Push {
 public:
  Push(const HuggingFaceParts& parts, const Cargo& cargo, const Progress& progress, const std::stop_token& stop)
      : parts_(parts), cargo_(cargo), progress_(progress), stop_(stop), id_(cargo.destination.repository) {}

  Result<Published> run() {
    PUNA_CHECK(check_token());
    PUNA_TRY(std::string head, find_or_create());
    for (int attempt = 1;; ++attempt) {
      PUNA_TRY(const auto judged, judge());
      out_.commit = head;
      if (judged.empty()) return out_;
      PUNA_CHECK(send(judged));
      const auto committed = commit(judged, head);
      if (committed) {
        out_.commit = *committed;
        out_.changed = true;
        return out_;
      }
      if (committed.error().code != Code::conflict || attempt == kCommitAttempts) return fail(committed.error());
      PUNA_TRY(head, current_head());
    }
  }

 private:
  std::string branch() const { return cargo_.destination.revision.empty() ? std::string(kMain) : cargo_.destination.revision; }
  std::string host() const { return parts_.endpoint.authority(); }

  Result<> check_token() const {
    if (!parts_.token.empty()) return {};
    return fail(Code::unauthenticated,
                fmt::format("{} takes uploads only from who signs in: make an access token with the right to write at "
                            "https://huggingface.co/settings/tokens and set hub.token (or HF_TOKEN)",
                            host()));
  }

  Result<net::HttpResponse> ask(std::string_view method, const std::string& target, std::string body = {},
                                std::string_view type = "application/json") const {
    net::HttpRequest request;
    request.method = method;
    PUNA_TRY(request.url, behind(parts_.endpoint, target));
    request.headers = authorization(parts_.token);
    if (!body.empty()) request.headers.set("Content-Type", std::string(type));
    request.body = std::move(body);
    return parts_.courier.ask(std::move(request), stop_);
  }

  Result<json::object> expect_object(std::string_view what, const net::HttpResponse& response) const {
    if (!is_success(response)) return fail(refusal_of(what, host(), response));
    auto body = json::parse_object(response.body);
    if (!body) return fail(Code::upstream_failed, fmt::format("{}: the answer of {} is not what it should be", what, host()));
    return body;
  }

  // The commit that the branch is at.
  Result<std::string> current_head() const {
    const auto what = fmt::format("{}@{}", id_, branch());
    PUNA_TRY(const auto response, ask("GET", fmt::format("/api/models/{}/revision/{}", id_, net::percent_encode(branch()))));
    PUNA_TRY(const auto body, expect_object(what, response));
    return text_at(body, "sha").value_or("");
  }

  Result<std::string> find_or_create() {
    PUNA_TRY(const auto response, ask("GET", fmt::format("/api/models/{}", id_)));
    if (response.status == 404 || response.status == 401) {
      PUNA_CHECK(create());
      out_.created = true;
    } else if (!is_success(response)) {
      return fail(refusal_of(id_, host(), response));
    }
    out_.url = fmt::format("{}/{}", parts_.endpoint.without_credentials().text(), id_);
    return current_head();
  }

  Result<> create() const {
    const auto slash = id_.find('/');
    const json::object body{{"type", "model"},
                            {"organization", std::string_view(id_).substr(0, slash)},
                            {"name", std::string_view(id_).substr(slash + 1)},
                            {"private", cargo_.is_private}};
    PUNA_TRY(const auto response, ask("POST", "/api/repos/create", json::to_text(body)));
    // Somebody made it meanwhile: just as well.
    if (is_success(response) || response.status == 409) return {};
    return fail(refusal_of(fmt::format("making the repository {}", id_), host(), response));
  }

  // How the server wants each file, without those it has.
  Result<std::vector<Judged>> judge() const {
    std::vector<Judged> out;
    for (std::size_t from = 0; from < cargo_.files.size(); from += kFilesOfPreupload) {
      const auto count = std::min(kFilesOfPreupload, cargo_.files.size() - from);
      PUNA_CHECK(judge_some(std::span(cargo_.files).subspan(from, count), out));
    }
    return out;
  }

  Result<> judge_some(std::span<const CargoFile> files, std::vector<Judged>& out) const {
    json::array asked;
    for (const auto& file : files) {
      PUNA_TRY(const auto sample, beginning_of(file, kSample));
      asked.push_back(json::object{{"path", file.path}, {"sample", base64(sample)}, {"size", file.size.count}});
    }
    const auto what = fmt::format("asking {} about the files", id_);
    PUNA_TRY(const auto response, ask("POST", fmt::format("/api/models/{}/preupload/{}", id_, net::percent_encode(branch())),
                                      json::to_text(json::object{{"files", std::move(asked)}})));
    PUNA_TRY(const auto body, expect_object(what, response));
    std::set<std::string> answered;
    const auto* rows = array_at(body, "files");
    for (std::size_t i = 0; rows != nullptr && i < rows->size(); ++i) {
      if (!(*rows)[i].is_object()) continue;
      const auto& row = (*rows)[i].get_object();
      const auto path = text_at(row, "path").value_or("");
      const auto file = std::ranges::find(files, path, &CargoFile::path);
      if (file == files.end() || !answered.insert(path).second) continue;
      const Judged judged{&*file, text_at(row, "uploadMode") == "lfs"};
      PUNA_TRY(const bool wanted, lacks(judged, text_at(row, "oid")));
      if (wanted) out.push_back(judged);
    }
    if (answered.size() == files.size()) return {};
    return fail(Code::upstream_failed, fmt::format("{}: {} says nothing about some of them", what, host()));
  }

  Result<bool> lacks(const Judged& judged, const std::optional<std::string>& has) const {
    if (!has || has->empty()) return true;
    if (judged.file->only_if_missing) return false;
    if (judged.lfs) return *has != judged.file->sha256;
    PUNA_TRY(const auto content, content_of(*judged.file));
    return *has != git_blob_sha1(content);
  }

  Result<> send(const std::vector<Judged>& judged) {
    std::vector<const CargoFile*> large;
    for (const auto& one : judged)
      if (one.lfs) large.push_back(one.file);
    PUNA_TRY(const auto sent, send_objects({.courier = parts_.courier,
                                            .half_sent = parts_.half_sent,
                                            .endpoint = parts_.endpoint,
                                            .token = parts_.token,
                                            .repository = id_,
                                            .branch = branch()},
                                           large, progress_, stop_));
    out_.sent += sent;
    return {};
  }

  Result<std::string> commit(const std::vector<Judged>& judged, const std::string& parent) const {
    json::object header{{"summary", cargo_.message}, {"description", ""}};
    if (!parent.empty()) header["parentCommit"] = parent;
    std::string body = json::to_text(json::object{{"key", "header"}, {"value", std::move(header)}}) + "\n";
    for (const auto& one : judged) {
      json::object value{{"path", one.file->path}};
      if (one.lfs) {
        value["algo"] = "sha256";
        value["oid"] = one.file->sha256;
        value["size"] = one.file->size.count;
      } else {
        PUNA_TRY(const auto content, content_of(*one.file));
        value["encoding"] = "base64";
        value["content"] = base64(content);
      }
      body += json::to_text(json::object{{"key", one.lfs ? "lfsFile" : "file"}, {"value", std::move(value)}}) + "\n";
    }
    PUNA_TRY(const auto response, ask("POST", fmt::format("/api/models/{}/commit/{}", id_, net::percent_encode(branch())), std::move(body),
                                      "application/x-ndjson"));
    PUNA_TRY(const auto answer, expect_object(fmt::format("the commit to {}", id_), response));
    return text_at(answer, "commitOid").value_or("");
  }

  const HuggingFaceParts& parts_;
  const Cargo& cargo_;
  const Progress& progress_;
  const std::stop_token& stop_;
  const std::string id_;
  Published out_;
};

}  // namespace

Result<Published> publish_on_huggingface(const HuggingFaceParts& parts, const Cargo& cargo, const Progress& progress,
                                         const std::stop_token& stop) {
  return Push(parts, cargo, progress, stop).run();
}

}  // namespace puna::hub::publish
