// Which file gets the next connection, and how many there are: by priority, by what each host rewards, by what it allows.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "hub/transfer/download.h"
#include "hub/transfer/pilot.h"
#include "net/io.h"

namespace puna::hub::transfer {

// Network thread.
class Dispatcher {
 public:
  // `ended` is called after downloads have ended.
  Dispatcher(Surroundings& surroundings, std::function<void()> ended);

  // The subscriber's file joins those that are brought, or the one that is on its way already.
  void add(const std::shared_ptr<Subscriber>& subscriber);
  // Some subscribers have withdrawn.
  void look_who_wants();
  // Something may have something to do: looks soon.
  void call();
  void host_refused(const std::string& host);
  void carrier_ended(Carrier& carrier);
  [[nodiscard]] bool idle() const { return downloads_.empty(); }
  // Whether a download has this key, even one that is just ending; and whether somebody still wants it.
  [[nodiscard]] bool has(std::string_view key) const;
  [[nodiscard]] bool is_wanted(std::string_view key) const;

 private:
  struct Host {
    Pilot pilot;
    double typical = 0;      // bytes a second of one connection
    double wait = 0;         // seconds from a request to its answer
    std::uint64_t came = 0;  // from connections that ended since the last look
  };

  net::Task<void> work();
  void look();
  void fail_all(const Error& error);
  void dispatch(MonotonicTime now);
  void begin_downloads();
  void measure(MonotonicTime now);
  void measure_host(const std::string& name, Host& host, const std::vector<std::shared_ptr<Carrier>>& carriers, double seconds,
                    MonotonicTime now);
  std::uint64_t take_figures(Host& host, Carrier& carrier);
  void redial_slow(Host& host, Carrier& carrier, bool tail, MonotonicTime now);
  [[nodiscard]] Host& host_of(const std::string& name, MonotonicTime now);
  [[nodiscard]] int connections_to(const std::string& host) const;
  [[nodiscard]] int connections() const;
  [[nodiscard]] int most_connections();
  [[nodiscard]] std::uint64_t longest_stretch(const Download& download, const Host& host) const;

  Surroundings& shared_;
  const std::function<void()> ended_;
  std::vector<std::shared_ptr<Download>> downloads_;  // by priority, then in the order of asking
  std::map<std::string, Host> hosts_;
  net::Notifier called_;
  bool working_ = false;
  std::uint64_t asked_ = 0;
  MonotonicTime measured_at_{};
};

}  // namespace puna::hub::transfer
