// What `puna tune` has besides training: one constant a command.
#pragma once

#include "cli/spec.h"

namespace puna::cli {

extern const CommandSpec kTuneList;
extern const CommandSpec kTuneShow;
extern const CommandSpec kTuneFollow;
extern const CommandSpec kTunePause;
extern const CommandSpec kTuneResume;
extern const CommandSpec kTuneStop;
extern const CommandSpec kTuneRemove;
extern const CommandSpec kTuneRepeat;
extern const CommandSpec kTuneMerge;
extern const CommandSpec kTuneExport;
extern const CommandSpec kTuneImport;

}  // namespace puna::cli
