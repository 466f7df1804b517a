// The one state machine of a worker.
#pragma once

#include "wire/model.h"

namespace puna::fleet {

// starting → loading → ready ⇄ busy → draining → stopping → stopped, and from each state before stopping to failed. What has no requests
// stops without draining.
[[nodiscard]] bool may_follow(wire::WorkerState from, wire::WorkerState to);

[[nodiscard]] constexpr bool is_loaded(wire::WorkerState state) {
  return state == wire::WorkerState::ready || state == wire::WorkerState::busy;
}
// On its way out: takes no new requests.
[[nodiscard]] constexpr bool is_leaving(wire::WorkerState state) {
  return state == wire::WorkerState::draining || state == wire::WorkerState::stopping;
}
[[nodiscard]] constexpr bool is_ended(wire::WorkerState state) {
  return state == wire::WorkerState::stopped || state == wire::WorkerState::failed;
}

}  // namespace puna::fleet
