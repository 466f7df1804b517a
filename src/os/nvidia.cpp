#include "os/nvidia.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <memory>
#include <utility>

namespace puna::os {
namespace {

// The part of NVML's interface that is used. It is stable: functions that change get another suffix.
using Status = int;  // nvmlReturn_t; 0: success
using Device = void*;
struct Memory {
  unsigned long long total = 0, free = 0, used = 0;
};

struct Close {
  void operator()(void* library) const { ::dlclose(library); }
};

class Nvml {
 public:
  explicit Nvml(void* library) : library_(library) {}
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;
  ~Nvml() {
    if (const auto shutdown = begun_ ? find<Status()>("nvmlShutdown") : nullptr) shutdown();
  }

  template <class... Arguments>
  Result<> call(const char* name, Arguments... arguments) {
    const auto function = find<Status(Arguments...)>(name);
    if (!function) return fail(Code::unavailable, fmt::format("NVIDIA's driver library has no {}", name));
    if (const Status status = function(arguments...); status != 0)
      return fail(Code::unavailable, fmt::format("NVIDIA's driver says: {} ({})", words_of(status), name));
    return {};
  }
  Result<> begin() {
    PUNA_CHECK(call("nvmlInit_v2"));
    begun_ = true;
    return {};
  }

 private:
  template <class Function>
  Function* find(const char* name) const {
    return reinterpret_cast<Function*>(::dlsym(library_.get(), name));
  }
  std::string words_of(Status status) const {
    const auto words = find<const char*(Status)>("nvmlErrorString");
    return words ? words(status) : fmt::format("error {}", status);
  }

  std::unique_ptr<void, Close> library_;
  bool begun_ = false;
};

Result<NvidiaGpu> read_gpu(Nvml& nvml, unsigned index) {
  Device device = nullptr;
  std::array<char, 96> name{};
  Memory memory;
  PUNA_CHECK(nvml.call("nvmlDeviceGetHandleByIndex_v2", index, &device));
  PUNA_CHECK(nvml.call("nvmlDeviceGetName", device, name.data(), static_cast<unsigned>(name.size() - 1)));
  PUNA_CHECK(nvml.call("nvmlDeviceGetMemoryInfo", device, &memory));
  return NvidiaGpu{.name = name.data(), .memory_total_bytes = memory.total, .memory_free_bytes = memory.free};
}

}  // namespace

Result<std::optional<NvidiaDriver>> probe_nvidia(const char* library) {
  void* opened = ::dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (opened == nullptr) return std::optional<NvidiaDriver>();
  Nvml nvml(opened);
  PUNA_CHECK(nvml.begin());
  NvidiaDriver out;
  std::array<char, 96> version{};
  PUNA_CHECK(nvml.call("nvmlSystemGetDriverVersion", version.data(), static_cast<unsigned>(version.size() - 1)));
  out.version = version.data();
  unsigned count = 0;
  PUNA_CHECK(nvml.call("nvmlDeviceGetCount_v2", &count));
  for (unsigned i = 0; i < count; ++i) {
    PUNA_TRY(auto gpu, read_gpu(nvml, i));
    out.gpus.push_back(std::move(gpu));
  }
  return std::optional(std::move(out));
}

}  // namespace puna::os
