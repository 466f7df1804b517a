#include <array>

#include "wire/tune_schema.h"

namespace puna::wire {
namespace {

constexpr double kMostCount = 1'000'000'000;
constexpr double kMostTokens = 1'048'576;

constexpr TuneField integer(std::string_view name, std::string_view group, double min, double max, std::string_view fallback,
                            std::string_view help, std::string_view aliases = {}, std::string_view note = {}) {
  return {.name = name,
          .group = group,
          .kind = TuneFieldKind::integer,
          .min = min,
          .max = max,
          .fallback = fallback,
          .fallback_note = note,
          .help = help,
          .aliases = aliases};
}
struct Ends {
  bool above_min = false;
  bool below_max = false;
};
constexpr TuneField number(std::string_view name, std::string_view group, double min, double max, Ends ends, std::string_view fallback,
                           std::string_view help, std::string_view aliases = {}, std::string_view note = {}) {
  return {.name = name,
          .group = group,
          .kind = TuneFieldKind::number,
          .min = min,
          .max = max,
          .above_min = ends.above_min,
          .below_max = ends.below_max,
          .fallback = fallback,
          .fallback_note = note,
          .help = help,
          .aliases = aliases};
}
constexpr TuneField boolean(std::string_view name, std::string_view group, std::string_view fallback, std::string_view help,
                            std::string_view aliases = {}) {
  return {.name = name, .group = group, .kind = TuneFieldKind::boolean, .fallback = fallback, .help = help, .aliases = aliases};
}
constexpr TuneField choice(std::string_view name, std::string_view group, std::string_view choices, std::string_view fallback,
                           std::string_view help, std::string_view aliases = {}, std::string_view note = {}) {
  return {.name = name,
          .group = group,
          .kind = TuneFieldKind::choice,
          .choices = choices,
          .fallback = fallback,
          .fallback_note = note,
          .help = help,
          .aliases = aliases};
}
constexpr TuneField other(TuneFieldKind kind, std::string_view name, std::string_view group, std::string_view note, std::string_view help,
                          std::string_view aliases = {}) {
  return {.name = name, .group = group, .kind = kind, .fallback_note = note, .help = help, .aliases = aliases};
}

constexpr TuneField text(std::string_view name, std::string_view group, std::string_view fallback, std::string_view help,
                         std::string_view note) {
  return {.name = name, .group = group, .kind = TuneFieldKind::text, .fallback = fallback, .fallback_note = note, .help = help};
}

constexpr Ends kBoth = {};
constexpr Ends kAbove = {.above_min = true};
constexpr Ends kBelow = {.below_max = true};

// clang-format off
constexpr std::array kFields = {
    choice("method", "goal", "sft|pretrain|dpo|orpo|kto", "", "what is learned from a row: its answers, its text, which answer is better", "strategy", "what the rows are for"),
    choice("task", "goal", "text-generation|summarization|extractive-question-answering", "", "what the tuned model is for", "", "what the rows are for"),
    choice("preset", "goal", "low|mid|high", "", "values for machines of a size, which the other settings replace: low and mid save memory, high saves time", "compute_specs", "none"),

    integer("rank", "adapter", 1, 256, "16", "size of the adapter's matrices; more learns more and takes more memory", "lora_r|r|lora_rank"),
    number("alpha", "adapter", 0, 65536, kAbove, "", "how strongly the adapter acts: its product is scaled by alpha / rank", "lora_alpha", "twice the rank"),
    number("dropout", "adapter", 0, 1, kBelow, "0", "share of the adapter's input that is left out by chance while training", "lora_dropout"),
    boolean("rank_stabilized", "adapter", "false", "scale by alpha / sqrt(rank), which suits high ranks (rsLoRA)", "use_rslora|rslora"),
    number("lora_plus_ratio", "adapter", 1, 64, kBoth, "1", "how many times faster the second matrix learns than the first (LoRA+)", "loraplus_lr_ratio"),
    other(TuneFieldKind::texts, "targets", "adapter", "all linear layers", "which weights get an adapter, by exact name: attn_q or q_proj in all layers, blk.3.attn_q in one", "target_modules"),
    other(TuneFieldKind::ranks, "ranks", "adapter", "none", "ranks that differ from the others, by the same names", "rank_pattern"),

    number("learning_rate", "learning", 0, 1, kAbove, "0.0002", "highest step size", "lr", "2e-4; 1e-4 for pretrain, 2e-5 for orpo, 5e-6 for dpo and kto"),
    choice("schedule", "learning", "constant|linear|cosine", "\"cosine\"", "how the learning rate falls to its floor over the run", "lr_scheduler_type|lr_schedule"),
    number("warmup", "learning", 0, 1'000'000, kBoth, "0.03", "steps in which the learning rate rises; below 1: a part of all steps", "warmup_ratio|warmup_steps"),
    number("floor", "learning", 0, 1, kBoth, "0", "learning rate at the end, as a part of the highest", "min_lr_ratio"),
    number("epochs", "learning", 0, 1000, kAbove, "3", "passes over the data", "num_train_epochs|num_epochs", "3; 1 for every method but sft; what max_steps takes"),
    integer("max_steps", "learning", 1, kMostCount, "", "end after so many steps, whatever epochs would come to; with both, whichever is first", "iters", "none"),
    integer("batch_rows", "learning", 1, 65536, "8", "rows that one step learns from; they need not fit into memory together", "batch_size|effective_batch_size"),
    integer("batch_tokens", "learning", 1, 16 * kMostTokens, "", "instead of batch_rows: whole rows up to so many tokens", "", "none"),
    choice("optimizer", "learning", "adamw|adamw_8bit|sgd", "\"adamw\"", "how weights follow their gradients; adamw_8bit keeps its moments in a quarter of the memory", "optim"),
    number("weight_decay", "learning", 0, 1, kBoth, "0", "pull of weights towards zero, times the learning rate"),
    number("beta1", "learning", 0, 1, kBelow, "0.9", "AdamW: how slowly the mean of gradients follows", "adam_beta1"),
    number("beta2", "learning", 0, 1, kBelow, "0.999", "AdamW: how slowly the mean of their squares follows", "adam_beta2"),
    number("momentum", "learning", 0, 1, kBelow, "0.9", "SGD: how slowly the direction changes", "sgd_momentum"),
    number("max_gradient_norm", "learning", 0, 1'000'000, kBoth, "1", "longer gradients are shortened to it; 0: never", "max_grad_norm|gradient_clipping"),
    integer("seed", "learning", 0, kMostCount, "42", "of the adapter's first values, the order of rows, dropout and the split"),

    integer("context", "memory", 8, kMostTokens, "", "longest row in tokens; longer ones are cut at the end", "max_seq_length|max_length|max_tokens|cutoff_len", "the longest row, at most what the model was made for"),
    integer("micro_batch_tokens", "memory", 8, kMostTokens, "", "tokens that go through the model together", "", "the longest row, at least 512"),
    boolean("packing", "memory", "true", "lay several rows into one micro-batch; the result is the same", "sample_packing"),
    choice("precision", "memory", "f32|bf16", "\"f32\"", "numbers that large products are computed in; bf16 needs a CPU with instructions for it", "dtype"),
    choice("recompute", "memory", "as_fits|each_layer|nothing", "\"as_fits\"", "what is computed again on the way back, with the same result: nothing is faster, each_layer takes a fraction of the memory; as_fits: nothing where a quarter of the free memory is enough"),
    integer("threads", "memory", 0, 1024, "0", "CPU threads; 0: one for each physical core", "num_threads"),
    text("device", "memory", "\"auto\"", "what computes the products with the model's weights: auto, cpu, or a GPU as puna doctor names it", "auto: a GPU if this build and this machine have one"),

    choice("train_on", "data", "all|completion|last", "\"completion\"", "which tokens of a conversation count: all, every answer, the last answer"),
    other(TuneFieldKind::text, "instruction", "data", "one that suits the task", "put before a document to sum up, or a context to search"),
    choice("bad_rows", "data", "refuse|leave_out", "\"refuse\"", "what happens when rows cannot be used"),
    choice("duplicates", "data", "keep|leave_out", "\"keep\"", "what happens to rows that occur twice"),

    number("eval_fraction", "evaluation", 0, 1, kBelow, "0.1", "part of the rows that is kept for evaluation", "eval_split|val_set_size|test_size", "0.1; 0 with evaluation files"),
    integer("eval_every", "evaluation", 0, kMostCount, "0", "steps between evaluations; 0: ten in a run", "eval_steps"),
    integer("eval_rows", "evaluation", 0, kMostCount, "256", "rows of an evaluation, the same each time; 0: all of them"),
    integer("outputs", "evaluation", 0, 10'000, "16", "rows that base and tuned model answer for the report"),
    integer("output_tokens", "evaluation", 1, 32'768, "128", "tokens of such an answer, at most", "max_new_tokens"),
    other(TuneFieldKind::texts, "sample_prompts", "evaluation", "none", "prompts that the model answers at each evaluation"),
    integer("patience", "evaluation", 0, 10'000, "0", "end after so many evaluations without a better loss; 0: never", "early_stopping_patience"),
    boolean("keep_best", "evaluation", "true", "the result is the adapter with the lowest evaluation loss, not the last", "load_best_model_at_end"),
    integer("checkpoint_every", "evaluation", 0, kMostCount, "0", "steps between checkpoints; 0: ten in a run, 10 to 100 steps apart", "save_steps"),
    integer("keep_checkpoints", "evaluation", 1, 100, "2", "checkpoints that are kept; older ones go", "save_total_limit"),

    number("beta", "preferences", 0, 100, kAbove, "0.1", "dpo, kto: how far the model may leave its base; orpo: weight of the comparison", "dpo_beta"),
    choice("preference_loss", "preferences", "sigmoid|ipo|sigmoid_normalized", "\"sigmoid\"", "dpo: how two answers are compared", "loss_type|dpo_loss"),
    number("label_smoothing", "preferences", 0, 0.5, kBelow, "0", "dpo with sigmoid: share of rows whose answers may be the wrong way round"),
    number("desirable_weight", "preferences", 0, 1000, kAbove, "1", "kto: weight of good answers"),
    number("undesirable_weight", "preferences", 0, 1000, kAbove, "1", "kto: weight of bad answers"),
};
// clang-format on

}  // namespace

std::span<const TuneField> tune_fields() {
  return kFields;
}

}  // namespace puna::wire
