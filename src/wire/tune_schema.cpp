#include "wire/tune_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace puna::wire {
namespace {

constexpr std::size_t kLongestRunName = 64;

std::string canonical(std::string_view name) {
  std::string out = lower_ascii(trim(name));
  std::ranges::replace(out, '-', '_');
  return out;
}

std::vector<std::string_view> choices_of(const TuneField& field) {
  return split(field.choices, '|');
}

std::string listed(std::vector<std::string_view> words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
    out += words[i];
  }
  return out;
}

// A value as it is quoted in a message.
std::string quoted(const json::value& value) {
  constexpr std::size_t kLongest = 60;
  auto out = json::to_text(value);
  if (out.size() > kLongest) out = out.substr(0, utf8_complete_prefix(std::string_view(out).substr(0, kLongest))) + "...";
  return printable(out);
}

bool within(const TuneField& field, double value) {
  if (!std::isfinite(value)) return false;
  const bool high_enough = field.above_min ? value > field.min : value >= field.min;
  const bool low_enough = field.below_max ? value < field.max : value <= field.max;
  return high_enough && low_enough;
}

bool is_whole(const json::value& value) {
  if (value.is_int64() || value.is_uint64()) return true;
  return value.is_double() && std::trunc(value.get_double()) == value.get_double();
}

Error wrong_value(const TuneField& field, const json::value& value) {
  return {Code::invalid_argument, fmt::format("{} is {}; it must be {}", field.name, quoted(value), range_of(field))};
}

// Methods and tasks go by aliases as well.
Result<json::value> canonical_choice(const TuneField& field, const json::value& value) {
  if (!value.is_string()) return fail(wrong_value(field, value));
  const std::string_view given = value.get_string();
  if (field.name == "method") {
    PUNA_TRY(const auto method, parse_method(given));
    return json::value(method_name(method));
  }
  if (field.name == "task") {
    PUNA_TRY(const auto task, parse_task(given));
    return json::value(task_name(task));
  }
  const auto wanted = canonical(given);
  const auto choices = choices_of(field);
  if (std::ranges::find(choices, std::string_view(wanted)) == choices.end()) return fail(wrong_value(field, value));
  return json::value(wanted);
}

bool is_text(const json::value& value) {
  return value.is_string() && !value.get_string().empty();
}
bool is_rank(const json::value& value) {
  return is_whole(value) && within(**find_tune_field("rank"), value.to_number<double>());
}

bool is_sound(const TuneField& field, const json::value& value) {
  switch (field.kind) {
    case TuneFieldKind::integer:
      return is_whole(value) && within(field, value.to_number<double>());
    case TuneFieldKind::number:
      return value.is_number() && within(field, value.to_number<double>());
    case TuneFieldKind::boolean:
      return value.is_bool();
    case TuneFieldKind::text:
    case TuneFieldKind::choice:
      return value.is_string();
    case TuneFieldKind::texts:
      return value.is_array() && std::ranges::all_of(value.get_array(), is_text);
    case TuneFieldKind::ranks:
      return value.is_object() && std::ranges::all_of(value.get_object(), [](const auto& entry) { return is_rank(entry.value()); });
  }
  return false;
}

// The value as TuneSettings has it.
Result<json::value> read_field(const TuneField& field, const json::value& value) {
  if (field.kind == TuneFieldKind::choice) return canonical_choice(field, value);
  if (!is_sound(field, value)) return fail(wrong_value(field, value));
  if (field.kind == TuneFieldKind::integer) return json::value(value.to_number<std::int64_t>());
  return value;
}

Error all_of(const std::vector<std::string>& problems) {
  return {Code::invalid_argument, join(problems, "; ")};
}

// What one setting says about another.
struct Rule {
  bool broken;
  std::string message;
};

template <class T>
std::string text_of(const std::optional<T>& value) {
  return quoted(json::encode(value));
}

void add_method_rules(const TuneSettings& in, std::vector<Rule>& out) {
  if (!in.method) return;
  const bool is_sft = *in.method == "sft";
  const bool is_dpo = *in.method == "dpo";
  const bool compares = !is_sft && *in.method != "pretrain";
  out.push_back(
      {in.train_on.has_value() && !is_sft,
       fmt::format("train_on is {}, but method {} decides itself which tokens count; leave it out", text_of(in.train_on), *in.method)});
  out.push_back({in.task.value_or("text-generation") != "text-generation" && !is_sft,
                 fmt::format("task {} needs method sft, not {}", in.task.value_or(""), *in.method)});
  out.push_back({in.beta.has_value() && !compares, fmt::format("beta is for dpo, orpo and kto, not for {}; leave it out", *in.method)});
  out.push_back(
      {in.preference_loss.has_value() && !is_dpo, fmt::format("preference_loss is for dpo, not for {}; leave it out", *in.method)});
  out.push_back(
      {in.label_smoothing.has_value() && !is_dpo, fmt::format("label_smoothing is for dpo, not for {}; leave it out", *in.method)});
  out.push_back({(in.desirable_weight || in.undesirable_weight) && *in.method != "kto",
                 fmt::format("desirable_weight and undesirable_weight are for kto, not for {}; leave them out", *in.method)});
}

std::vector<Rule> rules_of(const TuneSettings& in) {
  std::vector<Rule> out;
  add_method_rules(in, out);
  const bool uses_sgd = in.optimizer == TuneOptimizer::sgd;
  out.push_back({in.batch_rows && in.batch_tokens,
                 "batch_rows and batch_tokens are both given; one step learns from so many rows or from so many tokens"});
  out.push_back({in.context && in.micro_batch_tokens && *in.micro_batch_tokens < *in.context,
                 fmt::format("micro_batch_tokens is {}, but the longest row has to go through at once: it must be at least context, {}",
                             text_of(in.micro_batch_tokens), text_of(in.context))});
  out.push_back({in.warmup.value_or(0) >= 1 && in.max_steps && *in.warmup >= static_cast<double>(*in.max_steps),
                 fmt::format("warmup is {} steps of {}; it must be fewer than max_steps", text_of(in.warmup), text_of(in.max_steps))});
  out.push_back({in.warmup.value_or(0) >= 1 && std::trunc(*in.warmup) != *in.warmup,
                 fmt::format("warmup is {}; from 1 on it is a number of steps and must be whole", text_of(in.warmup))});
  out.push_back({(in.beta1 || in.beta2) && uses_sgd, "beta1 and beta2 are for adamw, not for sgd; leave them out"});
  out.push_back({in.momentum && !uses_sgd, "momentum is for sgd; leave it out, or set optimizer to sgd"});
  out.push_back({in.label_smoothing.value_or(0) > 0 && in.preference_loss == TunePreferenceLoss::ipo,
                 "label_smoothing is for preference_loss sigmoid, not for ipo"});
  return out;
}

struct MethodDefault {
  TuneMethod method;
  std::string_view field;
  std::string_view value;
};
constexpr MethodDefault kMethodDefaults[] = {
    {TuneMethod::pretrain, "learning_rate", "0.0001"}, {TuneMethod::pretrain, "epochs", "1"},
    {TuneMethod::dpo, "learning_rate", "0.000005"},    {TuneMethod::dpo, "epochs", "1"},
    {TuneMethod::orpo, "learning_rate", "0.00002"},    {TuneMethod::orpo, "epochs", "1"},
    {TuneMethod::kto, "learning_rate", "0.000005"},    {TuneMethod::kto, "epochs", "1"},
};
struct PresetDefault {
  TunePreset preset;
  std::string_view field;
  std::string_view value;
};
constexpr PresetDefault kPresetDefaults[] = {
    {TunePreset::low, "rank", "8"},
    {TunePreset::low, "optimizer", "\"adamw_8bit\""},
    {TunePreset::low, "context", "512"},
    {TunePreset::low, "micro_batch_tokens", "512"},
    {TunePreset::low, "recompute", "\"each_layer\""},
    {TunePreset::mid, "context", "1024"},
    {TunePreset::mid, "micro_batch_tokens", "1024"},
    {TunePreset::high, "context", "2048"},
    {TunePreset::high, "micro_batch_tokens", "2048"},
    {TunePreset::high, "recompute", "\"nothing\""},
};

// Fields that only some methods or optimizers have.
bool has_place(const TuneField& field, const TuneSettings& settings, TuneMethod method) {
  const bool uses_sgd = settings.optimizer == TuneOptimizer::sgd;
  if (field.name == "momentum") return uses_sgd;
  if (field.name == "beta1" || field.name == "beta2") return !uses_sgd;
  if (field.name == "train_on") return method == TuneMethod::sft;
  if (field.name == "beta") return method != TuneMethod::sft && method != TuneMethod::pretrain;
  if (field.name == "preference_loss" || field.name == "label_smoothing") return method == TuneMethod::dpo;
  if (field.name == "desirable_weight" || field.name == "undesirable_weight") return method == TuneMethod::kto;
  if (field.name == "epochs") return !settings.max_steps;
  if (field.name == "batch_rows") return !settings.batch_tokens;
  return true;
}

void set_default(json::object& out, std::string_view field, std::string_view value) {
  if (!out.contains(field)) out[field] = json::parse(value).value_or(nullptr);
}

}  // namespace

Result<const TuneField*> find_tune_field(std::string_view name) {
  const auto wanted = canonical(name);
  std::vector<std::string_view> known;
  for (const auto& field : tune_fields()) {
    known.push_back(field.name);
    const auto aliases = split(field.aliases, '|');
    if (wanted == field.name || (!wanted.empty() && std::ranges::find(aliases, std::string_view(wanted)) != aliases.end())) return &field;
  }
  const auto near = nearest(wanted, known);
  return fail(Code::invalid_argument, fmt::format("unknown setting '{}'{}", printable(name.substr(0, 60)),
                                                  near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near.front())));
}

std::string range_of(const TuneField& field) {
  switch (field.kind) {
    case TuneFieldKind::integer:
    case TuneFieldKind::number: {
      const std::string from = fmt::format("{}{}", field.above_min ? "above " : "", field.min);
      const std::string to = fmt::format("{}{}", field.below_max ? "below " : "", field.max);
      if (!field.above_min && !field.below_max) return fmt::format("{} to {}", from, to);
      return fmt::format("{}{}{}", field.above_min ? from : from + " or more", ", ", field.below_max ? to : "up to " + to);
    }
    case TuneFieldKind::boolean:
      return "true or false";
    case TuneFieldKind::text:
      return "a text";
    case TuneFieldKind::choice:
      return listed(choices_of(field));
    case TuneFieldKind::texts:
      return "a list of texts that are not empty";
    case TuneFieldKind::ranks:
      return "names with ranks of 1 to 256";
  }
  return {};
}

std::string default_of(const TuneField& field) {
  if (!field.fallback_note.empty()) return std::string(field.fallback_note);
  return std::string(trim(field.fallback).starts_with('"') ? field.fallback.substr(1, field.fallback.size() - 2) : field.fallback);
}

json::value default_value(std::string_view name) {
  const auto field = find_tune_field(name);
  return field && !(*field)->fallback.empty() ? json::parse((*field)->fallback).value_or(nullptr) : nullptr;
}

Result<json::value> parse_tune_field(const TuneField& field, std::string_view typed) {
  const auto words = [&] {
    json::array out;
    for (const auto word : split(typed, ',')) out.emplace_back(trim(word));
    return out;
  };
  json::value value(trim(typed));
  if (field.kind == TuneFieldKind::integer || field.kind == TuneFieldKind::number || field.kind == TuneFieldKind::boolean)
    value = json::parse(trim(typed)).value_or(json::value(typed));
  if (field.kind == TuneFieldKind::texts) value = words();
  if (field.kind == TuneFieldKind::ranks) {
    json::object ranks;
    for (const auto word : split(typed, ',')) {
      const auto equals = word.find('=');
      const auto rank = equals == std::string_view::npos ? json::value() : json::parse(trim(word.substr(equals + 1))).value_or(nullptr);
      ranks[trim(word.substr(0, equals))] = rank;
    }
    value = std::move(ranks);
  }
  return read_field(field, value);
}

Result<TuneSettings> read_tune_settings(const json::object& given) {
  json::object out;
  std::vector<std::string> problems;
  for (const auto& entry : given) {
    const auto field = find_tune_field(entry.key());
    if (!field) {
      problems.push_back(field.error().message);
      continue;
    }
    if (entry.value().is_null()) continue;
    auto value = read_field(**field, entry.value());
    if (!value)
      problems.push_back(value.error().message);
    else if (out.contains((*field)->name))
      problems.push_back(fmt::format("{} is given twice, once as {}", (*field)->name, std::string_view(entry.key())));
    else
      out[(*field)->name] = std::move(*value);
  }
  if (!problems.empty()) return fail(all_of(problems));
  PUNA_TRY(auto settings, json::decode<TuneSettings>(out, json::Unknown::refuse, "settings"));
  PUNA_CHECK(check(settings));
  return settings;
}

Result<> check(const TuneSettings& settings) {
  std::vector<std::string> problems;
  const auto values = json::encode(settings);
  for (const auto& entry : values.get_object()) {
    PUNA_TRY(const auto* field, find_tune_field(entry.key()));
    if (const auto read = read_field(*field, entry.value()); !read) problems.push_back(read.error().message);
  }
  for (auto& rule : rules_of(settings))
    if (rule.broken) problems.push_back(std::move(rule.message));
  if (!problems.empty()) return fail(all_of(problems));
  return {};
}

Result<TuneRequest> read_tune_request(const json::value& given) {
  if (!given.is_object()) return fail(Code::invalid_argument, "expected an object with model, data and settings");
  json::object fields = given.get_object();
  std::optional<TuneSettings> settings;
  if (const auto* found = fields.if_contains("settings"); found != nullptr && !found->is_null()) {
    if (!found->is_object()) return fail(Code::invalid_argument, "settings: expected an object");
    PUNA_TRY(settings, read_tune_settings(found->get_object()));
  }
  fields.erase("settings");
  PUNA_TRY(auto request, json::decode<TuneRequest>(fields));
  request.settings = std::move(settings);
  PUNA_CHECK(check(request));
  return request;
}

Result<> check(const TuneRequest& request) {
  if (trim(request.model).empty()) return fail(Code::invalid_argument, "model: which model to train is missing");
  if (request.data.empty()) return fail(Code::invalid_argument, "data: there is no file to train on");
  auto files = request.data;
  const auto evaluation = request.evaluation.value_or(std::vector<std::string>{});
  files.insert(files.end(), evaluation.begin(), evaluation.end());
  for (const auto& file : files)
    if (!file.starts_with('/')) return fail(Code::invalid_argument, fmt::format("data: '{}' is no absolute path", printable(file)));
  const auto settings = request.settings.value_or(TuneSettings{});
  PUNA_CHECK(check(settings));
  if (!evaluation.empty() && settings.eval_fraction.value_or(0) > 0)
    return fail(Code::invalid_argument,
                "eval_fraction and files for evaluation are both given; a part of the rows is kept for evaluation, or there are files");
  if (evaluation.empty() && settings.eval_fraction == 0.0 && settings.patience.value_or(0) > 0)
    return fail(Code::invalid_argument, fmt::format("patience is {}, but eval_fraction 0 leaves no rows to evaluate", *settings.patience));
  if (request.name) PUNA_CHECK(check_run_name(*request.name));
  return {};
}

Result<TuneSettings> complete(const TuneSettings& given, TuneTask task, TuneMethod method) {
  PUNA_CHECK(check(given));
  json::object out = json::encode(given).get_object();
  out["task"] = task_name(task);
  out["method"] = method_name(method);
  for (const auto& row : kPresetDefaults)
    if (given.preset == row.preset) set_default(out, row.field, row.value);
  // What was given makes room for itself: a long row needs a micro-batch that takes it.
  if (given.context && !given.micro_batch_tokens && out.contains("micro_batch_tokens"))
    out["micro_batch_tokens"] = std::max(*given.context, out["micro_batch_tokens"].to_number<std::int64_t>());
  if (given.micro_batch_tokens && !given.context && out.contains("context"))
    out["context"] = std::min(*given.micro_batch_tokens, out["context"].to_number<std::int64_t>());
  for (const auto& row : kMethodDefaults)
    if (method == row.method && has_place(**find_tune_field(row.field), given, method)) set_default(out, row.field, row.value);
  for (const auto& field : tune_fields())
    if (!field.fallback.empty() && has_place(field, given, method)) set_default(out, field.name, field.fallback);
  if (!out.contains("alpha")) out["alpha"] = 2 * out["rank"].to_number<double>();
  PUNA_TRY(auto settings, json::decode<TuneSettings>(out, json::Unknown::refuse, "settings"));
  PUNA_CHECK(check(settings));
  return settings;
}

Result<> check_run_name(std::string_view name) {
  const auto is_alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto is_allowed = [&](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; };
  if (name.empty() || name.size() > kLongestRunName || !is_alphanumeric(name.front()) || name.contains("..") ||
      !std::ranges::all_of(name, is_allowed))
    return fail(Code::invalid_argument,
                fmt::format("name is '{}'; it must be 1 to {} small letters, digits, '.', '_' or '-', and begin with a letter or a digit",
                            printable(name.substr(0, 80)), kLongestRunName));
  return {};
}

}  // namespace puna::wire
