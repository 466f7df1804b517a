// Conversations' keys and values on disk: a folder for each model, a file for each state.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "os/memory_file.h"

namespace puna::worker {

// Changes bytes at an offset of the state in place, and changes them back when it is applied again: a stream cipher.
using ByteCipher = std::function<void(std::span<std::byte> bytes, std::uint64_t offset)>;

struct StatesPlace {
  std::filesystem::path folder;  // the model's; made when it is missing
  std::string key;               // 64 hexadecimal digits of all that a state depends on; states of another key are not seen
  Bytes limit;                   // of all states in all folders beside this one
  ByteCipher cipher = {};        // null: bytes lie on the disk as they are
};

// What a state was computed from.
struct StateOrigin {
  std::vector<std::int32_t> tokens;
  std::string adapters;  // the set in force, as text; empty: none
};

// The folder is the index: file names carry the key, files begin with their origin. Files appear whole or not at all, have mode 0600, and
// are checked by length and hash before they are used; what is torn is removed. Thread-safe; nobody who asks the index waits for a disk.
// Several processes may share a folder.
class SavedStates {
 public:
  // Code::permission_denied and the like when the folder cannot be made.
  [[nodiscard]] static Result<std::unique_ptr<SavedStates>> open(StatesPlace place);

  struct Match {
    std::string name;
    std::size_t common = 0;  // tokens at the beginning that are the same
    std::size_t length = 0;  // tokens of the state
  };
  // The state with the most tokens in common; of several the shortest.
  [[nodiscard]] std::optional<Match> best(std::span<const std::int32_t> tokens, std::string_view adapters) const;
  // The same for one state; nothing when it is gone or of other adapters.
  [[nodiscard]] std::optional<Match> match(const std::string& name, std::span<const std::int32_t> tokens, std::string_view adapters) const;
  // Whether there is a state besides those.
  [[nodiscard]] bool has_others(const std::set<std::string>& names) const;
  // The longest state that `origin` goes on from, or one that goes on from it; `common` tokens need not be saved again.
  [[nodiscard]] std::optional<Match> covering(const StateOrigin& origin) const;

  // Removes what was not used for the longest time, here or in the folders beside, until there is room; then the states that this one goes
  // on from. Returns its name. Code::too_large for a state beyond the limit.
  [[nodiscard]] Result<std::string> add(const StateOrigin& origin, const std::filesystem::path& state);
  // The state's bytes. Code::corrupt_data when they are not what was saved: the file is gone then.
  [[nodiscard]] Result<os::MemoryFile> read(const std::string& name);
  void remove(const std::string& name);

 private:
  explicit SavedStates(StatesPlace place) : place_(std::move(place)) {}
  void look();
  void note(const std::string& name, const StateOrigin& origin);
  [[nodiscard]] Result<> make_room(Bytes needed) const;
  [[nodiscard]] Result<std::string> write(const StateOrigin& origin, std::span<const std::byte> state) const;

  const StatesPlace place_;
  mutable std::mutex mutex_;
  std::map<std::string, StateOrigin> states_;  // by file name
};

}  // namespace puna::worker
