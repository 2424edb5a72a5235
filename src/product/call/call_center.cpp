#include "product/call/call_center.hpp"

#include <algorithm>
#include <atomic>
#include <fmt/format.h>
#include <set>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "product/call/browser_line.hpp"

namespace yyc3::call {

namespace {

constexpr Milliseconds kTick{20};
constexpr int kTicksALevel = 10;  // 5 a second
constexpr Milliseconds kVariableWait{5'000};

/// A visitor who tries the bot has no appointment: tomorrow at three stands for the times a flow
/// must know. Anything else it needs is an error that names it.
void fill_for_visitor(const dialogue::Flow& flow, const text::LocalDateTime& now,
                      std::map<std::string, std::string>& variables) {
  text::WhenReading tomorrow;
  tomorrow.date = text::add_days(now.date, 1);
  tomorrow.time = text::LocalTime{15, 0};
  for (const auto& [name, variable] : flow.variables) {
    if (!variable.required || variables.contains(name)) continue;
    if (variable.kind == dialogue::VariableKind::kDateTime)
      variables[name] = dialogue::when_text(tomorrow);
  }
}

}  // namespace

struct CallCenter::State : std::enable_shared_from_this<State> {
  State(CallCenterConfig c, CallParts& p, CallStore& s, rtp::LoopPort& lp, sip::SipAgent*& a,
        const dialogue::FlowLibrary& f, std::shared_ptr<const dialogue::Understanding> u,
        std::function<ServiceStatus()> e)
      : config(std::move(c)),
        parts(p),
        store(s),
        port(lp),
        agent(a),
        flows(f),
        understanding(std::move(u)),
        engines(std::move(e)) {}

  net::Task<void> pump();
  net::Task<void> tick();
  net::Task<void> begin_queued(CallId id);
  net::Task<Result<std::shared_ptr<BrowserLine>>> begin_browser(CallId id);
  Result<dialogue::DialogueSession> make_dialogue(const NewCall& call) const;
  Result<CallSession*> open_session(CallId id, const CallStore::Claimed& claimed, bool browser);
  net::Task<void> fail_call(CallId id, Error why);
  net::Task<void> end_undialled(CallId id, CallState from, sip::Outcome outcome,
                                std::string reason);
  [[nodiscard]] const Voice& voice_of(const NewCall& call) const {
    return call.language == speech::Language::kChinese ? config.voice_zh : config.voice_en;
  }
  [[nodiscard]] std::map<std::string, std::string> variables_of(const NewCall& call,
                                                                const dialogue::Flow& flow) const;
  [[nodiscard]] std::vector<speech::SpeakRequest> own_words(const NewCall& call) const;
  void prepare(CallId id, const NewCall& call);
  net::Task<void> enqueue_late(CallId id);
  void enqueue(CallId id);
  void cancel_queued(CallId id);
  void take_next();
  void remove(CallId id);
  CallSession* find(CallId id) {
    const auto at = sessions.find(id);
    return at == sessions.end() ? nullptr : at->second.get();
  }
  [[nodiscard]] std::size_t busy() const { return sessions.size() + starting; }
  void count() {
    const std::size_t now = busy();
    const std::size_t before = active.exchange(now, std::memory_order_relaxed);
    if ((now == 0) != (before == 0) && config.on_busy) config.on_busy(now > 0);
  }

  CallCenterConfig config;
  CallParts& parts;
  CallStore& store;
  rtp::LoopPort& port;
  sip::SipAgent*& agent;
  const dialogue::FlowLibrary& flows;
  std::shared_ptr<const dialogue::Understanding> understanding;
  std::function<ServiceStatus()> engines;

  std::map<CallId, std::unique_ptr<CallSession>> sessions;
  std::map<std::uint64_t, CallId> by_tag;
  std::set<CallId> preparing;  ///< what only they say is being rendered; then they are queued
  std::deque<CallId> queue;
  std::set<CallId> watched;   ///< a console looks at them; ≤ the live feed's listeners
  std::size_t starting = 0;   ///< claimed, not yet a session
  std::set<CallId> claiming;  ///< being taken from the store, to be dialled
  std::set<CallId> hung_up;   ///< of these, meanwhile asked to end
  std::uint64_t next_tag = 1;
  bool draining = false;
  std::atomic<std::size_t> active{0};
  std::atomic<std::size_t> waiting{0};
  std::vector<net::Spawned> tasks;
};

net::Task<void> CallCenter::State::pump() {
  namespace asio = boost::asio;
  const auto self = shared_from_this();
  const net::Executor executor = co_await net::this_executor();
  asio::posix::stream_descriptor wake(executor, port.wake_fd());
  // The descriptor belongs to the engine: give it back whatever ends this coroutine.
  struct Release {
    asio::posix::stream_descriptor& wake;
    ~Release() { wake.release(); }
  } release{wake};
  while (true) {
    constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
    const auto [error] =
        co_await wake.async_wait(asio::posix::stream_descriptor::wait_read, kToken);
    if (error) co_return;
    port.acknowledge();
    while (rtp::MediaStream* stream = port.next_ready()) {
      const auto at = by_tag.find(stream->tag());
      if (at == by_tag.end()) continue;
      if (CallSession* session = find(at->second)) session->on_media();
    }
  }
}

net::Task<void> CallCenter::State::tick() {
  const auto self = shared_from_this();
  for (int ticks = 0;;) {
    co_await net::sleep_for(kTick);
    for (const auto& [id, session] : self->sessions) session->on_tick();
    if (++ticks % kTicksALevel != 0) continue;
    for (const CallId& id : watched)
      if (CallSession* session = find(id)) session->tell_levels();
  }
}

void CallCenter::State::take_next() {
  while (!draining && !queue.empty() && busy() < config.max_active) {
    const CallId id = queue.front();
    queue.pop_front();
    ++starting;
    claiming.insert(id);
    parts.loop.spawn(begin_queued(id), "begin call");
  }
  waiting.store(queue.size() + preparing.size(), std::memory_order_relaxed);
  count();
}

void CallCenter::State::remove(CallId id) {
  const auto at = sessions.find(id);
  if (at == sessions.end()) return;
  by_tag.erase(at->second->leg().media().tag());
  sessions.erase(at);
  take_next();
}

net::Task<void> CallCenter::State::begin_queued(CallId id) {
  const auto self = shared_from_this();
  const auto claimed = co_await store.claim(id);
  claiming.erase(id);
  const bool cancelled = hung_up.erase(id) > 0;
  if (cancelled && claimed && claimed->decision.allowed()) {
    --starting;
    co_await end_undialled(id, CallState::kDialing, sip::Outcome::kCancelled,
                           "asked by the operator");
  } else if (claimed && claimed->decision.allowed()) {
    const auto session = open_session(id, *claimed, false);
    --starting;
    if (session)
      (*session)->dial();
    else
      co_await fail_call(id, session.error());
  } else {
    --starting;
    const std::string why = claimed ? claimed->decision.text : claimed.error().detail;
    parts.log.warn("a queued call was not dialled", {{"call.id", id}, {"error.message", why}});
    if (claimed)
      parts.bus.publish(events::CallStateChanged{id, kTenant, "queued", "failed",
                                                 compliance::name_of(claimed->decision.denial),
                                                 parts.clock.utc()});
  }
  take_next();
}

net::Task<void> CallCenter::State::fail_call(CallId id, Error why) {
  parts.log.error("a call could not be set up", {{"call.id", id}, {"error.message", why.detail}});
  return end_undialled(id, CallState::kDialing, sip::Outcome::kInternal, std::move(why.detail));
}

net::Task<void> CallCenter::State::end_undialled(CallId id, CallState from, sip::Outcome outcome,
                                                 std::string reason) {
  const auto self = shared_from_this();
  const auto job = [this, id, from, outcome, reason](storage::Connection& db) -> Result<void> {
    Ending ending;
    ending.state = CallState::kFailed;
    ending.outcome = sip::describe(outcome).name;
    ending.reason = reason;
    ending.at_ms = parts.clock.utc().time_since_epoch().count();
    const std::int64_t seq = from == CallState::kQueued ? 1 : 2;
    auto step = CallStore::add_transition(db, id, seq, from,
                                          {CallState::kFailed, ending.at_ms, ending.reason});
    if (!step) return step;
    return CallStore::finish(db, id, ending);
  };
  const auto stored = co_await parts.database.write(storage::Lane::kCall, job);
  if (stored)
    parts.bus.publish(
        events::CallStateChanged{id, kTenant, name_of(from), "failed", reason, parts.clock.utc()});
}

std::map<std::string, std::string> CallCenter::State::variables_of(
    const NewCall& call, const dialogue::Flow& flow) const {
  auto variables =
      call.language == speech::Language::kChinese ? config.variables_zh : config.variables_en;
  for (const auto& [name, value] : call.variables) variables[name] = value;
  if (call.direction == "browser")
    fill_for_visitor(flow, parts.conversation.local_now(), variables);
  return variables;
}

Result<dialogue::DialogueSession> CallCenter::State::make_dialogue(const NewCall& call) const {
  const auto flow = flows.find(call.flow);
  if (!flow) return fail(ErrorCode::kInvalid, "flow: no such flow");
  dialogue::SessionContext context;
  context.language = text_language(call.language);
  context.variables = variables_of(call, *flow);
  return dialogue::DialogueSession::create(flow, understanding, std::move(context));
}

Result<CallSession*> CallCenter::State::open_session(CallId id, const CallStore::Claimed& claimed,
                                                     bool browser) {
  auto talk = make_dialogue(claimed.call);
  if (!talk) return tl::unexpected<Error>(talk.error());
  rtp::StreamConfig wanted;
  wanted.kind = browser ? rtp::StreamKind::kBridged : rtp::StreamKind::kRtp;
  wanted.tag = next_tag++;
  auto media = port.open(wanted);
  if (!media) return tl::unexpected<Error>(media.error());
  std::unique_ptr<Leg> leg;
  if (browser) {
    leg = std::make_unique<BrowserLeg>(std::move(*media));
  } else {
    sip::DialRequest request;
    request.call = id;
    request.target = claimed.target;
    request.trunk = config.trunk;
    request.caller_id = config.from_user;
    request.media.address = config.media_address;
    request.ring_timeout = config.ring_timeout;
    leg = std::make_unique<SipLeg>(*agent, std::move(*media), std::move(request));
  }
  const auto ended = [weak = weak_from_this(), id] {
    if (const auto state = weak.lock()) state->remove(id);
  };
  auto session =
      std::make_unique<CallSession>(parts, id, claimed.call, claimed.target, std::move(leg),
                                    voice_of(claimed.call), std::move(*talk), ended);
  by_tag.emplace(wanted.tag, id);
  if (browser)  // nobody waits to be dialled: rendered while the greeting is said
    for (const auto& request : own_words(claimed.call))
      parts.conversation.prompts.fetch(request, false, [](const Result<speech::Pcm>&) {});
  return sessions.emplace(id, std::move(session)).first->second.get();
}

/// The name and the times that only this call will say.
std::vector<speech::SpeakRequest> CallCenter::State::own_words(const NewCall& call) const {
  std::vector<speech::SpeakRequest> words;
  const auto flow = flows.find(call.flow);
  for (const auto& piece :
       dialogue::own_pieces(*flow, text_language(call.language), variables_of(call, *flow)))
    words.push_back(voice_of(call).request(piece.text, true));
  return words;
}

/// Before it is dialled: a person who has answered does not wait for a rendering in the middle of a
/// sentence.
void CallCenter::State::prepare(CallId id, const NewCall& call) {
  const auto words = own_words(call);
  const auto left = std::make_shared<std::size_t>(words.size() + 1);
  const auto one_done = [weak = weak_from_this(), id, left] {
    const auto state = weak.lock();
    if (--*left == 0 && state) state->enqueue(id);
  };
  preparing.insert(id);
  waiting.store(queue.size() + preparing.size(), std::memory_order_relaxed);
  for (const auto& request : words)
    parts.conversation.prompts.fetch(request, false,
                                     [one_done](const Result<speech::Pcm>&) { one_done(); });
  parts.loop.spawn(enqueue_late(id), "queue call");
  one_done();
}

net::Task<void> CallCenter::State::enqueue_late(CallId id) {
  const auto self = shared_from_this();
  co_await net::sleep_for(kVariableWait);
  enqueue(id);
}

void CallCenter::State::enqueue(CallId id) {
  if (preparing.erase(id) == 0) return;
  queue.push_back(id);
  take_next();
}

/// A call that was not begun yet.
void CallCenter::State::cancel_queued(CallId id) {
  if (claiming.contains(id)) {
    hung_up.insert(id);
    return;
  }
  const auto at = std::find(queue.begin(), queue.end(), id);
  if (at == queue.end() && preparing.erase(id) == 0) return;
  if (at != queue.end()) queue.erase(at);
  parts.loop.spawn(
      end_undialled(id, CallState::kQueued, sip::Outcome::kCancelled, "asked by the operator"),
      "cancel queued call");
  take_next();
}

net::Task<Result<std::shared_ptr<BrowserLine>>> CallCenter::State::begin_browser(CallId id) {
  const auto self = shared_from_this();
  const auto claimed = co_await store.claim(id);
  --starting;
  if (!claimed) co_return tl::unexpected<Error>(claimed.error());
  const auto session = open_session(id, *claimed, true);
  if (!session) {
    co_await fail_call(id, session.error());
    co_return tl::unexpected<Error>(session.error());
  }
  auto& leg = static_cast<BrowserLeg&>((*session)->leg());
  const auto with_session = [weak = weak_from_this(), id](std::function<void(CallSession&)> act) {
    const auto state = weak.lock();
    if (!state) return;
    state->parts.loop.post([weak, id, act = std::move(act)] {
      const auto alive = weak.lock();
      if (CallSession* found = alive ? alive->find(id) : nullptr) act(*found);
    });
  };
  std::shared_ptr<BrowserLine> line = make_browser_line(id, leg, with_session);
  (*session)->dial();
  co_return line;
}

CallCenter::CallCenter(CallCenterConfig config, CallParts& parts, CallStore& store,
                       rtp::LoopPort& port, sip::SipAgent*& agent,
                       const dialogue::FlowLibrary& flows,
                       std::shared_ptr<const dialogue::Understanding> understanding,
                       std::function<ServiceStatus()> engines)
    : state_(std::make_shared<State>(std::move(config), parts, store, port, agent, flows,
                                     std::move(understanding), std::move(engines))) {}

CallCenter::~CallCenter() {
  watching_.cancel();
  for (const auto& task : state_->tasks) task.cancel();
}

void CallCenter::start() {
  state_->tasks.push_back(state_->parts.loop.spawn(state_->pump(), "media pump"));
  state_->tasks.push_back(state_->parts.loop.spawn(state_->tick(), "call tick"));
  watching_ = state_->parts.bus.subscribe<events::CallWatched>(
      [state = state_](const events::CallWatched& e) {
        state->parts.loop.post([state, id = e.call, on = e.watched] {
          if (on)
            state->watched.insert(id);
          else
            state->watched.erase(id);
        });
      });
}

void CallCenter::on_sip(sip::SipEvent event) {
  state_->parts.loop.post([state = state_, event = std::move(event)] {
    if (CallSession* session = state->find(event.call)) return session->on_sip(event);
    if (const auto* gone = std::get_if<sip::OrphanEnded>(&event.what))
      state->parts.log.info("a dialog of before the restart was ended",
                            {{"call.id", event.call}, {"yyc3.sip.status", gone->sip_status}});
  });
}

net::Task<void> CallCenter::drain(Milliseconds limit) {
  const auto state = state_;
  state->draining = true;
  for (const auto& [id, session] : state->sessions) session->hang_up("the system stops");
  const SteadyTime until = state->parts.clock.now() + limit;
  while (!state->sessions.empty() && state->parts.clock.now() < until)
    co_await net::sleep_for(kTick);
}

net::Task<Result<CallStore::Created>> CallCenter::create(NewCall call) {
  const auto state = state_;
  if (state->draining) co_return fail(ErrorCode::kUnavailable, "the system is shutting down");
  const auto talk = state->make_dialogue(call);
  if (!talk) co_return tl::unexpected<Error>(talk.error());
  const compliance::DialRequest asked{kTenant, call.to, std::nullopt};
  const auto decision = co_await state->parts.gate.may_dial(storage::Lane::kApi, asked);
  if (!decision) co_return tl::unexpected<Error>(decision.error());
  if (!decision->allowed())
    co_return fail(decision->denial == compliance::Denial::kBadTarget ? ErrorCode::kInvalid
                                                                      : ErrorCode::kDenied,
                   "to: " + decision->text);
  const std::size_t full = state->config.max_active + state->config.queue_max;
  if (state->active + state->waiting >= full)
    co_return fail(ErrorCode::kBusy, "the queue of calls is full; try again later");
  NewCall wanted = call;
  auto created = co_await state->store.create(std::move(call));
  if (!created || created->repeated) co_return created;
  const CallId id = created->call.id;
  state->parts.loop.post([state, id, wanted = std::move(wanted)] {
    state->parts.bus.publish(
        events::CallStateChanged{id, kTenant, "", "queued", "", state->parts.clock.utc()});
    state->prepare(id, wanted);
  });
  co_return created;
}

net::Task<Result<void>> CallCenter::hang_up(CallId id) {
  const auto state = state_;
  const auto found = co_await state->store.find(id);
  if (!found) co_return tl::unexpected<Error>(found.error());
  if (!*found) co_return fail(ErrorCode::kNotFound, "no such call");
  if (is_final((*found)->call.state))
    co_return fail(ErrorCode::kConflict, "the call has ended already");
  state->parts.loop.post([state, id] {
    if (CallSession* session = state->find(id)) return session->hang_up("asked by the operator");
    state->cancel_queued(id);
  });
  co_return Result<void>();
}

net::Task<Result<std::shared_ptr<BrowserLine>>> CallCenter::talk(NewCall call) {
  using Opened = Result<std::shared_ptr<BrowserLine>>;
  const auto state = state_;
  if (state->draining) co_return fail(ErrorCode::kUnavailable, "the system is shutting down");
  if (state->active >= state->config.max_active)
    co_return fail(ErrorCode::kBusy, "all lines are busy; try again in a moment");
  const auto talk = state->make_dialogue(call);
  if (!talk) co_return tl::unexpected<Error>(talk.error());
  const auto created = co_await state->store.create(std::move(call));
  if (!created) co_return tl::unexpected<Error>(created.error());
  const CallId id = created->call.id;
  const std::function<void(std::function<void(Opened)>)> begin =
      [state, id](std::function<void(Opened)> done) {
        state->parts.loop.post([state, id, done = std::move(done)] {
          ++state->starting;
          state->count();
          const auto run = [](std::shared_ptr<State> held, CallId call_id,
                              std::function<void(Opened)> told) -> net::Task<void> {
            Opened line = co_await held->begin_browser(call_id);
            held->count();
            told(std::move(line));
          };
          state->parts.loop.spawn(run(state, id, done), "begin browser call");
        });
      };
  co_return co_await net::await_callback<Opened>(begin);
}

ServiceStatus CallCenter::status() const {
  ServiceStatus status = state_->engines();
  status.active = state_->active;
  status.waiting = state_->waiting;
  status.max_active = state_->config.max_active;
  return status;
}

Result<std::size_t> recover_calls(CallStore& store, sip::SipAgent& agent,
                                  const std::optional<sip::Trunk>& trunk, telemetry::Log& log,
                                  const Clock& clock) {
  auto open = store.open_calls();
  if (!open) return tl::unexpected<Error>(open.error());
  for (const OpenCall& call : *open) {
    if (call.dialog_state && !call.dialog_state->empty()) {
      const auto dialog = sip::DialogState::from_json(*call.dialog_state);
      const auto sent = dialog ? agent.send_bye_for(call.id, *dialog, trunk)
                               : Result<void>(tl::unexpected<Error>(dialog.error()));
      if (!sent)
        log.error("a dialog of before the restart could not be ended",
                  {{"call.id", call.id}, {"error.message", sent.error().detail}});
    }
    const bool answered = call.state == CallState::kAnswered || call.state == CallState::kTalking ||
                          call.state == CallState::kEscalated;
    Ending ending;
    ending.state = answered ? CallState::kCompleted : CallState::kFailed;
    ending.outcome = sip::describe(answered ? sip::Outcome::kLost : sip::Outcome::kInternal).name;
    ending.reason = "the program ended during the call";
    ending.at_ms = clock.utc().time_since_epoch().count();
    auto done = store.finish_blocking(call, ending);
    if (!done) return tl::unexpected<Error>(done.error());
  }
  return open->size();
}

}  // namespace yyc3::call
