#include "base/settings_registry.h"

#include <array>

namespace puna::setting {

std::span<const SettingSpec* const> all() {
  static constexpr auto kAll = std::to_array<const SettingSpec*>({
      &kHost,
      &kPort,
      &kTcp,
      &kAllowedOrigins,
      &kAllowedHosts,
      &kMaxBody,
      &kMaxHeader,
      &kHeaderDeadline,
      &kBodyDeadline,
      &kKeepAliveConnection,
      &kMaxConnections,
      &kDrain,
      &kIdleExit,
      &kKeepAlive,
      &kContextLength,
      &kSlots,
      &kThreads,
      &kGpuLayers,
      &kLoadStall,
      &kHangProbe,
      &kStopGrace,
      &kWorkerProgram,
      &kQueueLimit,
      &kParallelJobs,
      &kJobHistory,
      &kOffline,
      &kProxy,
      &kCaFile,
      &kConnectDeadline,
      &kFirstByteDeadline,
      &kIdleDeadline,
      &kRetryAttempts,
      &kRetryBase,
      &kRetryFactor,
      &kRetryCap,
      &kRetryJitter,
      &kTransferConnections,
      &kTransferPiece,
      &kTransferBandwidth,
      &kTransferSchedule,
      &kTransferStall,
      &kTransferSlow,
      &kKeepPartials,
      &kHubEndpoints,
      &kHubToken,
      &kHubTokenFile,
      &kOllamaRegistry,
      &kModelScopeEndpoint,
      &kModelScopeToken,
      &kAllowedOwners,
      &kPreferredQuantizations,
      &kLongestSearch,
      &kLogLevel,
      &kLogFileSize,
      &kLogFiles,
  });
  return kAll;
}

}  // namespace puna::setting
