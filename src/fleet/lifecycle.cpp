#include "fleet/lifecycle.h"

namespace puna::fleet {

bool may_follow(wire::WorkerState from, wire::WorkerState to) {
  using enum wire::WorkerState;
  switch (from) {
    case starting:
      return to == loading || to == stopping || to == failed;
    case loading:
      return to == ready || to == stopping || to == failed;
    case ready:
      return to == busy || to == draining || to == stopping || to == failed;
    case busy:
      return to == ready || to == draining || to == stopping || to == failed;
    case draining:
      return to == stopping || to == failed;
    case stopping:
      return to == stopped;
    case stopped:
    case failed:
      return false;
  }
  return false;
}

}  // namespace puna::fleet
