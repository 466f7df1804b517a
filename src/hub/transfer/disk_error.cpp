#include "hub/transfer/disk_error.h"

#include <fmt/format.h>

#include <cerrno>

#include "base/units.h"
#include "os/disk.h"

namespace puna::hub::transfer {

Error disk_error(int error_number, std::string_view operation, const std::filesystem::path& file) {
  const auto folder = file.parent_path().string();
  switch (error_number) {
    case ENOSPC: {
      const auto space = os::disk_space(file.parent_path());
      return {Code::disk_full, fmt::format("the disk of {} is full ({} is free): make room; what came is kept", folder,
                                           space ? format_bytes(space->available) : "an unknown amount")};
    }
    case EDQUOT:
      return {Code::disk_full,
              fmt::format("your quota on the disk of {} is used up: make room or ask for more; what came is kept", folder)};
    case EROFS:
      return {Code::permission_denied,
              fmt::format("the disk of {} can only be read: mount it for writing or choose another folder", folder)};
    case EFBIG:
      return {
          Code::unsupported,
          fmt::format("the file system of {} cannot hold a file as large as this (FAT32 ends at 4 GiB): choose another folder", folder)};
    case EIO:
      return {Code::internal, fmt::format("the disk of {} fails (input/output error): check its health before you try again", folder)};
    default:
      return errno_error(error_number, fmt::format("cannot {} {}", operation, file.string()));
  }
}

}  // namespace puna::hub::transfer
