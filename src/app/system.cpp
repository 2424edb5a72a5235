#include "app/system.hpp"

#include <atomic>
#include <date/tz.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sys/stat.h>
#include <utility>

#include "api/call_routes.hpp"
#include "api/guard.hpp"
#include "api/live_hub.hpp"
#include "api/problem.hpp"
#include "api/router.hpp"
#include "api/static_files.hpp"
#include "api/system_routes.hpp"
#include "api/talk_socket.hpp"
#include "api/web_app.hpp"
#include "app/engine_access.hpp"
#include "app/hearing.hpp"
#include "app/language.hpp"
#include "app/parts.hpp"

namespace yyc3::app {

namespace {

namespace fs = std::filesystem;

constexpr int kFragmentDays = 14;  // of times that are rendered ahead

tl::unexpected<Error> passed(const Error& error) { return tl::unexpected<Error>(error); }

/// The folder for everything of ours, readable by nobody else.
Result<void> make_private_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    return fail(ErrorCode::kUnavailable, fmt::format("{}: {}; choose another with server.data_dir",
                                                     folder.string(), error.message()));
  fs::permissions(folder, fs::perms::owner_all, error);
  return {};
}

telemetry::Level level_of(const std::string& name) {
  if (name == "debug") return telemetry::Level::kDebug;
  if (name == "warn") return telemetry::Level::kWarn;
  return name == "error" ? telemetry::Level::kError : telemetry::Level::kInfo;
}

int minutes_of(const std::string& time_of_day) {
  return std::stoi(time_of_day.substr(0, 2)) * 60 + std::stoi(time_of_day.substr(3, 2));
}

compliance::Rules rules_of(const Config::Compliance& config) {
  compliance::Rules rules;
  rules.allowed_hosts = config.allow_sip_hosts;
  rules.allowed_prefixes = config.allow_number_prefixes;
  rules.window_start_minute = minutes_of(config.window_from);
  rules.window_end_minute = minutes_of(config.window_to);
  rules.time_zone = config.time_zone;
  return rules;
}

std::function<text::LocalDateTime()> local_clock(const Clock& clock, const std::string& zone) {
  return [&clock, where = date::locate_zone(zone)] {
    const auto local = where->to_local(clock.utc());
    const auto day = date::floor<date::days>(local);
    const date::year_month_day ymd{day};
    const date::hh_mm_ss time{date::floor<std::chrono::minutes>(local - day)};
    return text::LocalDateTime{
        {static_cast<int>(ymd.year()), static_cast<int>(static_cast<unsigned>(ymd.month())),
         static_cast<int>(static_cast<unsigned>(ymd.day()))},
        {static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count())}};
  };
}

Result<std::string> read_secret(const std::string& file) {
  if (file.empty()) return std::string();
  std::ifstream in(file);
  std::string secret;
  if (!std::getline(in, secret) || secret.empty())
    return fail(ErrorCode::kNotFound, fmt::format("{}: no password in it", file));
  return secret;
}

Result<std::optional<sip::Trunk>> trunk_of(const Config::Sip& config) {
  if (config.trunk.empty()) return std::optional<sip::Trunk>();
  sip::Trunk trunk;
  const std::size_t colon = config.trunk.rfind(':');
  trunk.host = config.trunk.substr(0, colon);
  if (colon != std::string::npos)
    trunk.port = static_cast<std::uint16_t>(std::atoi(config.trunk.c_str() + colon + 1));
  trunk.transport = config.transport == "tcp" ? sip::Transport::kTcp : sip::Transport::kUdp;
  trunk.auth_user = config.auth_user;
  trunk.from_user = config.user;
  trunk.display_name = config.display;
  auto password = read_secret(config.password_file);
  if (!password) return passed(password.error());
  trunk.auth_password = std::move(*password);
  return std::optional(std::move(trunk));
}

std::map<std::string, std::string> company_of(const std::string& name) {
  if (name.empty()) return {};
  return {{"company", name}};
}

call::TurnConfig turns_of(const Config::Turns& config) {
  call::TurnConfig turns;
  turns.satisfied = Milliseconds{config.satisfied_ms};
  turns.complete = Milliseconds{config.complete_ms};
  turns.unclear = Milliseconds{config.unclear_ms};
  turns.unfinished = Milliseconds{config.unfinished_ms};
  turns.sounds_finished = Milliseconds{config.sounds_finished_ms};
  turns.no_answer = Milliseconds{config.no_answer_ms};
  turns.barge_in_after = Milliseconds{config.barge_in_ms};
  turns.background_db = static_cast<float>(config.background_db);
  if (!config.partials) turns.partial_until = Milliseconds{0};
  return turns;
}

/// Runs `step`; its error ends the start.
#define YYC3_TRY(expression)                  \
  do {                                        \
    auto tried = (expression);                \
    if (!tried) return passed(tried.error()); \
  } while (false)

}  // namespace

Result<void> System::Parts::open_ground() {
  YYC3_TRY(make_private_folder(config.data_dir()));
  // Before anything of a running program is touched: its log, its rows, its calls.
  auto lock = storage::LockFile::take(config.data_dir() / "aicall.lock",
                                      "give this one a folder of its own with server.data_dir");
  if (!lock) return passed(lock.error());
  data_lock.emplace(std::move(*lock));
  telemetry::SinkOptions sink{level_of(config.log.level), config.log.personal_data};
  if (config.log.file.empty())
    log.open_stderr(sink);
  else
    YYC3_TRY(log.open_file(config.log.file, sink));
  files = std::make_unique<net::EventLoop>("files", log, 1024);
  call_loop = std::make_unique<net::EventLoop>("calls", log);
  web_loop = std::make_unique<net::EventLoop>("web", log);
  return {};
}

Result<void> System::Parts::open_store() {
  auto opened = config.storage.url.empty()
                    ? storage::open_sqlite({config.data_dir() / "aicall.db", {}, 0}, clock)
                    : storage::open_postgres({config.storage.url, {}}, clock);
  if (!opened) return passed(opened.error());
  database = std::move(*opened);
  YYC3_TRY(storage::migrate(*database, clock));
  auto has_keys = storage::store_has_keys(*database);
  if (!has_keys) return passed(has_keys.error());
  const fs::path key_path = config.storage.key_file.empty() ? config.data_dir() / "master.key"
                                                            : fs::path(config.storage.key_file);
  auto key = security::KeyFile::open_or_create(key_path, *has_keys);
  if (!key) return passed(key.error());
  key_file.emplace(std::move(*key));
  tenant_keys.emplace(*key_file);
  YYC3_TRY(storage::open_tenant_keys(*database, *tenant_keys, call::kTenant, clock));
  cipher.emplace(*tenant_keys);
  auto folder = storage::FolderBlobs::open(config.data_dir() / "blobs");
  if (!folder) return passed(folder.error());
  blobs = std::move(*folder);
  const compliance::Rules rules = rules_of(config.compliance);
  YYC3_TRY(compliance::Compliance::check(rules));
  gate.emplace(rules, *database, *cipher, bus, clock);
  usage.emplace(*database, clock);
  store.emplace(*database, *cipher, *gate, clock);
  recordings.emplace(call::Recordings::Parts{*database, *blobs, *tenant_keys, *files, bus});
  return {};
}

Result<void> System::Parts::open_recorder() {
  if (!config.calls.record) return {};
  recording::RecorderConfig spool;
  spool.spool = config.data_dir() / "spool";
  recording::RecorderDeps deps{
      key_file->master().derive("recording spool"), *tenant_keys, *blobs, clock, registry, log};
  auto started = recording::Recorder::start(spool, std::move(deps),
                                            [this](const recording::FinishedRecording& finished) {
                                              return recordings->finished(finished);
                                            });
  if (!started) return passed(started.error());
  recorder = std::move(*started);
  return {};
}

Result<void> System::Parts::open_media() {
  rtp::MediaConfig media_config;
  media_config.bind_ip = config.media.address;
  media_config.port_first = static_cast<std::uint16_t>(config.media.rtp_port_min & ~1);
  media_config.port_last = static_cast<std::uint16_t>(config.media.rtp_port_max | 1);
  media_config.rtp_timeout = std::chrono::seconds{config.media.inactivity_timeout_s};
  auto started = rtp::MediaEngine::start(media_config, clock, registry);
  if (!started) return passed(started.error());
  media = std::move(*started);
  media_port = &media->add_loop();
  return {};
}

Result<void> System::Parts::open_speech() {
  YYC3_TRY(workers.start(config, log, clock, bus));
  const HearingParts hearing{*call_loop, registry, log, clock, [this] { workers.kill("hear"); }};
  auto recognizer = make_recognizer(config, workers.hear_endpoint(), hearing);
  if (!recognizer) return passed(recognizer.error());
  hear = std::move(*recognizer);
  if (const auto& endpoint = workers.language_endpoint()) {
    const LanguageParts parts{*call_loop, registry, log, clock,
                              [this] { workers.kill("language"); }};
    auto made = make_language(config, *endpoint, parts);
    if (!made) return passed(made.error());
    language = std::move(*made);
  }
  speech::SpeakClientConfig speak_config;
  speak_config.endpoint = workers.speak_endpoint();
  speak_config.voice_zh = config.speech.voice_zh;
  speak_config.voice_en = config.speech.voice_en;
  if (!config.speech.speak_url.empty()) {
    speak_config.probe_every = Milliseconds{0};
    auto key = read_engine_key("speech.speak_key_file", config.speech.speak_key_file);
    if (!key) return tl::unexpected<Error>(key.error());
    speak_config.bearer = std::move(*key);
    log.info("what the bot says goes to another host: speech.speak_url",
             {{"destination.address", speak_config.endpoint.host},
              {"yyc3.speech.tls", speak_config.endpoint.tls}});
  }
  if (!config.speech.speak_model.empty())
    speak_config.model_zh = speak_config.model_en = config.speech.speak_model;
  speak_config.on_hang = [this] { workers.kill("speak"); };
  speak_config.on_change = [this](bool up) {
    voice_up = up;
    if (up && rendering) rendering->start();
  };
  speak = std::make_unique<speech::SpeakClient>(speak_config, *call_loop, registry, log, clock);
  speech::PromptCacheConfig cache_config;
  cache_config.folder = config.data_dir() / "prompts";
  cache_config.bytes_max = static_cast<std::size_t>(config.speech.prompt_cache_mb) << 20;
  cache_config.carried = find_beside_program("prompts");
  prompts = std::make_unique<speech::PromptCache>(
      cache_config, *speak, registry,
      [this](std::function<void()> work) { files->post(std::move(work)); });
  return {};
}

Result<void> System::Parts::open_dialogue() {
  const fs::path tables_folder = config.models_dir() / "text";
  auto tables = text::Tables::load(tables_folder);
  if (!tables)
    log.warn("Chinese is matched by characters alone", {{"error.message", tables.error().detail}});
  auto model = dialogue::IntentModel::load(find_beside_program("nlu.model"));
  if (!model)
    log.warn("intents are read by rules alone", {{"error.message", model.error().detail}});
  understanding = std::make_shared<const dialogue::Understanding>(
      dialogue::Understanding::Parts{tables ? *tables : nullptr, model ? *model : nullptr});
  const fs::path folder = config.dialogue.flows_dir.empty() ? find_beside_program("flows")
                                                            : fs::path(config.dialogue.flows_dir);
  auto library = dialogue::FlowLibrary::load(folder);
  if (!library) return passed(library.error());
  flows.emplace(std::move(*library));
  return {};
}

Result<void> System::Parts::open_calls() {
  metrics.emplace(registry);
  call_parts.emplace(call::CallParts{
      *database, *gate, *usage, bus, recorder.get(), *call_loop, log, clock,
      call::ConversationParts{
          *hear, *prompts, *metrics, clock, local_clock(clock, config.compliance.time_zone),
          turns_of(config.turns), Milliseconds{config.speech.decode_deadline_ms},
          Milliseconds{config.media.echo_tail_ms}, language.get(),
          Milliseconds{config.language.choice_ms}, config.language.own_words,
          call::TellPatience{Milliseconds{config.language.first_token_ms},
                             Milliseconds{config.language.total_ms}}},
      std::chrono::seconds{config.calls.max_duration_s}, Milliseconds{10'000}});
  auto trunk = trunk_of(config.sip);
  if (!trunk) return passed(trunk.error());
  call::CallCenterConfig center_config;
  center_config.max_active = static_cast<std::size_t>(config.calls.max_active);
  center_config.queue_max = static_cast<std::size_t>(config.calls.queue_max);
  center_config.media_address = config.media.address;
  center_config.ring_timeout = std::chrono::seconds{config.calls.ring_timeout_s};
  center_config.trunk = *trunk;
  center_config.from_user = config.sip.user;
  center_config.voice_zh = {speech::Language::kChinese, config.speech.voice_zh,
                            config.speech.speed};
  center_config.voice_en = {speech::Language::kEnglish, config.speech.voice_en,
                            config.speech.speed};
  center_config.variables_zh = company_of(config.dialogue.company_zh);
  center_config.variables_en = company_of(config.dialogue.company_en);
  center_config.on_busy = [this](bool busy) {
    if (rendering) rendering->hold(busy);
  };
  center = std::make_unique<call::CallCenter>(center_config, *call_parts, *store, *media_port,
                                              sip_agent, *flows, understanding, [this] {
                                                call::ServiceStatus status;
                                                status.engines = workers.status();
                                                if (rendering) status.prompts = rendering->left();
                                                return status;
                                              });
  sip::SipConfig sip_config;
  sip_config.bind_address = config.sip.listen;
  sip_config.port = static_cast<std::uint16_t>(config.sip.port);
  sip_config.session_expires_s = static_cast<std::uint32_t>(config.sip.session_expires_s);
  sip_config.max_calls = center_config.max_active + 64;  // dialogs that still end
  auto agent = sip::SipAgent::start(
      sip_config, clock, log, [this](sip::SipEvent event) { center->on_sip(std::move(event)); });
  if (!agent) return passed(agent.error());
  sip_owner = std::move(*agent);
  sip_agent = sip_owner.get();
  auto recovered = call::recover_calls(*store, *sip_agent, *trunk, log, clock);
  if (!recovered) return passed(recovered.error());
  if (*recovered > 0)
    log.warn("calls that a crash cut off were ended", {{"yyc3.call.recovered", *recovered}});
  center->start();
  return {};
}

void System::Parts::render_ahead() {
  rendering = std::make_shared<call::PromptRendering>(*prompts, texts_at_once());
  const text::LocalDateTime now = call_parts->conversation.local_now();
  const call::Voice zh{speech::Language::kChinese, config.speech.voice_zh, config.speech.speed};
  const call::Voice en{speech::Language::kEnglish, config.speech.voice_en, config.speech.speed};
  const auto fixed_zh = company_of(config.dialogue.company_zh);
  const auto fixed_en = company_of(config.dialogue.company_en);
  const auto add = [&](const dialogue::Flow& flow, const call::Voice& voice) {
    const bool chinese = voice.language == speech::Language::kChinese;
    const auto spoken = chinese ? text::Language::kZh : text::Language::kEn;
    if (!flow.speaks(spoken)) return;
    rendering->add(flow.id, voice, dialogue::prompts(flow, spoken, chinese ? fixed_zh : fixed_en),
                   dialogue::fragments(flow, spoken, now.date, kFragmentDays));
  };
  const bool english_first = config.speech.render_first == "en";
  for (const call::Voice& voice : {english_first ? en : zh, english_first ? zh : en})
    for (const auto& id : flows->ids()) add(*flows->find(id), voice);
  call_loop->post([this] {
    if (voice_up) rendering->start();
  });
}

Result<void> System::Parts::open_web() {
  auto token_file = security::TokenFile::open_or_create(config.data_dir() / "api.token");
  if (!token_file) return passed(token_file.error());
  token.emplace(std::move(*token_file));
  std::vector<api::FlowInfo> infos;
  std::set<std::string> ids;
  for (const auto& id : flows->ids()) {
    const auto flow = flows->find(id);
    api::FlowInfo info{id, flow->title.zh, {}, {}};
    if (flow->zh) info.languages.emplace_back("zh");
    if (flow->en) info.languages.emplace_back("en");
    for (const auto& [name, variable] : flow->variables) info.variables.push_back(name);
    infos.push_back(std::move(info));
    ids.insert(id);
  }
  auto missing = [this] { return this->missing(); };
  const bool tls = !config.server.certificate_file.empty();
  net::HttpServerOptions options;
  options.address = config.server.listen;
  options.port = static_cast<std::uint16_t>(config.server.port);
  options.certificate_file = config.server.certificate_file;
  options.key_file = config.server.key_file;
  auto started = net::HttpServer::start(
      web_loop->executor(), options,
      [this](net::HttpRequest request) { return answer(std::move(request)); }, log);
  if (!started)
    return fail(started.error().code,
                fmt::format("the console cannot listen on {}:{} ({}); set server.port, or "
                            "server.listen to an address of this machine",
                            options.address, options.port, started.error().detail));
  server = std::move(*started);
  guard.emplace(
      clock, *token,
      security::WebGuard({{config.server.listen, server->port(), tls}}, config.server.names));
  call_routes.emplace(*center, *store, *recordings, ids);
  talk_socket.emplace(*center, ids, log);
  system_routes.emplace(*guard, registry, *center, std::move(infos), missing);
  live_hub.emplace(*web_loop, bus, *store, registry);
  call_routes->add_to(router);
  talk_socket->add_to(router);
  system_routes->add_to(router);
  live_hub->add_to(router);
  auto console = api::StaticFiles::load(find_console(config));
  if (!console) log.warn("there is no console", {{"error.message", console.error().detail}});
  web_app.emplace(*guard, router, console ? std::optional(std::move(*console)) : std::nullopt,
                  registry, log, clock);
  web_ready = true;
  return {};
}

/// The port is bound (and known) a moment before the routes that need to know it are there.
net::Task<net::HttpResponse> System::Parts::answer(net::HttpRequest request) {
  if (!web_ready) co_return api::problem(503, "starting");
  co_return co_await web_app->handle(std::move(request));
}

std::vector<std::string> System::Parts::missing() const {
  std::vector<std::string> found;
  for (const auto& engine : workers.status())
    if (engine.state != "up" && engine.name != "language")  // calls do as well without
      found.push_back(engine.name);
  return found;
}

Result<std::unique_ptr<System>> System::start(const Config& config, SystemOptions options) {
  auto parts = std::make_unique<Parts>(config);
  YYC3_TRY(parts->open_ground());
  YYC3_TRY(parts->open_store());
  YYC3_TRY(parts->open_recorder());
  YYC3_TRY(parts->open_media());
  YYC3_TRY(parts->open_speech());
  YYC3_TRY(parts->open_dialogue());
  YYC3_TRY(parts->open_calls());
  if (options.render_ahead) parts->render_ahead();
  if (options.web) YYC3_TRY(parts->open_web());
  return std::unique_ptr<System>(new System(std::move(parts)));
}

}  // namespace yyc3::app
