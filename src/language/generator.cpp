#include "language/generator.hpp"

#include <algorithm>
#include <exception>
#include <sys/resource.h>
#include <utility>

#include "base/bytes.hpp"
#include "language/decode_threads.hpp"
#include "language/idle_time.hpp"

namespace yyc3::language {

namespace {

constexpr std::chrono::seconds kStepLongest{20};  // far beyond what any machine needs
/// Of a prompt in one step: so long does a more urgent question wait at most.
constexpr std::size_t kPromptStep = 32;

std::chrono::nanoseconds processor_time() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& time) {
    return std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_usec};
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

}  // namespace

struct Generator::Task {
  GenerationTask wanted;
  Number number = 0;
  std::atomic<bool> stop{false};  ///< any thread

  // the decode thread's
  int sequence = -1;
  std::size_t read = 0;        ///< tokens in the model's memory
  std::vector<Token> to_read;  ///< what follows them; its end tells what comes next
  std::unique_ptr<Sampler> sampler;
  std::optional<ChoiceWalk> walk;
  std::string bytes;  ///< the beginning of a character
  Generated out;
};

/// Everything that touches the model, on the decode thread.
class Generator::Decoder {
 public:
  Decoder(Generator& owner, LlamaModel& model, std::size_t sequences, telemetry::Log& log)
      : owner_(owner), model_(model), table_(sequences), threads_(model.threads()), log_(log) {}

  void add(std::shared_ptr<Task> task);
  /// One step, and again until there is nothing to do.
  void run();
  std::atomic<std::int64_t> step_began{0};  ///< steady ns; 0: between steps

 private:
  [[nodiscard]] std::shared_ptr<Task> most_urgent() const;
  void drop_late();
  bool begin(Task& task);
  void step(Task& task);
  LlamaModel::Decoded decode(Task& task, std::span<const Token> part);
  void take(Task& task);
  void take_token(Task& task);
  void take_choice(Task& task);
  void give(Task& task, std::string_view bytes, bool last);
  void finish(Task& task, Result<Generated> result);
  void make_room(Task& task);

  Generator& owner_;
  LlamaModel& model_;
  SequenceTable table_;
  DecodeThreads threads_;
  IdleTime idle_;
  telemetry::Log& log_;
  std::vector<std::shared_ptr<Task>> tasks_;
  bool running_ = false;
};

void Generator::Decoder::add(std::shared_ptr<Task> task) {
  tasks_.push_back(std::move(task));
  if (running_) return;
  running_ = true;
  run();
}

void Generator::Decoder::run() {
  drop_late();
  if (const auto task = most_urgent()) {
    step_began = owner_.clock_.now().time_since_epoch().count();
    try {
      if (begin(*task)) step(*task);
    } catch (const std::exception& error) {  // of llama.cpp, from a grammar's depths
      log_.warn("a generation failed", {{"error.message", error.what()}});
      finish(*task, fail(ErrorCode::kInternal, "the model failed at this question"));
    }
    step_began = 0;
  }
  running_ = !tasks_.empty();
  if (running_) owner_.thread_->post([this] { run(); });  // what was asked meanwhile comes first
}

std::shared_ptr<Generator::Task> Generator::Decoder::most_urgent() const {
  const auto found =
      std::ranges::min_element(tasks_, {}, [](const auto& task) { return task->wanted.deadline; });
  return found == tasks_.end() ? nullptr : *found;
}

void Generator::Decoder::drop_late() {
  const SteadyTime now = owner_.clock_.now();
  const std::vector<std::shared_ptr<Task>> all = tasks_;  // finish() takes them out
  for (const auto& task : all) {
    if (task->stop)
      finish(*task, fail(ErrorCode::kCancelled, "cancelled"));
    else if (task->wanted.deadline <= now)
      finish(*task, fail(ErrorCode::kTimeout, "the deadline passed before the answer was whole"));
  }
}

/// False when it could not: then it has ended.
bool Generator::Decoder::begin(Task& task) {
  if (task.sequence >= 0) return true;
  const std::vector<Token>& prompt = task.wanted.prompt;
  const auto place = table_.take(prompt, task.wanted.owner);
  if (!place) {
    finish(task, fail(ErrorCode::kBusy, "too many answers are under way"));
    return false;
  }
  task.sequence = place->sequence;
  if (place->copy_of) model_.copy(*place->copy_of, place->sequence, place->kept);
  model_.cut(place->sequence, place->kept);
  task.read = place->kept;
  task.to_read.assign(prompt.begin() + static_cast<std::ptrdiff_t>(place->kept), prompt.end());
  task.out.prompt_tokens = prompt.size();
  task.out.kept_tokens = place->kept;
  if (!task.wanted.choices.empty()) {
    task.walk.emplace(task.wanted.choices);
    const std::vector<Token> common = task.walk->common();
    task.to_read.insert(task.to_read.end(), common.begin(), common.end());
    return true;
  }
  auto sampler = model_.sampler(task.wanted.sampling);
  if (!sampler) {
    finish(task, tl::unexpected<Error>(sampler.error()));
    return false;
  }
  task.sampler = std::move(*sampler);
  return true;
}

void Generator::Decoder::step(Task& task) {
  const std::size_t count = std::min(task.to_read.size(), kPromptStep);
  const bool last = count == task.to_read.size();
  const std::span<const Token> part(task.to_read.data(), count);
  switch (decode(task, part)) {
    case LlamaModel::Decoded::kOk:
      break;
    case LlamaModel::Decoded::kNoRoom:
      return make_room(task);
    case LlamaModel::Decoded::kStopped:
      model_.cut(task.sequence, task.read);
      return finish(task, fail(ErrorCode::kCancelled, "cancelled"));
    case LlamaModel::Decoded::kFailed:
      model_.cut(task.sequence, task.read);
      return finish(task, fail(ErrorCode::kInternal, "the model failed at this question"));
  }
  table_.append(task.sequence, part);
  task.read += count;
  task.to_read.erase(task.to_read.begin(),
                     task.to_read.begin() + static_cast<std::ptrdiff_t>(count));
  if (last) take(task);
}

LlamaModel::Decoded Generator::Decoder::decode(Task& task, std::span<const Token> part) {
  const SteadyTime began = owner_.clock_.now();
  const std::chrono::nanoseconds before = processor_time();
  const auto idle = idle_.read();
  const int threads = threads_.next(began);
  const auto decoded = model_.decode(task.sequence, task.read, part, task.stop, threads);
  DecodeThreads::Step step{threads, began, owner_.clock_.now(), processor_time() - before, {}};
  if (const auto after = idle_.read(); idle && after) step.idle = *after - *idle;
  threads_.ran(step);
  return decoded;
}

void Generator::Decoder::make_room(Task& task) {
  if (const auto freed = table_.evict()) return model_.cut(*freed, 0);
  finish(task, fail(ErrorCode::kBusy, "the model's memory is full"));
}

/// What the model says comes next.
void Generator::Decoder::take(Task& task) {
  if (task.walk) return take_choice(task);
  take_token(task);
}

void Generator::Decoder::take_token(Task& task) {
  const Token token = model_.sample(*task.sampler);
  ++task.out.tokens;
  if (model_.ends(token)) {
    give(task, {}, true);
    return finish(task, task.out);
  }
  task.out.cut = task.out.tokens >= task.wanted.tokens_max;
  give(task, model_.piece_of(token), task.out.cut);
  if (task.out.cut) return finish(task, task.out);
  task.to_read.push_back(token);
}

void Generator::Decoder::take_choice(Task& task) {
  if (!task.walk->chosen()) {
    task.to_read.push_back(task.walk->step([this](Token token) { return model_.logit(token); }));
    ++task.out.tokens;
    const std::vector<Token> common = task.walk->common();
    task.to_read.insert(task.to_read.end(), common.begin(), common.end());
  }
  task.out.choice = task.walk->chosen();
  if (task.out.choice) finish(task, task.out);
}

/// A character may come in several tokens: what is told is whole.
void Generator::Decoder::give(Task& task, std::string_view bytes, bool last) {
  task.bytes += bytes;
  const std::size_t whole = last ? task.bytes.size() : whole_utf8(task.bytes);
  if (whole == 0) return;
  std::string text = sanitize_utf8(std::string_view(task.bytes).substr(0, whole));
  task.bytes.erase(0, whole);
  owner_.home_.post([owner = &owner_, number = task.number, text = std::move(text)]() mutable {
    owner->told(number, std::move(text));
  });
}

void Generator::Decoder::finish(Task& task, Result<Generated> result) {
  if (task.sequence >= 0) table_.release(task.sequence);
  const Number number = task.number;
  std::erase_if(tasks_, [number](const auto& each) { return each->number == number; });
  owner_.home_.post([owner = &owner_, number, result = std::move(result)]() mutable {
    owner->ended(number, std::move(result));
  });
}

Generator::Generator(LlamaModel& model, std::size_t sequences, net::EventLoop& home,
                     telemetry::Log& log, const Clock& clock)
    : home_(home),
      clock_(clock),
      context_(model.context()),
      decoder_(std::make_unique<Decoder>(*this, model, sequences, log)),
      thread_(std::make_unique<net::EventLoop>("decode", log)) {}

Generator::~Generator() { stop(); }

void Generator::stop() {
  for (const auto& task : tasks_) task->stop = true;
  thread_.reset();
}

Result<Generator::Number> Generator::add(GenerationTask wanted) {
  if (tasks_.size() >= kTasksMax)
    return fail(ErrorCode::kBusy, "too many questions wait; ask again later");
  std::size_t longest = 0;
  for (const auto& choice : wanted.choices) longest = std::max(longest, choice.size());
  if (wanted.prompt.size() + std::max(wanted.tokens_max, longest) > context_)
    return fail(ErrorCode::kInvalid,
                "messages, max_tokens: together more than the model's context of " +
                    std::to_string(context_) + " tokens");
  auto task = std::make_shared<Task>();
  task->wanted = std::move(wanted);
  task->number = next_++;
  tasks_.push_back(task);
  thread_->post([this, task] { decoder_->add(task); });
  return task->number;
}

std::vector<std::shared_ptr<Generator::Task>>::iterator Generator::find(Number number) {
  return std::ranges::find(tasks_, number, [](const auto& task) { return task->number; });
}

void Generator::cancel(Number number) {
  const auto found = find(number);
  if (found == tasks_.end()) return;
  (*found)->stop = true;
  tasks_.erase(found);
}

bool Generator::stuck() const {
  const std::int64_t began = decoder_->step_began;
  const SteadyTime since{SteadyTime::duration(began)};
  return began != 0 && clock_.now() - since > kStepLongest;
}

void Generator::told(Number number, std::string text) {
  const auto found = find(number);
  if (found == tasks_.end()) return;
  // Who is told may cancel it.
  const std::shared_ptr<Task> task = *found;  // NOLINT(performance-unnecessary-copy-initialization)
  task->wanted.on_text(std::move(text));
}

void Generator::ended(Number number, Result<Generated> result) {
  const auto found = find(number);
  if (found == tasks_.end()) return;  // cancelled
  const std::shared_ptr<Task> task = std::move(*found);
  tasks_.erase(found);
  task->wanted.on_done(std::move(result));
}

}  // namespace yyc3::language
