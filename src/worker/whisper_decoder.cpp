#include "worker/whisper_decoder.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <dlfcn.h>
#include <ggml-backend.h>
#include <map>
#include <string_view>
#include <utility>
#include <whisper.h>

#include "base/bytes.hpp"
#include "engine/speech/grammars.hpp"
#include "engine/text/cleanup.hpp"
#include "engine/text/utf8.hpp"
#include "worker/bpe_tokenizer.hpp"
#include "worker/model_file.hpp"
#include "worker/phrase_scorer.hpp"
#include "worker/resample.hpp"
#include "worker/runs.hpp"
#include "worker/token_search.hpp"

/// Added to whisper.cpp by tools/models/patch_whisper.py.
extern "C" void yyc3_whisper_set_thread_abort(ggml_abort_callback callback, void* data);

namespace yyc3::worker {
namespace {

using speech::GrammarKind;
using speech::Language;

constexpr std::size_t kRate = 8000;
constexpr std::array kMarks = {".", ",", "!", "?", "。", "，", "！", "？", "、"};
constexpr std::string_view kPause = "，";  // between the halves of a phrase: heard or not
constexpr int kWindowPad = 128;            // encoder frames (20 ms) beyond the speech
// The attention's products go to the fast kernels in whole steps only: 468 → 363 ms, n = 80.
constexpr int kWindowStep = 16;
// A character of two or three tokens shares its first with others: so many nats it counts as
// behind.
constexpr float kHalfSpelled = 2;
// Silence before and after what is heard: a word at the very edge of the window is lost. CER of own
// call sentences cut 200 ms around the speech: 15.2 % without, 12.8 % with it; cut at 80 ms and
// without it: 29 % (docs/decisions/0013).
constexpr std::size_t kSilenceAround = 2 * kRate / 10;
constexpr int kGrammarWindow = 256;  // least window of a single word (192: 27 of 28, 256: 28)
constexpr std::size_t kCalibrationsKept = 128;  // closed lists whose silence score is kept
// The yes/no list takes 2 to 4 s of a core to measure in silence, once: whoever waits less hears it
// without (human digits zh 9 of 11 instead of 10; yes and no alike).
constexpr Milliseconds kCalibrationTime{10'000};
constexpr double kSilenceWeight = 0.5;  // 0.3–0.7 measured alike
// Shallow fusion: CER 16.6 → 13.5 % on 828 call sentences; 0.45 is alike, 0.6 worse (0015).
constexpr float kSaidWeight = 0.3F;
// Words of the operator, all named: slot words wrong 12.7 → 9.2 % (0.5: 10.1 %; 0015).
constexpr float kWordBonus = 1.0F;
// Below this share something that is neither yes nor no was said, or nothing: a list would make an
// opt-out of a noise. Of 76 requests that were said two are below it.
constexpr double kGuess = 0.2;
constexpr float kGrammarLevelDb = -34;  // single words are heard best quiet: 9 → 11 of 11 digits

/// CPU kernels are plug-ins beside libggml.so; the best one for this machine is taken.
void load_kernels() {
  static const bool loaded = [] {
    whisper_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
    Dl_info info{};
    if (dladdr(reinterpret_cast<const void*>(&ggml_backend_load_all_from_path), &info) != 0) {
      const std::string folder = std::filesystem::path(info.dli_fname).parent_path().string();
      ggml_backend_load_all_from_path(folder.c_str());
    }
    return true;
  }();
  static_cast<void>(loaded);
}

struct StopContext {
  const StopFlag& flag;
  const Clock& clock;
  [[nodiscard]] bool stop() const {
    return flag.cancelled.load(std::memory_order_relaxed) || clock.now() >= flag.deadline;
  }
};

bool asked_to_stop(void* context) { return static_cast<StopContext*>(context)->stop(); }

/// Makes this thread's graph computations stoppable while it lives.
class AbortScope {
 public:
  explicit AbortScope(StopContext& context) {
    yyc3_whisper_set_thread_abort(&asked_to_stop, &context);
  }
  ~AbortScope() { yyc3_whisper_set_thread_abort(nullptr, nullptr); }
  AbortScope(const AbortScope&) = delete;
  AbortScope& operator=(const AbortScope&) = delete;
};

/// Encoder frames (20 ms) for so many 8 kHz samples and `pad` frames more, in whole steps.
int window(std::size_t samples, int pad) {
  const auto frames = static_cast<int>(samples * 50 / kRate) + pad;
  return std::min((frames + kWindowStep - 1) / kWindowStep * kWindowStep, 1500);
}

std::vector<std::int16_t> amid_silence(std::span<const std::int16_t> pcm) {
  std::vector<std::int16_t> out(pcm.size() + 2 * kSilenceAround, 0);
  std::ranges::copy(pcm, out.begin() + kSilenceAround);
  return out;
}

/// Softmax's logarithm, in place.
void to_log_probabilities(std::vector<float>& logits) {
  const float top = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float x : logits) sum += static_cast<double>(std::exp(x - top));
  const float shift = top + static_cast<float>(std::log(sum));
  for (float& x : logits) x -= shift;
}

}  // namespace

Result<std::shared_ptr<const WhisperModel>> WhisperModel::load(const std::filesystem::path& file,
                                                               std::string_view said,
                                                               std::string_view own,
                                                               const text::TablesPtr& tables) {
  load_kernels();
  if (!std::filesystem::is_regular_file(file)) return bad_model(file);
  whisper_context_params params = whisper_context_default_params();
  params.use_gpu = false;
  // whisper.cpp 1.8.5 with flash attention attends to the padding of a window that is no multiple
  // of 256 frames: leftovers of the decode before. Texts then depend on history and commas become
  // '４'.
  params.flash_attn = false;
  whisper_context* context = whisper_init_from_file_with_params_no_state(file.c_str(), params);
  if (context == nullptr) return bad_model(file);
  std::shared_ptr<WhisperModel> made(new WhisperModel());
  made->context_ = context;
  made->name_ = file.stem().string();
  if (WhisperEncoder::worth_while()) {
    auto encoder = WhisperEncoder::beside(file);
    if (!encoder) return tl::unexpected<Error>(encoder.error());
    made->encoder_ = std::move(*encoder);
  }
  made->multilingual_ = whisper_is_multilingual(context) != 0;
  if (const auto blank = made->tokens_of(" "); blank.size() == 1) made->blank_ = blank[0];
  for (const char* mark : kMarks) {
    if (const auto tokens = made->tokens_of(mark); tokens.size() == 1)
      made->marks_.push_back(tokens[0]);
  }
  if (made->multilingual_ && !(said.empty() && own.empty())) {
    made->learn(said, own);
    if (tables) made->corrector_ = std::make_unique<HomophoneCorrector>(tables, said, own);
  }
  return made;
}

WhisperModel::WhisperModel() : words_(kWordBonus) {}

std::vector<NgramModel::Token> WhisperModel::tokens_of(const std::string& text) const {
  std::vector<NgramModel::Token> tokens(text.size() + 4);
  const int n = whisper_tokenize(static_cast<whisper_context*>(context_), text.c_str(),
                                 tokens.data(), static_cast<int>(tokens.size()));
  tokens.resize(static_cast<std::size_t>(std::max(n, 0)));
  return tokens;
}

void WhisperModel::learn(std::string_view said, std::string_view own) {
  auto* context = static_cast<whisper_context*>(context_);
  said_ = std::make_unique<NgramModel>(whisper_n_vocab(context), whisper_token_eot(context));
  std::vector<std::string> pieces;
  pieces.reserve(static_cast<std::size_t>(whisper_token_eot(context)));
  for (whisper_token i = 0; i < whisper_token_eot(context); ++i) {
    pieces.emplace_back(whisper_token_to_str(context, i));
  }
  const BpeTokenizer tokenizer(std::move(pieces));
  const auto learn_lines = [&](const std::u32string& lines, bool are_own) {
    for_each_run(lines, [&](std::size_t from, std::size_t to) {
      const std::u32string phrase = lines.substr(from, to - from);
      const std::vector<NgramModel::Token> tokens = tokenizer.encode(text::encode_utf8(phrase));
      said_->add(tokens);
      if (are_own && phrase.size() <= kWordLongest) words_.add(tokens);
      for (const char32_t c : phrase) {
        const auto [at, fresh] = characters_.try_emplace(c);
        if (!fresh) continue;
        const auto spelled = tokenizer.encode(text::encode_utf8({&c, 1}));
        if (!spelled.empty()) at->second = {spelled[0], spelled.size() == 1};
      }
    });
  };
  learn_lines(text::decode_utf8(said), false);
  learn_lines(text::decode_utf8(own), true);
}

WhisperModel::~WhisperModel() { whisper_free(static_cast<whisper_context*>(context_)); }

std::unique_ptr<Decoder> WhisperModel::make_decoder(text::TablesPtr tables,
                                                    const Clock& clock) const {
  return std::make_unique<WhisperDecoder>(shared_from_this(), std::move(tables), clock);
}

/// What the network thought might come next, before anything was leaned to: logits of the tokens
/// not ruled out, kMost at most (32 KB).
class Thought {
 public:
  explicit Thought(std::span<const float> logits)
      : floor_(*std::ranges::max_element(logits) - kRuledOut) {
    for (std::size_t i = 0; i < logits.size(); ++i) {
      if (logits[i] > floor_) near_.emplace_back(static_cast<whisper_token>(i), logits[i]);
    }
    if (near_.size() > kMost) {  // noise: hardly anything is ruled out
      std::ranges::nth_element(near_, near_.begin() + kMost, std::ranges::greater{}, &Near::second);
      near_.resize(kMost);
      std::ranges::sort(near_, {}, &Near::first);
    }
    near_.shrink_to_fit();
  }
  [[nodiscard]] float logit(whisper_token token) const {
    const auto at = std::ranges::lower_bound(near_, token, {}, &Near::first);
    return at != near_.end() && at->first == token ? at->second : floor_;
  }

 private:
  using Near = std::pair<whisper_token, float>;
  static constexpr float kRuledOut = HomophoneCorrector::kBehindMax + 2;
  static constexpr std::size_t kMost = 4096;
  float floor_;
  std::vector<Near> near_;  // by token
};

struct WhisperDecoder::Impl {
  using Tokens = TokenSearch::Tokens;

  Impl(std::shared_ptr<const WhisperModel> m, text::TablesPtr t, const Clock& c)
      : model(std::move(m)),
        tables(std::move(t)),
        clock(c),
        context(static_cast<whisper_context*>(model->context_)),
        state(whisper_init_state(context)) {}
  ~Impl() { whisper_free_state(state); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<Decoded> decode_free(const DecodeRequest& request, StopContext& stop);
  Result<Decoded> decode_closed(const DecodeRequest& request, StopContext& stop);
  /// Encodes `samples` (16 kHz) and leaves the sound in `state`; no token is decoded.
  Result<void> encode(const DecodeRequest& request, std::span<const float> samples, int frames,
                      StopContext& stop);
  Result<void> encode_word(const DecodeRequest& request, StopContext& stop);
  Result<std::vector<double>> calibrate(const std::vector<std::string>& phrases,
                                        const DecodeRequest& request, StopContext& stop);
  std::vector<PhraseScorer::Phrase> spell(const std::vector<std::string>& phrases,
                                          std::span<const double> bias) const;
  PhraseScorer::Tokens ends() const;
  [[nodiscard]] Tokens start_of(Language language, const char* prompt) const;
  /// Logits of the token after start + prefix; empty: stopped.
  std::span<const float> next_logits(const Tokens& start, const Tokens& prefix);
  std::span<const float> next_tokens(const Tokens& prefix, Language language);
  std::span<const float> next_said(const Tokens& start, const Tokens& prefix, bool lean);
  [[nodiscard]] std::string text_of(std::span<const whisper_token> tokens) const;
  [[nodiscard]] std::string corrected(const Tokens& tokens, const std::string& tidy) const;
  [[nodiscard]] double sureness(const TokenSearch::Reading& found, bool lean) const;
  static tl::unexpected<Error> stopped(const StopContext& stop);

  std::shared_ptr<const WhisperModel> model;
  text::TablesPtr tables;
  const Clock& clock;
  whisper_context* context;
  whisper_state* state;
  std::map<Tokens, Thought> thoughts;  ///< of the decode at hand, by prefix
  Tokens fed;                          ///< what the key-value cache holds
  std::vector<float> log_p;
  std::vector<NgramModel::Gain> gains;
  std::vector<HotWords::Bonus> bonuses;
  std::map<std::string, std::vector<double>> silence;  // closed list → score in silence
};

tl::unexpected<Error> WhisperDecoder::Impl::stopped(const StopContext& stop) {
  if (stop.flag.cancelled) return fail(ErrorCode::kCancelled, "decode cancelled");
  if (stop.stop()) return fail(ErrorCode::kTimeout, "decode passed its deadline");
  return fail(ErrorCode::kInternal, "whisper failed");
}

Result<Decoded> WhisperDecoder::Impl::decode_free(const DecodeRequest& request, StopContext& stop) {
  const std::vector<float> samples = to_16k(amid_silence(request.pcm));
  const int frames = window(samples.size() / 2, kWindowPad);
  if (const auto done = encode(request, samples, frames, stop); !done) {
    return tl::unexpected<Error>(done.error());
  }
  const bool chinese = request.language == Language::kChinese && model->multilingual();
  const char* usual = chinese ? "以下是普通话的句子，请用简体中文。" : "";
  const Tokens start =
      start_of(request.language, request.prompt.empty() ? usual : request.prompt.c_str());
  TokenSearch::Config config;
  config.end = whisper_token_eot(context);
  config.tokens_max = 8 + static_cast<int>(8 * request.pcm.size() / kRate);
  const bool lean = chinese && model->said_ != nullptr;
  thoughts.clear();
  const TokenSearch::Reading found = TokenSearch(config).best(
      [&](const Tokens& prefix) { return next_said(start, prefix, lean); });
  if (found.stopped) return stopped(stop);
  Decoded out;
  const bool correct = lean && model->corrector_ && request.grammar != GrammarKind::kDigits;
  out.tokens = static_cast<int>(found.tokens.size());
  if (out.tokens > 0) out.confidence = sureness(found, lean);
  text::CutText cut = speech::tidy_text(tables, request.language, text_of(found.tokens));
  out.looped = cut.looped || found.looped;
  // put right, one piece may be what another already is
  if (correct) cut = text::cut_repetition(corrected(found.tokens, cut.text));
  out.looped = out.looped || cut.looped;
  out.text = std::move(cut.text);
  return out;
}

Result<void> WhisperDecoder::Impl::encode(const DecodeRequest& request,
                                          std::span<const float> samples, int frames,
                                          StopContext& stop) {
  whisper_full_params p = whisper_full_default_params(WHISPER_SAMPLING_GREEDY);
  p.n_threads = 1;  // ggml spins at barriers: two threads beside other work are 5–40 times slower
  p.no_context = true;
  p.print_progress = false;
  p.print_timestamps = false;
  p.audio_ctx = frames;
  p.language = model->multilingual() ? speech::code_of(request.language) : "en";
  // asked only after the encoder is done: whisper_full then returns, and its state holds the sound
  p.abort_callback = [](void*) { return true; };
  const EncoderScope scope(model->encoder_.get(), whisper_model_n_audio_state(context),
                           [&stop] { return stop.stop(); });
  whisper_full_with_state(context, state, p, samples.data(), static_cast<int>(samples.size()));
  fed.clear();
  if (stop.stop()) return stopped(stop);
  return scope.result();
}

/// What may follow a whole phrase: the end, or a mark and then the end.
PhraseScorer::Tokens WhisperDecoder::Impl::ends() const {
  PhraseScorer::Tokens ends = model->marks_;
  ends.push_back(whisper_token_eot(context));
  return ends;
}

std::vector<PhraseScorer::Phrase> WhisperDecoder::Impl::spell(
    const std::vector<std::string>& phrases, std::span<const double> bias) const {
  std::vector<PhraseScorer::Phrase> out;
  for (std::size_t i = 0; i < phrases.size(); ++i) {
    PhraseScorer::Phrase phrase;
    const std::string& text = phrases[i];
    phrase.spellings.push_back(model->tokens_of(text));
    if (const auto mark = text.find(kPause); mark != std::string::npos) {
      for (const char* other : {"", ","}) {
        std::string without = text;
        without.replace(mark, kPause.size(), other);
        phrase.spellings.push_back(model->tokens_of(without));
      }
    }
    const bool latin = static_cast<unsigned char>(text[0]) < 0x80;
    if (latin) {
      phrase.spellings.push_back(model->tokens_of(" " + text));
      std::string capital = text;
      if (capital[0] >= 'a' && capital[0] <= 'z') {
        capital[0] = static_cast<char>(capital[0] - 'a' + 'A');
        phrase.spellings.push_back(model->tokens_of(" " + capital));
        phrase.spellings.push_back(model->tokens_of(capital));
      }
    }
    if (!bias.empty()) phrase.bias = bias[i];
    out.push_back(std::move(phrase));
  }
  return out;
}

/// For a closed list: isolated words are heard best quiet and in a longer window.
Result<void> WhisperDecoder::Impl::encode_word(const DecodeRequest& request, StopContext& stop) {
  std::vector<float> samples = to_16k(request.pcm);
  set_loudest(samples, kGrammarLevelDb);
  const int frames = std::max(window(request.pcm.size(), kWindowPad), kGrammarWindow);
  return encode(request, samples, frames, stop);
}

TokenSearch::Tokens WhisperDecoder::Impl::start_of(Language language, const char* prompt) const {
  Tokens start;
  if (*prompt != '\0') {
    start = model->tokens_of(prompt);
    const auto most = static_cast<std::size_t>(whisper_n_text_ctx(context)) / 2;
    if (start.size() > most) start.erase(start.begin(), start.end() - static_cast<long>(most));
    start.insert(start.begin(), whisper_token_prev(context));
  }
  start.push_back(whisper_token_sot(context));
  if (model->multilingual()) {
    start.push_back(whisper_token_lang(context, whisper_lang_id(speech::code_of(language))));
    start.push_back(whisper_token_transcribe(context));
  }
  start.push_back(whisper_token_not(context));
  return start;
}

std::span<const float> WhisperDecoder::Impl::next_logits(const Tokens& start,
                                                         const Tokens& prefix) {
  Tokens wanted = start;
  wanted.insert(wanted.end(), prefix.begin(), prefix.end());
  const auto differ = std::ranges::mismatch(wanted, fed).in1 - wanted.begin();
  const auto past = std::min(static_cast<std::size_t>(differ), wanted.size() - 1);
  const auto fresh = static_cast<int>(wanted.size() - past);
  fed.clear();  // should it fail, nothing is known of the cache
  if (whisper_decode_with_state(context, state, wanted.data() + past, fresh, static_cast<int>(past),
                                1) != 0) {
    return {};
  }
  fed = std::move(wanted);
  const auto vocabulary = static_cast<std::size_t>(whisper_n_vocab(context));
  return {whisper_get_logits_from_state(state) + static_cast<std::size_t>(fresh - 1) * vocabulary,
          vocabulary};
}

std::span<const float> WhisperDecoder::Impl::next_tokens(const Tokens& prefix, Language language) {
  const std::span<const float> logits = next_logits(start_of(language, ""), prefix);
  if (logits.empty()) return {};
  log_p.assign(logits.begin(), logits.end());
  to_log_probabilities(log_p);
  return log_p;
}

std::string WhisperDecoder::Impl::text_of(std::span<const whisper_token> tokens) const {
  std::string text;
  for (const whisper_token token : tokens) text += whisper_token_to_str(context, token);
  return text;
}

/// `tidy`, made of their text, with the characters callers are likelier to say as far as the
/// network agrees.
std::string WhisperDecoder::Impl::corrected(const Tokens& tokens, const std::string& tidy) const {
  const std::u32string text = text::decode_utf8(tidy);
  const std::u32string raw = text::decode_utf8(text::to_simplified(*tables, text_of(tokens)));
  const std::size_t cut_off = raw.find(text);
  if (cut_off == std::u32string::npos) return tidy;
  // by character of the text: what was thought where its first token was taken, and that token
  std::vector<std::pair<const Thought*, whisper_token>> at(text.size());
  std::string before;
  for (auto token = tokens.begin(); token != tokens.end(); ++token) {
    const auto thought = thoughts.find(Tokens(tokens.begin(), token));
    const std::size_t offset = text::decode_utf8(before).size() - cut_off;
    if (is_utf8(before) && thought != thoughts.end() && offset < at.size())
      at[offset] = {&thought->second, *token};
    before += whisper_token_to_str(context, *token);
  }
  const auto behind = [&](std::size_t offset, char32_t other) {
    const auto& [thought, own] = at[offset];
    const auto spelled = model->characters_.find(other);
    if (thought == nullptr || spelled == model->characters_.end())
      return HomophoneCorrector::kBehindMax;
    const auto& [first, whole] = spelled->second;
    return thought->logit(own) - thought->logit(first) + (whole ? 0 : kHalfSpelled);
  };
  return text::encode_utf8(model->corrector_->correct(text, behind));
}

/// Mean probability of the tokens, without the bonus of hot words.
double WhisperDecoder::Impl::sureness(const TokenSearch::Reading& found, bool lean) const {
  const float bonus = lean ? model->words_.total(found.tokens) : 0;
  const auto steps = static_cast<double>(found.tokens.size() + 1);
  return std::clamp(std::exp(found.mean() - static_cast<double>(bonus) / steps), 0.0, 1.0);
}

/// For free text: no silence to begin with, no timestamps or commands, and what callers say is the
/// likelier, the more of it has been said so far (shallow fusion).
std::span<const float> WhisperDecoder::Impl::next_said(const Tokens& start, const Tokens& prefix,
                                                       bool lean) {
  const std::span<const float> logits = next_logits(start, prefix);
  if (logits.empty()) return {};
  const whisper_token end = whisper_token_eot(context);
  log_p.assign(logits.begin(), logits.begin() + end + 1);
  if (lean && model->corrector_) thoughts.insert_or_assign(prefix, Thought(log_p));
  const auto is_mark = [this](whisper_token token) {
    return std::ranges::find(model->marks_, token) != model->marks_.end();
  };
  // After a mark mostly the end comes, which no sentence begins with.
  if (lean && (prefix.empty() || !is_mark(prefix.back()))) {
    const auto last = std::find_if(prefix.rbegin(), prefix.rend(), is_mark).base();
    model->said_->gains({last, prefix.end()}, gains);
    for (const NgramModel::Gain& gain : gains) {
      log_p[static_cast<std::size_t>(gain.token)] += kSaidWeight * gain.log_ratio;
      if (gain.token != end) continue;
      for (const whisper_token mark : model->marks_) {
        log_p[static_cast<std::size_t>(mark)] += kSaidWeight * gain.log_ratio;
      }
    }
  }
  if (prefix.empty()) {
    log_p[static_cast<std::size_t>(end)] = -INFINITY;
    if (model->blank_ >= 0) log_p[static_cast<std::size_t>(model->blank_)] = -INFINITY;
  }
  to_log_probabilities(log_p);
  if (lean && !model->words_.empty()) {
    const float all = model->words_.bonuses(prefix, bonuses);
    for (float& x : log_p) x += all;
    for (const HotWords::Bonus& bonus : bonuses) {
      log_p[static_cast<std::size_t>(bonus.token)] += bonus.more;
    }
  }
  return log_p;
}

Result<std::vector<double>> WhisperDecoder::Impl::calibrate(const std::vector<std::string>& phrases,
                                                            const DecodeRequest& request,
                                                            StopContext& stop) {
  std::string key = speech::code_of(request.language);
  for (const std::string& phrase : phrases) key += '\n' + phrase;
  if (const auto found = silence.find(key); found != silence.end()) return found->second;
  if (stop.flag.deadline < clock.now() + kCalibrationTime)
    return std::vector<double>(phrases.size(), 0.0);
  const std::vector<std::int16_t> nothing(kRate, 0);
  DecodeRequest quiet;
  quiet.pcm = nothing;
  quiet.language = request.language;
  if (const auto done = encode_word(quiet, stop); !done) return tl::unexpected<Error>(done.error());
  const PhraseScorer scorer(spell(phrases, {}), ends());
  std::vector<double> scores = scorer.all(
      [&](const PhraseScorer::Tokens& prefix) { return next_tokens(prefix, request.language); });
  if (scores.empty()) return stopped(stop);
  for (double& s : scores) s *= kSilenceWeight;
  if (silence.size() >= kCalibrationsKept) silence.erase(silence.begin());
  silence.emplace(std::move(key), scores);
  return scores;
}

Result<Decoded> WhisperDecoder::Impl::decode_closed(const DecodeRequest& request,
                                                    StopContext& stop) {
  const std::vector<std::string> phrases =
      speech::phrases_of(request.grammar, request.language, request.options);
  if (phrases.empty() || std::ranges::any_of(phrases, &std::string::empty)) {
    return fail(ErrorCode::kInvalid, "grammar options: 1 to 64 phrases, none empty");
  }
  const auto bias = calibrate(phrases, request, stop);
  if (!bias) return tl::unexpected<Error>(bias.error());
  if (const auto done = encode_word(request, stop); !done)
    return tl::unexpected<Error>(done.error());
  std::vector<PhraseScorer::Phrase> spelled = spell(phrases, *bias);
  const std::vector<std::size_t> meanings =
      speech::meanings_of(request.grammar, request.language, phrases.size());
  for (std::size_t i = 0; i < spelled.size(); ++i) spelled[i].meaning = meanings[i];
  const PhraseScorer scorer(std::move(spelled), ends());
  const PhraseScorer::Best best = scorer.best(
      [&](const PhraseScorer::Tokens& prefix) { return next_tokens(prefix, request.language); });
  if (best.stopped) return stopped(stop);
  if (best.share < kGuess && !speech::is_answer(request.grammar, meanings[best.index]))
    return decode_free(request, stop);
  Decoded out;
  out.text = phrases[best.index];
  out.confidence = std::clamp(best.share, 0.0, 1.0);
  out.tokens = best.steps;
  return out;
}

WhisperDecoder::WhisperDecoder(std::shared_ptr<const WhisperModel> model, text::TablesPtr tables,
                               const Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(model), std::move(tables), clock)) {}
WhisperDecoder::~WhisperDecoder() = default;

Result<Decoded> WhisperDecoder::decode(const DecodeRequest& request, const StopFlag& stop) {
  if (request.pcm.size() < kDecodeShortest || request.pcm.size() > kDecodeLongest) {
    return fail(ErrorCode::kInvalid, "decode needs 0.1 to 30 s of audio");
  }
  if (!impl_->model->multilingual() && request.language != Language::kEnglish) {
    return fail(ErrorCode::kInvalid, "model " + impl_->model->name() + " knows English only");
  }
  StopContext context{stop, impl_->clock};
  if (context.stop()) return Impl::stopped(context);
  const AbortScope scope(context);
  switch (request.grammar) {
    case GrammarKind::kYesNo:
    case GrammarKind::kDigit:
    case GrammarKind::kOptions:
      return impl_->decode_closed(request, context);
    case GrammarKind::kFree:
    case GrammarKind::kDigits:
    case GrammarKind::kTime:
      break;
  }
  return impl_->decode_free(request, context);
}

}  // namespace yyc3::worker
