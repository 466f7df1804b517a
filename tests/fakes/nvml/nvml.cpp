// A driver library for tests: two GPUs, or, with PUNA_FAKE_NVML=broken, a driver and a library that do not match.
#include <cstdlib>
#include <cstring>
#include <string_view>

extern "C" {

struct Memory {
  unsigned long long total, free, used;
};

int nvmlInit_v2() {
  const char* wanted = std::getenv("PUNA_FAKE_NVML");
  return wanted != nullptr && std::string_view(wanted) == "broken" ? 18 : 0;
}
int nvmlShutdown() {
  return 0;
}
const char* nvmlErrorString(int) {
  return "Driver/library version mismatch";
}
int nvmlSystemGetDriverVersion(char* out, unsigned size) {
  std::strncpy(out, "555.42.06", size);
  return 0;
}
int nvmlDeviceGetCount_v2(unsigned* out) {
  *out = 2;
  return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** out) {
  static char handles[2];
  *out = &handles[index];
  return 0;
}
int nvmlDeviceGetName(void*, char* out, unsigned size) {
  std::strncpy(out, "NVIDIA Fake 4090", size);
  return 0;
}
int nvmlDeviceGetMemoryInfo(void*, Memory* out) {
  *out = {24ULL << 30U, 20ULL << 30U, 4ULL << 30U};
  return 0;
}
}
