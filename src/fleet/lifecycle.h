// The one state machine of a worker.
#pragma once

#include "wire/model.h"

namespace puna::fleet {

// starting → loading → ready ⇄ busy → stopping → stopped, and from each of the living states to failed.
[[nodiscard]] bool may_follow(wire::WorkerState from, wire::WorkerState to);

[[nodiscard]] constexpr bool is_loaded(wire::WorkerState state) {
  return state == wire::WorkerState::ready || state == wire::WorkerState::busy;
}
[[nodiscard]] constexpr bool is_ended(wire::WorkerState state) {
  return state == wire::WorkerState::stopped || state == wire::WorkerState::failed;
}

}  // namespace puna::fleet
