#include "fleet/admission.h"

#include <fmt/format.h>

#include "os/hardware.h"

namespace puna::fleet {

Result<> admit(Bytes file_size, Bytes available) {
  if (file_size <= available) return {};
  return fail(Code::out_of_memory, fmt::format("its file takes {} in memory and {} are available: {} too little", format_bytes(file_size),
                                               format_bytes(available), format_bytes(file_size - available)));
}

Result<> admit_files(const std::vector<std::filesystem::path>& files) {
  Bytes size;
  for (const auto& file : files) {
    std::error_code failed;
    size += Bytes(std::filesystem::file_size(file, failed));
    if (failed) return fail(errno_error(failed.value(), fmt::format("cannot find {}", file.string())));
  }
  return admit(size, Bytes(os::probe_hardware().memory_available_bytes));
}

}  // namespace puna::fleet
