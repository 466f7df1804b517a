// Settings from one schema: flag > environment > user's file > default.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/units.h"

namespace puna {

using SettingValue = std::variant<bool, std::int64_t, double, std::string, Milliseconds, Bytes, std::vector<std::string>>;

enum class SettingOrigin { default_value, file, environment, flag };
BOOST_DESCRIBE_ENUM(SettingOrigin, default_value, file, environment, flag)

// One row of the schema: everything that help, validation, settings screens and the reference documentation are printed from.
struct SettingSpec {
  std::string_view key;            // "server.port": table and name in the TOML file
  std::string_view environment;    // "PUNA_PORT"
  std::string_view default_value;  // as a person would type it
  std::string_view help;           // one sentence
  double min = -9e15;              // bounds of numbers, of milliseconds, of bytes
  double max = 9e15;
  std::string_view choices = {};  // "debug|info|warning": texts only
  bool live = true;               // a reload applies it; false: at the next start of the daemon
  std::size_t kind = 0;           // index into SettingValue; set by Setting<T>
  std::string_view also = {};     // variables of other programs that are honoured after our own: "HF_TOKEN|HUGGING_FACE_HUB_TOKEN"
  bool secret = false;            // never shown
};

template <class T>
struct Setting : SettingSpec {
  constexpr Setting(SettingSpec spec) : SettingSpec(spec) { kind = SettingValue(std::in_place_type<T>).index(); }
};
template <>
struct Setting<std::string> : SettingSpec {
  constexpr Setting(SettingSpec spec) : SettingSpec(spec) { kind = 3; }
};
template <>
struct Setting<std::vector<std::string>> : SettingSpec {
  constexpr Setting(SettingSpec spec) : SettingSpec(spec) { kind = 6; }
};

[[nodiscard]] std::string_view kind_name(const SettingSpec& spec);
// Validates text against the row: the error names the setting, the value and the bound.
[[nodiscard]] Result<SettingValue> parse_setting(const SettingSpec& spec, std::string_view text);
[[nodiscard]] std::string setting_text(const SettingValue& value);
// The same for eyes: of a secret only whether it is set.
[[nodiscard]] std::string shown_setting(const SettingSpec& spec, const SettingValue& value);
[[nodiscard]] Result<const SettingSpec*> find_setting(std::string_view key);  // not_found names the nearest keys

// What was wrong with a source of settings; the default (or a lower source) holds for that key.
struct SettingProblem {
  std::string source;  // a file name, "environment PUNA_PORT", "flag"
  int line = 0;        // from 1; 0 when the source has no lines
  int column = 0;
  std::string key;
  std::string message;
  [[nodiscard]] std::string text() const;
};

// An immutable snapshot.
class Settings {
 public:
  template <class T>
  [[nodiscard]] const T& get(const Setting<T>& setting) const {
    return std::get<T>(entry(setting).value);
  }
  struct Entry {
    SettingValue value;
    SettingOrigin origin = SettingOrigin::default_value;
    std::string source;
  };
  [[nodiscard]] const Entry& entry(const SettingSpec& spec) const;

 private:
  friend class SettingsStore;
  std::map<std::string_view, Entry> entries_;
};

// Where settings come from, and the snapshot in force. Thread-safe.
class SettingsStore {
 public:
  struct Sources {
    std::filesystem::path file;  // may be missing
    std::map<std::string, std::string> environment;
    std::map<std::string, std::string> flags;  // by key
  };
  // Never fails: a bad value is a problem, and its key keeps the value of the next source. A file that is not TOML is left as it
  // is, reported with line and column, and not used.
  explicit SettingsStore(Sources sources);

  [[nodiscard]] std::shared_ptr<const Settings> snapshot() const;
  [[nodiscard]] std::vector<SettingProblem> problems() const;
  // Reads the sources anew; returns the keys whose value changed.
  std::vector<std::string> reload();
  [[nodiscard]] const std::filesystem::path& file() const { return sources_.file; }

 private:
  const Sources sources_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Settings> snapshot_;
  std::vector<SettingProblem> problems_;
};

// The text of a settings file with one key set (or, for nullopt, removed); comments and order stay. The value must be valid.
[[nodiscard]] Result<std::string> edit_settings_text(std::string_view text, const SettingSpec& spec, std::optional<std::string_view> value);

}  // namespace puna
