// One constant a command, one file a constant. To add a command: a file here, a line here, a line in registry.cpp.
#pragma once

#include "cli/spec.h"

namespace puna::cli {

extern const CommandSpec kRun;
extern const CommandSpec kSearch;
extern const CommandSpec kPull;
extern const CommandSpec kUpdate;
extern const CommandSpec kOutdated;
extern const CommandSpec kList;
extern const CommandSpec kShow;
extern const CommandSpec kCopy;
extern const CommandSpec kRemove;
extern const CommandSpec kCreate;
extern const CommandSpec kUndo;
extern const CommandSpec kAlias;
extern const CommandSpec kPin;
extern const CommandSpec kUnpin;
extern const CommandSpec kDiskUsage;
extern const CommandSpec kVerify;
extern const CommandSpec kProbe;
extern const CommandSpec kQuantize;
extern const CommandSpec kPush;
extern const CommandSpec kTune;
extern const CommandSpec kProfile;
extern const CommandSpec kPs;
extern const CommandSpec kStop;
extern const CommandSpec kServe;
extern const CommandSpec kLogs;
extern const CommandSpec kJob;
extern const CommandSpec kKey;
extern const CommandSpec kKeyTls;  // a child of kKey
extern const CommandSpec kUsage;
extern const CommandSpec kConfig;
extern const CommandSpec kDoctor;
extern const CommandSpec kVersion;
extern const CommandSpec kCompletion;
extern const CommandSpec kHelp;
extern const CommandSpec kNames;

}  // namespace puna::cli
