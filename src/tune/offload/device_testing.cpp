#include "tune/offload/device_testing.h"

#include <sys/mman.h>

#include <cstring>
#include <map>

#include "ggml-backend-impl.h"

namespace puna::tune {
namespace {

// What was given: address to size. Nobody may touch it unless a Glance exists.
std::map<void*, std::size_t>& memory() {
  static std::map<void*, std::size_t> all;
  return all;
}

class Glance {
 public:
  Glance() { protect(PROT_READ | PROT_WRITE); }
  Glance(const Glance&) = delete;
  ~Glance() { protect(PROT_NONE); }

 private:
  static void protect(int how) {
    for (const auto& [at, size] : memory())
      if (::mprotect(at, size, how) != 0) std::abort();
  }
};

ggml_backend_t computer() {
  static ggml_backend_t cpu = ggml_backend_init_by_type(GGML_BACKEND_DEVICE_TYPE_CPU, nullptr);
  return cpu;
}

const ggml_backend_buffer_i kBuffer = {
    .free_buffer =
        [](ggml_backend_buffer_t buffer) {
          FakeDevice::get().taken -= buffer->size;
          ::munmap(buffer->context, buffer->size);
          memory().erase(buffer->context);
        },
    .get_base = [](ggml_backend_buffer_t buffer) { return buffer->context; },
    .set_tensor =
        [](ggml_backend_buffer_t, ggml_tensor* tensor, const void* data, std::size_t offset, std::size_t size) {
          const Glance glance;
          FakeDevice::get().travelled_down += size;
          std::memcpy(static_cast<std::byte*>(tensor->data) + offset, data, size);
        },
    .get_tensor =
        [](ggml_backend_buffer_t, const ggml_tensor* tensor, void* data, std::size_t offset, std::size_t size) {
          const Glance glance;
          std::memcpy(data, static_cast<const std::byte*>(tensor->data) + offset, size);
        },
};

ggml_backend_buffer_t give(ggml_backend_buffer_type_t type, std::size_t size) {
  auto& fake = FakeDevice::get();
  if (fake.taken + size > fake.gives.count) return nullptr;
  void* at = ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return nullptr;
  memory()[at] = size;
  fake.taken += size;
  fake.most_taken = std::max(fake.most_taken, fake.taken);
  return ggml_backend_buffer_init(type, kBuffer, at, size);
}

ggml_backend_buffer_type_t buffer_type();

ggml_status compute(ggml_backend_t, ggml_cgraph* graph) {
  auto& fake = FakeDevice::get();
  if (fake.graphs++ == fake.fails_at) return GGML_STATUS_FAILED;
  const Glance glance;
  return ggml_backend_graph_compute(computer(), graph);
}

const ggml_backend_i kBackend = {
    .get_name = [](ggml_backend_t) { return "FAKE0"; },
    .free = [](ggml_backend_t backend) { delete backend; },
    .graph_compute = compute,
};

const ggml_backend_device_i kDevice = {
    .get_name = [](ggml_backend_dev_t) { return "FAKE0"; },
    .get_description = [](ggml_backend_dev_t) { return "a device for tests"; },
    .get_memory =
        [](ggml_backend_dev_t, std::size_t* free, std::size_t* total) {
          *free = FakeDevice::get().free.count;
          *total = gib(1).count;
        },
    .get_type = [](ggml_backend_dev_t) { return GGML_BACKEND_DEVICE_TYPE_GPU; },
    .init_backend = [](ggml_backend_dev_t device, const char*) -> ggml_backend_t {
      if (!FakeDevice::get().starts) return nullptr;
      static ggml_guid guid = {7};
      return new ggml_backend{&guid, kBackend, device, nullptr};
    },
    .get_buffer_type = [](ggml_backend_dev_t) { return buffer_type(); },
    .supports_op =
        [](ggml_backend_dev_t, const ggml_tensor* op) {
          return !FakeDevice::get().lacks.contains(ggml_op_desc(op)) &&
                 ggml_backend_dev_supports_op(ggml_backend_get_device(computer()), op);
        },
    .supports_buft = [](ggml_backend_dev_t, ggml_backend_buffer_type_t type) { return type == buffer_type(); },
};

ggml_backend_dev_t fake_device() {
  static ggml_backend_device device = {.iface = kDevice, .reg = nullptr, .context = nullptr};
  return &device;
}

ggml_backend_buffer_type_t buffer_type() {
  static ggml_backend_buffer_type type = {.iface = {.get_name = [](ggml_backend_buffer_type_t) { return "FAKE0"; },
                                                    .alloc_buffer = give,
                                                    .get_alignment = [](ggml_backend_buffer_type_t) { return std::size_t{256}; }},
                                          .device = fake_device(),
                                          .context = nullptr};
  return &type;
}

}  // namespace

FakeDevice& FakeDevice::get() {
  static FakeDevice one;
  static const bool known = [] {
    ggml_backend_device_register(fake_device());
    return true;
  }();
  static_cast<void>(known);
  return one;
}

void FakeDevice::reset() {
  *this = {};
}

Device FakeDevice::device() const {
  return find_device("FAKE0").value().value();
}

}  // namespace puna::tune
