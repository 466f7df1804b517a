// What a running command works with. Parts that cost time are made when they are first asked for.
#pragma once

#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/interrupt.h"
#include "cli/screen/console.h"
#include "client/address.h"
#include "client/client.h"
#include "os/environment.h"
#include "os/places.h"

namespace puna::cli {

enum class Start { if_needed, never };

class Context {
 public:
  Context(Console& console, const os::Environment& environment, const EntryPoints& entry_points)
      : console_(console), environment_(environment), entry_points_(entry_points) {}

  [[nodiscard]] Console& console() { return console_; }
  [[nodiscard]] const os::Environment& environment() const { return environment_; }
  [[nodiscard]] const EntryPoints& entry_points() const { return entry_points_; }
  [[nodiscard]] WallTime now() const { return clock_.wall(); }

  [[nodiscard]] Result<os::Places> places() const;
  [[nodiscard]] Result<client::Address> address() const;
  // Whether the own daemon listens; another one, named by PUNA_HOST, is taken to.
  [[nodiscard]] Result<bool> daemon_runs() const;
  // The client of a daemon that answers. With Start::if_needed the own daemon is started when it does not run; the wait ends with
  // Code::cancelled when `stop` is requested.
  [[nodiscard]] Result<client::Client*> daemon(Start start, std::stop_token stop = {});

  // Prints a described struct or a JSON value on standard output.
  template <class T>
  void print_json(const T& value) {
    console_.out.write(json::pretty(json::encode(value)));
  }

 private:
  Console& console_;
  const os::Environment& environment_;
  const EntryPoints& entry_points_;
  SystemClock clock_;
  std::unique_ptr<client::Client> client_;
};

}  // namespace puna::cli
