#include "dataset/source_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "os/disk.h"
#include "os/file.h"
#include "os/sha256.h"

namespace puna::dataset {
namespace {

struct Magic {
  std::string_view bytes;
  std::string_view what;
  std::string_view advice;
};

constexpr std::array kRefused = {
    Magic{"\xFF\xFE", "UTF-16 text", "save it as UTF-8"},
    Magic{"\xFE\xFF", "UTF-16 text", "save it as UTF-8"},
    Magic{"PAR1", "a Parquet file", "export it as JSONL"},
    Magic{"PK\x03\x04", "a ZIP archive (or a spreadsheet)", "unpack it, or save it as CSV"},
    Magic{"\x28\xB5\x2F\xFD", "compressed with zstd", "unpack it, or use gzip"},
    Magic{"BZh", "compressed with bzip2", "unpack it, or use gzip"},
    Magic{"\xFD"
          "7zXZ",
          "compressed with xz", "unpack it, or use gzip"},
    Magic{"ARROW1", "an Arrow file", "export it as JSONL"},
    Magic{"SQLite format 3", "a database", "export its rows as JSONL or CSV"},
    Magic{"%PDF-", "a PDF document", "export its text"},
};
constexpr std::string_view kGzip = "\x1F\x8B";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

Result<struct stat> examine(int descriptor, const std::string& name) {
  struct stat info{};
  if (::fstat(descriptor, &info) != 0) return fail(errno_error(errno, "cannot examine " + name));
  return info;
}

Result<std::filesystem::path> folder_for(const std::filesystem::path& wanted) {
  if (!wanted.empty()) return wanted;
  std::error_code failure;
  auto folder = std::filesystem::temp_directory_path(failure);
  if (failure) return fail(errno_error(failure.value(), "there is no folder for temporary files"));
  return folder;
}

}  // namespace

Result<SourceFile> SourceFile::open(const std::filesystem::path& path, const UnpackLimits& limits, const std::stop_token& stop) {
  SourceFile out;
  out.name_ = path.string();
  PUNA_TRY(out.file_, os::open_regular_file(path));
  PUNA_TRY(const auto info, examine(out.file_.get(), out.name_));
  out.size_ = Bytes(static_cast<std::uint64_t>(info.st_size));
  out.changed_seconds_ = info.st_mtim.tv_sec;
  out.changed_nanoseconds_ = info.st_mtim.tv_nsec;
  out.text_end_ = out.size_.count;
  std::array<char, 2> first{};
  PUNA_TRY(const std::size_t got, out.read(0, first.data(), first.size()));
  if (std::string_view(first.data(), got) == kGzip) PUNA_CHECK(out.unpack(limits, stop));
  PUNA_CHECK(out.look_at_beginning());
  return out;
}

Result<> SourceFile::look_at_beginning() {
  std::array<char, 16> first{};
  PUNA_TRY(const std::size_t got, read(0, first.data(), first.size()));
  const std::string_view beginning(first.data(), got);
  if (beginning.starts_with(kGzip)) return fail(Code::unsupported, name_ + " is compressed twice: unpack it once");
  for (const auto& magic : kRefused)
    if (beginning.starts_with(magic.bytes)) return fail(Code::unsupported, fmt::format("{} is {}: {}", name_, magic.what, magic.advice));
  if (beginning.starts_with(kByteOrderMark)) text_begin_ = kByteOrderMark.size();
  return {};
}

Result<> SourceFile::unpack(const UnpackLimits& limits, const std::stop_token& stop) {
  PUNA_TRY(const auto folder, folder_for(limits.folder));
  PUNA_TRY(auto text, unnamed_file(folder));
  PUNA_TRY(const auto space, os::disk_space(folder));
  const Bytes room = space.available - limits.leave_free;
  std::uint64_t taken = 0, written = 0;
  const auto take = [&](char* into, std::size_t size) -> Result<std::size_t> {
    PUNA_TRY(const std::size_t got, read(taken, into, size));
    taken += got;
    return got;
  };
  const auto put = [&](std::string_view bytes) -> Result<> {
    written += bytes.size();
    if (written > room.count)
      return fail(Code::disk_full,
                  fmt::format("{} unpacks to more than {}, which is what {} has room for", name_, format_bytes(room), folder.string()));
    return os::write_all(text.get(), bytes);
  };
  if (auto unpacked = gunzip(take, put, limits.most, stop); !unpacked) return fail(std::move(unpacked).error().within(name_));
  compressed_ = true;
  read_from(std::move(text), written);
  return {};
}

void SourceFile::read_from(os::UniqueFd text, std::uint64_t size) {
  text_ = std::move(text);
  text_begin_ = 0;
  text_end_ = size;
}

Result<std::string> SourceFile::digest(const std::stop_token& stop) const {
  os::Sha256 hash;
  PUNA_CHECK(os::hash_file(hash, file_.get(), Bytes(0), size_, stop));
  return hash.hex();
}

Result<std::size_t> SourceFile::read(std::uint64_t offset, char* into, std::size_t size) const {
  const int descriptor = text_ ? text_.get() : file_.get();
  size = static_cast<std::size_t>(std::min<std::uint64_t>(size, offset < text_end_ ? text_end_ - offset : 0));
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t got = ::pread(descriptor, into + filled, size - filled, static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno_error(errno, "cannot read " + name_));
    if (got == 0) return fail(Code::conflict, name_ + " became shorter while it was read");
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

Result<> SourceFile::unchanged() const {
  PUNA_TRY(const auto info, examine(file_.get(), name_));
  if (static_cast<std::uint64_t>(info.st_size) == size_.count && info.st_mtim.tv_sec == changed_seconds_ &&
      info.st_mtim.tv_nsec == changed_nanoseconds_)
    return {};
  return fail(Code::conflict, name_ + " was changed since it was read: start again");
}

Result<os::UniqueFd> unnamed_file(const std::filesystem::path& folder) {
  PUNA_TRY(const auto where, folder_for(folder));
  os::UniqueFd file(::open(where.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file) return file;
  // Some file systems have no O_TMPFILE.
  std::string name = (where / ".puna-rows-XXXXXX").string();
  file.reset(::mkostemp(name.data(), O_CLOEXEC));
  if (!file) return fail(errno_error(errno, "cannot make a temporary file in " + where.string()));
  if (::unlink(name.c_str()) != 0) return fail(errno_error(errno, "cannot remove " + name));
  return file;
}

}  // namespace puna::dataset
