#include "hub/part_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "os/file.h"

namespace puna::hub {

struct PartFile::Journal {
  std::int64_t format = 1;
  FileVersion version;
  std::uint64_t received = 0;
  std::string sha256;     // of the received bytes
  bool complete = false;  // these were all, and are kept elsewhere now
  std::string boot;       // of the machine, when this was written
  BOOST_DESCRIBE_CLASS(Journal, (), (format, version, received, sha256, complete, boot), (), ())
};

namespace {

constexpr std::int64_t kFormat = 1;
constexpr Bytes kMaxJournal = kib(64);

// Changes when the machine is started anew; empty when it cannot be told.
std::string boot_id() {
  const auto text = os::read_file("/proc/sys/kernel/random/boot_id", kib(1));
  return text ? std::string(trim(*text)) : std::string();
}

Result<> remove_file(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail(errno_error(errno, fmt::format("cannot remove {}", path.string())));
  return {};
}

}  // namespace

PartFile::PartFile(std::filesystem::path path, std::filesystem::path journal_path, os::UniqueFd file, CheckpointPolicy policy)
    : path_(std::move(path)), journal_path_(std::move(journal_path)), file_(std::move(file)), policy_(policy) {}

Result<PartFile> PartFile::open(const std::filesystem::path& folder, std::string_view key, CheckpointPolicy policy) {
  auto path = folder / fmt::format("{}.part", key);
  os::UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (!file) return fail(errno_error(errno, fmt::format("cannot open {}", path.string())));
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(Code::conflict, fmt::format("another program is fetching this file into {}: wait for it", folder.string()));
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return fail(errno_error(errno, fmt::format("cannot examine {}", path.string())));
  if (!S_ISREG(info.st_mode)) return fail(Code::conflict, fmt::format("{} is in the way: remove it", path.string()));
  // The former owner removed it between our open and its unlock.
  if (info.st_nlink == 0) return fail(Code::conflict, fmt::format("another program has just removed {}: try again", path.string()));
  return PartFile(std::move(path), folder / fmt::format("{}.json", key), std::move(file), policy);
}

std::optional<PartFile::Journal> PartFile::read_journal() const {
  const auto text = os::read_file(journal_path_, kMaxJournal);
  if (!text && text.error().code == Code::not_found) return std::nullopt;
  auto journal = text ? json::decode_text<Journal>(*text) : fail(text.error());
  if (journal && journal->format == kFormat) return std::move(*journal);
  log::warning("hub", "a download's journal is unusable, so it begins anew",
               {{"file", journal_path_.string()}, {"error", journal ? "another format" : journal.error().text()}});
  return std::nullopt;
}

Result<> PartFile::recover(const std::stop_token& stop, const std::function<void(Bytes, Bytes)>& progress) {
  const auto journal = read_journal();
  if (!journal) return cut(Bytes(0));
  if (journal->complete) {
    receipt_ = Receipt{journal->version, journal->sha256};
    return cut(Bytes(0));
  }
  struct stat info{};
  if (::fstat(file_.get(), &info) != 0) return fail(errno_error(errno, fmt::format("cannot examine {}", path_.string())));
  const Bytes present(static_cast<std::uint64_t>(info.st_size));
  const Bytes durable(journal->received);
  Bytes trusted = durable;
  if (!journal->boot.empty() && journal->boot == boot_id())
    trusted = std::min(present, Bytes(journal->version.total.value_or(present.count)));
  if (present < durable || trusted < durable) return cut(Bytes(0));

  const auto report = [&](Bytes at) {
    if (progress) progress(at, trusted);
  };
  Sha256 hash;
  PUNA_CHECK(hash_file(hash, file_.get(), Bytes(0), durable, stop, report));
  PUNA_TRY(const auto found, hash.hex());
  if (found != journal->sha256) {
    log::warning("hub", "what was received earlier is damaged, so it is fetched anew", {{"file", path_.string()}});
    return cut(Bytes(0));
  }
  PUNA_CHECK(hash_file(hash, file_.get(), durable, trusted, stop, report));
  PUNA_CHECK(cut(trusted));
  version_ = journal->version;
  hash_ = std::move(hash);
  return {};
}

// Without a new journal: whoever finds the old one beside a shorter file throws that away.
Result<> PartFile::cut(Bytes length) {
  if (::ftruncate(file_.get(), static_cast<off_t>(length.count)) != 0)
    return fail(errno_error(errno, fmt::format("cannot shorten {}", path_.string())));
  received_ = journaled_ = length;
  journaled_at_ = std::chrono::steady_clock::now();
  version_ = {};
  hash_ = {};
  return {};
}

Result<> PartFile::begin(const FileVersion& version) {
  PUNA_CHECK(cut(Bytes(0)));
  version_ = version;
  receipt_.reset();
  // Not every file system can reserve; without it the disk may fill up on the way, which append() tells.
  if (version.total && ::fallocate(file_.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(*version.total)) != 0 &&
      (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
    return fail(errno_error(errno, fmt::format("cannot reserve {} for {}", format_bytes(Bytes(*version.total)), path_.string())));
  return write_journal(false);
}

Result<> PartFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(received_.count));
    if (written < 0) {
      if (errno == EINTR) continue;
      return fail(errno_error(errno, fmt::format("cannot write {}", path_.string())));
    }
    const auto done = static_cast<std::size_t>(written);
    hash_.update(bytes.substr(0, done));
    received_ += Bytes(done);
    bytes.remove_prefix(done);
  }
  const auto since = std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - journaled_at_);
  const bool due = received_ - journaled_ >= policy_.bytes || since >= policy_.time;
  return due ? checkpoint() : Result<>();
}

Result<> PartFile::checkpoint() {
  if (received_ == journaled_) return {};
  if (::fdatasync(file_.get()) != 0) return fail(errno_error(errno, fmt::format("cannot sync {} to disk", path_.string())));
  return write_journal(false);
}

Result<> PartFile::write_journal(bool complete) {
  Journal journal{.version = version_, .received = received_.count, .sha256 = {}, .complete = complete, .boot = boot_id()};
  PUNA_TRY(journal.sha256, hash_.hex());
  PUNA_CHECK(os::write_file_atomic(journal_path_, json::pretty(json::encode(journal))));
  journaled_ = received_;
  journaled_at_ = std::chrono::steady_clock::now();
  return {};
}

Result<> PartFile::discard() {
  PUNA_CHECK(discard_bytes());
  return remove_file(journal_path_);
}

Result<> PartFile::leave_receipt() {
  PUNA_CHECK(write_journal(true));
  return discard_bytes();
}

Result<> PartFile::discard_bytes() {
  return remove_file(path_);
}

Bytes PartFile::missing_room(Bytes total) const {
  struct stat info{};
  if (::fstat(file_.get(), &info) != 0) return total;
  return total - Bytes(static_cast<std::uint64_t>(info.st_blocks) * 512);
}

}  // namespace puna::hub
