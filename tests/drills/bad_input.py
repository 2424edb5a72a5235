"""Calls that go wrong in every way a line and a person can: each ends with the right outcome, an advice where one helps, no row lost."""
import array
import os
import random
import subprocess
import threading
import time
import wave
from dataclasses import dataclass, field

from common import (FINAL, Phone, bot_turns, check, check_steps, customer_turns, detail_of, dial, english, free_port_udp, log_lines, running,
                    states, wait_call, wait_end, wait_for, write_wav)
from relay import Relay

CARRIERS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "peers", "carriers")
NUMBER = "+8613800138000"
PORTS_TRIED = 5  # between the look for a free port and its use another drill may take it
NO_WORKERS = {"AICALL_SPEECH__HEAR_URL": "ws://127.0.0.1:9", "AICALL_SPEECH__SPEAK_URL": "http://127.0.0.1:9/v1"}


# ---- lines that fail: a carrier (sipp) tells one story, no speech is needed ----

@dataclass
class Line:
    story: str           # of tests/peers/carriers; "" nobody is there
    outcome: str
    state: str = "failed"
    trunk: bool = False  # through a trunk with a password, to a number
    steps: tuple = ()    # between dialing and the end
    hang_up: str = ""    # we do, in this state
    gets: str = ""       # what the carrier's story ends with
    advice: str = ""     # in a warning of the log
    seconds: int = 20
    settings: dict = field(default_factory=dict)


RUNG, TALKED = ("ringing",), ("ringing", "answered", "talking")
LINES = {
    "nobody answers": Line("no_answer", "no_answer", steps=RUNG, gets="CANCEL", settings={"AICALL_CALLS__RING_TIMEOUT_S": "5"}),
    "busy": Line("busy", "busy", gets="ACK"),
    "404": Line("not_found", "invalid_number", gets="ACK"),
    "no common codec": Line("no_codec", "no_common_codec", gets="ACK"),
    "refused while ringing": Line("reject_603", "rejected", steps=RUNG, gets="ACK"),
    "we hang up before it rings": Line("never_rings", "cancelled", hang_up="dialing", gets="CANCEL"),
    "we hang up while it rings": Line("no_answer", "cancelled", steps=RUNG, hang_up="ringing", gets="CANCEL"),
    "we hang up in the talk": Line("answer", "completed", "completed", steps=TALKED, hang_up="talking", gets="BYE"),
    "hang-up after the answer": Line("answer_bye", "completed", "completed", steps=TALKED, gets="200 to its BYE"),
    "wrong password": Line("digest_loop", "forbidden", trunk=True, advice="mend sip.auth_user or sip.password_file"),
    "dead trunk": Line("", "unreachable", trunk=True, advice="check sip.trunk"),
}


class Carrier:
    """sipp with one story on a port of its own; without a story the port stays shut."""

    def __init__(self, story, folder):
        self.port, self.process = free_port_udp(), None
        os.makedirs(folder, exist_ok=True)
        for _ in range(PORTS_TRIED if story else 0):
            if self._start(story, folder):
                return
            self.port = free_port_udp()  # somebody else's in the meantime
        check(not story, f"sipp does not start: see {folder}/sipp.out")

    def _start(self, story, folder):
        """False: the port is taken."""
        self.out = open(os.path.join(folder, "sipp.out"), "wb")
        self.process = subprocess.Popen(
            ["sipp", "-sf", os.path.join(CARRIERS, story + ".xml"), "-i", "127.0.0.1", "-p", str(self.port), "-mi", "127.0.0.1",
             "-mp", str(free_port_udp()), "-m", "1", "-nostdin", "-timeout", "60", "-trace_err", "-error_file", os.path.join(folder, "sipp.err")],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.out)
        time.sleep(0.7)
        if self.process.poll() is None:
            return True
        self.out.close()
        with open(self.out.name, encoding="utf8", errors="replace") as said:
            check("Unable to bind" in said.read(), f"sipp does not start: see {self.out.name}")
        return False

    @property
    def uri(self):
        return f"sip:customer@127.0.0.1:{self.port}"

    def check_done(self, what):
        """The story went to its end: sipp got what it waits for in it."""
        code = wait_for(lambda: self.process.poll() is not None and [self.process.returncode], 15, f"{what} at the carrier")[0]
        check(code == 0, f"the carrier did not get {what}: sipp ended with {code}, see {self.out.name}")

    def stop(self):
        if not self.process:
            return
        self.process.terminate()
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.out.close()


def line_case(name, case):
    def run(house):
        folder = os.path.join(house.out, "line-" + name.replace(" ", "-"))
        with running(Carrier(case.story, folder)) as carrier:
            settings = {**NO_WORKERS, **case.settings}
            to = carrier.uri
            if case.trunk:
                secret = os.path.join(folder, "password")
                with open(secret, "w", encoding="ascii") as out:
                    out.write("not-the-right-one\n")
                settings.update(AICALL_SIP__TRUNK=f"127.0.0.1:{carrier.port}", AICALL_SIP__AUTH_USER="yyc3", AICALL_SIP__PASSWORD_FILE=secret,
                                AICALL_COMPLIANCE__ALLOW_NUMBER_PREFIXES="+86")
                to = NUMBER
            with running(house.serve(os.path.basename(folder), **settings)) as server:
                call = dial(server, to)
                if case.hang_up:
                    wait_call(server, call, 15, case.hang_up, lambda d: d["state"] == case.hang_up)
                    server.api("DELETE", f"/api/v1/calls/{call}")
                detail = wait_end(server, call, case.seconds)
                if case.gets:
                    carrier.check_done(case.gets)
                return judge(server, detail, case, case.advice)
    return run


def judge(server, detail, case, advice=""):
    """The call ended as the case has it (state, outcome), by these steps; a line of the log gives this advice."""
    state, outcome = case.state, case.outcome
    check((detail["state"], detail["outcome"]) == (state, outcome), f"{detail['state']}, {detail['outcome']}; {state}, {outcome} was expected")
    check_steps(server, detail, "dialing", *case.steps, state)
    said = [line["message"] for line in log_lines(server) if line["log.level"] in ("warn", "error")]
    check(not advice or any(advice in text for text in said), f"no line says '{advice}'; said was {said}")
    return " → ".join(states(detail)) + f", {outcome}" + (f", '{next(t for t in said if advice in t)}'" if advice else "")


# ---- callers who behave badly: real phones, all engines, four at once on one server ----

class Person:
    """A phone on a relay, its call, and what a case may do with them."""

    def __init__(self, server, folder, **relay):
        self.server, self.folder = server, folder
        self.phone = Phone(os.path.join(folder, "phone"))
        self.relay = Relay(self.phone, **relay)
        self.call = None

    def dial(self):
        self.call = dial(self.server, self.relay.uri)

    def wait(self, seconds, what, condition):
        return wait_call(self.server, self.call, seconds, what, condition)

    def say(self, text):
        self.phone.say(english(text, os.path.join(self.folder, f"{len(text)}.wav")))

    def play(self, samples):
        path = os.path.join(self.folder, "plays.wav")
        write_wav(path, samples)
        self.phone.say(path)

    def answer(self, text, seconds=40):
        """Says it when the bot asks; the detail once the bot has reacted to what it heard."""
        before = self.wait(30, "a question of the bot", bot_turns)
        self.say(text)
        return self.wait(seconds, f"a turn after '{text}'", lambda d: len(customer_turns(d)) > len(customer_turns(before)))

    def end(self, seconds):
        return wait_end(self.server, self.call, seconds)

    def stop(self):
        self.relay.stop()
        self.phone.stop()


def silence(person):
    detail = person.end(75)
    check(len(bot_turns(detail)) >= 3, f"the bot asked {len(bot_turns(detail))} times")
    check(not customer_turns(detail), f"silence was heard as {[t['text'] for t in customer_turns(detail)]}")
    return detail


def noise(person):
    rng = random.Random(3)
    person.play(array.array("h", (int(rng.gauss(0, 500)) for _ in range(8000 * 4))) * 25)  # -36 dBov
    detail = person.end(80)
    words = [t["text"] for t in customer_turns(detail) if t["text"]]
    check(len(words) <= 1, f"noise was heard as {words}")
    return detail


def endless(person):
    """A story without a pause: the call still ends by itself."""
    path = english("and then I said to him that we could go there tomorrow and he said maybe after the rain so we went home and "
                   "my sister called and told me all about her new flat and the garden and the dog and the neighbours " * 2,
                   os.path.join(person.folder, "story.wav"))
    with wave.open(path) as source:
        samples = array.array("h", source.readframes(source.getnframes() - 120 * 8000))
    person.play(samples * (100 * 8000 // len(samples) + 1))
    detail = person.end(90)
    check(customer_turns(detail), "nothing was heard")
    return detail


def keys(person):
    person.wait(30, "the greeting", bot_turns)
    person.phone.press("1")  # in the middle of the bot's sentence
    person.wait(30, "the key to be taken as yes", lambda d: len(bot_turns(d)) >= 2)
    time.sleep(3)
    person.phone.press("1")
    person.wait(30, "the second key", lambda d: d["slots"].get("decision") or len(bot_turns(d)) >= 3)
    person.phone.hang_up()
    return person.end(15)


def leaves_in_disclosure(person):
    person.wait(30, "the answer", lambda d: d["state"] in ("answered", "talking"))
    time.sleep(1.5)
    person.phone.hang_up()
    detail = person.end(15)
    check(not detail["disclosure_heard"], "the disclosure counts as heard")
    check([bool(t["text"] and t["unsaid"]) for t in bot_turns(detail)] == [True], f"the turn that was cut off is stored as {bot_turns(detail)}")
    return detail


def leaves_in_talk(person):
    person.answer("Yes, this is me.")
    person.wait(20, "the reminder", lambda d: len(bot_turns(d)) >= 2)
    person.phone.hang_up()
    detail = person.end(15)
    check(detail["disclosure_heard"], "the disclosure does not count as heard")
    return detail


def lossy(person):
    detail = person.answer("Yes, this is me.")
    person.wait(30, "the reminder", lambda d: len(bot_turns(d)) >= 2)
    time.sleep(3)
    share = person.relay.lost / max(1, person.relay.lost + person.relay.passed)
    check(0.15 <= share <= 0.25, f"{share:.0%} of the packets were lost, not 20 %")
    check(customer_turns(detail)[0]["text"], "nothing was understood")
    person.phone.hang_up()
    return person.end(15)


def echo(person):
    """The bot hears itself: it neither interrupts itself nor takes its own words for the customer's."""
    person.wait(30, "the greeting", bot_turns)
    time.sleep(2.5)  # it asks again after six
    detail = detail_of(person.server, person.call)
    check(not customer_turns(detail), f"the bot took its own voice for the customer's: {[t['text'] for t in customer_turns(detail)]}")
    check(not any(e["type"] == "barge_in" for e in detail["events"]), "the bot interrupted itself")
    person.say("Yes, this is me.")
    person.wait(40, "the reminder", lambda d: len(customer_turns(d)) == 1 and len(bot_turns(d)) >= 2)
    time.sleep(5)
    person.phone.hang_up()
    return person.end(15)


def asks_for_a_person(person):
    """By the keypad; nobody is configured to hand over to, so the caller is told so and called back by people."""
    person.wait(30, "the greeting", bot_turns)
    person.phone.press("0")
    detail = person.end(60)
    check(detail["disposition"] == "callback_requested", f"disposition {detail['disposition']}")
    check(any(e["type"] == "handover_requested" for e in detail["events"]), "the wish for a person is not stored")
    return detail


@dataclass
class Caller:
    live: object
    relay: dict = field(default_factory=dict)
    steps: tuple = TALKED
    state: str = "completed"
    outcome: str = "completed"


CALLERS = {  # the long ones first
    "silence": Caller(silence), "noise only": Caller(noise), "a caller who never stops": Caller(endless),
    "echo of the bot, -20 dB, 150 ms": Caller(echo, {"echo_db": -20.0}), "20 % loss": Caller(lossy, {"loss": 0.2}),
    "asks for a person": Caller(asks_for_a_person, steps=(*TALKED, "escalated")), "keys in the middle": Caller(keys), "hang-up in the disclosure": Caller(leaves_in_disclosure), "hang-up in the talk": Caller(leaves_in_talk),
}


class Callers:
    """One server for all these calls; a case runs when its turn has come."""

    SETTINGS = {"AICALL_CALLS__MAX_ACTIVE": "4", "AICALL_CALLS__MAX_DURATION_S": "60"}

    def __init__(self, house):
        self.server = house.serve("callers", **self.SETTINGS)
        self.house = house
        house.wait_idle(self.server)
        self.dialled, self.lock = [], threading.Lock()

    def run(self, name):
        case = CALLERS[name]
        folder = os.path.join(self.house.out, "caller-" + "".join(c if c.isalnum() else "-" for c in name))
        with running(Person(self.server, folder, **case.relay)) as person:
            person.dial()
            with self.lock:
                self.dialled.append(person.call)
            detail = case.live(person)
        return f"{judge(self.server, detail, case)}, disposition {detail['disposition']}, {len(detail['turns'])} turns"

    def check_rows(self):
        """Every call is there, over, with its recording."""
        rows = {row["id"]: row for row in self.server.api("GET", "/api/v1/calls?limit=100")["calls"]}
        for call in self.dialled:
            check(call in rows, f"the row of {call} is lost")
            check(rows[call]["state"] in FINAL and rows[call]["outcome"], f"{call} has no outcome")
            check(self.server.save_recording(call, os.path.join(self.house.out, call + ".wav")), f"{call} has no recording")
        return f"{len(self.dialled)} calls, {len(self.dialled)} rows with outcome and recording"

    def stop(self):
        self.server.stop()


