#include "app/config.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <regex>
#include <sstream>
#include <unistd.h>

namespace yyc3::app {

namespace {

void read_server(ConfigReader& r, Config::Server& c) {
  r.read({"server.listen", "Address of console and API. Anything but loopback needs TLS."},
         c.listen);
  r.read({"server.port", "TCP port of console and API; 0 takes any free one."}, c.port, 0, 65535);
  r.read({"server.data_dir", "Store, recordings, keys. Empty: the user's data folder."},
         c.data_dir);
  r.read({"server.certificate_file", "PEM chain; turns TLS on together with key_file."},
         c.certificate_file);
  r.read({"server.key_file", "PEM private key."}, c.key_file);
  r.read({"server.names", "Further host names under which a proxy serves us."}, c.names);
  r.read({"server.web_dir", "The console's files. Empty: those that came with the program."},
         c.web_dir);
  if (c.certificate_file.empty() != c.key_file.empty())
    r.problem("server.key_file", "certificate_file and key_file go together");
}

void read_sip(ConfigReader& r, Config::Sip& c) {
  r.read({"sip.listen", "Address that SIP is sent from."}, c.listen);
  r.read({"sip.port", "SIP port; 0 takes any free one."}, c.port, 0, 65535);
  r.read({"sip.transport", "Transport towards the trunk."}, c.transport, {"udp", "tcp"});
  r.read(
      {"sip.trunk", "host[:port] that E.164 numbers are dialled through. Empty: sip: URIs only."},
      c.trunk);
  r.read({"sip.user", "User part of our From header (the caller id)."}, c.user);
  r.read({"sip.display", "Display name of our From header."}, c.display);
  r.read({"sip.auth_user", "Digest user of the trunk."}, c.auth_user);
  r.read({"sip.password_file", "File that holds the trunk's password."}, c.password_file);
  r.read({"sip.session_expires_s", "Session timer asked for (RFC 4028)."}, c.session_expires_s, 90,
         7200);
}

void read_media_and_calls(ConfigReader& r, Config& c) {
  r.read({"media.address", "Address that RTP is received on."}, c.media.address);
  r.read({"media.rtp_port_min", "First RTP port."}, c.media.rtp_port_min, 1024, 65534);
  r.read({"media.rtp_port_max", "Last RTP port; a call takes two."}, c.media.rtp_port_max, 1025,
         65535);
  r.read({"media.inactivity_timeout_s", "A call without RTP for so long is ended."},
         c.media.inactivity_timeout_s, 5, 600);
  r.read({"media.echo_tail_ms",
          "How late the bot's own voice may come back over a line; 0: it is not taken out."},
         c.media.echo_tail_ms, 0, 500);
  if (c.media.rtp_port_max <= c.media.rtp_port_min)
    r.problem("media.rtp_port_max", "must be greater than media.rtp_port_min");
  r.read({"calls.max_active", "Calls at once; beyond, new ones wait in the queue."},
         c.calls.max_active, 1, 10'000);
  r.read({"calls.queue_max", "Calls waiting; beyond, new ones are refused with 429."},
         c.calls.queue_max, 0, 100'000);
  r.read({"calls.ring_timeout_s", "Unanswered for so long is no_answer."}, c.calls.ring_timeout_s,
         5, 180);
  r.read({"calls.max_duration_s", "A call is ended politely after so long."},
         c.calls.max_duration_s, 30, 7200);
  r.read({"calls.record", "Record both sides."}, c.calls.record);
}

void read_speech(ConfigReader& r, Config::Speech& c) {
  r.read({"speech.models_dir", "Speech models. Empty: beside the program, else the user's cache."},
         c.models_dir);
  r.read({"speech.worker", "The worker program. Empty: aicall-worker beside this one."}, c.worker);
  r.read({"speech.hear_url",
          "Recognition elsewhere: a hear worker (ws://…) or an OpenAI-compatible transcription API "
          "(http://… or https://…/v1). Empty: our own. Set, audio leaves!"},
         c.hear_url);
  r.read({"speech.hear_key_file", "File (0600) that holds the API key of an http hear_url."},
         c.hear_key_file);
  r.read({"speech.hear_model", "Model that an http hear_url is asked for."}, c.hear_model);
  r.read(
      {"speech.recognizer_zh",
       "Folder of a sherpa-onnx model (streaming zipformer, paraformer, SenseVoice) for Chinese. "
       "Empty: Whisper."},
      c.recognizer_zh);
  r.read({"speech.recognizer_en", "… for English; may be the same folder."}, c.recognizer_en);
  r.read(
      {"speech.phrases_zh",
       "Text file of what your Chinese callers say, one phrase a line: Whisper leans towards it; "
       "up to six characters are a word (product, place, staff) to take before its like."},
      c.phrases_zh);
  r.read({"speech.turn_end_model",
          "ONNX file of an end-of-turn model (Smart-Turn v3), or its name in models_dir: how a "
          "caller sounds then sets how long a silence ends the turn. Empty: words and pauses do."},
         c.turn_end_model);
  if (std::error_code none; !c.phrases_zh.empty() && !std::filesystem::exists(c.phrases_zh, none))
    r.problem("speech.phrases_zh", "names a file that is not there");
  if (!c.phrases_zh.empty() && !c.recognizer_zh.empty())
    r.problem("speech.phrases_zh", "is for Whisper: leave speech.recognizer_zh empty");
  for (const auto& [key, path] : {std::pair{"speech.recognizer_zh", &c.recognizer_zh},
                                  std::pair{"speech.recognizer_en", &c.recognizer_en},
                                  std::pair{"speech.phrases_zh", &c.phrases_zh},
                                  std::pair{"speech.turn_end_model", &c.turn_end_model}})
    if (!path->empty() && !c.hear_url.empty())
      r.problem(key, "is for our own worker: leave speech.hear_url empty");
  if (!c.hear_key_file.empty() && !c.hear_url.starts_with("http"))
    r.problem("speech.hear_key_file", "goes with an http(s) speech.hear_url");
  r.read({"speech.speak_url", "An OpenAI-compatible speech engine (http://…/v1). Empty: our own."},
         c.speak_url);
  r.read({"speech.speak_key_file", "File (0600) that holds the API key of speech.speak_url."},
         c.speak_key_file);
  r.read({"speech.speak_model",
          "Model that speech.speak_url is asked for. Empty: kokoro (Chinese), piper (English)."},
         c.speak_model);
  for (const auto& [key, value] : {std::pair{"speech.speak_key_file", &c.speak_key_file},
                                   std::pair{"speech.speak_model", &c.speak_model}})
    if (!value->empty() && c.speak_url.empty()) r.problem(key, "goes with a speech.speak_url");
  r.read({"speech.voice_zh", "Voice of Chinese calls."}, c.voice_zh);
  r.read({"speech.voice_en", "Voice of English calls."}, c.voice_en);
  r.read({"speech.speed", "Speaking rate, 1 = the voice's own."}, c.speed, 0.5, 2.0);
  r.read({"speech.hear_core", "CPU core that decoding is pinned to; -1 pins nothing."}, c.hear_core,
         -1, 1023);
  r.read({"speech.decode_deadline_ms", "A recognition that takes longer is given up."},
         c.decode_deadline_ms, 500, 20'000);
  r.read({"speech.prompt_cache_mb", "Memory for rendered prompts."}, c.prompt_cache_mb, 1, 4096);
  r.read({"speech.render_first", "Language whose sentences are rendered first at start."},
         c.render_first, {"zh", "en"});
}

void read_language(ConfigReader& r, Config::Language& c) {
  r.read({"language.model_file",
          "GGUF of a chat model for our own worker, or its name in models_dir; `make language` "
          "fetches the usual one. Empty: no language model."},
         c.model_file);
  r.read({"language.threads", "Cores of one answer of our own worker; no more than there are."},
         c.threads, 1, 64);
  r.read({"language.context_tokens", "What our own worker remembers of all calls together."},
         c.context_tokens, 1024, 131'072);
  r.read({"language.url",
          "An OpenAI-compatible chat engine (http://… or https://…/v1): vLLM, Ollama, llama.cpp. "
          "Empty: our own. Set, what callers say leaves!"},
         c.url);
  r.read({"language.key_file", "File (0600) that holds the API key of language.url."}, c.key_file);
  r.read({"language.model", "Model that language.url is asked for."}, c.model);
  r.read({"language.own_words",
          "It may answer in its own words where a flow lets it. For models that can: that of `make "
          "language` says odd things."},
         c.own_words);
  r.read({"language.choice_ms",
          "In a call: no choice among prepared sentences by then, and the flow goes on without."},
         c.choice_ms, 100, 10'000);
  r.read({"language.first_token_ms",
          "In its own words: nothing said by then, and the prepared sentence is said."},
         c.first_token_ms, 50, 60'000);
  r.read({"language.total_ms", "For the whole answer."}, c.total_ms, 50, 300'000);
  if (c.total_ms < c.first_token_ms)
    r.problem("language.total_ms", "must not be less than language.first_token_ms");
  if (c.url.empty() != c.model.empty())
    r.problem(c.url.empty() ? "language.url" : "language.model",
              "language.url and language.model go together");
  if (!c.key_file.empty() && c.url.empty())
    r.problem("language.key_file", "goes with a language.url");
}

void read_turns(ConfigReader& r, Config::Turns& c) {
  r.read({"turns.satisfied_ms", "Silence that ends a turn when the question is answered."},
         c.satisfied_ms, 200, 3000);
  r.read({"turns.complete_ms", "… when a sentence or a short answer sounds complete."},
         c.complete_ms, 200, 3000);
  r.read({"turns.unclear_ms", "… when nothing usable was understood."}, c.unclear_ms, 200, 5000);
  r.read({"turns.unfinished_ms", "… when the sentence sounds unfinished."}, c.unfinished_ms, 200,
         5000);
  r.read({"turns.sounds_finished_ms",
          "… when speech.turn_end_model hears an end, for what is complete or unclear; else "
          "unfinished_ms."},
         c.sounds_finished_ms, 200, 3000);
  r.read({"turns.no_answer_ms", "Silence after a question until it is asked again."},
         c.no_answer_ms, 1000, 30'000);
  r.read({"turns.barge_in_ms", "Speech over the bot that makes it pause."}, c.barge_in_ms, 60,
         2000);
  r.read({"turns.background_db",
          "Speech over the bot that is so much softer than the caller's own is somebody else; 0: "
          "none is."},
         c.background_db, 0, 40);
  r.read({"turns.partials", "Recognise while the caller speaks, on idle decoders only."},
         c.partials);
}

void read_rest(ConfigReader& r, Config& c) {
  r.read({"storage.url", "Empty: SQLite in data_dir; or postgresql://user@host/name."},
         c.storage.url);
  r.read({"storage.key_file", "The master key. Empty: master.key in data_dir."},
         c.storage.key_file);
  r.read({"compliance.allow_sip_hosts", "Hosts that sip: URIs may name."},
         c.compliance.allow_sip_hosts);
  r.read({"compliance.allow_number_prefixes", "E.164 prefixes that may be dialled, e.g. +86."},
         c.compliance.allow_number_prefixes);
  r.read({"compliance.time_zone", "IANA zone of the calling window."}, c.compliance.time_zone);
  r.read({"compliance.window_from", "Numbers are dialled from this time of day, HH:MM."},
         c.compliance.window_from);
  r.read({"compliance.window_to", "… until this time of day, HH:MM."}, c.compliance.window_to);
  static const std::regex time_of_day("([01][0-9]|2[0-3]):[0-5][0-9]|24:00");
  for (const auto* key : {"compliance.window_from", "compliance.window_to"}) {
    const auto& value =
        std::string_view(key).ends_with("from") ? c.compliance.window_from : c.compliance.window_to;
    if (!std::regex_match(value, time_of_day)) r.problem(key, "must be HH:MM, e.g. 09:00");
  }
  r.read({"log.level", "Lines below this level are not written."}, c.log.level,
         {"debug", "info", "warn", "error"});
  r.read({"log.file", "Log file. Empty: standard error."}, c.log.file);
  r.read({"log.personal_data", "Write fields under pii.*. Leave it off."}, c.log.personal_data);
  r.read({"dialogue.flows_dir", "Dialogues. Empty: those that came with the program."},
         c.dialogue.flows_dir);
  r.read({"dialogue.company_zh",
          "Who calls, as the disclosure says it in Chinese. Empty: the flow's own."},
         c.dialogue.company_zh);
  r.read({"dialogue.company_en", "… in English."}, c.dialogue.company_en);
}

std::filesystem::path home_folder(const char* xdg, const char* fallback) {
  if (const char* set = std::getenv(xdg); set != nullptr && *set != '\0')
    return std::filesystem::path(set) / "aicall";
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home == nullptr ? "." : home) / fallback / "aicall";
}

ConfigReader::Environment environment() {
  ConfigReader::Environment found;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view line = *at;
    const std::size_t cut = line.find('=');
    if (cut != std::string_view::npos && line.starts_with("AICALL_"))
      found.emplace(line.substr(0, cut), line.substr(cut + 1));
  }
  return found;
}

}  // namespace

Config Config::read(ConfigReader& reader) {
  Config config;
  read_server(reader, config.server);
  read_sip(reader, config.sip);
  read_media_and_calls(reader, config);
  read_speech(reader, config.speech);
  if (std::error_code none; !config.speech.turn_end_model.empty() &&
                            !std::filesystem::exists(config.turn_end_model(), none))
    reader.problem("speech.turn_end_model",
                   "names a file that is not there: " + config.turn_end_model().string());
  read_language(reader, config.language);
  if (std::error_code none; config.language.model_file != kLanguageModel &&
                            !config.language.model_file.empty() &&
                            !std::filesystem::exists(config.language_model(), none))
    reader.problem("language.model_file",
                   "names a file that is not there: " + config.language_model().string());
  read_turns(reader, config.turns);
  read_rest(reader, config);
  return config;
}

std::filesystem::path Config::data_dir() const {
  return server.data_dir.empty() ? home_folder("XDG_DATA_HOME", ".local/share")
                                 : std::filesystem::path(server.data_dir);
}

std::filesystem::path Config::models_dir() const {
  if (!speech.models_dir.empty()) return speech.models_dir;
  if (const char* set = std::getenv("AICALL_MODELS"); set != nullptr && *set != '\0') return set;
  const std::filesystem::path carried = find_beside_program("models/silero_vad.onnx");
  return carried.empty() ? home_folder("XDG_CACHE_HOME", ".cache") / "models"
                         : carried.parent_path();
}

std::filesystem::path Config::turn_end_model() const {
  const std::filesystem::path named = speech.turn_end_model;
  return named.empty() || named.has_parent_path() ? named : models_dir() / named;
}

std::filesystem::path Config::language_model() const {
  std::filesystem::path named = language.model_file;
  if (named.empty() || named.has_parent_path()) return named;
  const std::filesystem::path installed = models_dir() / named;
  std::error_code none;
  const bool usual = named == kLanguageModel;
  return usual && !std::filesystem::exists(installed, none) ? std::filesystem::path() : installed;
}

Result<LoadedConfig> load_config(const std::filesystem::path& path) {
  const std::filesystem::path file = path.empty() ? "aicall.toml" : path;
  std::string text;
  if (std::filesystem::exists(file)) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream all;
    all << in.rdbuf();
    text = std::move(all).str();
  } else if (!path.empty()) {
    return fail(ErrorCode::kNotFound, fmt::format("{}: no such file", file.string()));
  }
  auto reader = ConfigReader::parse(text, environment());
  if (!reader)
    return fail(ErrorCode::kInvalid, fmt::format("{}: {}", file.string(), reader.error().detail));
  LoadedConfig loaded{Config::read(*reader), {}, {}};
  loaded.problems = reader->problems();
  loaded.documentation = reader->documentation();
  return loaded;
}

namespace {
std::filesystem::path first_of(const std::string& name, const std::string& in_repository) {
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const auto& place : {program / name, program / ".." / "share" / "aicall" / name,
                            program / ".." / ".." / in_repository})  // of build/<preset>
    if (std::filesystem::exists(place, ignored)) return std::filesystem::weakly_canonical(place);
  return {};
}
}  // namespace

std::filesystem::path find_beside_program(const std::string& name) { return first_of(name, name); }

std::filesystem::path find_console(const Config& config) {
  return config.server.web_dir.empty() ? first_of("web", "web/dist")
                                       : std::filesystem::path(config.server.web_dir);
}

}  // namespace yyc3::app
