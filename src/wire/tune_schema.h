// The one table of training's settings: requests are checked by it, help and reference are printed from it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "wire/training.h"
#include "wire/tune.h"

namespace puna::wire {

enum class TuneFieldKind {
  integer,
  number,
  boolean,
  text,
  choice,  // one of `choices`
  texts,   // a list
  ranks    // names with integers
};

struct TuneField {
  std::string_view name;   // the member of TuneSettings
  std::string_view group;  // heading of help: "adapter"
  TuneFieldKind kind = TuneFieldKind::number;
  double min = 0;
  double max = 0;
  bool above_min = false;               // min itself is refused
  bool below_max = false;               // max itself is refused
  std::string_view choices = {};        // "constant|linear|cosine"
  std::string_view fallback = {};       // the default as JSON; empty: it is found when a run begins
  std::string_view fallback_note = {};  // the default in words, where it depends on something
  std::string_view help;                // one sentence
  std::string_view aliases = {};        // other trainers' names for the same: "lora_r|r"
};

[[nodiscard]] std::span<const TuneField> tune_fields();
// By name or alias, with '-' or '_' between words. Code::invalid_argument names the nearest.
[[nodiscard]] Result<const TuneField*> find_tune_field(std::string_view name);
// "1 to 256", "above 0, up to 1", "constant, linear or cosine"
[[nodiscard]] std::string range_of(const TuneField& field);
// The default for people: "16", "twice the rank".
[[nodiscard]] std::string default_of(const TuneField& field);
// Null where it is found when a run begins.
[[nodiscard]] json::value default_value(std::string_view name);
// What somebody typed for a field: lists are separated by commas, ranks are NAME=RANK.
[[nodiscard]] Result<json::value> parse_tune_field(const TuneField& field, std::string_view text);

// Canonical names and values within their bounds, rules across fields kept. Code::invalid_argument lists every trouble with its field,
// value and range.
[[nodiscard]] Result<TuneSettings> read_tune_settings(const json::object& given);
// Rules across fields, and bounds, of settings that are there already.
[[nodiscard]] Result<> check(const TuneSettings& settings);
[[nodiscard]] Result<> check(const TuneRequest& request);
// The whole request: an unknown member, no data, settings as read_tune_settings() has them, evaluation asked for twice.
[[nodiscard]] Result<TuneRequest> read_tune_request(const json::value& given);
// Fills in every default that depends neither on model nor on data: of the method, of the preset, of the table.
[[nodiscard]] Result<TuneSettings> complete(const TuneSettings& given, TuneTask task, TuneMethod method);
// Names of runs are names of models without a folder or tag: small letters, digits, '.', '_', '-'; at most 64.
[[nodiscard]] Result<> check_run_name(std::string_view name);

}  // namespace puna::wire
