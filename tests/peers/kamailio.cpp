#include "kamailio.hpp"

#include <fmt/format.h>
#include <stdexcept>

namespace yyc3::peers {

namespace {
constexpr const char* kConfig = R"(#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=2
listen=udp:127.0.0.1:@PORT@
auto_aliases=no
alias="127.0.0.1:@PORT@"
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
loadmodule "sanity.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "db_text.so"
loadmodule "auth.so"
loadmodule "auth_db.so"
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", 3600)
modparam("auth_db", "db_url", "text://@DIR@/db")
modparam("auth_db", "calculate_ha1", 1)
modparam("auth_db", "password_column", "password")
modparam("auth_db", "use_domain", 0)
modparam("auth", "nonce_expire", 60)

request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (!sanity_check("1511", "7")) exit;
  if (has_totag()) {
    if (loose_route()) { t_relay(); exit; }
    if (is_method("ACK") && t_check_trans()) { t_relay(); exit; }
    sl_send_reply("404", "Not here"); exit;
  }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  t_check_trans();
  if (is_method("REGISTER")) {
    if (!www_authorize("127.0.0.1", "subscriber")) { www_challenge("127.0.0.1", "1"); exit; }
    consume_credentials();
    save("location"); exit;
  }
  if (!proxy_authorize("127.0.0.1", "subscriber")) { proxy_challenge("127.0.0.1", "1"); exit; }
  consume_credentials();
  record_route();
  if (!lookup("location")) { sl_send_reply("404", "Not registered"); exit; }
  t_relay();
}
)";

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

}  // namespace

Kamailio::Kamailio() : port_(free_port()) {
  const auto& dir = dir_.path();
  std::filesystem::create_directory(dir / "db");
  write_file(dir / "db/version", "table_name(str) table_version(int)\nsubscriber:7\nlocation:9\n");
  write_file(dir / "db/subscriber",
             "id(int,auto) username(str) domain(str) password(str)\n"
             "0:yyc3:127.0.0.1:secret\n1:callee:127.0.0.1:secret2\n");
  write_file(dir / "kamailio.cfg",
             replaced(replaced(kConfig, "@PORT@", std::to_string(port_)), "@DIR@", dir.string()));
  child_ = std::make_unique<Child>(
      std::vector<std::string>{"/usr/sbin/kamailio", "-f", (dir / "kamailio.cfg").string(), "-DD",
                               "-E", "-m", "32", "-M", "4", "-Y", dir.string(), "-P",
                               (dir / "pid").string()},
      dir, dir / "log");
  const bool up =
      eventually([&] { return std::filesystem::exists(dir / "pid") || !child_->running(); },
                 Milliseconds{10'000});
  if (!up || !child_->running()) throw std::runtime_error("kamailio does not start: " + log());
  sleep_ms(300);  // its children bind after the pid file
}

std::string Kamailio::address() const { return fmt::format("127.0.0.1:{}", port_); }
std::string Kamailio::log() const { return read_file(dir_.path() / "log"); }

}  // namespace yyc3::peers
