// Answers of the Responses API that were kept, so that a later request can go on from one by its id.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/units.h"
#include "net/io.h"
#include "store/database.h"

namespace puna::responses {

struct Kept {
  std::string id;
  std::string owner;                       // who may see it: the id of a key; empty: whoever has none
  std::optional<std::string> previous_id;  // that it went on from
  json::value response;                    // the answer
  json::value input;                       // the items of its own request
  WallTime created_at;
  WallTime used_at;
};
BOOST_DESCRIBE_STRUCT(Kept, (), (id, owner, previous_id, response, input, created_at, used_at))

struct Bounds {
  Bytes size;         // of all that is kept; 0: nothing is
  Milliseconds time;  // since it was made or gone on from last
};

// Network thread.
class Archive {
 public:
  Archive(net::Io& io, store::Database& database, std::function<Bounds()> bounds);
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  [[nodiscard]] bool keeps() const { return bounds_().size.count > 0; }
  // Known at once; on disk a moment later (flush() waits for that). What was used least recently goes when there is no room.
  void keep(Kept kept);
  // Code::not_found when there is none, or it is somebody else's.
  [[nodiscard]] net::Task<Result<Kept>> find(std::string owner, std::string id);
  // The response and those before it, the first one first; all of them count as used now. Code::not_found names the one that is gone.
  [[nodiscard]] net::Task<Result<std::vector<Kept>>> conversation(std::string owner, std::string id);
  [[nodiscard]] net::Task<Result<>> remove(std::string owner, std::string id);
  // Must have succeeded before the object goes.
  [[nodiscard]] net::Task<Result<>> flush(Milliseconds limit);

 private:
  [[nodiscard]] net::Task<void> write(std::shared_ptr<const Kept> kept);

  net::Io& io_;
  store::Database& database_;
  std::function<Bounds()> bounds_;
  std::map<std::string, std::shared_ptr<const Kept>> on_the_way_;  // to the disk
  net::Notifier written_;
};

}  // namespace puna::responses
