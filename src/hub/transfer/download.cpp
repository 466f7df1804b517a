// The life of a download: from the partial file to the verified one. What its connections need stands in download_answers.cpp.
#include "hub/transfer/download.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/settings_registry.h"
#include "hub/transfer/thrown.h"
#include "os/disk.h"

namespace puna::hub::transfer {
namespace {

constexpr std::uint64_t kCheckpointBytes = 256 << 20;
constexpr Milliseconds kCheckpointTime{2000};
constexpr Milliseconds kCheckpointLook{250};
constexpr std::uint64_t kRoomForJournal = 256 << 10;
constexpr Bytes kJournalFrom = mib(2);  // smaller files are fetched again after a kill
constexpr int kMostNewBeginnings = 3;   // a file that changes more often on its way is given up

Wanted without_functions(const Wanted& wanted) {
  return {.key = wanted.key, .shown = wanted.shown, .size = wanted.size, .digest = wanted.digest, .locate = {}};
}

}  // namespace

Download::Download(Surroundings& surroundings, std::shared_ptr<Subscriber> first, std::uint64_t order)
    : shared_(surroundings),
      order_(order),
      wanted_(without_functions(first->wanted())),
      subscribers_{std::move(first)},
      map_(surroundings.settings.snapshot()->get(setting::kTransferPiece).count),
      address_(surroundings.io, [this](Why why) { return locate(why); }),
      writes_(surroundings.io),
      changed_(surroundings.io),
      written_(surroundings.io) {}

void Download::start() {
  state_ = State::opening;
  try {
    auto task = net::spawn(shared_.io, "download", live());
    task.detach();
  } catch (...) {
    state_ = State::waiting;
    fail_with(thrown_error());
  }
}

void Download::add(std::shared_ptr<Subscriber> subscriber) {
  subscribers_.push_back(std::move(subscriber));
}

void Download::look_who_wants() {
  std::erase_if(subscribers_, [](const auto& subscriber) { return subscriber->withdrawn(); });
  if (!subscribers_.empty() || stopping_) return;
  stopping_ = true;
  halt_ = true;
  for (const auto& carrier : carriers_) carrier->stop();
  if (state_ == State::waiting) state_ = State::ended;
  changed_.notify();
}

int Download::priority() const {
  int out = -1'000'000;
  for (const auto& subscriber : subscribers_) out = std::max(out, subscriber->priority());
  return out;
}

std::shared_ptr<Subscriber> Download::asker() const {
  for (const auto& subscriber : subscribers_)
    if (!subscriber->withdrawn()) return subscriber;
  return nullptr;
}

net::Task<Result<Location>> Download::locate(Why why) {
  const auto subscriber = asker();
  if (!subscriber) {
    look_who_wants();  // nobody: no further connection is begun
    co_return fail(Code::cancelled, "the transfer was cancelled");
  }
  auto found = co_await net::on_pool(shared_.io, shared_.locators, [&] { return subscriber->locate(why); });
  // Another asker may still want the file.
  if (found || found.error().code != Code::cancelled || !asker()) co_return found;
  if (subscriber->withdrawn()) co_return co_await locate(why);
  co_return fail(Code::unavailable, fmt::format("{}: nobody could say where it is", shown()));
}

net::Task<void> Download::live() {
  const auto self = shared_from_this();
  auto outcome = co_await caught(bring());
  if (auto left = co_await caught(leave(outcome.has_value())); !left)
    log::warning("hub", "a transfer was not left in order", {{"file", shown()}, {"error", left.error().text()}});
  file_.reset();
  state_ = State::ended;
  for (const auto& subscriber : subscribers_) subscriber->finish(outcome);
  shared_.call_dispatcher();
}

// Notes what came, and ends what still runs for it.
net::Task<Result<>> Download::leave(bool brought) {
  co_await stop_carriers();
  co_await stop_helpers();
  if (!brought && file_ && map_.present().total() > 0 && !repairing_) {
    auto noted = co_await checkpoint();
    if (!noted && noted.error().code == Code::disk_full && !map_.size()) noted = co_await checkpoint_on_full_disk();
    if (!noted) log::warning("hub", "what came of a transfer could not be noted", {{"file", shown()}, {"error", noted.error().text()}});
  }
  const bool nothing = file_ && !brought && map_.present().total() == 0;
  file_.reset();
  if (nothing) {
    // An empty file would only lie around.
    if (auto removed = co_await net::on_pool(shared_.io, [&] { return remove_partial(shared_.downloads, key()); }); !removed)
      log::warning("hub", "an empty partial file stays", {{"file", shown()}, {"error", removed.error().text()}});
  }
  show(std::chrono::steady_clock::now());
  co_return Result<>();
}

// What a helper throws ends the download.
net::Task<void> Download::help(std::shared_ptr<Download> keep, net::Task<void> helper) {
  try {
    co_await std::move(helper);
  } catch (...) {
    keep->fail_with(thrown_error().within(keep->shown()));
  }
}

net::Task<Result<Arrived>> Download::bring() {
  PUNA_CO_CHECK(co_await open());
  state_ = State::fetching;
  auto hashing = net::spawn(shared_.io, "hashing", help(shared_from_this(), hash_along()));
  auto noting = net::spawn(shared_.io, "noting", help(shared_from_this(), note_along()));
  hashing.detach();
  noting.detach();
  shared_.call_dispatcher();
  PUNA_CO_CHECK(co_await fetch());
  PUNA_CO_CHECK(co_await checkpoint());
  co_return arrived(*found_);
}

net::Task<Result<>> Download::open() {
  auto opened = co_await net::on_pool(shared_.io, [this]() -> Result<std::pair<std::shared_ptr<PartialFile>, PartialFile::Found>> {
    PUNA_TRY(auto file, PartialFile::open(shared_.downloads, key()));
    PUNA_TRY(auto found, file->recover(wanted_.digest, wanted_.size));
    return std::pair{std::move(file), std::move(found)};
  });
  if (!opened) co_return fail(std::move(opened).error());
  file_ = std::move(opened->first);
  journal_ = std::move(opened->second.journal);
  proven_ = opened->second.proven;
  for (const auto span : journal_.present.spans()) map_.arrived(span);
  noted_ = map_.present().total();
  resumed_ = map_.present().prefix();
  noted_at_ = std::chrono::steady_clock::now();
  if (journal_.version.total) co_return co_await settle_size(*journal_.version.total);
  co_return Result<>();
}

net::Task<Result<>> Download::settle_size(std::uint64_t size) {
  map_.set_size(size);
  journal_.version.total = size;
  journaled_ = Bytes(size) >= kJournalFrom;
  if (journaled_) {
    auto reserved = co_await net::on_pool(shared_.io, [&] { return file_->reserve(Bytes(size)); });
    if (!reserved) co_return fail(with_figures(std::move(reserved).error()));
    if (proven_) PUNA_CO_CHECK(co_await checkpoint());
  }
  written_.notify();
  changed_.notify();
  co_return Result<>();
}

// Until every byte is here and the digest is right.
net::Task<Result<>> Download::fetch() {
  while (true) {
    const auto seen = changed_.epoch();
    if (stopping_) co_return fail(Code::cancelled, "the transfer was cancelled");
    if (failure_) co_return fail(with_figures(*failure_));
    if (want_anew_) {
      PUNA_CO_CHECK(co_await begin_anew());
    } else if (repairing_) {
      PUNA_CO_TRY(const bool repaired, co_await repair());
      if (repaired) co_return Result<>();
    } else if (map_.complete()) {
      state_ = State::verifying;
      if (found_) {
        PUNA_CO_TRY(const bool right, co_await judge_digest());
        if (right) co_return Result<>();
        continue;
      }
    } else {
      state_ = State::fetching;
    }
    if (changed_.epoch() == seen) PUNA_CO_CHECK(co_await changed_.wait(seen, kForever));
  }
}

net::Task<void> Download::stop_carriers() {
  for (const auto& carrier : carriers_) carrier->stop();
  while (!carriers_.empty()) {
    const auto seen = changed_.epoch();
    if (!co_await changed_.wait(seen, kForever)) co_return;
  }
}

net::Task<void> Download::stop_helpers() {
  stopping_ = true;
  halt_ = true;
  written_.notify();
  while (hashing_ || checkpointing_) {
    const auto seen = changed_.epoch();
    if (!hashing_ && !checkpointing_) co_return;
    if (!co_await changed_.wait(seen, kForever)) co_return;
  }
}

net::Task<Result<>> Download::begin_anew() {
  if (++begun_anew_ > kMostNewBeginnings)
    co_return fail(Code::upstream_failed, fmt::format("{}: the file keeps changing: try again later", shown()));
  log::info("hub", "a transfer begins anew", {{"file", shown()}});
  co_await stop_carriers();
  while (hashing_ || checkpointing_) {
    const auto seen = changed_.epoch();
    if (hashing_ || checkpointing_) PUNA_CO_CHECK(co_await changed_.wait(seen, kForever));
  }
  auto begun =
      co_await net::on_pool(shared_.io, [this] { return file_->begin(wanted_.digest, {.etag = {}, .last_modified = {}, .total = {}}); });
  if (!begun) co_return fail(std::move(begun).error());
  journal_ = std::move(*begun);
  map_ = PieceMap(shared_.settings.snapshot()->get(setting::kTransferPiece).count);
  verifier_.reset();
  found_.reset();
  hashed_ = noted_ = resumed_ = 0;
  proven_ = true;
  want_anew_ = false;
  if (wanted_.size) PUNA_CO_CHECK(co_await settle_size(wanted_.size->count));
  shared_.call_dispatcher();
  co_return Result<>();
}

net::Task<void> Download::note_along() {
  while (!stopping_) {
    const auto now = std::chrono::steady_clock::now();
    const auto present = map_.present().total();
    const bool due = present >= noted_ + kCheckpointBytes || (present > noted_ && now - noted_at_ >= kCheckpointTime) || version_news_;
    if (due && proven_ && !repairing_ && !want_anew_ && !map_.complete())
      if (auto noted = co_await checkpoint(); !noted) fail_with(std::move(noted).error());
    const auto seen = changed_.epoch();
    if (auto waited = co_await changed_.wait(seen, kCheckpointLook); !waited && waited.error().code == Code::cancelled) co_return;
  }
}

net::Task<Result<>> Download::checkpoint() {
  while (checkpointing_) {
    const auto seen = changed_.epoch();
    PUNA_CO_CHECK(co_await changed_.wait(seen, kForever));
  }
  Journal state = journal_;
  state.present = map_.present();
  auto noting = caught(
      net::on_pool(shared_.io, [&, file = file_, journaled = journaled_] { return journaled ? file->checkpoint(state) : file->sync(); }));
  checkpointing_ = true;
  version_news_ = false;
  auto noted = co_await std::move(noting);
  checkpointing_ = false;
  noted_ = state.present.total();
  noted_at_ = std::chrono::steady_clock::now();
  changed_.notify();
  co_return noted;
}

// A file of unknown size was not given its room beforehand: its last bytes make room for the journal that keeps the others.
net::Task<Result<>> Download::checkpoint_on_full_disk() {
  const auto length = map_.present().prefix();
  const auto kept = length - std::min(length, kRoomForJournal);
  map_.lost({kept, UINT64_MAX});
  PUNA_CO_CHECK(co_await net::on_pool(shared_.io, [&] { return file_->cut(Bytes(kept)); }));
  co_return co_await checkpoint();
}

void Download::fail_with(Error error) {
  if (state_ == State::waiting) {
    state_ = State::ended;
    for (const auto& subscriber : subscribers_) subscriber->finish(fail(error));
  }
  if (!failure_) failure_ = std::move(error);
  halt_ = true;
  for (const auto& carrier : carriers_) carrier->stop();
  changed_.notify();
}

Error Download::with_figures(Error error) const {
  if (error.code != Code::disk_full) return error;
  const auto space = os::disk_space(shared_.downloads);
  const auto size = map_.size();
  error.message =
      fmt::format("the disk of {} is full: {} of {} came, {}, {} is free; what came is kept: make room and resume",
                  shared_.downloads.string(), format_bytes(Bytes(map_.present().total())), shown(),
                  size ? format_bytes(Bytes(*size) - Bytes(map_.present().total())) + " more are needed" : "the size is not known",
                  space ? format_bytes(space->available) : "an unknown amount");
  return error;
}

Arrived Download::arrived(const Digester::Found& found) const {
  return {.file = file_->path(),
          .sha256 = found.sha256,
          .size = Bytes(*map_.size()),
          .etag = journal_.version.etag,
          .last_modified = journal_.version.last_modified};
}

std::string_view Download::phase() const {
  if (state_ == State::waiting || state_ == State::opening) return "preparing";
  if (repairing_) return "repairing";
  if (state_ == State::verifying) return "verifying";
  return "downloading";
}

void Download::show(MonotonicTime now) {
  if (now >= note_until_) note_.clear();
  if (shared_.bandwidth.allowance().paused)
    note_ = "the schedule pauses transfers";
  else if (const auto wait = shared_.gate.closed_for(host(), now); wait >= Seconds(1))
    note_ = fmt::format("{} asks to wait {}", host(), format_duration(std::chrono::ceil<Seconds>(wait)));
  Glimpse out;
  out.file.shown = shown();
  out.file.done = Bytes(repairing_ ? map_.size().value_or(0) : map_.present().total());
  out.file.total = map_.size() ? std::optional(Bytes(*map_.size())) : wanted_.size;
  out.file.state = FileState::running;
  if (state_ == State::waiting) out.file.state = FileState::waiting;
  if (state_ == State::verifying) out.file.state = FileState::verifying;
  if (state_ == State::ended) out.file.state = FileState::complete;
  out.connections = static_cast<int>(std::ranges::count_if(carriers_, &Carrier::flowing));
  out.phase = phase();
  const bool waits = out.connections == 0 && !note_.empty() && out.phase == "downloading";
  if (waits) out.phase = "waiting";
  out.note = note_;
  for (const auto& subscriber : subscribers_) subscriber->show(out);
}

}  // namespace puna::hub::transfer
