// The settings that the fleet obeys, and the places it uses.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/settings.h"
#include "base/units.h"

namespace puna::fleet {

// Read anew for each decision, so that a changed setting applies to the next worker without restart.
struct FleetOptions {
  Milliseconds keep_alive{300'000};
  std::int64_t context_length = 4096;  // tokens for each slot; 0: the model's own
  std::int64_t slots = 4;
  std::int64_t threads = 0;  // 0: one for each physical core
  std::int64_t gpu_layers = -1;
  Milliseconds load_stall{120'000};
  Milliseconds hang_probe{60'000};
  Milliseconds drain{20'000};      // for the requests of a model that is unloaded
  Milliseconds stop_grace{5'000};  // from SIGTERM to SIGKILL
  double memory_share = 0.85;      // of the available memory, for all models together
  std::int64_t most_models = 0;    // in memory at the same time; 0: as many as fit
  std::int64_t queue_per_model = 256;
  std::int64_t queue_per_client = 128;
  Milliseconds max_wait{600'000};  // of a request that does not say
  Milliseconds turn{10'000};       // see SchedulerLimits
  Bytes log_file_size = mib(10);
  std::int64_t log_files = 5;
  Bytes warm_disk = gib(4);       // for saved conversations; 0: none are saved
  std::int64_t warm_least = 256;  // tokens of a conversation that is saved

  // A model that fails to start twice in a row is not tried again for `backoff_base`, which doubles with each further failure.
  Milliseconds backoff_base{2'000};
  Milliseconds backoff_cap{60'000};
};
[[nodiscard]] FleetOptions options_from(const Settings& settings);

struct FleetPlaces {
  std::filesystem::path program;  // run as `program worker …`
  std::filesystem::path sockets;  // a folder of the fleet's own, mode 0700; what a dead daemon left there is removed
  std::filesystem::path logs;     // worker-NAME.log
  std::filesystem::path warm;     // saved conversations, a folder for each model; empty: none are saved
};

}  // namespace puna::fleet
