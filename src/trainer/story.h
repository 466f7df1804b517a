// What a run leaves for people: result.json, and report.md with its picture.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "trainer/checkpoints.h"
#include "trainer/materials.h"
#include "trainer/plan.h"

namespace puna::trainer {

struct Story {
  const Materials& materials;
  const Plan& plan;
  const Cursor& cursor;
  const std::string& ended;  // "all steps", or why earlier
  wire::TuneReport report;
};

[[nodiscard]] Result<> write_story(const std::filesystem::path& folder, Story story);

}  // namespace puna::trainer
