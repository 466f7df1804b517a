// How a download knows that its bytes are right, and what it does when they are not.
#include <fmt/format.h>

#include "base/log.h"
#include "hub/transfer/download.h"
#include "hub/transfer/thrown.h"

namespace puna::hub::transfer {
namespace {

constexpr double kMostBehindSeconds = 0.5;  // bytes that wait to be hashed, as time

}  // namespace

void Download::make_verifier() {
  const auto algorithm = wanted_.digest ? wanted_.digest->algorithm : Algorithm::sha256;
  if (algorithm == Algorithm::git_sha1 && !map_.size()) return;  // the size comes first there
  verifier_.emplace(algorithm, Bytes(map_.size().value_or(UINT64_MAX)), journal_.checksums);
  hashed_ = 0;
}

bool Download::hashing_is_behind() const {
  const auto ready = map_.present().prefix();
  // What was here before the transfer is hashed beside it, however long that takes.
  if (hashed_ < resumed_ || ready <= hashed_) return false;
  return static_cast<double>(ready - hashed_) > hash_rate_ * kMostBehindSeconds;
}

Result<Verifier::Step> Download::take(Result<Verifier::Step> step) {
  if (!step) return step;
  hashed_ = verifier_->at();
  for (const auto& [number, checksum] : step->computed) {
    if (journal_.checksums.size() <= number) journal_.checksums.resize(number + 1);
    journal_.checksums[number] = checksum;
  }
  return step;
}

net::Task<void> Download::hash_along() {
  while (!stopping_) {
    const auto seen = written_.epoch();
    if (!verifier_ && !want_anew_) make_verifier();
    const auto to = map_.present().prefix();
    const bool whole = map_.size() && hashed_ == *map_.size();
    if (verifier_ && !repairing_ && !want_anew_ && !found_ && !failure_ && (to > hashed_ || whole)) {
      const auto before = hashed_;
      const bool was_behind = hashing_is_behind();
      const auto begun = std::chrono::steady_clock::now();
      auto advancing = caught(net::on_pool(shared_.io, [&, file = file_] { return verifier_->advance(*file, to, halt_); }));
      hashing_ = true;
      auto advanced = co_await std::move(advancing);
      hashing_ = false;
      auto step = take(std::move(advanced));
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
      if (hashed_ > before + (1 << 20)) hash_rate_ = hash_rate_ * 0.8 + 0.2 * static_cast<double>(hashed_ - before) / seconds;
      if (step && map_.size() && hashed_ == *map_.size()) {
        auto found = verifier_->found();
        if (found)
          found_ = std::move(*found);
        else
          step = fail(std::move(found).error());
      }
      if (!step) {
        if (!want_anew_) fail_with(std::move(step).error());
      } else if (step->damaged) {
        log::warning("hub", "a damaged part of a file is fetched again",
                     {{"file", shown()}, {"from", step->damaged->from}, {"to", step->damaged->to}});
        map_.lost(*step->damaged);
        shared_.call_dispatcher();
      } else if (was_behind && !hashing_is_behind()) {
        shared_.call_dispatcher();
      }
      if (found_ || failure_ || stopping_ || want_anew_ || !map_.complete()) changed_.notify();
      continue;
    }
    if (auto waited = co_await written_.wait(seen, kForever); !waited) co_return;
  }
}

// Whether the file is the wanted one. When it is not, something else has been begun, or it fails.
net::Task<Result<bool>> Download::judge_digest() {
  if (!wanted_.digest || found_->wanted == wanted_.digest->hex) co_return true;
  if (!proven_) {
    log::info("hub", "a file without a journal is not the wanted one", {{"file", shown()}});
    want_anew_ = true;
    co_return false;
  }
  log::warning("hub", "a file is not what its digest promises: its parts are compared with the server's",
               {{"file", shown()}, {"wanted", wanted_.digest->hex}, {"found", found_->wanted}});
  repairing_ = true;
  differed_ = false;
  map_.lost({0, *map_.size()});
  state_ = State::fetching;
  shared_.call_dispatcher();
  co_return false;
}

// Every part is asked for again and compared; as soon as one was different the digest is computed anew.
net::Task<Result<bool>> Download::repair() {
  state_ = State::fetching;
  if (!carriers_.empty() || (!differed_ && !map_.complete())) co_return false;
  if (differed_) {
    PUNA_CO_CHECK(co_await hash_all());
    if (found_->wanted == wanted_.digest->hex) {
      map_.arrived({0, *map_.size()});
      repairing_ = false;
      co_return true;
    }
    differed_ = false;
  }
  if (!map_.complete()) {
    shared_.call_dispatcher();
    co_return false;
  }
  if (auto aside = co_await net::on_pool(shared_.io, [this] { return file_->quarantine(); }); !aside)
    log::warning("hub", "a wrong file could not be put aside", {{"file", shown()}, {"error", aside.error().text()}});
  co_return fail(
      Code::corrupt_data,
      fmt::format("{} has the {} {} instead of {}, also when it is fetched again: the server has another file than its catalogue "
                  "says; what came is kept aside",
                  shown(), wanted_.digest->algorithm == Algorithm::sha256 ? "SHA-256" : "git SHA-1", found_->wanted, wanted_.digest->hex));
}

net::Task<Result<>> Download::hash_all() {
  journal_.checksums.clear();
  make_verifier();
  while (hashed_ < *map_.size()) {
    if (stopping_) co_return fail(Code::cancelled, "the transfer was cancelled");
    auto advancing = caught(net::on_pool(shared_.io, [&, file = file_] { return verifier_->advance(*file, *map_.size(), halt_); }));
    hashing_ = true;
    auto advanced = co_await std::move(advancing);
    hashing_ = false;
    auto step = take(std::move(advanced));
    if (!step) co_return fail(std::move(step).error());
  }
  PUNA_CO_TRY(found_, verifier_->found());
  co_return Result<>();
}

}  // namespace puna::hub::transfer
