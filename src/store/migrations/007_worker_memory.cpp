#include <array>

#include "store/migrations/tables.h"

namespace puna::store {
namespace {

constexpr std::array<std::string_view, 1> kStatements = {
    // What a worker took, in bytes; print is a hash of everything that decides about it: files, settings, engine.
    R"(CREATE TABLE worker_memory (
      print TEXT NOT NULL PRIMARY KEY,
      weights BIGINT NOT NULL,
      context BIGINT NOT NULL,
      compute BIGINT NOT NULL,
      process BIGINT NOT NULL,
      devices TEXT NOT NULL,
      measured_at BIGINT NOT NULL))"};

}  // namespace

constinit const std::span<const std::string_view> kWorkerMemoryTable = kStatements;

}  // namespace puna::store
