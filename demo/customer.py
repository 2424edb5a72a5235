#!/usr/bin/env python3
"""The simulated customer of the demo: a real SIP phone, ears of its own, and a goal.

It knows nothing of the bot but what comes out of the telephone: it listens until the bot is silent, writes down what it
heard with a recogniser of its own, and answers by its goal: have the address, move the appointment, say goodbye. What it
says was rendered beforehand in another voice, with words spoken by a human mixed in. SEED varies voice, wording and times.

usage: customer.py --worker aicall-worker --models DIR --folder DIR [--seed N] [--lang zh|en] [--free N] [--cache DIR]
Prints its SIP address first, then one JSON object a line; the last one holds the result.
"""
import argparse
import array
import datetime
import glob
import hashlib
import json
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from engines import Ear, Voice, Worker  # noqa: E402
from phone import Phone, write_wav  # noqa: E402
from sound import level, telephone  # noqa: E402

BLOCK = 160
QUIET_DB = -45.0
HERE = os.path.dirname(os.path.abspath(__file__))

ZH = {
    "voices": ["zm_yunxi", "zm_yunyang", "zf_xiaobei", "zm_yunjian", "zf_xiaoyi"],
    "yes": ["对，我是。", "是的，我就是。", "对，是我。", "嗯，是我，您说。"],
    "interrupt": ["等一下，请问你们的地址在哪里？", "等等，我想问一下多少钱？", "等一下，你们几点开门？"],
    "cannot": ["我那天来不了，想改个时间。", "不好意思，我想改个时间。", "那个时间不行，帮我改个时间吧。"],
    "day": {"星期六下午。": "weekday 5", "星期五上午。": "weekday 4", "星期日下午。": "weekday 6"},  # what is meant: appointment()
    "hour": {"下午三点半。": "15:30", "下午四点。": "16:00", "上午十点。": "10:00"},
    "right": ["对，没问题。", "对的。", "是的，可以。"],
    "done": ["没有了，谢谢。", "没有了，谢谢你。", "不用了，谢谢。"],
    "again": ["你说什么？能再说一遍吗？"],
    "free": ["洗完牙能马上吃饭吗？", "小孩子也能看吗？", "我在吃药要紧吗？", "能带家里人一起来吗？", "拔牙也在你们那儿拔吗？"],
    # What it listens for; the order decides.
    "ears": [("done", r"别的|其他.*帮|还有.*帮|还想问|请讲"), ("right", r"确认一下|跟您确认|对吗|还是不对"), ("hour", r"几点过来|几点.*过来|想几点"),
             ("day", r"哪一天|哪天|改到哪|没听清时间|再说一遍哪"), ("cannot", r"按时到|能.*到吗|预约了|提醒"), ("cannot", r"改个?时间|取消"),
             ("yes", r"请问您是|您是|智能")],
    "goodbye": r"再见",
}
EN = {
    "voices": ["am_michael", "af_bella", "bf_emma"],
    "yes": ["Yes, speaking.", "Yes, that's me.", "Yes, this is me."],
    "interrupt": ["Wait, what's the address?", "Hold on, how much does it cost?", "Sorry, where are you located?"],
    "cannot": ["I can't make it. I'd like to reschedule.", "No, I need to change the time."],
    "day": {"The day after tomorrow in the afternoon.": "days 2", "The day after tomorrow.": "days 2"},
    "hour": {"At three thirty in the afternoon.": "15:30", "At four in the afternoon.": "16:00"},
    "right": ["Yes, that's right.", "Yes, correct."],
    "done": ["No, thank you.", "No thanks, that's all."],
    "again": ["Sorry, could you repeat that?"],
    "free": ["Can I eat right after a cleaning?", "Do you treat children too?", "I take medicine, does that matter?", "May I bring my family?"],
    "ears": [("done", r"anything else|like to know|go ahead"), ("right", r"let me confirm|is that right|yes or no"), ("hour", r"what time"),
             ("day", r"which day|what day"), ("cannot", r"can you make it|remind"), ("cannot", r"reschedule|cancel"),
             ("yes", r"speaking with|assistant")],
    "goodbye": r"goodbye|bye",
}
# Human words (Yue Tan, Shtooka, CC BY-SA) that may stand for a rendered line.
HUMAN = {"yes": ["是", "对"], "right": ["对", "可以", "好的", "没问题"]}
LEAD_IN_MS = 2500  # an answer is longer
FREE_MAX = 3  # of the questions that nobody prepared an answer to
# Its plan: to break in once, and to have another day and hour. A line is said only when its question was heard.
PLAN = ("yes", "interrupt", "cannot", "day", "hour", "right")
ZONE = datetime.timezone(datetime.timedelta(hours=8))  # of the bot's calendar: Asia/Shanghai


def appointment(day, hour, today):
    """What a customer means who says this on the date `today`, as 2026-12-05T15:30. A `day` is "weekday N" (0 is Monday: the
    next of that name, never today) or "days N" (so many days on)."""
    kind, number = day.split()
    step = int(number) if kind == "days" else (int(number) - today.weekday() - 1) % 7 + 1
    return f"{today + datetime.timedelta(days=step)}T{hour}"


class Lines:
    """Everything the customer may say, rendered once and kept."""

    def __init__(self, args, persona, voice_name, rng):
        self.persona, self.rng = persona, rng
        self.cache = os.path.join(args.cache, "lines")
        os.makedirs(self.cache, exist_ok=True)
        self.args, self.voice_name = args, voice_name
        self.human = self._human_words() if args.lang == "zh" else {}
        self.chosen = {key: rng.choice(list(persona[key])) for key in
                       ("yes", "interrupt", "cannot", "day", "right", "done", "again")}
        half = next((half for half in ("上午", "下午") if half in self.chosen["day"]), "")  # of the day: who names it means it
        self.chosen["hour"] = rng.choice([hour for hour in persona["hour"] if hour.startswith(half)])
        free = random.Random(f"free {args.seed}").sample(persona["free"], args.free)
        self.chosen.update((f"free-{i}", text) for i, text in enumerate(free))
        self.files = {}

    def wanted(self, today):
        """The appointment that these lines ask for."""
        return appointment(self.persona["day"][self.chosen["day"]], self.persona["hour"][self.chosen["hour"]], today)

    def _human_words(self):
        found = {}
        for index in glob.glob(os.path.join(HERE, "..", "tests", "data", "audio_cmn", "index.tsv")):
            for row in open(index, encoding="utf8"):
                name, text = row.rstrip("\n").split("\t")[:2]
                path = os.path.join(os.path.dirname(index), os.path.splitext(name)[0] + ".wav")
                if os.path.exists(path):
                    found[text] = path
        return found

    def render(self):
        missing = []
        for key, text in self.chosen.items():
            words = [w for w in HUMAN.get(key, []) if w in self.human]
            if words and self.rng.random() < 0.5:
                word = self.rng.choice(words)
                data = open(self.human[word], "rb").read()
                self.files[key] = (self._store(telephone(data), "human-" + word), word + " (human voice)")
                continue
            name = hashlib.sha256(f"{self.voice_name}|{text}".encode()).hexdigest()[:24]
            path = os.path.join(self.cache, name + ".wav")
            if not os.path.exists(path):
                missing.append((key, text, path))
            self.files[key] = (path, text)
        if not missing:
            return
        worker = Worker(self.args.worker, "speak", self.args.models, self.args.folder)
        try:
            voice = Voice(worker)
            for _, text, path in missing:
                samples = telephone(voice.say(text, self.voice_name, self.args.lang))
                write_wav(path + ".new", samples, 120)
                os.replace(path + ".new", path)
        finally:
            worker.stop()

    def _store(self, samples, name):
        peak = max(1, max(abs(s) for s in samples))
        gain = min(4.0, 16000 / peak)
        path = os.path.join(self.args.folder, name + ".wav")
        write_wav(path, array.array("h", (int(s * gain) for s in samples)), 120)
        return path


class Customer:
    def __init__(self, args, phone, ear, lines, persona):
        self.args, self.phone, self.ear, self.lines, self.persona = args, phone, ear, lines, persona
        self.said = []
        self.heard = []
        self.pending = array.array("h")  # of the bot's utterance
        self.tail = array.array("h")
        self.speech_ms = 0
        self.silence_ms = 0
        self.answered = None  # when, in monotonic seconds
        self.wanted = None    # the appointment to be had, by the day of the call
        self.closed = False
        self.interrupted_ms = None  # since the call was answered
        self.since_said = 1e9
        self.unsounded = None  # said, but not a sound of it went out yet

    def tell(self, **what):
        print(json.dumps(what, ensure_ascii=False), flush=True)

    def say(self, key):
        path, text = self.lines.files[key]
        self.phone.say(path)
        self.said.append(key)
        self.since_said = 0
        self.unsounded = key
        self.tell(event="customer_said", key=key, text=text)

    def watch_phone(self):
        for event in self.phone.events(0.02):
            kind = event.get("type", "")
            if kind == "CALL_ESTABLISHED":
                self.answered = time.monotonic()
                self.wanted = self.lines.wanted(datetime.datetime.now(ZONE).date())
                self.tell(event="answered", wanted=self.wanted)
            elif kind == "CALL_CLOSED":
                self.closed = True

    def hear(self):
        """Takes what came in; keeps the bot's utterance and how long it has been silent."""
        self.tail.extend(self.phone.listen())
        while len(self.tail) >= BLOCK:
            block, self.tail = self.tail[:BLOCK], self.tail[BLOCK:]
            self.since_said += 20
            loud = level(block) > QUIET_DB
            if loud:
                self.speech_ms += 20
                self.silence_ms = 0
            else:
                self.silence_ms += 20
            if self.speech_ms > 0:
                self.pending.extend(block)

    def watch_mouth(self):
        """Tells when the first sound of a line has gone out: from then on the customer speaks."""
        sent = self.phone.spoken()
        if self.unsounded and any(level(sent[i:i + BLOCK]) > QUIET_DB for i in range(0, len(sent), BLOCK)):
            self.tell(event="customer_speaks", key=self.unsounded, text=self.lines.files[self.unsounded][1])
            self.unsounded = None

    def maybe_interrupt(self):
        """Once, over the long reminder."""
        if self.interrupted_ms is not None or "yes" not in self.said or self.speech_ms < 1500 or self.since_said < 2500:
            return
        self.interrupted_ms = round((time.monotonic() - self.answered) * 1000)
        self.say("interrupt")

    def answer(self):
        patience = 700 if self.since_said > 1500 else 1100
        if self.said and self.said[-1].startswith("free-") and self.speech_ms < LEAD_IN_MS:
            patience = 2500  # "let me see": the answer comes
        if self.speech_ms < 200 or self.silence_ms < patience:
            return
        utterance, self.pending = self.pending, array.array("h")
        if self.said and self.said[-1] == "interrupt" and self.since_said < 4000:
            self.speech_ms = 0
            return  # that was the sentence it interrupted: the answer comes next
        self.speech_ms = 0
        text = self.ear.transcribe(utterance[-8000 * 20:])
        self.heard.append(text)
        self.tell(event="customer_heard", text=text)
        if re.search(self.persona["goodbye"], text, re.I):
            return
        for key, pattern in self.persona["ears"]:
            if re.search(pattern, text, re.I):
                return self.say(self.more(key))
        if self.said.count("again") < 3:
            self.say("again")

    def more(self, key):
        """Before it is done it asks what nobody prepared."""
        left = [free for free in self.lines.chosen if free.startswith("free-") and free not in self.said]
        return left[0] if key == "done" and left else key

    def run(self, limit, patience):
        """`patience`: seconds until the call is answered, `limit`: seconds of the call."""
        start = time.monotonic()
        while not self.closed and time.monotonic() < (start + patience if self.answered is None else self.answered + limit):
            self.watch_phone()
            if self.answered is None:
                continue
            self.hear()
            self.watch_mouth()
            self.maybe_interrupt()
            self.answer()
        self.tell(event="result", said=self.said, unsaid=[key for key in PLAN if key not in self.said], heard=self.heard,
                  interrupted_ms=self.interrupted_ms, wanted=self.wanted, answered=self.answered is not None, hung_up=self.closed)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--worker", required=True)
    parser.add_argument("--models", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--cache", default=os.path.expanduser("~/.cache/aicall/demo"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lang", choices=["zh", "en"], default="zh")
    parser.add_argument("--free", type=int, choices=range(FREE_MAX + 1), default=0, help="questions that nobody prepared an answer to")
    parser.add_argument("--limit", type=float, default=180, help="seconds of a call")
    parser.add_argument("--patience", type=float, default=1800, help="seconds until it is called: a first start renders every prompt before it")
    args = parser.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    rng = random.Random(args.seed)
    persona = ZH if args.lang == "zh" else EN
    lines = Lines(args, persona, rng.choice(persona["voices"]), rng)
    lines.render()
    worker = Worker(args.worker, "hear", args.models, args.folder)
    phone = Phone(os.path.join(args.folder, "phone"))
    try:
        ear = Ear(worker, args.lang)
        print(json.dumps({"event": "ready", "uri": phone.uri, "seed": args.seed}), flush=True)
        Customer(args, phone, ear, lines, persona).run(args.limit, args.patience)
    finally:
        phone.stop()
        worker.stop()


if __name__ == "__main__":
    main()
