#include "baresip.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace yyc3::peers {

namespace {
constexpr const char* kConfig = R"(poll_method epoll
sip_listen 127.0.0.1:{port}
net_interface 127.0.0.1
call_local_timeout {timeout}
call_max_calls 100
audio_source aufile,{mic}
audio_player aubridge,sink
audio_alert aubridge,sink
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
audio_buffer 20-160
rtp_ports {rtp}-{rtp_end}
rtp_timeout 0
jitter_buffer_delay 1-10
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module ausine.so
module aubridge.so
module sndfile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
snd_path {dir}
)";
constexpr std::uint16_t kRtpSpan = 16;
}  // namespace

void write_silence(const std::filesystem::path& path, int seconds) {
  const auto bytes = static_cast<std::uint32_t>(seconds) * 16'000;
  std::string wav = "RIFF";
  const auto u32 = [&wav](std::uint32_t v) {
    for (int i = 0; i < 4; ++i) wav += static_cast<char>(v >> (8 * i) & 0xFF);
  };
  const auto u16 = [&wav](std::uint32_t v) {
    wav += static_cast<char>(v & 0xFF);
    wav += static_cast<char>(v >> 8 & 0xFF);
  };
  u32(36 + bytes);
  wav += "WAVEfmt ";
  u32(16), u16(1), u16(1), u32(8'000), u32(16'000), u16(2), u16(16);
  wav += "data";
  u32(bytes);
  wav.append(bytes, '\0');
  write_file(path, wav);
}

Baresip::Baresip(const BaresipOptions& options)
    : port_(free_port(4)), control_port_(free_port()), rtp_port_(free_port(kRtpSpan)) {
  write_config(options);
  child_ =
      std::make_unique<Child>(std::vector<std::string>{"baresip", "-s", "-f", dir_.path().string()},
                              dir_.path(), dir_.path() / "log");
  if (!wait_for_text(dir_.path() / "log", "baresip is ready", Milliseconds{10'000}))
    throw std::runtime_error("baresip does not start: " + log());
  connect_control();
  if (!options.registrar.empty() &&
      !wait_for_text(dir_.path() / "log", "binding]", Milliseconds{10'000}))
    throw std::runtime_error("baresip does not register: " + log());
}

Baresip::~Baresip() {
  if (control_ >= 0) close(control_);
}

std::string Baresip::uri() const { return fmt::format("sip:callee@127.0.0.1:{}", port_); }
std::string Baresip::log() const { return read_file(dir_.path() / "log"); }

void Baresip::write_config(const BaresipOptions& options) const {
  std::string microphone = options.microphone;
  if (microphone.empty()) {
    microphone = (dir_.path() / "quiet.wav").string();
    write_silence(microphone, 300);
  }
  write_file(
      dir_.path() / "config",
      fmt::format(kConfig, fmt::arg("port", port_), fmt::arg("timeout", options.call_timeout_s),
                  fmt::arg("mic", microphone), fmt::arg("rtp", rtp_port_),
                  fmt::arg("rtp_end", rtp_port_ + kRtpSpan - 1), fmt::arg("control", control_port_),
                  fmt::arg("dir", dir_.path().string())));
  const std::string account =
      options.registrar.empty()
          ? fmt::format("<sip:callee@127.0.0.1:{}>;regint=0", port_)
          : fmt::format("<sip:{}@{}>;auth_user={};auth_pass={};regint=60", options.user,
                        options.registrar, options.user, options.password);
  write_file(dir_.path() / "accounts", fmt::format("{};answermode={};audio_codecs={};ptime=20\n",
                                                   account, options.answer, options.codecs));
  write_file(dir_.path() / "contacts", "");
}

void Baresip::connect_control() {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(control_port_);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  control_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool good = eventually(
      [&] { return connect(control_, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0; },
      Milliseconds{3'000});
  if (!good) throw std::runtime_error("baresip's control socket does not answer");
}

void Baresip::command(const std::string& name, const std::string& params) {
  const std::string text =
      fmt::format(R"({{"command":"{}","params":"{}","token":"t"}})", name, params);
  const std::string net = fmt::format("{}:{},", text.size(), text);
  if (send(control_, net.data(), net.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(net.size()))
    throw std::runtime_error("baresip's control socket is closed");
}

void Baresip::read_control() {
  char buffer[4096];
  for (int rounds = 0; rounds < 64; ++rounds) {
    const ssize_t got = recv(control_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got <= 0) return;
    seen_.append(buffer, static_cast<std::size_t>(got));
  }
}

bool Baresip::wait_event(const std::string& type, Milliseconds limit) {
  return eventually(
      [&] {
        read_control();
        return seen_.find('"' + type + '"') != std::string::npos;
      },
      limit);
}

}  // namespace yyc3::peers
