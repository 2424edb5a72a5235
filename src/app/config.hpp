#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/config_reader.hpp"

namespace yyc3::app {

/// Everything `aicall.toml` can say. Every default is safe: loopback only, nothing leaves the
/// machine.
struct Config {
  static constexpr const char* kLanguageModel = "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf";
  struct Server {
    std::string listen = "127.0.0.1";
    std::int64_t port = 8080;
    std::string data_dir;  ///< empty: ${XDG_DATA_HOME:-~/.local/share}/aicall
    std::string certificate_file;
    std::string key_file;
    std::vector<std::string> names;
    std::string web_dir;  ///< empty: beside the program
  } server;
  struct Sip {
    std::string listen = "127.0.0.1";
    std::int64_t port = 0;
    std::string transport = "udp";
    std::string trunk;  ///< host[:port] for E.164 numbers; empty: only sip: URIs can be dialled
    std::string user = "aicall";
    std::string display;
    std::string auth_user;
    std::string password_file;
    std::int64_t session_expires_s = 1800;
  } sip;
  struct Media {
    std::string address = "127.0.0.1";
    std::int64_t rtp_port_min = 22000;
    std::int64_t rtp_port_max = 22999;
    std::int64_t inactivity_timeout_s = 30;
    std::int64_t echo_tail_ms = 400;
  } media;
  struct Calls {
    std::int64_t max_active = 4;
    std::int64_t queue_max = 100;
    std::int64_t ring_timeout_s = 40;
    std::int64_t max_duration_s = 600;
    bool record = true;
  } calls;
  struct Speech {
    std::string models_dir;  ///< empty: ${XDG_CACHE_HOME:-~/.cache}/aicall/models
    std::string worker;      ///< empty: aicall-worker beside the program
    std::string hear_url;    ///< empty: our own worker
    std::string hear_key_file;
    std::string hear_model = "whisper-1";
    std::string recognizer_zh;  ///< folder of a sherpa-onnx model; empty: Whisper
    std::string recognizer_en;
    std::string phrases_zh;      ///< file of what callers say, one a line; may be empty
    std::string turn_end_model;  ///< ONNX file, or its name in models_dir; empty: none
    std::string speak_url;       ///< empty: our own worker
    std::string speak_key_file;
    std::string speak_model;  ///< empty: kokoro or piper, by the language
    std::string voice_zh = "zf_xiaoxiao";
    std::string voice_en = "joe";
    double speed = 1.0;
    std::int64_t hear_core = 1;
    std::int64_t decode_deadline_ms = 3000;
    std::int64_t prompt_cache_mb = 32;
    std::string render_first = "zh";  ///< zh or en
  } speech;
  struct Language {
    /// GGUF of a chat model for our own worker, or its name in models_dir; empty: none
    std::string model_file = kLanguageModel;
    std::int64_t threads = 2;
    std::int64_t context_tokens = 4096;
    std::string url;  ///< empty: our own worker, where its model is
    std::string key_file;
    std::string model;
    bool own_words = false;
    std::int64_t choice_ms = 900;
    std::int64_t first_token_ms = 2000;
    std::int64_t total_ms = 8000;
  } language;
  struct Turns {
    std::int64_t satisfied_ms = 300;
    std::int64_t complete_ms = 920;
    std::int64_t unclear_ms = 950;
    std::int64_t unfinished_ms = 1200;
    std::int64_t sounds_finished_ms = 500;
    std::int64_t no_answer_ms = 6000;
    std::int64_t barge_in_ms = 160;
    std::int64_t background_db = 7;
    bool partials = true;
  } turns;
  struct Storage {
    std::string url;       ///< empty: SQLite in data_dir; postgresql://… for PostgreSQL
    std::string key_file;  ///< empty: data_dir/master.key
  } storage;
  struct Compliance {
    std::vector<std::string> allow_sip_hosts = {"127.0.0.1", "localhost"};
    std::vector<std::string> allow_number_prefixes;
    std::string time_zone = "Asia/Shanghai";
    std::string window_from = "00:00";
    std::string window_to = "24:00";
  } compliance;
  struct Log {
    std::string level = "info";
    std::string file;
    bool personal_data = false;
  } log;
  struct Dialogue {
    std::string flows_dir;   ///< empty: beside the program
    std::string company_zh;  ///< empty: the flow's own
    std::string company_en;
  } dialogue;

  /// Fills `config` from `reader`; problems stay in the reader.
  static Config read(ConfigReader& reader);

  /// The folders and files that are meant when a key is empty, resolved.
  [[nodiscard]] std::filesystem::path data_dir() const;
  [[nodiscard]] std::filesystem::path models_dir() const;
  [[nodiscard]] std::filesystem::path turn_end_model() const;
  /// Of our own language worker; empty when there is to be none, or the usual one is not installed.
  [[nodiscard]] std::filesystem::path language_model() const;
};

struct LoadedConfig {
  Config config;
  std::vector<std::string> problems;  ///< "key: reason"; empty when valid
  std::string documentation;
};

/// Reads `path` (empty: ./aicall.toml when it is there, else defaults) and the environment.
/// Errors: kNotFound the named file is not there; kInvalid it is not TOML.
Result<LoadedConfig> load_config(const std::filesystem::path& path);

/// Where the program's own files (web, flows, worker) lie: beside the executable when built, or
/// under ../share/aicall when installed. Empty when `name` is found nowhere.
std::filesystem::path find_beside_program(const std::string& name);

/// The built console: server.web_dir where it is set, else `web` as find_beside_program looks for
/// it, but inside the repository web/dist: web/ holds the sources. Empty when there is none.
std::filesystem::path find_console(const Config& config);

}  // namespace yyc3::app
