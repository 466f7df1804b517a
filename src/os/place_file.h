// Bringing a file into the library in the cheapest way the file system offers.
#pragma once

#include <boost/describe/enum.hpp>
#include <filesystem>
#include <functional>
#include <stop_token>

#include "base/error.h"
#include "base/units.h"

namespace puna::os {

BOOST_DEFINE_ENUM_CLASS(CloneKind, reflink, hard_link, copy)

using CopyProgress = std::function<void(Bytes done, Bytes total)>;

// Makes `to` hold the bytes of the regular file `from`: shared blocks (no space, independent files) where the file system can, else a
// second name for the same file, else a copy. `to` appears complete or not at all, survives a power cut, and is never overwritten
// (Code::already_exists). A copy checks the free space first, reports progress and stops within one chunk (Code::cancelled).
[[nodiscard]] Result<CloneKind> place_file(const std::filesystem::path& from, const std::filesystem::path& to, std::stop_token stop = {},
                                           const CopyProgress& progress = {});

}  // namespace puna::os
