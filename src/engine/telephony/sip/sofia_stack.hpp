#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>

#include "engine/telephony/sip/agent_loop.hpp"

// Sofia's types stay inside this room: only its .cpp files include this header. The names are
// Sofia's own hooks for typed callback arguments.
namespace yyc3::sip {
class SofiaStack;
struct SofiaCall;
struct SofiaOrphan;
}  // namespace yyc3::sip
#define NUA_MAGIC_T yyc3::sip::SofiaStack
#define NUA_HMAGIC_T yyc3::sip::SofiaCall
#define NTA_OUTGOING_MAGIC_T yyc3::sip::SofiaOrphan
#define SU_ROOT_MAGIC_T yyc3::sip::SofiaStack
#define SU_WAKEUP_ARG_T yyc3::sip::SofiaStack
#define SU_TIMER_ARG_T yyc3::sip::SofiaStack
#include <sofia-sip/nta.h>
#include <sofia-sip/nua.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_wait.h>

namespace yyc3::sip {

/// One dialog as Sofia sees it.
struct SofiaCall {
  DialRequest request;
  nua_handle_t* handle = nullptr;
  SdpOrigin origin;
  SteadyTime dialled{};
  std::optional<Milliseconds> first_response;
  std::optional<AudioCodec> codec;
  std::optional<DialogState> dialog;
  bool authenticated = false;  ///< the challenge of this request was answered once
  bool ending = false;         ///< CANCEL or BYE is sent, or waits for its moment
  bool answered = false;
  bool reported = false;          ///< the last event was sent; the transaction may still run
  bool rang = false;              ///< a 18x came
  bool timed_out = false;         ///< nobody answered within ring_timeout
  bool late_offer = false;        ///< our offer went out in a 200: its answer comes with the ACK
  std::optional<Outcome> forced;  ///< how it ends, decided by us
  HangUpReason reason;
  SteadyTime give_up{};  ///< while ending: when the last event is sent without the peer's word
  enum class Reoffer { kNone, kSent, kWaiting } reoffer = Reoffer::kNone;  ///< our re-INVITE
  Direction wanted = Direction::kSendRecv;                                 ///< by it
  bool retried = false;                                                    ///< after a 491
  SteadyTime retry_at{};
};

/// A BYE for a dialog of an earlier process.
struct SofiaOrphan {
  SofiaStack* stack = nullptr;
  CallId call;
  DialogState dialog;          ///< its CSeq: of the last BYE sent
  std::optional<Trunk> trunk;  ///< whose password answers a challenge
  nta_leg_t* leg = nullptr;
  nta_outgoing_t* request = nullptr;
  bool authenticated = false;  ///< the challenge was answered once
};

/// Owns Sofia's root, agent and handles. Lives and dies on the signalling thread.
class SofiaStack {
 public:
  explicit SofiaStack(AgentLoop& owner);
  ~SofiaStack();
  SofiaStack(const SofiaStack&) = delete;
  SofiaStack& operator=(const SofiaStack&) = delete;

  [[nodiscard]] bool good() const { return nua_ != nullptr; }
  void run();

 private:
  using Call = SofiaCall;
  static void on_nua(nua_event_t event, int status, char const* phrase, nua_t* nua,
                     SofiaStack* self, nua_handle_t* handle, SofiaCall* call, sip_t const* sip,
                     tagi_t tags[]);
  static int on_wake(SofiaStack* root_magic, su_wait_t* wait, SofiaStack* self);
  static void on_tick(SofiaStack* root_magic, su_timer_t* timer, SofiaStack* self);
  static int on_orphan(SofiaOrphan* orphan, nta_outgoing_t* request, sip_t const* sip);

  void handle(nua_event_t event, int status, char const* phrase, Call& call, sip_t const* sip);
  void do_commands();
  void do_command(Dial& command);
  void do_command(HangUp& command);
  void do_command(Reoffer& command);
  void do_command(Orphan& command);
  void send_orphan(SofiaOrphan& orphan, sip_header_t const* credentials);
  bool authenticate_orphan(SofiaOrphan& orphan, int status, sip_t const* sip);
  void end(Call& call, const HangUpReason& reason);
  void send_bye(Call& call);
  void send_reoffer(Call& call);

  void on_invite_response(int status, char const* phrase, Call& call, sip_t const* sip);
  void on_provisional(int status, Call& call, sip_t const* sip);
  void on_answer(Call& call, sip_t const* sip);
  void on_reoffer_answer(int status, Call& call, sip_t const* sip);
  void on_reinvite(Call& call, sip_t const* sip, bool update);
  void on_ack(Call& call, sip_t const* sip);
  void on_terminated(int status, char const* phrase, Call& call, sip_t const* sip);
  bool authenticate(int status, Call& call, sip_t const* sip);
  void update_dialog(Call& call, sip_t const* sip);

  void report_failure(Call& call, int status, char const* phrase, sip_t const* sip);
  void report_end(Call& call, Who who, Outcome outcome, sip_t const* sip);
  void report_given_up(Call& call);
  void report_last(Call& call, SipEvent::What what);
  void emit(const Call& call, SipEvent::What what);
  void forget(Call& call);
  void tick();
  void tick_call(Call& call, SteadyTime now);
  void step_stop(SteadyTime now);

  AgentLoop& owner_;
  su_root_t* root_ = nullptr;
  nua_t* nua_ = nullptr;
  nta_agent_t* orphan_agent_ = nullptr;
  su_timer_t* timer_ = nullptr;
  su_wait_t wait_[1];
  int wait_id_ = 0;
  std::unordered_map<CallId, std::unique_ptr<Call>> calls_;
  std::list<SofiaOrphan> orphans_;
  std::uint64_t next_session_ = 1;
  std::minstd_rand jitter_;
  bool stopping_ = false;
  bool shutting_down_ = false;
  bool shut_down_ = false;
  SteadyTime stop_until_{};
};

}  // namespace yyc3::sip
