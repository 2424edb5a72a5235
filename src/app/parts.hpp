#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/call_routes.hpp"
#include "api/guard.hpp"
#include "api/live_hub.hpp"
#include "api/router.hpp"
#include "api/system_routes.hpp"
#include "api/talk_socket.hpp"
#include "api/web_app.hpp"
#include "app/system.hpp"
#include "app/workers.hpp"
#include "engine/inference/openai_chat.hpp"
#include "engine/speech/prompt_cache.hpp"
#include "engine/speech/recognizer.hpp"
#include "engine/speech/speak_client.hpp"
#include "engine/telephony/recording/recorder.hpp"
#include "engine/telephony/rtp/media_engine.hpp"
#include "engine/telephony/sip/sip_agent.hpp"
#include "engine/text/tables.hpp"
#include "platform/net/event_loop.hpp"
#include "platform/net/http_server.hpp"
#include "platform/security/field_cipher.hpp"
#include "platform/security/key_provider.hpp"
#include "platform/security/tenant_keys.hpp"
#include "platform/security/token_file.hpp"
#include "platform/storage/blob_store.hpp"
#include "platform/storage/lock_file.hpp"
#include "platform/storage/migrations.hpp"
#include "platform/storage/postgres_database.hpp"
#include "platform/storage/sqlite_database.hpp"
#include "platform/storage/tenant_key_store.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"
#include "product/call/call_center.hpp"
#include "product/call/prompt_rendering.hpp"
#include "product/call/recordings.hpp"
#include "product/compliance/compliance.hpp"
#include "product/dialogue/flow.hpp"
#include "product/dialogue/intent_model.hpp"
#include "product/dialogue/understanding.hpp"
#include "product/usage/usage_ledger.hpp"

namespace yyc3::app {

/// Every part of the running system, in the order it is built; destroyed in reverse. Each open_…
/// adds one layer and says in one line what is wrong when it cannot.
struct System::Parts {
  explicit Parts(const Config& c) : config(c) {}
  ~Parts();

  Result<void> open_ground();
  Result<void> open_store();
  Result<void> open_recorder();
  Result<void> open_media();
  Result<void> open_speech();
  Result<void> open_dialogue();
  Result<void> open_calls();
  Result<void> open_web();
  void render_ahead();
  void stop();
  net::Task<net::HttpResponse> answer(net::HttpRequest request);
  [[nodiscard]] std::vector<std::string> missing() const;

  Config config;
  std::optional<storage::LockFile> data_lock;  // of data_dir, whatever the store is
  SystemClock clock;
  telemetry::Log log{clock};
  telemetry::Registry registry;
  events::Bus bus;

  std::unique_ptr<net::EventLoop> files;
  std::unique_ptr<net::EventLoop> call_loop;
  std::unique_ptr<net::EventLoop> web_loop;

  std::unique_ptr<storage::Database> database;
  std::optional<security::KeyFile> key_file;
  std::optional<security::TenantKeys> tenant_keys;
  std::optional<security::FieldCipher> cipher;
  std::unique_ptr<storage::FolderBlobs> blobs;
  std::optional<compliance::Compliance> gate;
  std::optional<usage::UsageLedger> usage;
  std::optional<call::CallStore> store;
  std::optional<call::Recordings> recordings;

  std::unique_ptr<recording::Recorder> recorder;
  std::unique_ptr<rtp::MediaEngine> media;
  rtp::LoopPort* media_port = nullptr;

  Workers workers;
  std::atomic<bool> voice_up{false};
  std::unique_ptr<speech::Recognizer> hear;
  std::unique_ptr<speech::SpeakClient> speak;
  std::unique_ptr<inference::OpenAiChat> language;  ///< may be null
  std::unique_ptr<speech::PromptCache> prompts;
  std::shared_ptr<call::PromptRendering> rendering;
  std::shared_ptr<const dialogue::Understanding> understanding;
  std::optional<dialogue::FlowLibrary> flows;

  std::optional<call::ConversationMetrics> metrics;
  std::optional<call::CallParts> call_parts;
  std::unique_ptr<call::CallCenter> center;
  sip::SipAgent* sip_agent = nullptr;
  std::unique_ptr<sip::SipAgent> sip_owner;

  std::optional<security::TokenFile> token;
  std::optional<api::Guard> guard;
  api::Router router;
  std::optional<api::CallRoutes> call_routes;
  std::optional<api::TalkSocket> talk_socket;
  std::optional<api::SystemRoutes> system_routes;
  std::optional<api::LiveHub> live_hub;
  std::optional<api::WebApp> web_app;
  std::atomic<bool> web_ready{false};
  std::unique_ptr<net::HttpServer> server;
};

}  // namespace yyc3::app
