#include "worker/devices.h"

#include <unistd.h>

#include "ggml-backend.h"
#include "inference/kernels.h"
#include "os/descriptor.h"
#include "worker/engine_log.h"

namespace puna::worker {

Result<wire::Compute> probe_compute() {
  ggml_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  wire::Compute out;
  PUNA_TRY(out.kernels, inference::load_kernels());
  for (std::size_t i = 0; i < ggml_backend_dev_count(); ++i) {
    ggml_backend_dev_t device = ggml_backend_dev_get(i);
    const auto type = ggml_backend_dev_type(device);
    if (type != GGML_BACKEND_DEVICE_TYPE_GPU && type != GGML_BACKEND_DEVICE_TYPE_IGPU) continue;
    std::size_t free = 0, total = 0;
    ggml_backend_dev_memory(device, &free, &total);
    out.devices.push_back({.name = ggml_backend_dev_name(device),
                           .backend = ggml_backend_reg_name(ggml_backend_dev_backend_reg(device)),
                           .description = ggml_backend_dev_description(device),
                           .memory_total = static_cast<std::int64_t>(total),
                           .memory_free = static_cast<std::int64_t>(free)});
  }
  return out;
}

int print_devices() {
  const auto compute = probe_compute();
  if (!compute) {
    write_log_line("puna worker: " + compute.error().text());
    return 1;
  }
  return os::write_all(STDOUT_FILENO, json::to_text(json::encode(*compute)) + "\n") ? 0 : 1;
}

}  // namespace puna::worker
