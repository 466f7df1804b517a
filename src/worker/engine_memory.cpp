#include "worker/engine_memory.h"

#include <map>
#include <string>

#include "ggml-backend.h"
#include "llama-ext.h"

namespace puna::worker {
namespace {

std::string device_of(ggml_backend_buffer_type_t buffers) {
  ggml_backend_dev_t device = ggml_backend_buft_get_device(buffers);
  const bool main_memory = !device || ggml_backend_buft_is_host(buffers) || ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_CPU;
  return main_memory ? "CPU" : ggml_backend_dev_name(device);
}

}  // namespace

std::vector<wire::WorkerMemory> engine_memory(const llama_context* context) {
  std::map<std::string, wire::WorkerMemory> devices;
  if (context == nullptr) return {};
  for (const auto& [buffers, bytes] : llama_get_memory_breakdown(context)) {
    const std::string name = device_of(buffers);
    auto& device = devices[name];
    device.device = name;
    device.weights += static_cast<std::int64_t>(bytes.model);
    device.context += static_cast<std::int64_t>(bytes.context);
    device.compute += static_cast<std::int64_t>(bytes.compute);
  }
  std::vector<wire::WorkerMemory> out;
  for (auto& [name, device] : devices) out.push_back(std::move(device));
  return out;
}

}  // namespace puna::worker
