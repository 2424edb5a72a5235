#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/telephony/rtp/line_test_kit.hpp"
#include "engine/text/utf8.hpp"
#include "product/call/conversation.hpp"
#include "product/dialogue/dialogue_test_kit.hpp"

/// A conversation on a clock of its own: the product's dialogue, turn-taking, speaker, ledger and
/// stream; doubles are the clock, the line, the recogniser and the voice.
namespace yyc3::call::kit {

constexpr std::int16_t kLoud = 3'000;
constexpr std::int16_t kHeard = 200;  ///< softer is nothing to a detector of speech
constexpr SamplePos kTick = codec::kFrameSamples;

/// Hears what the script says was said when, `decode_time` after it was asked.
class ScriptedHearing final : public speech::Recognizer {
 public:
  struct Words {
    SamplePos from;
    SamplePos to;
    std::string text;
  };
  explicit ScriptedHearing(const Clock& clock) : clock_(clock) {}

  speech::StreamNumber open(speech::Language, speech::HearingSink& sink) override {
    sink_ = &sink;
    return 1;
  }
  void audio(speech::StreamNumber, std::uint64_t first,
             std::span<const std::int16_t> pcm) override {
    if (first != frame_from_ + filled_) {
      frame_from_ = first;
      filled_ = 0;
      loud_ = 0;
    }
    for (const std::int16_t x : pcm) {
      loud_ += std::abs(x) > kHeard ? 1 : 0;
      if (++filled_ < kFrame) continue;
      frame_from_ += kFrame;
      probabilities_.push_back({frame_from_, loud_ > kFrame / 2 ? 0.95 : 0.02, clock_.now() + lag});
      filled_ = loud_ = 0;
    }
  }
  speech::JobNumber decode(speech::StreamNumber, const speech::DecodeSpec& spec) override {
    const speech::JobNumber job = next_job_++;
    jobs_.emplace(job, Job{spec, clock_.now() + decode_time});
    asked.push_back(spec);
    return job;
  }
  void cancel(speech::JobNumber job) override { jobs_.erase(job); }
  void close(speech::StreamNumber) override { sink_ = nullptr; }
  [[nodiscard]] bool available() const override { return true; }
  [[nodiscard]] bool detects_speech() const override { return true; }

  /// Tells what has come up; after every tick of the line.
  void tick() {
    if (stalled) return;
    for (; !probabilities_.empty() && probabilities_.front().due <= clock_.now();
         probabilities_.pop_front())
      if (sink_ != nullptr)
        sink_->on_speech_probability(probabilities_.front().end, probabilities_.front().p);
    std::map<speech::JobNumber, Job> due;
    for (const auto& [number, job] : jobs_)
      if (job.due <= clock_.now()) due.emplace(number, job);
    for (const auto& [number, job] : due) {
      if (sink_ == nullptr || jobs_.erase(number) == 0) continue;
      if (job.spec.partial && busy) {
        sink_->on_decode_failed(number, {ErrorCode::kBusy, "other speech goes first"});
        continue;
      }
      if (fails) {
        sink_->on_decode_failed(number, {ErrorCode::kUnavailable, "the recogniser is away"});
        continue;
      }
      speech::HeardText heard;
      heard.text = text_in(job.spec.from_sample, job.spec.to_sample);
      heard.confidence = heard.text.empty() ? 0 : 0.9;
      heard.decoded = decode_time;
      sink_->on_text(number, heard);
      if (sink_ != nullptr && job.spec.turn_end && turn_end)
        sink_->on_turn_end(job.spec.to_sample, *turn_end);
    }
  }

  std::vector<Words> said;
  std::vector<speech::DecodeSpec> asked;
  Milliseconds decode_time{350};
  bool busy = false;               ///< no decoder is idle: partial decodes fail
  bool fails = false;              ///< every decode fails
  bool stalled = false;            ///< says nothing for the time being, and all of it afterwards
  Milliseconds lag{0};             ///< of every probability
  std::optional<double> turn_end;  ///< what a model of the end of turns says of every turn

 private:
  struct Job {
    speech::DecodeSpec spec;
    SteadyTime due;
  };
  struct Probability {
    std::uint64_t end;
    double p;
    SteadyTime due;
  };
  static constexpr std::size_t kFrame = 256;

  /// Of words that are cut, as many characters as were said.
  [[nodiscard]] std::string text_in(SamplePos from, SamplePos to) const {
    std::string out;
    for (const Words& words : said) {
      if (words.from >= to || words.to <= from) continue;
      const double share = static_cast<double>(std::min(words.to, to) - words.from) /
                           static_cast<double>(words.to - words.from);
      const auto characters = text::decode_utf8(words.text);
      const auto count = static_cast<std::size_t>(share * static_cast<double>(characters.size()));
      out += text::encode_utf8(characters.substr(0, count));
    }
    return out;
  }

  const Clock& clock_;
  speech::HearingSink* sink_ = nullptr;
  std::map<speech::JobNumber, Job> jobs_;
  std::deque<Probability> probabilities_;
  std::uint64_t frame_from_ = 0;
  std::size_t filled_ = 0;
  std::size_t loud_ = 0;
  speech::JobNumber next_job_ = 1;
};

/// 200 ms of noise a character, `wait` after it was asked for.
class SteadyVoice final : public speech::Synthesizer {
 public:
  explicit SteadyVoice(const Clock& clock) : clock_(clock) {}
  std::uint64_t speak(speech::SpeakRequest request, Done done) override {
    const auto characters = static_cast<int>(text::decode_utf8(request.text).size());
    const SteadyTime due = clock_.now() + wait + characters * wait_a_character;
    waiting_.push_back({std::move(request.text), std::move(done), due});
    if (due == clock_.now()) tick();
    return ++jobs_;
  }
  void cancel(std::uint64_t) override {}
  [[nodiscard]] bool available() const override { return true; }
  void tick() {
    while (!waiting_.empty() && waiting_.front().due <= clock_.now()) {
      const Waiting next = std::move(waiting_.front());
      waiting_.pop_front();
      if (fails || (!fails_at.empty() && next.text.find(fails_at) != std::string::npos)) {
        next.done(fail(ErrorCode::kUnavailable, "the voice is away"));
        continue;
      }
      std::vector<std::int16_t> pcm(1'600 * text::decode_utf8(next.text).size());
      std::minstd_rand random;
      for (auto& sample : pcm)
        sample = static_cast<std::int16_t>(static_cast<int>(random() % (2 * kLoud)) - kLoud);
      next.done(std::make_shared<const speech::Sound>(speech::Sound{std::move(pcm)}));
    }
  }
  Milliseconds wait{0};
  Milliseconds wait_a_character{0};
  bool fails = false;
  std::string fails_at;  ///< in texts that hold this

 private:
  struct Waiting {
    std::string text;
    Done done;
    SteadyTime due;
  };
  const Clock& clock_;
  std::deque<Waiting> waiting_;
  std::uint64_t jobs_ = 0;
};

/// Chooses what the script says for the caller's words, `wait` after it was asked; else the last
/// choice. As the real client does, it gives up when the patience it was asked with is over.
class ScriptedModel final : public inference::ChatModel {
 public:
  explicit ScriptedModel(const Clock& clock) : clock_(clock) {}
  inference::ChatNumber ask(inference::ChatRequest request, inference::ChatSink& sink) override {
    const SteadyTime now = clock_.now();
    const bool words = request.choices.empty();
    const Milliseconds takes = words ? words_wait.value_or(wait) : wait;
    const Milliseconds most = words ? request.first_token : request.total;
    asked.push_back(request.messages.back().text);
    if (words) read.push_back(request.messages);
    const SteadyTime end = now + request.total;
    jobs_.emplace(
        ++last_, Job{&sink, now + std::min(takes, most), end, takes > most, std::move(request), 0});
    return last_;
  }
  void cancel(inference::ChatNumber number) override { jobs_.erase(number); }
  [[nodiscard]] bool available() const override { return up; }
  void tick() {
    const auto due = [this](const auto& entry) { return entry.second.due <= clock_.now(); };
    for (auto at = std::ranges::find_if(jobs_, due); at != jobs_.end();
         at = std::ranges::find_if(jobs_, due)) {
      const auto number = at->first;
      const Job job = at->second;
      jobs_.erase(at);  // the sink may ask again, or cancel
      if (job.late)
        job.sink->on_failed(number, {ErrorCode::kTimeout, "nothing was said in time"});
      else if (fails)
        job.sink->on_failed(number, {ErrorCode::kInvalid, "the answer is none of the choices"});
      else if (job.request.choices.empty())
        speak(number, job);
      else
        job.sink->on_answer(number, answer_to(job.request));
    }
  }

  std::map<std::string, std::string> choices;  ///< by words of the caller
  std::string own_words = "这个我也说不好。";  ///< said a character at a time …
  Milliseconds wait_a_character{0};            ///< … so far apart
  std::size_t stops_after = 1'000;             ///< characters; then nothing more comes
  std::optional<Milliseconds> words_wait;      ///< for the first of them; else as for a choice
  std::vector<std::string> asked;              ///< what the model was told, in order
  std::vector<std::vector<inference::ChatMessage>> read;  ///< before it spoke in own words
  Milliseconds wait{300};
  bool fails = false;  ///< talks rubbish
  bool up = true;

 private:
  struct Job {
    inference::ChatSink* sink;
    SteadyTime due;
    SteadyTime end;
    bool late;
    inference::ChatRequest request;
    std::size_t said;  ///< characters of own_words
  };
  void speak(inference::ChatNumber number, Job job) {
    const std::u32string words = text::decode_utf8(own_words);
    jobs_.emplace(number, job);  // the sink may cancel it at any piece
    while (job.said < words.size()) {
      const char32_t c = words[job.said++];
      job.sink->on_piece(number, text::encode_utf8(std::u32string_view(&c, 1)));
      if (!jobs_.contains(number)) return;
      job.late = job.said >= stops_after;
      job.due = job.late ? job.end : clock_.now() + wait_a_character;
      jobs_.insert_or_assign(number, job);
      if (job.due > clock_.now()) return;
    }
    jobs_.erase(number);
    job.sink->on_answer(number, answer_to(job.request));
  }
  [[nodiscard]] inference::ChatAnswer answer_to(const inference::ChatRequest& request) const {
    inference::ChatAnswer answer;
    answer.text = request.choices.empty() ? own_words : request.choices.back();
    for (const auto& [words, choice] : choices)
      if (request.messages.back().text.find(words) != std::string::npos) answer.text = choice;
    return answer;
  }
  const Clock& clock_;
  std::map<inference::ChatNumber, Job> jobs_;
  inference::ChatNumber last_ = 0;
};

class Simulation final : public ConversationListener {
 public:
  struct Told {
    std::string kind;
    Milliseconds at;
  };
  struct Partial {
    std::string text;
    Milliseconds told;
    Milliseconds spoken;
  };

  struct Setting {
    text::Language language = text::Language::kZh;
    TurnConfig turns;
    double echo_gain = 0;  ///< of the bot's voice, which comes back …
    Milliseconds echo_after{160};
    bool thinks = false;  ///< there is a language model
    std::string voice_fails_at;
  };

  Simulation() : Simulation(Setting{}) {}
  explicit Simulation(const Setting& setting)
      : setting_(setting),
        parts_{hearing,
               prompts_,
               metrics_,
               clock,
               [] { return dialogue::kit::kNow; },
               setting.turns,
               Milliseconds{3'000},
               Milliseconds{setting.echo_gain > 0 ? 400 : 0},
               setting.thinks ? &model : nullptr,
               Milliseconds{900},
               setting.thinks} {
    voice.fails_at = setting.voice_fails_at;
    Voice voice_of;
    if (setting.language == text::Language::kEn) voice_of.language = speech::Language::kEnglish;
    talk_.emplace(parts_, line_.stream(), voice_of, dialogue::kit::session(setting.language),
                  *this);
    talk_->start();
  }

  /// Time passes; the caller is silent.
  void quiet(Milliseconds time) { pass(time, 0); }
  /// The caller says `text`, 200 ms a character unless told otherwise.
  void say(const std::string& text, Milliseconds time = Milliseconds{0}) {
    if (time == Milliseconds{0})
      time = Milliseconds{200} * static_cast<int>(text::decode_utf8(text).size());
    const SamplePos now = line_.stream().sample_clock();
    hearing.said.push_back({now, now + static_cast<SamplePos>(time.count()) * kSamplesPerMs, text});
    pass(time, kLoud);
  }
  /// Sound that is no word.
  void noise(Milliseconds time) { pass(time, kLoud); }
  void press(char key) {
    if (!over_) talk_->press(key, line_.stream().sample_clock());
  }
  /// Until the bot begins (or ends) to be heard; 20 s at most.
  void until_bot(bool speaks) {
    for (int i = 0; i < 1'000 && bot_heard_ != speaks; ++i) step(0);
    REQUIRE(bot_heard_ == speaks);
  }
  /// The caller hears the bot to its end and a little of the silence behind it.
  void listen() {
    until_bot(true);
    quiet(Milliseconds{200});
    for (int silent = 0, i = 0; silent < 20 && i < 2'000; ++i) {
      step(0);
      silent = bot_heard_ ? 0 : silent + 1;
    }
  }
  [[nodiscard]] Milliseconds now() const {
    return Milliseconds{static_cast<std::int64_t>(clock_samples() / kSamplesPerMs)};
  }
  [[nodiscard]] std::vector<TurnRecord> turns_of(const std::string& speaker) const {
    std::vector<TurnRecord> found;
    std::ranges::copy_if(turns, std::back_inserter(found),
                         [&](const TurnRecord& turn) { return turn.speaker == speaker; });
    return found;
  }
  [[nodiscard]] std::size_t count(const std::string& kind) const {
    return static_cast<std::size_t>(std::ranges::count(told, kind, &Told::kind));
  }
  [[nodiscard]] const dialogue::DialogueSession& dialogue() const { return talk_->dialogue(); }
  [[nodiscard]] bool bot_heard() const { return bot_heard_; }
  /// The bot has hung up.
  [[nodiscard]] bool over() const { return over_; }

  void on_turn(TurnRecord turn) override { turns.push_back(std::move(turn)); }
  void on_partial(const std::string&, const std::string& text, std::int64_t at) override {
    partials.push_back({text, now(), Milliseconds{at}});
  }
  void on_event(std::string kind, json::object) override {
    told.push_back({std::move(kind), now()});
  }
  void on_opt_out(const std::string&, std::function<void()> then) override {
    told.push_back({"opt_out", now()});
    then();
  }
  void on_disclosure(const DisclosureHeard& heard) override {
    told.push_back({"disclosure", now()});
    disclosure = heard;
  }
  void on_transfer(const std::string&) override {
    told.push_back({"transfer", now()});
    talk_->transfer_failed();
  }
  void on_hang_up() override {
    told.push_back({"hang_up", now()});
    over_ = true;
  }
  void on_degraded(const std::string& what) override {
    told.push_back({"degraded " + what, now()});
  }
  void on_media_lost() override { told.push_back({"media_lost", now()}); }

  ManualClock clock;
  ScriptedHearing hearing{clock};
  SteadyVoice voice{clock};
  ScriptedModel model{clock};
  std::vector<TurnRecord> turns;
  std::vector<Told> told;
  std::optional<DisclosureHeard> disclosure;
  std::vector<Partial> partials;
  std::vector<bool> audible;  ///< was the bot heard in this tick?

 private:
  [[nodiscard]] SamplePos clock_samples() const {
    return const_cast<rtp::VirtualLine&>(line_).stream().sample_clock();
  }
  void pass(Milliseconds time, std::int16_t level) {
    for (auto left = time; left.count() > 0; left -= Milliseconds{20}) step(level);
  }
  void step(std::int16_t level) {
    clock.advance(Milliseconds{20});
    codec::Frame said;
    // a square wave: the energy detector takes constant pressure for silence
    for (std::size_t i = 0; i < said.size(); ++i)
      said[i] = static_cast<std::int16_t>(i / 8 % 2 == 0 ? level : -level);
    add_echo(said);
    const codec::Frame& heard = line_.tick(said, clock.now());
    if (setting_.echo_gain > 0) echoes_.push_back(heard);
    bot_heard_ = std::ranges::any_of(heard, [](std::int16_t x) { return std::abs(x) > kLoud / 4; });
    audible.push_back(bot_heard_);
    hearing.tick();
    voice.tick();
    model.tick();
    talk_->on_media();
    talk_->on_tick();
    if (over_) talk_->stop();
  }
  void add_echo(codec::Frame& said) {
    if (echoes_.size() * kTickMs < setting_.echo_after || echoes_.empty()) return;
    for (std::size_t i = 0; i < said.size(); ++i)
      said[i] = static_cast<std::int16_t>(said[i] + setting_.echo_gain * echoes_.front()[i]);
    echoes_.pop_front();
  }

  static constexpr Milliseconds kTickMs{20};

  const Setting setting_;
  telemetry::Registry registry_;
  rtp::VirtualLine line_{clock.now(), clock.utc()};
  speech::PromptCache prompts_{{}, voice, registry_, [](const std::function<void()>&) {}};
  ConversationMetrics metrics_{registry_};
  ConversationParts parts_;
  std::optional<Conversation> talk_;
  std::deque<codec::Frame> echoes_;
  bool bot_heard_ = false;
  bool over_ = false;
};

}  // namespace yyc3::call::kit
