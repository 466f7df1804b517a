#include "cli/context.h"

#include "client/launch.h"

namespace puna::cli {

Result<os::Places> Context::places() const {
  return os::find_places(environment_);
}

Result<client::Address> Context::address() const {
  PUNA_TRY(auto where, places());
  return client::find_address(environment_, where);
}

Result<bool> Context::daemon_runs() const {
  PUNA_TRY(auto where, address());
  return !where.is_own() || client::is_listening(where.socket);
}

Result<client::Client*> Context::daemon(Start start, std::stop_token stop) {
  PUNA_TRY(auto where, address());
  if (start == Start::if_needed && where.is_own() && !client::is_listening(where.socket)) {
    PUNA_TRY(auto home, places());
    PUNA_TRY(auto program, client::own_program());
    PUNA_CHECK(client::ensure_daemon({.program = program, .environment = environment_, .places = home}, std::move(stop)));
  }
  if (!client_) client_ = std::make_unique<client::Client>(std::move(where));
  return client_.get();
}

}  // namespace puna::cli
