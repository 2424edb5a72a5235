#include "api/talk_socket.hpp"

#include <array>
#include <cstring>
#include <utility>

#include "api/problem.hpp"
#include "api/socket_messages.hpp"
#include "base/json.hpp"
#include "platform/net/websocket.hpp"

namespace yyc3::api {

namespace {

constexpr const char* kSubprotocol = "aicall.talk.v1";
constexpr std::size_t kFrameBytes = TalkFrames::kBytes;
constexpr std::size_t kBehindBytes = 16 * kFrameBytes;  // 320 ms queued: skip frames, keep up

using Line = std::shared_ptr<call::BrowserLine>;
using Socket = std::shared_ptr<net::WebSocket>;

/// Loudspeaker side: what the media thread has produced goes out as it comes.
net::Task<void> send_audio(Line line, Socket socket) {
  std::array<std::int16_t, TalkFrames::kSamples> pcm{};
  while (!line->ended() && socket->is_open()) {
    while (line->next(pcm.data())) {
      if (socket->queued_bytes() > kBehindBytes) continue;
      std::string frame(kFrameBytes, '\0');
      std::memcpy(frame.data(), pcm.data(), kFrameBytes);
      socket->send_binary(std::move(frame));
    }
    co_await net::sleep_for(Milliseconds{10});
  }
  socket->send_text(R"({"type":"ended"})");
  socket->close(1000, "the call has ended");
}

void on_control(std::string_view text, call::BrowserLine& line) {
  const auto control = read_talk_control(text);
  if (!control) return;
  if (control->digit == 0) return line.hang_up();
  line.dtmf(control->digit);
}

net::Task<void> talk(Line line, Socket socket, telemetry::Log& log) {
  const json::object started{{"type", "started"}, {"call_id", line->call().str()}};
  socket->send_text(json::serialize(started));
  const net::Executor executor = co_await net::this_executor();
  net::spawn(executor, send_audio(line, socket), log, "talk audio");
  std::array<std::int16_t, TalkFrames::kSamples> pcm{};
  while (true) {
    const auto message = co_await socket->read();
    if (!message) break;
    if (!message->is_binary) {
      on_control(message->data, *line);
      continue;
    }
    TalkFrames frames(message->data);
    while (frames.next(pcm)) line->heard(pcm.data());
  }
  line->hang_up();
}

}  // namespace

void TalkSocket::add_to(Router& router) {
  router.add({"GET", "/api/v1/talk", false,
              [this](net::HttpRequest r, PathParams) { return open(std::move(r)); }});
}

net::Task<net::HttpResponse> TalkSocket::open(net::HttpRequest request) {
  if (!request.is_upgrade) co_return problem(426, "this is a WebSocket");
  call::NewCall wanted;
  wanted.direction = "browser";
  std::vector<FieldError> errors;
  if (const auto flow = request.param("flow")) {
    wanted.flow = *flow;
    if (!flows_.contains(*flow)) errors.push_back({"flow", "no such flow"});
  }
  if (const auto code = request.param("language")) {
    const auto language = speech::language_of(*code);
    if (language)
      wanted.language = *language;
    else
      errors.push_back({"language", "must be zh or en"});
  }
  if (!errors.empty()) co_return problem(422, "wrong parameters", std::move(errors));
  const auto line = co_await calls_.talk(std::move(wanted));
  if (!line) co_return problem(line.error());
  net::WebSocketOptions options;
  options.subprotocol = kSubprotocol;
  options.message_bytes_max = 16 * 1024;
  net::WebSocketHandler run = [held = *line, &log = log_](net::HttpRequest, Socket socket) {
    return talk(held, std::move(socket), log);
  };
  co_return net::HttpResponse::upgrade(std::move(options), std::move(run));
}

}  // namespace yyc3::api
