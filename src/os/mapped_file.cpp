#include "os/mapped_file.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "os/file.h"

namespace puna::os {
namespace {

void unmap(std::span<const std::byte> bytes) {
  if (!bytes.empty()) ::munmap(const_cast<std::byte*>(bytes.data()), bytes.size());
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  PUNA_TRY(const UniqueFd file, open_regular_file(path));
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return fail(errno_error(errno, fmt::format("cannot examine {}", path.string())));
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size == 0) return MappedFile({});  // nothing can be mapped
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
  if (address == MAP_FAILED) return fail(errno_error(errno, fmt::format("cannot map {}", path.string())));
  return MappedFile({static_cast<const std::byte*>(address), size});
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  if (this != &other) {
    unmap(bytes_);
    bytes_ = std::exchange(other.bytes_, {});
  }
  return *this;
}

MappedFile::~MappedFile() {
  unmap(bytes_);
}

}  // namespace puna::os
