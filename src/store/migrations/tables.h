// What each migration does, one file a migration.
#pragma once

#include "store/migrations/spec.h"

namespace puna::store {

extern const std::span<const std::string_view> kJobsTables;         // 001_jobs.cpp
extern const std::span<const std::string_view> kModelTables;        // 002_models.cpp
extern const std::span<const std::string_view> kModelFileTables;    // 003_model_files.cpp
extern const std::span<const std::string_view> kProfileTables;      // 004_profiles.cpp
extern const std::span<const std::string_view> kBatchTables;        // 006_batches.cpp
extern const std::span<const std::string_view> kWorkerMemoryTable;  // 007_worker_memory.cpp
extern const std::span<const std::string_view> kModelProbeTable;    // 008_model_probes.cpp

extern const std::span<const std::string_view> kAccessTables;  // 005_access.cpp

}  // namespace puna::store
