#include <array>

#include "store/migrations/tables.h"

namespace puna::store {

std::span<const Migration> migrations() {
  static const std::array kAll = {
      Migration{1, "jobs", kJobsTables},
      Migration{2, "models", kModelTables},
      Migration{3, "model files", kModelFileTables},
      Migration{4, "profiles", kProfileTables},
      Migration{5, "access", kAccessTables},
      Migration{6, "responses, files and batches", kBatchTables},
      Migration{7, "worker memory", kWorkerMemoryTable},
      Migration{8, "model probes", kModelProbeTable},
  };
  return kAll;
}

}  // namespace puna::store
