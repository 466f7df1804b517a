#include "tune/offload/device.h"

#include <fmt/format.h>

#include <vector>

#include "base/text.h"
#include "ggml-backend.h"

namespace puna::tune {
namespace {

Device device_of(ggml_backend_dev_t handle, std::string name) {
  std::size_t free = 0, total = 0;
  ggml_backend_dev_memory(handle, &free, &total);
  return {.handle = handle,
          .name = std::move(name),
          .description = ggml_backend_dev_description(handle),
          .memory_free = Bytes(free),
          .memory_total = Bytes(total)};
}

bool is_meant(std::string_view wanted, ggml_backend_dev_t device) {
  const auto type = ggml_backend_dev_type(device);
  if (type == GGML_BACKEND_DEVICE_TYPE_CPU) return wanted == kStandIn;
  if (wanted == kAutomatic) return type == GGML_BACKEND_DEVICE_TYPE_GPU;
  return wanted == lower_ascii(ggml_backend_dev_name(device));
}

bool is_gpu(ggml_backend_dev_t device) {
  const auto type = ggml_backend_dev_type(device);
  return type == GGML_BACKEND_DEVICE_TYPE_GPU || type == GGML_BACKEND_DEVICE_TYPE_IGPU;
}

}  // namespace

Result<std::optional<Device>> find_device(std::string_view name) {
  const auto wanted = lower_ascii(trim(name));
  if (wanted == kCpu) return std::nullopt;
  std::vector<std::string> known = {std::string(kAutomatic), std::string(kCpu)};
  for (std::size_t i = 0; i < ggml_backend_dev_count(); ++i) {
    ggml_backend_dev_t device = ggml_backend_dev_get(i);
    if (is_meant(wanted, device)) return device_of(device, wanted == kStandIn ? std::string(kStandIn) : ggml_backend_dev_name(device));
    if (is_gpu(device)) known.push_back(fmt::format("{} ({})", ggml_backend_dev_name(device), ggml_backend_dev_description(device)));
  }
  if (wanted == kAutomatic) return std::nullopt;
  const std::string hint = known.size() > 2 ? "" : ": this build or this machine has no GPU that can be trained with";
  return fail(Code::invalid_argument, fmt::format("there is no device '{}'; there are {}{}", printable(name), join(known, ", "), hint));
}

}  // namespace puna::tune
