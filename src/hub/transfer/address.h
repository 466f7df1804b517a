// Where a file's pieces are asked for: one location, shared by all of them and renewed when it ends.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "hub/transfer/transfer.h"
#include "net/io.h"

namespace puna::hub::transfer {

// When a signed URL says that it ends: Expires=UNIX, X-Amz-Date with X-Amz-Expires, X-Goog-…, se= (Azure). nullopt when it does not say.
[[nodiscard]] std::optional<WallTime> end_of_signature(const net::Url& url);

// Network thread. Remembers what a redirect led to, so that many pieces cost the redirecting host one request.
class Address {
 public:
  using Locate = std::function<net::Task<Result<Location>>(Why)>;
  Address(net::Io& io, Locate locate);

  struct Target {
    net::Url url;
    net::Headers headers;
    int generation = 0;
  };
  // Where to ask now; locates first if it must, once for all who wait.
  [[nodiscard]] net::Task<Result<Target>> next();
  // Whether the last target answered with the file: until then one request at a time is enough to find out.
  [[nodiscard]] bool settled() const { return settled_ && !ends_soon(); }
  // "host:port" of the next request; empty while that is unknown.
  [[nodiscard]] std::string host() const;

  // The target gave the file, from `final_url` after redirects.
  void answered(const Target& target, const net::Url& final_url);
  // The target refused (400, 401, 403, 404, 410). Whether asking again, elsewhere or with a fresh signature, makes sense.
  [[nodiscard]] bool refused(const Target& target);
  // The host could not be reached or broke off, `failures` times in a row by now: another mirror is asked for, if there is one.
  void failing(const Target& target, int failures);
  // Bytes came.
  void progressed() { renewals_ = 0; }

 private:
  [[nodiscard]] net::Task<Result<>> locate();
  [[nodiscard]] bool ends_soon() const;
  void renew(Why why);

  net::Notifier changed_;
  Locate locate_;
  std::optional<Location> asked_;
  std::optional<net::Url> direct_;  // what asked_ redirects to
  std::optional<Location> before_;  // for when no mirror is found
  std::optional<WallTime> ends_;
  Why why_ = Why::first;
  int generation_ = 0;
  bool settled_ = false;
  bool proven_ = false;  // this file has come from a location of ours
  bool locating_ = false;
  bool no_mirror_ = false;
  int renewals_ = 0;  // since bytes came
  int relocations_ = 0;
  MonotonicTime located_at_{};
};

}  // namespace puna::hub::transfer
