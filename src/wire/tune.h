// Training a model: what is asked for, what a run tells, what comes of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "wire/dataset.h"
#include "wire/error.h"
#include "wire/job.h"
#include "wire/tune_settings.h"

namespace puna::wire {

// How text files become rows.
enum class TuneDocuments {
  blank_lines,  // one or more blank lines end a document
  whole_file    // a file is one document
};
BOOST_DESCRIBE_ENUM(TuneDocuments, blank_lines, whole_file)

struct TuneRequest {
  std::string model;                                   // the base, of the library
  std::vector<std::string> data;                       // absolute paths
  std::optional<std::vector<std::string>> evaluation;  // files whose rows are never trained, instead of a part of `data`
  std::optional<std::string> name;                     // of the run and of its adapter; default: made from the model's and the data's
  std::optional<DatasetFormat> format;                 // absent: found for each file
  std::optional<TuneDocuments> documents;              // default: blank_lines
  std::optional<DatasetMapping> mapping;
  std::optional<TuneSettings> settings;
};
BOOST_DESCRIBE_STRUCT(TuneRequest, (), (model, data, evaluation, name, format, documents, mapping, settings))

enum class TuneEventKind {
  phase,       // what is done now, and how far: phase, done, total
  estimate,    // what the run will take, as measured before its first step
  step,        // a step of the optimizer
  evaluation,  // the loss of rows that are not trained
  sample,      // what the model answers now
  checkpoint,  // from here the run can go on
  note,        // something people should know
  finished,    // the last one
  failed       // the last one, too
};
BOOST_DESCRIBE_ENUM(TuneEventKind, phase, estimate, step, evaluation, sample, checkpoint, note, finished, failed)

struct TunePart {
  std::string name;  // "adapter", "activations"
  std::int64_t bytes = 0;
};
BOOST_DESCRIBE_STRUCT(TunePart, (), (name, bytes))

// A line of what a step does, and where.
struct TuneWork {
  std::string operation;  // "products with weights"
  std::string place;      // "CUDA0", "CPU"
  std::string tensors;    // "output; attn_k, attn_q of layers 0 to 29"; empty where there are none
  std::string reason;     // why the device does not do it; empty where it does
};
BOOST_DESCRIBE_STRUCT(TuneWork, (), (operation, place, tensors, reason))

// The GPU that takes part.
struct TuneDevice {
  std::string name;  // "CUDA0"
  std::string description;
  std::int64_t memory = 0;       // bytes that the run takes there
  std::int64_t memory_free = 0;  // of those that were free when it was asked
  std::vector<TuneWork> work;    // everything, the device's share first
};
BOOST_DESCRIBE_STRUCT(TuneDevice, (), (name, description, memory, memory_free, work))

// Whether a run fits and how long it takes.
struct TuneEstimate {
  std::string model;
  TuneSettings settings;  // complete, as the run would have them
  std::int64_t rows = 0;
  std::int64_t eval_rows = 0;
  std::int64_t tokens = 0;          // of an epoch
  std::int64_t trained_tokens = 0;  // of them, those that count; nearly, where rows are many
  std::int64_t longest_row = 0;     // tokens
  std::int64_t truncated_rows = 0;
  std::int64_t steps = 0;
  std::int64_t trained_parameters = 0;
  std::vector<TunePart> memory;          // of this machine, by what takes it
  std::int64_t memory_total = 0;         // the sum
  std::int64_t memory_free = 0;          // what this machine could give
  std::optional<std::int64_t> measured;  // peak of a step with the longest batch, when one was tried
  std::optional<double> step_seconds;    // of an average step, by the same
  std::optional<std::int64_t> seconds;   // of the whole run with its evaluations
  std::optional<TuneDevice> device;      // where one computes
  std::int64_t disk = 0;                 // bytes, at most, at any time
  std::int64_t disk_free = 0;
  bool fits = false;
  std::vector<std::string> advice;  // what to change when it does not; most effective first
  std::vector<std::string> notes;
};
BOOST_DESCRIBE_STRUCT(TuneEstimate, (),
                      (model, settings, rows, eval_rows, tokens, trained_tokens, longest_row, truncated_rows, steps, trained_parameters,
                       memory, memory_total, memory_free, measured, step_seconds, seconds, device, disk, disk_free, fits, advice, notes))

// Of methods that compare answers: the mean over a step's rows.
struct TuneRewards {
  double chosen = 0;
  double rejected = 0;
  double margin = 0;    // chosen - rejected
  double accuracy = 0;  // share of rows whose chosen answer has the higher reward
};
BOOST_DESCRIBE_STRUCT(TuneRewards, (), (chosen, rejected, margin, accuracy))

struct TuneSample {
  std::string prompt;
  std::string text;
};
BOOST_DESCRIBE_STRUCT(TuneSample, (), (prompt, text))

// One line of a run's metrics.jsonl, one line that the child tells, the payload of the event "tune.progress". Members belong to kinds.
struct TuneEvent {
  TuneEventKind kind = TuneEventKind::note;
  std::optional<std::string> run;    // its name; the child leaves it out
  std::optional<std::string> time;   // RFC 3339
  std::optional<std::string> phase;  // "reading", "counting", "measuring", "training", "writing", "comparing"
  std::optional<std::int64_t> done;
  std::optional<std::int64_t> total;
  std::optional<std::string> unit;
  std::optional<std::int64_t> step;   // 1 for the first
  std::optional<std::int64_t> steps;  // of the run
  std::optional<double> epoch;        // passes over the data so far: 1.5
  std::optional<double> loss;         // of the step: mean over its trained tokens
  std::optional<double> smoothed_loss;
  std::optional<double> eval_loss;
  std::optional<double> learning_rate;
  std::optional<double> gradient_norm;         // before it was shortened
  std::optional<std::int64_t> tokens;          // that were computed
  std::optional<std::int64_t> trained_tokens;  // of them
  std::optional<double> tokens_per_second;
  std::optional<std::int64_t> memory;  // the child's, in bytes
  std::optional<double> elapsed_seconds;
  std::optional<std::int64_t> eta_seconds;
  std::optional<bool> skipped;  // loss or gradient was no number: nothing was learnt from the step
  std::optional<bool> best;     // the lowest eval_loss so far
  std::optional<TuneRewards> rewards;
  std::optional<std::vector<TuneSample>> samples;
  std::optional<TuneEstimate> estimate;
  std::optional<std::string> checkpoint;  // file name
  std::optional<std::string> note;
  std::optional<ErrorDetail> error;
};
BOOST_DESCRIBE_STRUCT(TuneEvent, (),
                      (kind, run, time, phase, done, total, unit, step, steps, epoch, loss, smoothed_loss, eval_loss, learning_rate,
                       gradient_norm, tokens, trained_tokens, tokens_per_second, memory, elapsed_seconds, eta_seconds, skipped, best,
                       rewards, samples, estimate, checkpoint, note, error))

// A token, as it is read by people.
struct TunePiece {
  std::int64_t token = 0;
  std::string text;   // UTF-8; empty where the character ends in a later token
  double weight = 0;  // in the loss; 0: not trained
};
BOOST_DESCRIBE_STRUCT(TunePiece, (), (token, text, weight))

// Exactly what a row is trained as.
struct TunePreviewRow {
  std::string file;
  std::int64_t line = 0;
  std::optional<std::string> answer;  // of methods that compare: "chosen", "rejected", "good", "bad"
  std::int64_t tokens = 0;
  std::int64_t trained_tokens = 0;
  bool truncated = false;
  std::vector<TunePiece> pieces;
};
BOOST_DESCRIBE_STRUCT(TunePreviewRow, (), (file, line, answer, tokens, trained_tokens, truncated, pieces))

struct TunePreview {
  std::string model;
  DatasetReport report;
  std::vector<TunePreviewRow> rows;
};
BOOST_DESCRIBE_STRUCT(TunePreview, (), (model, report, rows))

// How good answers are. Texts are scored where rows have an answer to compare with.
struct TuneScores {
  std::optional<double> loss;        // mean over the trained tokens
  std::optional<double> perplexity;  // exp(loss)
  std::optional<double> rouge1;      // F1, 0 to 1
  std::optional<double> rouge2;
  std::optional<double> rougel;
  std::optional<double> chrf;  // 0 to 100
  std::optional<double> exact_match;
  std::optional<double> token_f1;
  std::optional<double> json_valid;  // share of outputs, where the references are JSON
};
BOOST_DESCRIBE_STRUCT(TuneScores, (), (loss, perplexity, rouge1, rouge2, rougel, chrf, exact_match, token_f1, json_valid))

struct TuneOutput {
  std::string file;
  std::int64_t line = 0;
  std::string prompt;
  std::vector<std::string> references;
  std::string before;  // by the base
  std::string after;   // with the adapter
};
BOOST_DESCRIBE_STRUCT(TuneOutput, (), (file, line, prompt, references, before, after))

// Base and tuned model on the same rows.
struct TuneReport {
  std::int64_t rows = 0;       // scored by loss
  std::int64_t generated = 0;  // of them, answered
  TuneScores before;
  TuneScores after;
  std::vector<TuneOutput> outputs;
};
BOOST_DESCRIBE_STRUCT(TuneReport, (), (rows, generated, before, after, outputs))

// Of a run that came to its end.
struct TuneResult {
  std::string run;
  std::string model;    // the base
  std::string adapter;  // in the library
  std::string serves;   // what `puna run` takes: "smollm2:135m+care"
  std::string folder;
  std::int64_t steps = 0;
  double epochs = 0;
  std::optional<double> loss;             // smoothed, at the end
  std::optional<std::int64_t> best_step;  // which the adapter is of, when evaluations chose it
  std::optional<double> best_eval_loss;
  std::string ended;  // "all steps", or why earlier
  double seconds = 0;
  std::int64_t peak_memory = 0;
  std::optional<TuneReport> report;
};
BOOST_DESCRIBE_STRUCT(TuneResult, (),
                      (run, model, adapter, serves, folder, steps, epochs, loss, best_step, best_eval_loss, ended, seconds, peak_memory,
                       report))

// A run as faces list it.
struct TuneRun {
  std::string name;
  std::string model;
  JobState state = JobState::queued;
  std::optional<std::string> job;  // the last one that worked on it, while it is remembered
  std::string folder;
  std::string created_at;  // RFC 3339
  std::string updated_at;
  TuneRequest request;                     // as it was given
  std::optional<TuneEvent> progress;       // the last step
  std::optional<TuneResult> result;        // of a completed run
  std::optional<JobFailure> failure;       // of a failed one; of a paused one: why it paused by itself
  std::optional<std::int64_t> resumes_at;  // the steps that are kept when it goes on; absent: it begins again
};
BOOST_DESCRIBE_STRUCT(TuneRun, (),
                      (name, model, state, job, folder, created_at, updated_at, request, progress, result, failure, resumes_at))

struct TuneRunList {
  std::vector<TuneRun> runs;  // newest first
};
BOOST_DESCRIBE_STRUCT(TuneRunList, (), (runs))

// Lines of a run's metrics.jsonl.
struct TuneMetrics {
  std::vector<TuneEvent> events;
  std::int64_t next = 0;  // a place in the file: ask from here for what comes later
};
BOOST_DESCRIBE_STRUCT(TuneMetrics, (), (events, next))

struct TuneRemoval {
  std::string name;
  std::int64_t freed_bytes = 0;
};
BOOST_DESCRIBE_STRUCT(TuneRemoval, (), (name, freed_bytes))

// A row of the table of settings, for faces that build a form of it.
struct TuneSettingInfo {
  std::string name;
  std::string group;
  std::string kind;      // "integer", "number", "boolean", "text", "choice", "texts", "ranks"
  std::string range;     // in words: "1 to 256"
  std::string fallback;  // the default, in words
  std::string help;
  std::optional<double> min;  // of numbers
  std::optional<double> max;
  std::optional<std::vector<std::string>> choices;
  std::vector<std::string> aliases;
};
BOOST_DESCRIBE_STRUCT(TuneSettingInfo, (), (name, group, kind, range, fallback, help, min, max, choices, aliases))

struct TuneSettingList {
  std::vector<TuneSettingInfo> settings;
};
BOOST_DESCRIBE_STRUCT(TuneSettingList, (), (settings))

}  // namespace puna::wire
