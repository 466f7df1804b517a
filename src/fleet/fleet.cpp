#include "fleet/fleet.h"

#include "fleet/roster.h"

namespace puna::fleet {

Fleet::Fleet(FleetParts parts) : roster_(std::make_shared<Roster>(std::move(parts))) {}

Fleet::~Fleet() {
  roster_->close();
}

net::Task<Result<Lease>> Fleet::acquire(std::string model, LeaseOptions options) {
  return roster_->acquire(std::move(model), std::move(options));
}

void Fleet::forgive(const std::string& model) {
  roster_->forgive(model);
}

net::Task<Result<>> Fleet::unload(std::string model) {
  return roster_->unload(std::move(model));
}

std::vector<wire::RunningModel> Fleet::list() const {
  return roster_->list();
}

std::vector<WorkerPlace> Fleet::places() const {
  return roster_->places();
}

std::size_t Fleet::running() const {
  return roster_->running();
}

net::Task<Result<>> Fleet::shutdown(Milliseconds drain) {
  return roster_->shutdown(drain);
}

Lease::Lease(std::weak_ptr<Roster> roster, Worker& worker, std::shared_ptr<Turn> turn)
    : roster_(std::move(roster)),
      worker_(worker.id()),
      turn_(std::move(turn)),
      load_(worker.load()),
      model_(worker.model()),
      endpoint_(std::make_shared<const Endpoint>(worker.endpoint())),
      context_length_(worker.context_length()),
      adapters_(worker.launch().adapters) {
  worker.begin_request();
}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    end();
    roster_ = std::move(other.roster_);
    worker_ = other.worker_;
    turn_ = other.turn_;
    load_ = other.load_;
    model_ = std::move(other.model_);
    endpoint_ = std::move(other.endpoint_);
    context_length_ = other.context_length_;
    adapters_ = std::move(other.adapters_);
  }
  return *this;
}

void Lease::end() {
  if (const auto roster = std::exchange(roster_, {}).lock()) roster->release(worker_, turn_->request);
}

Milliseconds Lease::waited() const {
  return turn_->waited.value_or(std::chrono::ceil<Milliseconds>(std::chrono::steady_clock::now() - turn_->asked));
}

std::optional<MonotonicTime> Lease::slot_at() const {
  return turn_->waited ? std::optional(turn_->asked + *turn_->waited) : std::nullopt;
}

net::Task<Result<>> Lease::slot() {
  co_await net::asio::this_coro::throw_if_cancelled(false);
  const auto turn = turn_;
  while (!turn->waited) {
    if (turn->refused) co_return fail(*turn->refused);
    co_await turn->changed.wait();
    if (net::is_cancelled(co_await net::asio::this_coro::cancellation_state)) co_return fail(net::cancelled_error());
  }
  co_return Result<>();
}

void Lease::begun() {
  if (turn_->waited && turn_->staging == Staging::allowed) return;
  if (const auto roster = roster_.lock()) roster->begun(turn_->request);
}

net::Task<Result<>> Lease::probe() {
  const auto roster = roster_.lock();
  if (!roster) co_return fail(Code::unavailable, "the fleet has ended");
  co_return co_await roster->probe(worker_);
}

net::Task<Error> Lease::explain(Error error) {
  const auto roster = roster_.lock();
  if (!roster) co_return error;
  co_return co_await roster->explain(worker_, std::move(error));
}

}  // namespace puna::fleet
