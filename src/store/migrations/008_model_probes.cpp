#include <array>

#include "store/migrations/tables.h"

namespace puna::store {
namespace {

constexpr std::array<std::string_view, 1> kStatements = {
    // What came out when a model was tried; print is a hash of its files as they were. findings is a wire::ModelProbe.
    R"(CREATE TABLE model_probes (
      print TEXT NOT NULL PRIMARY KEY,
      findings TEXT NOT NULL,
      probed_at BIGINT NOT NULL))"};

}  // namespace

constinit const std::span<const std::string_view> kModelProbeTable = kStatements;

}  // namespace puna::store
