// One attempt of each of the jobs of AdapterJobs.
#pragma once

#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "jobs/spec.h"
#include "os/temporary_folder.h"
#include "training/adapted_model.h"
#include "training/adapter_jobs.h"

namespace puna::training {

[[nodiscard]] Result<json::value> run_merge(const AdapterJobsParts& parts, jobs::JobContext& context);
[[nodiscard]] Result<json::value> run_export(const AdapterJobsParts& parts, jobs::JobContext& context);
[[nodiscard]] Result<json::value> run_import(const AdapterJobsParts& parts, jobs::JobContext& context);

// Writes the one adapter as PEFT reads it; the names of the files. Without a `base_model` the one that the base's GGUF names.
[[nodiscard]] Result<std::vector<std::string>> write_peft(const AdapterJobsParts& parts, const AdaptedModel& model,
                                                          const std::string& base_model, const std::filesystem::path& folder,
                                                          jobs::JobContext& context);

// For what is on its way; it goes with the object.
[[nodiscard]] Result<os::TemporaryFolder> work_folder(const AdapterJobsParts& parts);
// What a model's file is called where others see it: "care.gguf" for me/care:latest, "care-q8_0.gguf" for care:q8_0.
[[nodiscard]] std::string gguf_name(std::string_view model);
// The files of a model that hold its weights, in order.
[[nodiscard]] std::vector<std::string> weights_of(const BaseModel& base);
// Code::already_exists when a model has the name.
[[nodiscard]] Result<> require_free_name(model::Library& library, const std::string& name);
// Code::conflict unless it is absent or empty; Code::invalid_argument for a path that is not absolute.
[[nodiscard]] Result<> require_new_folder(const std::filesystem::path& folder);
// Code::disk_full unless the merged model fits.
[[nodiscard]] Result<> require_merge_space(const AdapterJobsParts& parts, const AdaptedModel& model, std::optional<wire::MergeType> type);

}  // namespace puna::training
