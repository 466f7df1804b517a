// What models have taken in memory, so that the next load is expected with the figures of the last.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fleet/schedule/memory.h"
#include "store/database.h"
#include "wire/worker.h"

namespace puna::fleet {

// What a load is expected to take.
struct MemoryExpectation {
  std::string print;  // the same for the same files, settings and engine
  MemoryNeed need;
  bool measured = false;  // before, in a load with the same print
};

// Thread-safe; what touches files or the database is for the pool.
class MemoryBook {
 public:
  explicit MemoryBook(store::Database* database) : database_(database) {}

  // What was measured for the same print, else what the headers predict.
  [[nodiscard]] MemoryExpectation expect(const Launch& launch, Purpose purpose, const FleetOptions& options) const;
  // What a worker takes when all of its buffers are in use: what the engine says it has allocated, because pages that were not touched
  // yet are not resident, and no less than what is resident.
  [[nodiscard]] static MemoryNeed measured(const MemoryExpectation& expectation,
                                           const std::optional<std::vector<wire::WorkerMemory>>& engine, Bytes resident);
  [[nodiscard]] Result<> remember(const std::string& print, const MemoryNeed& measured) const;

 private:
  store::Database* database_;
};

}  // namespace puna::fleet
