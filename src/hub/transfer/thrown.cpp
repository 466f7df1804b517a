#include "hub/transfer/thrown.h"

#include <fmt/format.h>

#include <exception>
#include <new>

namespace puna::hub::transfer {

Error thrown_error() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return {Code::out_of_memory, "memory ran out during a transfer: free some and try again; what came is kept"};
  } catch (const std::exception& exception) {
    return {Code::internal, fmt::format("a transfer failed unexpectedly: {}", exception.what())};
  } catch (...) {
    return {Code::internal, "a transfer failed unexpectedly"};
  }
}

}  // namespace puna::hub::transfer
