// One file on its way: its partial file, who brings what of it, and its digest.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "hub/transfer/address.h"
#include "hub/transfer/answer.h"
#include "hub/transfer/bandwidth.h"
#include "hub/transfer/carrier.h"
#include "hub/transfer/partial_file.h"
#include "hub/transfer/patience.h"
#include "hub/transfer/piece_map.h"
#include "hub/transfer/rate_gate.h"
#include "hub/transfer/subscriber.h"
#include "hub/transfer/verifier.h"
#include "hub/transfer/write_queue.h"
#include "net/http_client.h"
#include "net/io.h"

namespace puna::hub::transfer {

// What downloads share.
struct Surroundings {
  net::Io& io;  // its pool is for disks
  net::HttpClient& http;
  net::asio::thread_pool& locators;
  const SettingsStore& settings;
  Bandwidth& bandwidth;
  RateGate& gate;
  std::filesystem::path downloads;
  std::function<void()> call_dispatcher;                     // another connection may have something to do
  std::function<void(const std::string& host)> was_refused;  // the host asks for less
  std::function<void(Carrier& carrier)> carrier_ended;       // its last figures
};

// Network thread, where nothing else is said.
class Download : public std::enable_shared_from_this<Download> {
 public:
  // `order`: larger for what was asked for later.
  Download(Surroundings& surroundings, std::shared_ptr<Subscriber> first, std::uint64_t order);

  void start();
  void add(std::shared_ptr<Subscriber> subscriber);
  // Ends as soon as it can when nobody wants it any more; what came is kept.
  void look_who_wants();
  [[nodiscard]] const std::string& key() const { return wanted_.key; }
  [[nodiscard]] int priority() const;
  [[nodiscard]] std::uint64_t order() const { return order_; }
  [[nodiscard]] bool started() const { return state_ != State::waiting; }
  [[nodiscard]] bool ended() const { return state_ == State::ended; }
  [[nodiscard]] bool closing() const { return stopping_ || failure_ || ended(); }  // too late to join
  [[nodiscard]] bool takes_part() const { return state_ == State::fetching && !stopping_ && !failure_; }

  // For the dispatcher.
  [[nodiscard]] std::string host() const { return address_.host(); }
  // Whether another connection could be of use now.
  [[nodiscard]] bool ready(MonotonicTime now) const;
  // Whether bytes come faster than they can be hashed.
  [[nodiscard]] bool hashing_is_behind() const;
  // Gives the next bytes to a new connection; `longest` bounds its stretch. When all are given out, half of what the slowest has still to
  // bring, if that would take longer than `worth_splitting` seconds. False when there is nothing to give.
  [[nodiscard]] bool begin_carrier(std::uint64_t longest, double worth_splitting);
  [[nodiscard]] const std::vector<std::shared_ptr<Carrier>>& carriers() const { return carriers_; }
  [[nodiscard]] std::uint64_t left_to_bring(const Carrier& carrier) const;
  [[nodiscard]] std::uint64_t unclaimed() const { return map_.unclaimed(); }
  void show(MonotonicTime now);

  // For its carriers.
  [[nodiscard]] Surroundings& surroundings() { return shared_; }
  [[nodiscard]] Address& address() { return address_; }
  [[nodiscard]] Patience& patience() { return patience_; }
  [[nodiscard]] const std::string& shown() const { return wanted_.shown; }
  [[nodiscard]] std::optional<std::uint64_t> size() const { return map_.size(); }
  [[nodiscard]] Question question(Span span, bool ranged) const;
  // For an If-Range header: when only a validator tells which bytes belong together.
  [[nodiscard]] std::optional<std::string> binding() const;
  [[nodiscard]] std::uint64_t end_of(const Carrier& carrier) const { return map_.end_of(carrier.id()); }
  [[nodiscard]] Result<> begins_right(std::string_view beginning, std::string_view content_type);
  // What an answer says about the file.
  [[nodiscard]] net::Task<Result<>> learn(FileVersion version, bool ranged);
  [[nodiscard]] Carrier::End changed_upstream(const FileVersion& version);
  [[nodiscard]] Carrier::End misplaced();
  // The whole file came although `asked` was asked for. Kind::done when that can be used.
  [[nodiscard]] Carrier::End ranges_ignored(Span asked);
  void ranges_work() { strikes_ = 0; }
  void refused_by(const std::string& host, const net::Headers& headers, Error& error);
  [[nodiscard]] net::Task<Result<>> write(std::uint64_t at, std::string_view bytes);
  void carrier_ended(Carrier& carrier, Carrier::End end);
  // Ends it, as soon as it can, for all who want it.
  void fail_with(Error error);

 private:
  enum class State { waiting, opening, fetching, verifying, ended };

  net::Task<void> live();
  net::Task<Result<Arrived>> bring();
  net::Task<void> help(std::shared_ptr<Download> keep, net::Task<void> helper);
  net::Task<Result<>> leave(bool brought);
  net::Task<Result<>> open();
  net::Task<Result<>> fetch();
  net::Task<Result<>> settle_size(std::uint64_t size);
  net::Task<Result<>> begin_anew();
  net::Task<void> stop_carriers();
  net::Task<void> stop_helpers();
  net::Task<void> hash_along();
  net::Task<void> note_along();
  net::Task<Result<>> checkpoint();
  net::Task<Result<>> checkpoint_on_full_disk();
  net::Task<Result<bool>> judge_digest();
  net::Task<Result<bool>> repair();
  net::Task<Result<>> hash_all();
  net::Task<Result<Location>> locate(Why why);
  Result<Verifier::Step> take(Result<Verifier::Step> step);
  void make_verifier();
  [[nodiscard]] std::shared_ptr<Subscriber> asker() const;
  [[nodiscard]] Error with_figures(Error error) const;
  [[nodiscard]] std::string_view phase() const;
  [[nodiscard]] Arrived arrived(const Digester::Found& found) const;

  Surroundings& shared_;
  const std::uint64_t order_;
  const Wanted wanted_;  // without its functions: those are the subscribers'
  std::vector<std::shared_ptr<Subscriber>> subscribers_;
  State state_ = State::waiting;
  bool stopping_ = false;
  std::optional<Error> failure_;
  std::string note_;
  MonotonicTime note_until_{};

  std::shared_ptr<PartialFile> file_;  // shared with disk threads
  Journal journal_;                    // its `present` is map_'s when it is written
  bool proven_ = true;
  PieceMap map_;
  Address address_;
  Patience patience_;
  std::minstd_rand dice_{std::random_device{}()};
  std::vector<std::shared_ptr<Carrier>> carriers_;

  bool ranged_ = true;  // the server can send parts
  int strikes_ = 0;     // answers in a row that were not what was asked for
  int fruitless_ = 0;   // connections since bytes came that only asked to be asked again
  bool want_anew_ = false;
  int begun_anew_ = 0;

  std::optional<Verifier> verifier_;  // used by a disk thread while hashing_
  bool hashing_ = false;
  double hash_rate_ = 400e6;  // bytes a second, measured
  std::uint64_t hashed_ = 0;
  std::uint64_t resumed_ = 0;  // bytes from the first on that were here before
  std::optional<Digester::Found> found_;
  bool repairing_ = false;
  bool differed_ = false;  // a repair has found other bytes

  bool journaled_ = true;  // small files are not worth a journal: what came of one is fetched again after a kill
  bool checkpointing_ = false;
  bool version_news_ = false;  // the journal does not know the validators yet
  std::uint64_t noted_ = 0;    // bytes that the journal knows
  MonotonicTime noted_at_{};

  WriteQueue writes_;
  std::atomic<bool> halt_{false};  // disk threads stop soon
  net::Notifier changed_;          // anything but
  net::Notifier written_;          // more bytes
};

}  // namespace puna::hub::transfer
