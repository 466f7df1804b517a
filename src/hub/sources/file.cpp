// A file of this machine.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/text.h"
#include "hub/file_magic.h"
#include "hub/sha256.h"
#include "hub/sources/registry.h"
#include "net/url.h"
#include "os/environment.h"
#include "os/file.h"

namespace puna::hub {
namespace {

constexpr std::string_view kUrlPrefix = "file://";

bool accepts(std::string_view source) {
  if (source.starts_with(kUrlPrefix)) return true;
  if (source.contains("://")) return false;
  return source.starts_with('/') || source.starts_with('~') || source.starts_with('.') || lower_ascii(source).ends_with(".gguf");
}

// "~/models/x.gguf" means what it means in a shell; "~somebody" does not occur here.
Result<std::string> expand(std::string_view source) {
  if (source.starts_with(kUrlPrefix)) return net::percent_decode(source.substr(kUrlPrefix.size()));
  if (!source.starts_with("~/")) return std::string(source);
  const auto environment = os::current_environment();
  const auto home = environment.find("HOME");
  if (home == environment.end()) return fail(Code::invalid_argument, "'~' has no meaning without a HOME: give the whole path");
  return home->second + std::string(source.substr(1));
}

Result<Origin> resolve(std::string_view source) {
  PUNA_TRY(const auto text, expand(source));
  if (text.contains('\0')) return fail(Code::invalid_argument, "a path cannot hold a zero byte");
  const auto path = std::filesystem::path(text).lexically_normal();
  if (!path.is_absolute())
    return fail(Code::invalid_argument, fmt::format("'{}' is a relative path: give the whole path, from '/' on", printable(source)));
  if (!path.has_filename()) return fail(Code::invalid_argument, fmt::format("'{}' names a folder, not a file", printable(source)));
  return Origin{.source = path.string(), .shown = path.string(), .file_name = path.filename().string(), .secret_source = {}};
}

// What tells that a file has been written to or exchanged.
struct Stamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t modified_ns = 0;
  bool operator==(const Stamp&) const = default;
};

Result<Stamp> stamp_of(const std::filesystem::path& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return fail(errno_error(errno, fmt::format("cannot examine {}", path.string())));
  return Stamp{info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec};
}

class FileDelivery final : public Delivery {
 public:
  FileDelivery(std::filesystem::path file, std::string sha256, const Stamp& stamp)
      : Delivery(std::move(file), std::move(sha256), Bytes(static_cast<std::uint64_t>(stamp.size))), stamp_(stamp) {}

  Result<> confirm() const override {
    PUNA_TRY(const auto now, stamp_of(file()));
    if (now != stamp_) return fail(Code::conflict, fmt::format("{} was changed while it was pulled: pull it again", file().string()));
    return {};
  }
  // The file is its owner's, whatever becomes of the pull.
  Result<> accepted() override { return {}; }
  Result<> rejected() override { return {}; }

 private:
  Stamp stamp_;
};

Result<> require_model(int descriptor, const std::filesystem::path& path) {
  std::array<char, 64> beginning{};
  const ssize_t got = ::pread(descriptor, beginning.data(), beginning.size(), 0);
  if (got < 0) return fail(errno_error(errno, fmt::format("cannot read {}", path.string())));
  auto model = require_gguf(std::string_view(beginning.data(), static_cast<std::size_t>(got)));
  if (!model) return fail(std::move(model).error().within(path.string()));
  return {};
}

Result<Opened> open(const Origin& origin, const Fetch& fetch) {
  const std::filesystem::path path = origin.source;
  PUNA_TRY(const auto stamp, stamp_of(path));
  PUNA_TRY(const auto file, os::open_regular_file(path));
  PUNA_CHECK(require_model(file.get(), path));
  const Bytes size(static_cast<std::uint64_t>(stamp.size));
  Sha256 hash;
  auto hashed = hash_file(hash, file.get(), Bytes(0), size, fetch.stop, [&](Bytes at) { fetch.progress("verifying", at, size); });
  if (!hashed) return fail(std::move(hashed).error().within(path.string()));
  PUNA_TRY(auto digest, hash.hex());
  std::unique_ptr<Delivery> delivery = std::make_unique<FileDelivery>(path, std::move(digest), stamp);
  PUNA_CHECK(delivery->confirm());
  return delivery;
}

}  // namespace

constinit const SourceSpec kFileSource = {
    .name = "file", .form = "the whole path of a GGUF file", .accepts = accepts, .resolve = resolve, .open = open};

}  // namespace puna::hub
