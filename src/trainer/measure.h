// Whether a run fits into memory and onto the disk, how long it takes, and what to change when it does not fit.
#pragma once

#include <cstdint>
#include <stop_token>

#include "base/error.h"
#include "base/units.h"
#include "trainer/materials.h"
#include "trainer/plan.h"
#include "trainer/units.h"
#include "wire/tune.h"

namespace puna::trainer {

// From sizes and lengths alone. `beside`: what this process has in memory that is neither the base nor the engine's.
[[nodiscard]] Result<wire::TuneEstimate> estimate_of(const Materials& materials, Units& units, const Units& evaluation, const Plan& plan,
                                                     Bytes beside);
// Adds what steps with the longest rows take, in memory and time. The adapter that they train is thrown away.
[[nodiscard]] Result<> try_out(wire::TuneEstimate& estimate, const Materials& materials, Units& units, const Plan& plan,
                               const std::stop_token& stop);
// Code::out_of_memory with the sum and the advice, unless what no file backs fits into memory.
[[nodiscard]] Result<> require_memory(const wire::TuneEstimate& estimate);

// The most that this process has ever had in memory, in bytes.
[[nodiscard]] std::int64_t peak_memory();
[[nodiscard]] std::int64_t memory_now();

}  // namespace puna::trainer
