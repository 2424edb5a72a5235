"""A scripted caller on a real phone: it answers by the dialogue's node, which it asks the system for, so that it costs no CPU.

Each thing said is noted with the time since the phone answered; figures are taken afterwards from the stereo recording.
"""
import array
import os
import re
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), "demo"))
from phone import Phone  # noqa: E402
from sound import level  # noqa: E402

from lines import language_of  # noqa: E402

BLOCK = 160
QUIET_DB = -45.0
PATIENCE_MS = 900  # of the bot's silence before the caller speaks


class Caller:
    """mode: "talk" answers in turn; "over" also plays back-channels over the bot; "interrupt" breaks in on long replies;
    "model" asks in other words than the flow's; "own" comes, and asks what nobody prepared.
    line: makes of the phone what is dialled instead of it (tests/drills/relay.py)."""

    def __init__(self, server, lines, plan, folder, questions=4, mode="talk", line=None):
        self.server, self.lines, self.mode, self.folder = server, lines, mode, folder
        self.rng, self.voice, self.texts = plan
        self.language = language_of(self.voice)
        self.questions = questions
        self.phone = Phone(os.path.join(folder, "phone"))
        self.line = line(self.phone) if line else None  # what stands between the system and the phone
        self.said = []   # {"line": Line, "at_ms": since answered, "kind": …}
        self.answered_at = None
        self.closed = False
        self.tail = array.array("h")
        self.speaking_ms = self.silence_ms = 0
        self.busy_until = 0.0  # while the caller itself speaks
        self.seen_turn = 0
        self.detail = None
        self.asked = 0
        self.over_next = 0
        self.break_in_at = 900  # of the bot's speech

    def pick(self, kind):
        order = self.texts[kind]
        text = order.pop(0)
        order.append(text)
        return self.lines.sentence(self.rng, self.voice, text)

    def say(self, line, kind):
        self.phone.say(line.path)
        now = time.monotonic()
        self.said.append({"line": line, "at_ms": (now - self.answered_at) * 1000, "kind": kind})
        self.busy_until = now + line.ms / 1000
        self.speaking_ms = self.silence_ms = 0

    def call(self):
        """Places the call and lives it to its end; its detail."""
        try:
            answer = self.server.api("POST", "/api/v1/calls", {
                "to": (self.line or self.phone).uri, "flow": "appointment_reminder", "language": self.language,
                "variables": {"customer_name": "王女士" if self.language == "zh" else "Ms Wang", "appointment_time": "2026-12-09T15:00"}})
            self.id = answer["id"]
            end = time.monotonic() + 240
            while time.monotonic() < end and not self.closed:
                self.step()
            if not self.closed:
                self.phone.hang_up()
            for _ in range(60):
                self.detail = self.server.api("GET", f"/api/v1/calls/{self.id}")
                if self.detail["state"] in ("completed", "failed"):
                    break
                time.sleep(0.25)
            self.recording = os.path.join(self.folder, "recording.wav")
            if not self.server.save_recording(self.id, self.recording):
                self.recording = None
        finally:
            self.phone.stop()
            if self.line:
                self.line.stop()

    def step(self):
        for event in self.phone.events(0.03):
            if event.get("type") == "CALL_ESTABLISHED":
                self.answered_at = time.monotonic()
            elif event.get("type") == "CALL_CLOSED":
                self.closed = True
        if self.answered_at is None or self.closed:
            return
        self.tail.extend(self.phone.listen())
        while len(self.tail) >= BLOCK:
            block, self.tail = self.tail[:BLOCK], self.tail[BLOCK:]
            if level(block) > QUIET_DB:
                self.speaking_ms += 20
                self.silence_ms = 0
            else:
                self.silence_ms += 20
        if time.monotonic() < self.busy_until + 0.3:
            return
        if self.mode in ("over", "interrupt") and self.over():
            return
        if self.speaking_ms >= 200 and self.silence_ms >= PATIENCE_MS:
            self.answer()

    def over(self):
        """Something over the bot's voice; True when it was said."""
        if self.silence_ms > 100 or self.speaking_ms < self.over_next:
            return False
        if not self.asked:
            return False  # the greeting and the reminder are heard out
        if self.mode == "interrupt":
            if self.asked >= self.questions or self.speaking_ms < self.break_in_at:
                return False
            self.asked += 1
            self.break_in_at = self.rng.randrange(700, 3001, 20)
            text = self.texts["interrupt"][self.asked % len(self.texts["interrupt"])]
            self.say(self.lines.sentence(self.rng, self.voice, text), "interrupt")
            return True
        if self.speaking_ms < 700:
            return False
        heard = self.speaking_ms
        self.say(self.lines.back_channel(self.rng, self.voice), "back_channel")
        self.speaking_ms = heard  # the bot is expected to go on
        self.over_next = heard + 1900
        return True

    def answer(self):
        detail = self.server.api("GET", f"/api/v1/calls/{self.id}")
        turns = [t for t in detail["turns"] if t["speaker"] == "bot"]
        if len(turns) <= self.seen_turn:
            return
        last = self.said[-1] if self.said else None
        if last and turns[-1]["started_ms"] < last["at_ms"] + (200 if last["kind"] == "back_channel" else last["line"].ms - 300):
            return  # what was interrupted, or came into an inner pause and was taken back: the answer comes next
        self.seen_turn = len(turns)
        self.over_next = 0
        kind = self.kind_for(turns[-1]["node"] or "", turns[-1]["text"])
        if kind:
            kind = kind if kind in self.texts else "again"
            self.say(self.pick(kind), kind)
        else:
            self.speaking_ms = 0

    def kind_for(self, node, text):
        if re.search("再见|[Gg]oodbye", text):
            return None
        if node == "greet":
            return "greet"
        wants = {"remind": "cannot", "offer": "cannot", "ask_time": "day", "ask_day": "day", "ask_hour": "hour",
                 "past_time": "day", "bad_time": "hour", "check_time": "right"}.get(node)
        if self.mode == "own" and node in ("remind", "offer"):
            return "coming"
        if self.asked < self.questions and node not in ("ask_hour", "check_time"):
            self.asked += 1
            return "question"
        if wants:
            return wants
        if node == "what_else" or re.search("别的|其他|还有|还想|anything else|like to know", text):
            return "done"
        return "again"


def all_at_once(callers):
    """Runs each caller on a thread of its own; the first exception is raised here."""
    failed = []

    def live(caller):
        try:
            caller.call()
        except Exception as error:  # told by the main thread
            failed.append(error)

    threads = [threading.Thread(target=live, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
