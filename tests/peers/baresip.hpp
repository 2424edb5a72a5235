#pragma once

#include <memory>
#include <string>

#include "child.hpp"

namespace yyc3::peers {

struct BaresipOptions {
  std::string answer =
      "auto";  ///< auto: picks up at once; manual: rings until accept() or hangup()
  std::string codecs = "PCMU/8000/1,PCMA/8000/1";
  std::string registrar;  ///< "127.0.0.1:5470": registers there with user and password
  std::string user = "callee";
  std::string password;
  std::string microphone;  ///< 8 kHz mono 16-bit wav; empty: 300 s of silence
  int call_timeout_s = 120;
};

/// A phone: baresip 1.0.0 without sound card, driven over its TCP control socket.
class Baresip {
 public:
  /// Starts it and waits until it is ready (and registered). Throws std::runtime_error otherwise.
  explicit Baresip(const BaresipOptions& options = {});
  ~Baresip();

  [[nodiscard]] std::string uri() const;  ///< sip:callee@127.0.0.1:port
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const std::filesystem::path& dir() const { return dir_.path(); }
  [[nodiscard]] std::string log() const;  ///< what it printed, its SIP trace included

  /// Sends a command of its menu ("accept", "hangup", "hold", "resume", "ausrc" …).
  void command(const std::string& name, const std::string& params = "");
  /// Until an event ("CALL_ESTABLISHED", "CALL_CLOSED" …) has come since the last clear_events().
  bool wait_event(const std::string& type, Milliseconds limit);
  void clear_events() { seen_.clear(); }
  [[nodiscard]] const std::string& events() const { return seen_; }  ///< raw JSON, for messages

 private:
  void write_config(const BaresipOptions& options) const;
  void connect_control();
  void read_control();

  TempDir dir_;
  std::uint16_t port_;
  std::uint16_t control_port_;
  std::uint16_t rtp_port_;
  int control_ = -1;
  std::string seen_;
  std::unique_ptr<Child> child_;
};

/// Writes `seconds` of silence as an 8 kHz mono 16-bit wav.
void write_silence(const std::filesystem::path& path, int seconds);

}  // namespace yyc3::peers
