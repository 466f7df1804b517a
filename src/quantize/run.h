// One run of the job "quantize".
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "jobs/spec.h"
#include "quantize/quantizer.h"

namespace puna::quantize {

// See Quantizer::job_spec().
[[nodiscard]] Result<json::value> run_job(const QuantizerParts& parts, jobs::JobContext& context);

}  // namespace puna::quantize
