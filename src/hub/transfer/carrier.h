// One connection at work: asks for a stretch of a file and brings what comes.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "hub/transfer/address.h"
#include "hub/transfer/answer.h"
#include "hub/transfer/piece_map.h"
#include "net/http_client.h"
#include "net/io.h"

namespace puna::hub::transfer {

class Download;

// Network thread.
class Carrier : public std::enable_shared_from_this<Carrier> {
 public:
  // How the work ended.
  struct End {
    enum class Kind {
      done,     // some of the stretch is here, or all
      again,    // no failure: ask again at once
      passing,  // a failure that may pass
      fatal,    // one that will not
    };
    Kind kind = Kind::done;
    Error error = {};
  };

  Carrier(Download& download, PieceMap::Stretch stretch, bool ranged, std::uint64_t wave);

  // Ends by telling the download, whatever is thrown on the way. `keep` keeps it until then.
  static net::Task<void> run(std::shared_ptr<Carrier> self, std::shared_ptr<Download> keep);
  void start();
  // Ends soon; what it has not brought is asked for again, and nobody calls it a failure.
  void stop();

  [[nodiscard]] PieceMap::Id id() const { return stretch_.id; }
  [[nodiscard]] const std::string& host() const { return host_; }
  [[nodiscard]] bool flowing() const { return flowing_; }
  [[nodiscard]] bool stopped() const { return stopped_; }
  [[nodiscard]] std::uint64_t wave() const { return wave_; }
  // The next byte that comes.
  [[nodiscard]] std::uint64_t at() const { return at_; }
  // Bytes since the last call.
  [[nodiscard]] std::uint64_t take_count() { return std::exchange(count_, 0); }
  [[nodiscard]] MonotonicTime begun() const { return begun_; }
  // From the request to its answer; once.
  [[nodiscard]] std::optional<Milliseconds> take_wait() { return std::exchange(waited_, std::nullopt); }

  // Kept by the dispatcher.
  double speed = 0;  // bytes a second, of late
  std::optional<MonotonicTime> slow_since;

 private:
  [[nodiscard]] net::Task<End> carry();
  [[nodiscard]] net::HttpRequest request_to(const Address::Target& target) const;
  [[nodiscard]] net::Task<Result<>> pass_gate();
  [[nodiscard]] net::Task<End> refusal(const Address::Target& target, net::HttpStream& stream);
  [[nodiscard]] net::Task<End> act_on(Answer answer, net::HttpStream& stream);
  [[nodiscard]] net::Task<End> unmask(net::HttpStream& stream, End otherwise);
  [[nodiscard]] net::Task<End> receive(const Answer& answer, net::HttpStream& stream);
  [[nodiscard]] net::Task<Result<>> keep(std::string_view bytes, std::string_view content_type);
  [[nodiscard]] End ended_by(Error error) const;

  Download& download_;
  const PieceMap::Stretch stretch_;
  const bool ranged_;
  const std::uint64_t wave_;
  const MonotonicTime begun_ = std::chrono::steady_clock::now();
  std::string host_;
  std::uint64_t at_;
  std::uint64_t count_ = 0;
  std::optional<Milliseconds> waited_;
  std::string beginning_;  // of the file, until there is enough of it to be judged
  bool judged_ = false;
  bool flowing_ = false;
  bool stopped_ = false;
  net::Spawned task_;
};

}  // namespace puna::hub::transfer
