"""What happens when a part dies or hangs in mid-call: `serve` itself, and each worker."""
import datetime
import os
import re
import signal
import subprocess
import time
import wave

from common import (Phone, bot_turns, check, customer_turns, detail_of, dial, english, hear_wav, log_lines, measure_gap, running, speech_ms,
                    wait_call, wait_end, wait_for, write_wav)
from relay import Relay

BACK_S = 5.0        # a killed part is back within this
RECORDED_S = 1.0    # so much of the recording may be lost
ANSWER_S = 5.0      # and the bot answers within this
NEW_NAME = "Mr Brown"
PACKET_GAP_MS = 60  # between two packets of the bot; they come every 20 ms


def epoch(rfc3339):
    return datetime.datetime.fromisoformat(rfc3339.replace("Z", "+00:00")).timestamp()


class Message:
    """One SIP message of baresip's trace."""

    def __init__(self, text):
        lines = text.strip().split("\n")
        self.first, self.headers = lines[0].strip(), {}
        for line in lines[1:]:
            name, colon, value = line.strip().partition(":")
            if not colon or not name:
                break
            self.headers.setdefault(name.lower(), []).append(value.strip())

    def header(self, name):
        return (self.headers.get(name) or [""])[0]

    def tag(self, name):
        found = re.search(r";tag=([^;>\s]+)", self.header(name))
        return found[1] if found else ""

    @property
    def cseq(self):
        return int(self.header("cseq").split()[0])


def trace(phone):
    """The messages of the phone's SIP trace so far."""
    with open(phone.log.name, encoding="utf8", errors="replace") as source:
        text = source.read().replace("\r", "")
    starts = [m.start() for m in re.finditer(r"^(?:[A-Z]+ sips?:\S+ SIP/2\.0|SIP/2\.0 \d{3} )", text, re.M)]
    return [Message(text[a:b].split("\n\n")[0]) for a, b in zip(starts, starts[1:] + [len(text)])]


def check_bye(messages):
    """The BYE in the trace belongs to the dialog of the INVITE before it; the BYE."""
    invite = next(m for m in messages if m.first.startswith("INVITE"))
    answer = next(m for m in messages if m.first.startswith("SIP/2.0 200") and "INVITE" in m.header("cseq"))
    bye = next(m for m in messages if m.first.startswith("BYE"))
    contact = re.search(r"<([^>]+)>", answer.header("contact"))[1]
    check(bye.header("call-id") == invite.header("call-id"), f"BYE's Call-ID is {bye.header('call-id')}")
    check(bye.tag("from") == invite.tag("from"), "BYE's From tag is not that of our INVITE")
    check(bye.tag("to") == answer.tag("to"), "BYE's To tag is not the phone's")
    ours = [m.cseq for m in messages if m.header("from") and m.tag("from") == invite.tag("from") and m is not bye and not m.first.startswith("SIP/2.0")]
    check(bye.cseq > max(ours), f"BYE's CSeq {bye.cseq} does not follow {max(ours)}")
    check(bye.first.split()[1] == contact, f"BYE goes to {bye.first.split()[1]}, the phone's contact is {contact}")
    routes = [r for value in answer.headers.get("record-route", []) for r in value.split(",")]
    check(len(bye.headers.get("route", [])) == len(routes), "BYE's routes are not those of the answer")
    return bye


def wav_seconds(path):
    with wave.open(path) as source:
        return source.getnframes() / source.getframerate()


def kill_serve(house):
    """kill -9 of serve; the next start ends the call at the phone, gives it an outcome and keeps its recording."""
    folder = os.path.join(house.out, "kill-serve")
    server = house.serve("kill-serve")
    phone = Phone(os.path.join(folder, "phone"), timeout=0, trace=True)
    try:
        house.wait_idle(server)
        call = dial(server, phone.uri)
        phone.say(english("Yes, this is me.", os.path.join(folder, "yes.wav")))
        wait_call(server, call, 30, "the bot's second turn", lambda d: len(bot_turns(d)) >= 2)
        time.sleep(2)
        answered = epoch(detail_of(server, call)["answered_at"])
        workers = server.children("hear") + server.children("speak")
        server.process.kill()
        killed = time.time()
        server.process.wait(10)
        time.sleep(1)
        check(phone.process.poll() is None and not any(m.first.startswith("BYE") for m in trace(phone)), "the phone hung up by itself")
        wait_for(lambda: not any(alive(pid) for pid in workers), BACK_S, "the workers of a killed serve to be gone")
        begun = time.monotonic()
        server = house.serve("kill-serve")
        wait_for(lambda: any(m.first.startswith("BYE") for m in trace(phone)), BACK_S - (time.monotonic() - begun), "BYE at the phone after the restart")
        took = time.monotonic() - begun
        bye = check_bye(trace(phone))
        detail = wait_end(server, call, 10)
        check(detail["outcome"], "the call has no outcome")
        check(detail["turns"], "the turns are lost")
        path = os.path.join(folder, "recording.wav")
        check(server.save_recording(call, path), "there is no recording")
        lasts, lived = wav_seconds(path), killed - answered
        check(abs(lasts - lived) <= RECORDED_S, f"the recording lasts {lasts:.2f} s, the call lived {lived:.2f} s until the kill")
        return f"BYE (CSeq {bye.cseq}) {took:.1f} s after the restart, outcome {detail['outcome']}, recording {lasts:.1f} of {lived:.1f} s"
    finally:
        phone.stop()
        server.stop()


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as source:
            return source.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def engine(server, role):
    return next(e["state"] for e in server.api("GET", "/api/v1/system")["engines"] if e["name"] == role)


AVAILABLE = {"hear": "hearing is available", "speak": "the voice is available"}


def strike(server, relay, role, what):
    """Sends the signal; seconds until another worker is up and the calls use it again."""
    old = server.children(role)
    check(len(old) == 1, f"{len(old)} workers that {role}; one was expected")
    already = sum(line["message"] == AVAILABLE[role] for line in log_lines(server))
    begun = time.time()
    os.kill(old[0], what)

    def back():
        return (server.children(role) not in ([], old) and engine(server, role) == "up" and
                sum(line["message"] == AVAILABLE[role] for line in log_lines(server)) > already)

    while not back():
        lasted = time.time() - begun
        check(lasted - relay.stalled_s(begun, time.time()) <= BACK_S, f"after {lasted:.1f} s no other worker can {role}")
        time.sleep(0.05)
    check(not alive(old[0]), "the old worker is still there")
    return time.time() - begun


def says_a_new_name(server, phone, folder):
    """The next call's name, which this server never said: the voice that came back renders it, and it is heard in the call."""
    call = dial(server, phone.uri, customer_name=NEW_NAME)
    greeting = bot_turns(wait_call(server, call, 40, "the greeting of the next call", bot_turns))[0]
    phone.hang_up()
    detail = wait_end(server, call, 15)
    check(NEW_NAME in greeting["text"] and not greeting["unsaid"], f"of the greeting was heard '{greeting['text']}', not '{greeting['unsaid']}'")
    check(not detail["degraded"] and not any(e["type"] == "degraded" for e in detail["events"]), f"the next call went on with less: {detail['degraded']}")
    path = os.path.join(folder, "next.wav")
    check(server.save_recording(call, path), "there is no recording of the next call")
    rate, (_, bot) = measure_gap.read(path)
    end = greeting["ended_ms"]
    last = bot[max(0, end - 1500) * rate // 1000:end * rate // 1000]  # the name and the pause behind it
    check(speech_ms(last, rate) > 200, f"only {speech_ms(last, rate)} ms of sound where the name is")
    write_wav(os.path.join(folder, "next-bot.wav"), bot[:end * rate // 1000])
    heard = hear_wav(os.path.join(folder, "next-bot.wav"))
    check(NEW_NAME.split()[-1].lower() in heard.lower(), f"the name is not in what is heard of the bot: '{heard}'")
    return f"; a new name in the next call: '{heard[-40:]}'"


def worker_drill(role, what):
    def drill(house):
        name = f"{'kill' if what == signal.SIGKILL else 'stop'}-{role}"
        folder = os.path.join(house.out, name)
        server = house.serve(name)
        phone = Phone(os.path.join(folder, "phone"))
        relay = Relay(phone)
        with running(server), running(phone), running(relay):
            house.wait_idle(server)
            yes = english("Yes, this is me.", os.path.join(folder, "yes.wav"))
            call = dial(server, relay.uri)
            wait_call(server, call, 30, "the answer", lambda d: d["state"] == "talking")
            time.sleep(1.5)  # in the middle of the greeting
            since = time.time()
            took = strike(server, relay, role, what)
            worst, packets = relay.worst_gap_ms(since, time.time())
            check(worst <= PACKET_GAP_MS, f"{worst:.0f} ms without a packet of the bot")
            wait_call(server, call, 20, "the end of the greeting", bot_turns)
            phone.say(yes)
            heard = customer_turns(wait_call(server, call, 15, "the customer to be heard again", customer_turns))[0]["text"]
            check(heard.strip(), "the customer's turn came without words")  # how right they are is the stranger's drill
            phone.listen()
            wait_for(lambda: speech_ms(phone.listen()) > 60, ANSWER_S, "the bot's answer in the phone's ear", 0.3)
            phone.hang_up()
            detail = wait_end(server, call, 15)
            check(detail["outcome"] == "completed", f"the call ended as {detail['outcome']}")
            check(not bot_turns(detail)[0]["unsaid"], "the greeting was not said to its end")
            name = says_a_new_name(server, phone, folder) if role == "speak" else ""
            return f"back after {took:.1f} s; {packets} packets meanwhile, at most {worst:.0f} ms apart; then heard: '{heard}', and answered{name}"
    return drill


DRILLS = {"kill-serve": kill_serve,
          "kill-hear": worker_drill("hear", signal.SIGKILL), "stop-hear": worker_drill("hear", signal.SIGSTOP),
          "kill-speak": worker_drill("speak", signal.SIGKILL), "stop-speak": worker_drill("speak", signal.SIGSTOP)}
