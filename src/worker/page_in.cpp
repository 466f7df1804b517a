#include "worker/page_in.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <vector>

#include "os/file.h"
#include "os/mapped_file.h"

namespace puna::worker {
namespace {

constexpr std::size_t kPiece = 16U << 20U;

// Bytes of each piece that are not in the page cache. Of a file that is not ours to ask about, the kernel says that everything is there:
// it is then loaded without progress, and correctly.
Result<std::vector<std::size_t>> missing_by_piece(std::span<const std::byte> bytes) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<std::size_t> missing;
  std::vector<unsigned char> resident(kPiece / page);
  for (std::size_t at = 0; at < bytes.size(); at += kPiece) {
    const std::size_t length = std::min(kPiece, bytes.size() - at);
    const std::size_t pages = (length + page - 1) / page;
    // The kernel only looks; nothing is written through the pointer.
    if (::mincore(const_cast<std::byte*>(bytes.data() + at), length, resident.data()) != 0)
      return fail(errno_error(errno, "cannot ask which pages are in memory"));
    const auto absent = std::count_if(resident.begin(), resident.begin() + static_cast<std::ptrdiff_t>(pages),
                                      [](unsigned char flags) { return (flags & 1U) == 0; });
    missing.push_back(std::min(length, static_cast<std::size_t>(absent) * page));
  }
  return missing;
}

}  // namespace

Result<> page_in(const std::filesystem::path& file, const std::function<void(const PageInProgress&)>& report) {
  PUNA_TRY(const auto mapped, os::MappedFile::open(file));
  PUNA_TRY(const auto missing, missing_by_piece(mapped.bytes()));
  PageInProgress progress;
  for (const std::size_t bytes : missing) progress.total += Bytes(bytes);
  if (progress.total == Bytes(0)) return {};

  PUNA_TRY(const auto descriptor, os::open_regular_file(file));
  std::vector<char> buffer(1U << 20U);
  for (std::size_t piece = 0; piece < missing.size(); ++piece) {
    if (missing[piece] == 0) continue;
    const std::size_t end = std::min((piece + 1) * kPiece, mapped.bytes().size());
    for (std::size_t at = piece * kPiece; at < end;) {
      const ssize_t got = ::pread(descriptor.get(), buffer.data(), std::min(buffer.size(), end - at), static_cast<off_t>(at));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(errno_error(errno, fmt::format("cannot read {}", file.string())));
      if (got == 0) return fail(Code::corrupt_data, fmt::format("{} became shorter while it was read", file.string()));
      at += static_cast<std::size_t>(got);
    }
    progress.done += Bytes(missing[piece]);
    report(progress);
  }
  return {};
}

}  // namespace puna::worker
