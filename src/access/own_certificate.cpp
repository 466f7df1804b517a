#include "access/own_certificate.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "net/certificate.h"
#include "os/file.h"
#include "os/file_lock.h"

namespace puna::access {
namespace {

using std::chrono::days;

constexpr std::int64_t kUsualDays = 365;
constexpr std::int64_t kMostDays = 825;  // clients of Apple take none that is good for longer
constexpr days kAuthorityDays{3650};
constexpr Bytes kLargestFile = mib(1);

struct Files {
  std::filesystem::path server, authority, authority_key;
};
Files files_in(const std::filesystem::path& folder) {
  return {folder / "server.pem", folder / "authority.pem", folder / "authority-key.pem"};
}

Result<std::vector<std::string>> wanted_names(const wire::CertificateRequest& request, const std::vector<std::string>& own) {
  std::vector<std::string> out;
  const auto& given = request.names ? *request.names : own;
  if (given.empty()) return fail(Code::invalid_argument, "names: at least one is needed");
  for (const auto& text : given) {
    auto name = net::certificate_name(text);
    // A host may have been given a name that no certificate can carry; the others do.
    if (!name && request.names) return fail(std::move(name).error().within("names"));
    if (name && std::ranges::find(out, *name) == out.end()) out.push_back(std::move(*name));
  }
  return out;
}

Result<days> wanted_days(const wire::CertificateRequest& request) {
  const auto count = request.days.value_or(kUsualDays);
  if (count < 1 || count > kMostDays) return fail(Code::invalid_argument, fmt::format("days: {} is not within 1 and {}", count, kMostDays));
  return days(count);
}

// The key stands before the certificate, in one text.
Result<net::CertifiedKey> read_pair(const std::filesystem::path& file) {
  PUNA_TRY(const auto text, os::read_file(file, kLargestFile));
  const auto mark = std::min(text.find("-----BEGIN CERTIFICATE-----"), text.size());
  return net::CertifiedKey{.certificate = text.substr(mark), .key = Secret(text.substr(0, mark))};
}

Result<> write_pair(const std::filesystem::path& file, const net::CertifiedKey& pair) {
  return os::write_file_atomic(file, fmt::format("{}{}", pair.key.reveal(), pair.certificate));
}

struct Issued {
  net::CertifiedKey server;
  net::CertifiedKey authority;
  bool new_authority = false;
};

Result<Issued> issue(const Files& files, const std::vector<std::string>& names, days valid, WallTime now) {
  if (auto known = read_pair(files.authority_key)) {
    auto issued = net::issue_certificate(*known, names, valid, now);
    if (issued) return Issued{.server = std::move(*issued), .authority = std::move(*known)};
    if (issued.error().code != Code::conflict && issued.error().code != Code::corrupt_data) return fail(std::move(issued).error());
  } else if (known.error().code != Code::not_found) {
    return fail(known.error());
  }
  PUNA_TRY(auto authority, net::make_authority(names, kAuthorityDays, now));
  PUNA_TRY(auto server, net::issue_certificate(authority, names, valid, now));
  return Issued{.server = std::move(server), .authority = std::move(authority), .new_authority = true};
}

Result<> make_folder(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return fail(errno_error(errno, "cannot make " + folder.string()));
}

}  // namespace

Result<std::optional<wire::Certificate>> OwnCertificate::show() const {
  const auto files = files_in(folder_);
  const auto text = os::read_file(files.server, kLargestFile);
  if (!text && text.error().code == Code::not_found) return std::optional<wire::Certificate>();
  if (!text) return fail(text.error());
  auto server = net::read_certificate(*text);
  if (!server) return fail(std::move(server).error().within(files.server.string()));
  wire::Certificate out{.names = server->names,
                        .expires_at = format_time(server->expires),
                        .fingerprint = server->fingerprint,
                        .file = files.server.string(),
                        .authority = files.authority.string()};
  PUNA_TRY(const auto authority_text, os::read_file(files.authority, kLargestFile));
  auto authority = net::read_certificate(authority_text);
  if (!authority) return fail(std::move(authority).error().within(files.authority.string()));
  out.authority_expires_at = format_time(authority->expires);
  out.authority_fingerprint = authority->fingerprint;
  return std::optional(std::move(out));
}

Result<wire::Certificate> OwnCertificate::make(const wire::CertificateRequest& request, const std::vector<std::string>& own_names,
                                               WallTime now) const {
  PUNA_TRY(const auto names, wanted_names(request, own_names));
  PUNA_TRY(const auto valid, wanted_days(request));
  PUNA_CHECK(make_folder(folder_));
  PUNA_TRY(const auto lock, os::FileLock::acquire(folder_ / "lock"));
  if (!request.renew.value_or(false)) {
    PUNA_TRY(auto known, show());
    if (known && (request.names || request.days))
      return fail(Code::already_exists,
                  fmt::format("{} is there already and good until {}; `puna key tls --renew` puts another one in its place", known->file,
                              known->expires_at));
    if (known) return std::move(*known);
  }
  const auto files = files_in(folder_);
  PUNA_TRY(const auto issued, issue(files, names, valid, now));
  if (issued.new_authority) PUNA_CHECK(write_pair(files.authority_key, issued.authority));
  PUNA_CHECK(os::write_file_atomic(files.authority, issued.authority.certificate));  // again: a crash may have left another one
  PUNA_CHECK(write_pair(files.server, issued.server));
  PUNA_TRY(auto made, show());
  if (!made) return fail(Code::internal, files.server.string() + " vanished");
  made->made = true;
  made->new_authority = issued.new_authority;
  return std::move(*made);
}

}  // namespace puna::access
