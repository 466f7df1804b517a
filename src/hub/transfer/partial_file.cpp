#include "hub/transfer/partial_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/id.h"
#include "base/log.h"
#include "hub/transfer/disk_error.h"
#include "os/file.h"

namespace puna::hub::transfer {
namespace {

constexpr Bytes kLargestJournal = mib(64);
constexpr std::array<std::string_view, 4> kEndings = {".part", ".journal", ".recent", ".damaged"};

Result<> remove_file(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail(disk_error(errno, "remove", path));
  return {};
}

// Whether a journal's file is, or may be, the wanted one.
bool fits(const Journal& journal, const std::optional<Digest>& digest, std::optional<Bytes> size) {
  if (digest && !journal.digest.empty() && journal.digest != text_of(digest)) return false;
  return !size || !journal.version.total || *journal.version.total == size->count;
}

}  // namespace

std::string text_of(const std::optional<Digest>& digest) {
  if (!digest) return {};
  return fmt::format("{}:{}", digest->algorithm == Algorithm::sha256 ? "sha256" : "git_sha1", digest->hex);
}

PartialFile::PartialFile(std::filesystem::path path, os::UniqueFd file) : path_(std::move(path)), file_(std::move(file)) {}

std::filesystem::path PartialFile::beside(std::string_view ending) const {
  auto out = path_;
  return out.replace_extension(ending);
}

Result<std::shared_ptr<PartialFile>> PartialFile::open(const std::filesystem::path& folder, std::string_view key) {
  auto path = folder / fmt::format("{}.part", key);
  os::UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (!file) return fail(disk_error(errno, "open", path));
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(Code::conflict, fmt::format("another program is fetching this file into {}: wait for it", folder.string()));
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return fail(disk_error(errno, "examine", path));
  if (!S_ISREG(info.st_mode)) return fail(Code::conflict, fmt::format("{} is in the way: remove it", path.string()));
  // The former owner removed it between our open and its unlock.
  if (info.st_nlink == 0) return fail(Code::conflict, fmt::format("another program has just removed {}: try again", path.string()));
  // Still named by the library: writing here would change what it holds.
  if (info.st_nlink > 1) {
    PUNA_CHECK(remove_file(path));
    return open(folder, key);
  }
  return std::shared_ptr<PartialFile>(new PartialFile(std::move(path), std::move(file)));
}

Result<Bytes> PartialFile::length() const {
  struct stat info{};
  if (::fstat(file_.get(), &info) != 0) return fail(disk_error(errno, "examine", path_));
  return Bytes(static_cast<std::uint64_t>(info.st_size));
}

// Reserved room that was never written is a hole to whoever asks.
bool PartialFile::has_holes(Bytes size) const {
  const auto hole = ::lseek(file_.get(), 0, SEEK_HOLE);
  return hole >= 0 && static_cast<std::uint64_t>(hole) < size.count;
}

Result<PartialFile::Found> PartialFile::recover(const std::optional<Digest>& digest, std::optional<Bytes> size) {
  PUNA_TRY(const auto present, length());
  Found out;
  const auto text = os::read_file(beside(".journal"), kLargestJournal);
  auto journal = text ? decode_journal(*text) : std::nullopt;
  if (!journal) {
    if (text)
      log::warning("hub", "the journal of a transfer is damaged, so the file is hashed or fetched anew", {{"file", path_.string()}});
    // A digest can tell about all of a file, and only about all.
    const bool may_be_whole = digest && size && present == *size && present > Bytes(0) && !has_holes(present);
    out.proven = !may_be_whole;
    PUNA_TRY(out.journal,
             may_be_whole
                 ? Result<Journal>(Journal{
                       .id = new_ulid(), .digest = text_of(digest), .version = {.total = size->count}, .present = {}, .checksums = {}})
                 : begin(digest, {.total = size ? std::optional(size->count) : std::nullopt}));
    if (may_be_whole) out.journal.present.add({0, size->count});
    return out;
  }
  for (const auto span : RecentLog::read(beside(".recent"), journal->id).spans())
    journal->present.add({span.from, std::min(span.to, present.count)});  // the file was cut when its disk was full
  const auto spans = journal->present.spans();
  const bool whole = spans.empty() || spans.back().to <= present.count;
  // Without a digest only a validator ties the bytes that come to those that are here.
  const bool bound = digest || !journal->digest.empty() || journal->version.range_validator();
  if (!whole || !bound || !fits(*journal, digest, size)) {
    log::info("hub", "what was left of an earlier transfer is of no use", {{"file", path_.string()}});
    PUNA_TRY(out.journal, begin(digest, {.total = size ? std::optional(size->count) : std::nullopt}));
    return out;
  }
  out.journal = std::move(*journal);
  if (digest) out.journal.digest = text_of(digest);
  if (size) out.journal.version.total = size->count;
  PUNA_CHECK(checkpoint(out.journal));
  PUNA_CHECK(start_log(out.journal.id));
  return out;
}

// The lock keeps other processes away, but some file systems of networks give it to everybody: then another one may have completed the
// file and given it to its library, where no byte may change any more.
Result<> PartialFile::still_here() const {
  struct stat ours{};
  struct stat named{};
  if (::fstat(file_.get(), &ours) != 0) return fail(disk_error(errno, "examine", path_));
  if (ours.st_nlink == 1 && ::lstat(path_.c_str(), &named) == 0 && named.st_ino == ours.st_ino && named.st_dev == ours.st_dev) return {};
  return fail(Code::conflict, fmt::format("another program has taken {} away: try again", path_.string()));
}

Result<Journal> PartialFile::begin(const std::optional<Digest>& digest, const FileVersion& version) {
  PUNA_CHECK(still_here());
  end_log();
  PUNA_CHECK(remove_file(beside(".recent")));
  PUNA_CHECK(remove_file(beside(".journal")));
  if (::ftruncate(file_.get(), 0) != 0) return fail(disk_error(errno, "empty", path_));
  return Journal{.id = new_ulid(), .digest = text_of(digest), .version = version, .present = {}, .checksums = {}};
}

Result<> PartialFile::start_log(std::string_view journal_id) {
  PUNA_TRY(auto log, RecentLog::create(beside(".recent"), journal_id));
  const std::lock_guard lock(mutex_);
  log_ = std::make_shared<const RecentLog>(std::move(log));
  return {};
}

std::shared_ptr<const RecentLog> PartialFile::log() const {
  const std::lock_guard lock(mutex_);
  return log_;
}

void PartialFile::end_log() {
  const std::lock_guard lock(mutex_);
  log_.reset();
}

Result<> PartialFile::reserve(Bytes size) {
  const auto length = static_cast<off_t>(size.count);
  PUNA_TRY(const auto present, this->length());
  if (present >= size || size == Bytes(0)) return {};
  // Not every file system can reserve; without it the disk may fill up on the way, which write() tells.
  if (::fallocate(file_.get(), 0, 0, length) == 0) return {};
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EROFS || errno == EIO)
    return fail(disk_error(errno, fmt::format("reserve {} for", format_bytes(size)), path_));
  if (::ftruncate(file_.get(), length) != 0) return fail(disk_error(errno, "make room for", path_));
  return {};
}

Result<> PartialFile::write(std::uint64_t at, std::string_view bytes) {
  const Span span{at, at + bytes.size()};
  PUNA_CHECK(still_here());
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0) {
      if (errno == EINTR) continue;
      return fail(disk_error(errno, "write", path_));
    }
    at += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  const auto log = this->log();
  if (!log) return {};
  auto noted = log->append(span);
  if (!noted && noted.error().code == Code::disk_full) return fail(disk_error(ENOSPC, "note", path_));
  return noted;
}

Result<> PartialFile::read(std::uint64_t at, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t got = ::pread(file_.get(), out.data(), out.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(disk_error(errno, "read", path_));
    if (got == 0) return fail(Code::corrupt_data, fmt::format("{} was shortened by another program", path_.string()));
    at += static_cast<std::uint64_t>(got);
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

Result<bool> PartialFile::replace(std::uint64_t at, std::string_view bytes) {
  std::vector<std::byte> present(bytes.size());
  PUNA_CHECK(read(at, present));
  if (std::memcmp(present.data(), bytes.data(), bytes.size()) == 0) return false;
  PUNA_CHECK(write(at, bytes));
  return true;
}

Result<> PartialFile::sync() {
  if (::fdatasync(file_.get()) != 0) return fail(disk_error(errno, "sync", path_));
  return {};
}

Result<> PartialFile::checkpoint(const Journal& journal) {
  PUNA_CHECK(sync());
  if (auto written = os::write_file_atomic(beside(".journal"), encode_journal(journal)); !written)
    return fail(std::move(written).error().within("noting what came"));
  return log() ? Result<>() : start_log(journal.id);
}

Result<> PartialFile::cut(Bytes size) {
  if (::ftruncate(file_.get(), static_cast<off_t>(size.count)) != 0) return fail(disk_error(errno, "shorten", path_));
  return {};
}

Result<> PartialFile::quarantine() {
  end_log();
  if (::rename(path_.c_str(), beside(".damaged").c_str()) != 0) return fail(disk_error(errno, "rename", path_));
  PUNA_CHECK(remove_file(beside(".journal")));
  return remove_file(beside(".recent"));
}

std::vector<Partial> list_partials(const std::filesystem::path& folder) {
  std::vector<Partial> out;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const auto& path = at->path();
    const bool quarantined = path.extension() == ".damaged";
    struct stat info{};
    if ((!quarantined && path.extension() != ".part") || ::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    out.push_back({.key = path.stem().string(),
                   .file = path,
                   .on_disk = Bytes(static_cast<std::uint64_t>(info.st_blocks) * 512),
                   .last_used = std::chrono::system_clock::from_time_t(info.st_mtim.tv_sec),
                   .quarantined = quarantined});
  }
  if (error) log::warning("hub", "the folder of transfers cannot be read", {{"folder", folder.string()}, {"error", error.message()}});
  return out;
}

Result<> remove_partial(const std::filesystem::path& folder, std::string_view key) {
  for (const auto ending : kEndings) PUNA_CHECK(remove_file(folder / fmt::format("{}{}", key, ending)));
  return remove_file(folder / fmt::format("{}.json", key));  // of a version without pieces
}

Bytes allocated_of_partial(const std::filesystem::path& folder, std::string_view key) {
  struct stat info{};
  if (::stat((folder / fmt::format("{}.part", key)).c_str(), &info) != 0) return {};
  return Bytes(static_cast<std::uint64_t>(info.st_blocks) * 512);
}

}  // namespace puna::hub::transfer
