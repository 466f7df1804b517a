#include "fleet/options.h"

#include "base/settings_registry.h"

namespace puna::fleet {

FleetOptions options_from(const Settings& settings) {
  FleetOptions out;
  out.keep_alive = settings.get(setting::kKeepAlive);
  out.context_length = settings.get(setting::kContextLength);
  out.slots = settings.get(setting::kSlots);
  out.threads = settings.get(setting::kThreads);
  out.gpu_layers = settings.get(setting::kGpuLayers);
  out.load_stall = settings.get(setting::kLoadStall);
  out.hang_probe = settings.get(setting::kHangProbe);
  out.drain = settings.get(setting::kDrain);
  out.stop_grace = settings.get(setting::kStopGrace);
  out.memory_share = settings.get(setting::kModelMemory);
  out.most_models = settings.get(setting::kMostModels);
  out.queue_per_model = settings.get(setting::kModelQueue);
  out.queue_per_client = settings.get(setting::kClientQueue);
  out.max_wait = settings.get(setting::kMaxWait);
  out.turn = settings.get(setting::kModelTurn);
  out.log_file_size = settings.get(setting::kLogFileSize);
  out.log_files = settings.get(setting::kLogFiles);
  out.warm_disk = settings.get(setting::kWarmDisk);
  out.warm_least = settings.get(setting::kWarmLeast);
  return out;
}

}  // namespace puna::fleet
