#include <atomic>
#include <cmath>
#include <cstdio>
#include <fmt/format.h>
#include <fstream>
#include <future>
#include <iterator>
#include <unistd.h>

#include "app/commands/commands.hpp"
#include "app/commands/load.hpp"
#include "app/commands/local_worker.hpp"
#include "app/commands/speech_segments.hpp"
#include "app/commands/stop_signals.hpp"
#include "app/hearing.hpp"
#include "app/workers.hpp"
#include "base/json.hpp"
#include "engine/speech/recognizer.hpp"
#include "engine/speech/telephone_voice.hpp"
#include "engine/speech/worker_protocol.hpp"
#include "engine/telephony/codec/g711.hpp"
#include "engine/telephony/codec/resampler.hpp"
#include "engine/telephony/codec/wav.hpp"
#include "platform/telemetry/metrics.hpp"

namespace yyc3::app {

namespace {

constexpr Milliseconds kDeadline{20'000};
constexpr Milliseconds kTurnEndPatience{5'000};

/// One stream of the recogniser, used from outside its loop, one decode at a time.
class Ear final : public speech::HearingSink {
 public:
  Ear(LocalWorker& local, std::unique_ptr<speech::Recognizer> client, speech::Language language,
      speech::GrammarKind grammar, bool turn_end)
      : local_(local),
        client_(std::move(client)),
        language_(language),
        grammar_(grammar),
        ask_turn_end_(turn_end) {
    on_loop([this] {
      stream_ = client_->open(language_, *this);
      up_ = client_->available();
    });
  }
  ~Ear() override {
    on_loop([this] { client_.reset(); });
  }

  [[nodiscard]] bool wait() {
    for (int i = 0; i < 300 && !up_; ++i) usleep(100'000);
    return up_;
  }

  /// @param last of its file: how finished it sounds is asked too.
  Result<speech::HeardText> recognise(std::span<const std::int16_t> pcm, bool last) {
    std::promise<Result<speech::HeardText>> answer;
    auto result = answer.get_future();
    on_loop([&] {
      answer_ = &answer;
      turn_end_ = std::promise<double>();
      for (std::size_t at = 0; at < pcm.size(); at += 160)
        client_->audio(stream_, clock_ + at,
                       pcm.subspan(at, std::min<std::size_t>(160, pcm.size() - at)));
      speech::DecodeSpec spec;
      spec.from_sample = clock_;
      spec.to_sample = clock_ + pcm.size();
      spec.language = language_;
      spec.grammar = grammar_;
      spec.deadline = kDeadline;
      spec.turn_end = ask_turn_end_ && last;
      client_->decode(stream_, spec);
      clock_ += pcm.size();
    });
    return result.get();
  }

  /// Of what was recognised last; nothing when no model says it in time.
  [[nodiscard]] std::optional<double> turn_end() {
    if (!ask_turn_end_) return std::nullopt;
    auto told = turn_end_.get_future();
    if (told.wait_for(kTurnEndPatience) == std::future_status::ready) return told.get();
    std::fputs("aicall: no end of turn was told: the log of the hear worker says why\n", stderr);
    ask_turn_end_ = false;
    return std::nullopt;
  }

  void on_speech_probability(std::uint64_t, double) override {}
  void on_turn_end(std::uint64_t to_sample, double probability) override {
    if (to_sample == clock_) turn_end_.set_value(probability);  // else of the one before, late
  }
  void on_text(speech::JobNumber, const speech::HeardText& heard) override {
    if (auto* answer = std::exchange(answer_, nullptr)) answer->set_value(heard);
  }
  void on_decode_failed(speech::JobNumber, const Error& error) override {
    if (auto* answer = std::exchange(answer_, nullptr))
      answer->set_value(tl::unexpected<Error>(error));
  }
  void on_available(bool available) override { up_ = available; }

 private:
  template <class F>
  void on_loop(F work) {
    std::promise<void> done;
    local_.loop.post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  LocalWorker& local_;
  std::unique_ptr<speech::Recognizer> client_;
  speech::Language language_;
  speech::GrammarKind grammar_;
  bool ask_turn_end_;
  std::promise<double> turn_end_;
  speech::StreamNumber stream_ = 0;
  std::uint64_t clock_ = 0;
  std::promise<Result<speech::HeardText>>* answer_ = nullptr;
  std::atomic<bool> up_{false};
};

Result<codec::Samples> read_narrow(const std::string& file, bool telephone) {
  std::ifstream in(file, std::ios::binary);
  const std::string raw{std::istreambuf_iterator<char>(in), {}};
  const auto wav = codec::parse_wav(as_bytes(raw));
  if (!wav) return tl::unexpected<Error>(wav.error());
  auto narrow = codec::resample(wav->mono(), wav->rate, 8000);
  if (narrow && telephone)
    for (auto& sample : *narrow) sample = codec::alaw_decode(codec::alaw_encode(sample));
  return narrow;
}

int tell(const Error& error, const char* what) {
  std::fprintf(stderr, "aicall: %s: %s\n", what, error.detail.c_str());
  return error.code == ErrorCode::kInvalid ? kExitUsage : kExitUnavailable;
}

/// The stretches of one file, heard one by one.
struct Transcript {
  std::string text;
  std::int64_t decode_ms = 0;
  double confidence = 1;           ///< of the least sure stretch; 0: nothing was heard
  bool looped = false;             ///< a repetition was cut somewhere
  std::optional<double> turn_end;  ///< of the last stretch, where a model is named
  void add(const speech::HeardText& heard) {
    if (!text.empty() && !heard.text.empty()) text += ' ';
    text += heard.text;
    decode_ms += heard.decoded.count();
    confidence = std::min(confidence, heard.confidence);
    looped = looped || heard.looped;
  }
};

double rounded(double value) { return std::round(value * 1000) / 1000; }

void print_text(const std::string& file, const TranscribeArguments& arguments,
                const Transcript& heard, double seconds) {
  if (arguments.json) {
    json::object row{{"file", file},
                     {"text", heard.text},
                     {"language", arguments.language},
                     {"confidence", rounded(heard.confidence)},
                     {"looped", heard.looped},
                     {"audio_s", rounded(seconds)},
                     {"decode_ms", heard.decode_ms}};
    if (heard.turn_end) row["turn_end"] = rounded(*heard.turn_end);
    std::puts(json::serialize(row).c_str());
  } else if (arguments.files.size() > 1)
    fmt::print("{}: {}\n", file, heard.text);
  else
    fmt::print("{}\n", heard.text);
  std::fflush(stdout);
}

Result<void> save(const std::string& file, std::string_view bytes) {
  std::ofstream out(file, std::ios::binary);
  out << bytes;
  if (!out.flush()) return fail(ErrorCode::kUnavailable, file + ": cannot be written");
  return {};
}

net::Task<void> request_speech(net::HttpClient& client, net::ClientRequest request,
                               std::promise<Result<net::ClientResponse>>& answer) {
  answer.set_value(co_await client.send(std::move(request)));
}

}  // namespace

int transcribe(const std::filesystem::path& path, const TranscribeArguments& arguments) {
  const auto config = load_or_tell(path);
  if (!config) return kExitConfig;
  LocalWorker local;
  const auto started = local.start(*config, "hear");
  if (!started) return tell(started.error(), "hearing");
  auto recognizer = make_recognizer(*config, local.workers.hear_endpoint(),
                                    {local.loop, local.registry, local.log, local.clock, {}});
  if (!recognizer) return tell(recognizer.error(), "hearing");
  Ear ear(local, std::move(*recognizer), *speech::language_of(arguments.language),
          *speech::wire::grammar_of(arguments.grammar), !config->speech.turn_end_model.empty());
  if (!ear.wait())
    return tell({ErrorCode::kUnavailable, "not up; `aicall models list` says what is missing"},
                "hearing");
  int code = kExitGood;
  for (const auto& file : arguments.files) {
    const auto pcm = read_narrow(file, arguments.telephone);
    if (!pcm) {
      code = tell(pcm.error(), file.c_str());
      continue;
    }
    Transcript transcript;
    const auto segments = speech_segments(*pcm);
    if (segments.empty()) transcript.confidence = 0;
    for (const auto& [from, to] : segments) {
      const bool last = to == segments.back().second;
      const auto heard = ear.recognise(std::span(*pcm).subspan(from, to - from), last);
      if (!heard) {
        code = tell(heard.error(), file.c_str());
        break;
      }
      transcript.add(*heard);
      if (last) transcript.turn_end = ear.turn_end();
    }
    print_text(file, arguments, transcript, static_cast<double>(pcm->size()) / 8000);
  }
  return code;
}

int say(const std::filesystem::path& path, const SayArguments& arguments) {
  const auto config = load_or_tell(path);
  if (!config) return kExitConfig;
  LocalWorker local;
  const auto started = local.start(*config, "speak");
  if (!started) return tell(started.error(), "the voice");
  if (!local.wait_for("speak"))
    return tell({ErrorCode::kUnavailable, "not up; `aicall models list` says what is missing"},
                "the voice");
  const bool zh = arguments.language == "zh";
  const std::string& voice = !arguments.voice.empty() ? arguments.voice
                             : zh                     ? config->speech.voice_zh
                                                      : config->speech.voice_en;
  net::ClientRequest request;
  request.method = "POST";
  request.target = "/v1/audio/speech";
  request.headers.set("Content-Type", "application/json");
  request.body = json::serialize(json::object{{"model", zh ? "kokoro" : "piper"},
                                              {"voice", voice},
                                              {"input", arguments.text},
                                              {"response_format", "wav"},
                                              {"speed", config->speech.speed}});
  request.deadline = Milliseconds{120'000};
  net::HttpClient client(local.loop.executor(), local.workers.speak_endpoint());
  std::promise<Result<net::ClientResponse>> promise;
  auto future = promise.get_future();
  local.loop.spawn(request_speech(client, std::move(request), promise), "say");
  const auto answer = future.get();
  if (!answer) return tell(answer.error(), "the voice");
  if (answer->status != 200) return tell({ErrorCode::kInvalid, answer->body}, "the voice");
  std::string body = answer->body;
  if (arguments.telephone) {
    const auto pcm = speech::telephone_voice(as_bytes(body));
    if (!pcm) return tell(pcm.error(), "the voice");
    body = as_text(codec::write_wav(8000, 1, (*pcm)->samples));
  }
  const auto saved = save(arguments.output, body);
  return saved ? kExitGood : tell(saved.error(), "say");
}

}  // namespace yyc3::app
