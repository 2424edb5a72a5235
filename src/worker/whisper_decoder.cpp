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

#include "engine/speech/grammars.hpp"
#include "engine/text/utf8.hpp"
#include "worker/bpe_tokenizer.hpp"
#include "worker/model_file.hpp"
#include "worker/phrase_scorer.hpp"
#include "worker/resample.hpp"

/// Added to whisper.cpp by tools/models/patch_whisper_abort.py.
extern "C" void yyc3_whisper_set_thread_abort(ggml_abort_callback callback, void* data);

namespace yyc3::worker {
namespace {

using speech::GrammarKind;
using speech::Language;

constexpr std::size_t kRate = 8000;
constexpr std::array kMarks = {".", ",", "!", "?", "。", "，", "！", "？", "、"};
constexpr int kWindowPad = 128;  // encoder frames (20 ms) beyond the speech
// Silence before and after what is heard: a word at the very edge of the window is lost. CER of own
// call sentences cut 200 ms around the speech: 15.2 % without, 12.8 % with it; cut at 80 ms and
// without it: 29 % (docs/decisions/0013).
constexpr std::size_t kSilenceAround = 2 * kRate / 10;
constexpr int kGrammarWindow = 256;  // least window of a single word (192: 27 of 28, 256: 28)
constexpr std::size_t kCalibrationsKept = 128;  // closed lists whose silence score is kept
constexpr double kSilenceWeight = 0.5;          // 0.3–0.7 measured alike
// Shallow fusion: CER 16.6 → 13.5 % on 828 call sentences; 0.45 is alike, 0.6 worse (0015).
constexpr float kSaidWeight = 0.3F;
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

/// True when the end of `tokens` is one piece said over and over: 9 equal tokens, 5 equal pairs,
/// 3 equal groups of four … a longer piece twice. Real speech does not reach these.
bool loops(const whisper_token_data* tokens, int n) {
  constexpr int kPeriodMax = 24;
  for (int period = 1; period <= kPeriodMax; ++period) {
    const int equal = std::max(period, 8);
    if (n < period + equal) break;
    bool same = true;
    for (int i = n - equal; i < n && same; ++i) same = tokens[i].id == tokens[i - period].id;
    if (same) return true;
  }
  return false;
}

/// What is done to the logits of each step.
struct Guide {
  whisper_token end;
  const NgramModel* said = nullptr;  ///< null: every text is as good as another
  std::span<const whisper_token> marks = {};
  std::vector<NgramModel::Gain> gains = {};
  bool looped = false;
};

/// Shallow fusion: what callers say is the likelier, the more of it has been said so far.
void lean_to_said(Guide& guide, const whisper_token_data* tokens, int n, float* logits) {
  std::vector<whisper_token> history;
  for (int i = std::max(0, n - 2); i < n; ++i) {
    const bool mark = std::ranges::find(guide.marks, tokens[i].id) != guide.marks.end();
    if (mark)
      history.clear();
    else
      history.push_back(tokens[i].id);
  }
  if (n > 0 && history.empty())
    return;  // after a mark: mostly the end, which no sentence begins with
  guide.said->gains(history, guide.gains);
  for (const NgramModel::Gain& gain : guide.gains) {
    logits[gain.token] += kSaidWeight * gain.log_ratio;
    if (gain.token != guide.end) continue;
    for (const whisper_token mark : guide.marks) logits[mark] += kSaidWeight * gain.log_ratio;
  }
}

/// Also allows only the end of the text once it loops: the rest would cost time and be cut anyway.
// NOLINTNEXTLINE(readability-function-size): the signature is whisper.cpp's
void guide_step(whisper_context* context, whisper_state*, const whisper_token_data* tokens, int n,
                float* logits, void* user) {
  auto* guide = static_cast<Guide*>(user);
  if (guide->said != nullptr) lean_to_said(*guide, tokens, n, logits);
  if (!loops(tokens, n)) return;
  guide->looped = true;
  const int vocabulary = whisper_n_vocab(context);
  for (int i = 0; i < vocabulary; ++i) {
    if (i != guide->end) logits[i] = -INFINITY;
  }
}

/// Encoder frames (20 ms) for so many 8 kHz samples and `pad` frames more.
int window(std::size_t samples, int pad) {
  const auto frames = static_cast<int>(samples * 50 / kRate);
  return std::min(frames + pad, 1500);
}

std::vector<std::int16_t> amid_silence(std::span<const std::int16_t> pcm) {
  std::vector<std::int16_t> out(pcm.size() + 2 * kSilenceAround, 0);
  std::ranges::copy(pcm, out.begin() + kSilenceAround);
  return out;
}

void to_log_probabilities(std::span<const float> logits, std::vector<float>& out) {
  out.assign(logits.begin(), logits.end());
  const float top = *std::ranges::max_element(out);
  double sum = 0;
  for (const float x : out) sum += std::exp(static_cast<double>(x - top));
  const float shift = top + static_cast<float>(std::log(sum));
  for (float& x : out) x -= shift;
}

}  // namespace

Result<std::shared_ptr<const WhisperModel>> WhisperModel::load(const std::filesystem::path& file,
                                                               std::string_view said) {
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
  made->multilingual_ = whisper_is_multilingual(context) != 0;
  if (made->multilingual_ && !said.empty()) made->learn(said);
  return made;
}

std::vector<NgramModel::Token> WhisperModel::tokens_of(const std::string& text) const {
  std::vector<NgramModel::Token> tokens(text.size() + 4);
  const int n = whisper_tokenize(static_cast<whisper_context*>(context_), text.c_str(),
                                 tokens.data(), static_cast<int>(tokens.size()));
  tokens.resize(static_cast<std::size_t>(std::max(n, 0)));
  return tokens;
}

void WhisperModel::learn(std::string_view said) {
  auto* context = static_cast<whisper_context*>(context_);
  said_ = std::make_unique<NgramModel>(whisper_n_vocab(context), whisper_token_eot(context));
  std::vector<std::string> pieces;
  for (whisper_token i = 0; i < whisper_token_eot(context); ++i) {
    pieces.emplace_back(whisper_token_to_str(context, i));
  }
  const BpeTokenizer tokenizer(std::move(pieces));
  std::string sentence;
  const auto end_sentence = [&] {
    if (!sentence.empty()) said_->add(tokenizer.encode(sentence));
    sentence.clear();
  };
  for (const char32_t c : text::decode_utf8(said)) {
    if (text::is_han(c) || text::is_word_letter(c) || text::is_digit(c))
      text::append_utf8(sentence, c);
    else
      end_sentence();
  }
  end_sentence();
  for (const char* mark : kMarks) {
    if (const auto tokens = tokens_of(mark); tokens.size() == 1) marks_.push_back(tokens[0]);
  }
}

WhisperModel::~WhisperModel() { whisper_free(static_cast<whisper_context*>(context_)); }

std::unique_ptr<Decoder> WhisperModel::make_decoder(text::TablesPtr tables,
                                                    const Clock& clock) const {
  return std::make_unique<WhisperDecoder>(shared_from_this(), std::move(tables), clock);
}

struct WhisperDecoder::Impl {
  Impl(std::shared_ptr<const WhisperModel> m, text::TablesPtr t, const Clock& c)
      : model(std::move(m)),
        tables(std::move(t)),
        clock(c),
        context(static_cast<whisper_context*>(model->context_)),
        state(whisper_init_state(context)) {}
  ~Impl() { whisper_free_state(state); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  whisper_full_params base_params(const DecodeRequest& request) const;
  Result<Decoded> decode_free(const DecodeRequest& request, StopContext& stop);
  Result<Decoded> decode_closed(const DecodeRequest& request, StopContext& stop);
  Result<void> encode(const DecodeRequest& request, StopContext& stop);
  Result<std::vector<double>> calibrate(const std::vector<std::string>& phrases,
                                        const DecodeRequest& request, StopContext& stop);
  std::vector<PhraseScorer::Phrase> spell(const std::vector<std::string>& phrases,
                                          std::span<const double> bias) const;
  PhraseScorer::Tokens ends() const;
  std::span<const float> next_tokens(const PhraseScorer::Tokens& prefix, Language language);
  static tl::unexpected<Error> stopped(const StopContext& stop);

  std::shared_ptr<const WhisperModel> model;
  text::TablesPtr tables;
  const Clock& clock;
  whisper_context* context;
  whisper_state* state;
  std::vector<float> log_p;
  std::map<std::string, std::vector<double>> silence;  // closed list → score in silence
};

whisper_full_params WhisperDecoder::Impl::base_params(const DecodeRequest& request) const {
  whisper_full_params p = whisper_full_default_params(WHISPER_SAMPLING_GREEDY);
  const auto seconds = static_cast<double>(request.pcm.size()) / kRate;
  p.n_threads = 1;  // ggml spins at barriers: two threads beside other work are 5–40 times slower
  p.no_context = true;
  p.no_timestamps = true;
  p.single_segment = true;
  p.print_progress = false;
  p.print_timestamps = false;
  p.suppress_blank = true;
  p.temperature_inc = 0;  // no fallback: it costs 5 s
  p.greedy.best_of = 1;
  p.max_tokens = 8 + static_cast<int>(8 * seconds);
  p.audio_ctx = window(request.pcm.size(), kWindowPad);
  p.language = model->multilingual() ? speech::code_of(request.language) : "en";
  return p;
}

tl::unexpected<Error> WhisperDecoder::Impl::stopped(const StopContext& stop) {
  if (stop.flag.cancelled) return fail(ErrorCode::kCancelled, "decode cancelled");
  if (stop.stop()) return fail(ErrorCode::kTimeout, "decode passed its deadline");
  return fail(ErrorCode::kInternal, "whisper failed");
}

Result<Decoded> WhisperDecoder::Impl::decode_free(const DecodeRequest& request, StopContext& stop) {
  whisper_full_params p = base_params(request);
  const char* usual = request.language == Language::kChinese && model->multilingual()
                          ? "以下是普通话的句子，请用简体中文。"
                          : nullptr;
  p.initial_prompt = request.prompt.empty() ? usual : request.prompt.c_str();
  p.abort_callback = &asked_to_stop;
  p.abort_callback_user_data = &stop;
  Guide guide{whisper_token_eot(context)};
  if (request.language == Language::kChinese) guide.said = model->said_.get();
  guide.marks = model->marks_;
  p.logits_filter_callback = &guide_step;
  p.logits_filter_callback_user_data = &guide;
  const std::vector<float> samples = to_16k(amid_silence(request.pcm));
  p.audio_ctx = window(samples.size() / 2, kWindowPad);
  const int rc =
      whisper_full_with_state(context, state, p, samples.data(), static_cast<int>(samples.size()));
  if (rc != 0) return stopped(stop);
  Decoded out;
  std::string raw;
  double log_sum = 0;
  const int segments = whisper_full_n_segments_from_state(state);
  for (int s = 0; s < segments; ++s) {
    raw += whisper_full_get_segment_text_from_state(state, s);
    const int n = whisper_full_n_tokens_from_state(state, s);
    for (int i = 0; i < n; ++i) {
      const whisper_token_data token = whisper_full_get_token_data_from_state(state, s, i);
      if (token.id >= whisper_token_eot(context)) continue;
      log_sum += static_cast<double>(token.plog);
      ++out.tokens;
    }
  }
  if (out.tokens > 0) out.confidence = std::clamp(std::exp(log_sum / out.tokens), 0.0, 1.0);
  text::CutText cut = speech::tidy_text(tables, request.language, raw);
  out.text = std::move(cut.text);
  out.looped = cut.looped || guide.looped;
  return out;
}

/// Encodes the sound and leaves it in `state`; no token is decoded.
Result<void> WhisperDecoder::Impl::encode(const DecodeRequest& request, StopContext& stop) {
  whisper_full_params p = base_params(request);
  p.audio_ctx = std::max(p.audio_ctx, kGrammarWindow);
  // asked only after the encoder is done: whisper_full then returns, and its state holds the sound
  p.abort_callback = [](void*) { return true; };
  std::vector<float> samples = to_16k(request.pcm);
  set_loudest(samples, kGrammarLevelDb);
  whisper_full_with_state(context, state, p, samples.data(), static_cast<int>(samples.size()));
  if (stop.stop()) return stopped(stop);
  return {};
}

/// What may follow a whole phrase: the end, or a mark and then the end.
PhraseScorer::Tokens WhisperDecoder::Impl::ends() const {
  PhraseScorer::Tokens ends{whisper_token_eot(context)};
  for (const char* mark : kMarks) {
    const PhraseScorer::Tokens tokens = model->tokens_of(mark);
    if (tokens.size() == 1) ends.push_back(tokens[0]);
  }
  return ends;
}

std::vector<PhraseScorer::Phrase> WhisperDecoder::Impl::spell(
    const std::vector<std::string>& phrases, std::span<const double> bias) const {
  std::vector<PhraseScorer::Phrase> out;
  for (std::size_t i = 0; i < phrases.size(); ++i) {
    PhraseScorer::Phrase phrase;
    const std::string& text = phrases[i];
    phrase.spellings.push_back(model->tokens_of(text));
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

std::span<const float> WhisperDecoder::Impl::next_tokens(const PhraseScorer::Tokens& prefix,
                                                         Language language) {
  // the start tokens stay in the key-value cache: every search begins with the empty prefix
  PhraseScorer::Tokens start{whisper_token_sot(context)};
  if (model->multilingual()) {
    start.push_back(whisper_token_lang(context, whisper_lang_id(speech::code_of(language))));
    start.push_back(whisper_token_transcribe(context));
  }
  start.push_back(whisper_token_not(context));
  const bool root = prefix.empty();
  const PhraseScorer::Tokens& tokens = root ? start : prefix;
  const int past = root ? 0 : static_cast<int>(start.size());
  const int rc = whisper_decode_with_state(context, state, tokens.data(),
                                           static_cast<int>(tokens.size()), past, 1);
  if (rc != 0) return {};
  const auto vocabulary = static_cast<std::size_t>(whisper_n_vocab(context));
  const float* last = whisper_get_logits_from_state(state) + (tokens.size() - 1) * vocabulary;
  to_log_probabilities({last, vocabulary}, log_p);
  return log_p;
}

Result<std::vector<double>> WhisperDecoder::Impl::calibrate(const std::vector<std::string>& phrases,
                                                            const DecodeRequest& request,
                                                            StopContext& stop) {
  std::string key = speech::code_of(request.language);
  for (const std::string& phrase : phrases) key += '\n' + phrase;
  if (const auto found = silence.find(key); found != silence.end()) return found->second;
  const std::vector<std::int16_t> nothing(kRate, 0);
  DecodeRequest quiet;
  quiet.pcm = nothing;
  quiet.language = request.language;
  if (const auto done = encode(quiet, stop); !done) return tl::unexpected<Error>(done.error());
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
  if (const auto done = encode(request, stop); !done) return tl::unexpected<Error>(done.error());
  const PhraseScorer scorer(spell(phrases, *bias), ends());
  const PhraseScorer::Best best = scorer.best(
      [&](const PhraseScorer::Tokens& prefix) { return next_tokens(prefix, request.language); });
  if (best.stopped) return stopped(stop);
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
