"""What a stereo recording says of a scripted caller's lines: when each began, when the bot answered, when it fell silent."""
import importlib.machinery
import importlib.util
import os

HERE = os.path.dirname(os.path.abspath(__file__))
_loader = importlib.machinery.SourceFileLoader("measure_gap", os.path.join(os.path.dirname(HERE), "measure_gap"))
measure_gap = importlib.util.module_from_spec(importlib.util.spec_from_loader("measure_gap", _loader))
_loader.exec_module(measure_gap)

FIND_MS = 700       # a line is looked for so far around the time at which it was said
SILENT_MS = 200     # the bot is silent when nothing follows for so long
ANSWER_MS = 8000    # an answer later than this is none
LEDGER_MS = 40      # of sound after the ledger's end of a turn: two blocks of the detector and a packet
PAUSE_MS = 300      # the longest silence between two sentences of one reply


class Recorded:
    """One call: its sounds by side, and its lines placed on the recording's clock."""

    def __init__(self, caller, by_phone=False):
        rate, channels = self.of_phone(caller.phone) if by_phone else measure_gap.read(caller.recording)
        self.rate, self.played = rate, channels[1]
        self.customer = measure_gap.sounds(channels[0], rate)
        self.clicks = measure_gap.sounds(channels[0], rate, 1)  # a key stroke is shorter than what counts as a sound
        self.bot = measure_gap.sounds(channels[1], rate)
        self.detail = caller.detail
        self.lines = [placed for said in caller.said if (placed := self.place(said))]
        self.unplaced = len(caller.said) - len(self.lines)

    @staticmethod
    def of_phone(phone):
        """What the phone itself said and heard: without what the line adds to it."""
        rate, said = measure_gap.read(phone.dump("enc"))
        _, heard = measure_gap.read(phone.dump("dec"))
        return rate, [said[0], heard[0]]

    def place(self, said):
        """The line with `from_ms` and `to_ms` of its sound in the recording; None when it is not found."""
        line = said["line"]
        for found in (self.customer, self.clicks):
            near = [s for s, _ in found if abs(s - said["at_ms"]) < FIND_MS]
            if near:
                start = min(near, key=lambda s: abs(s - said["at_ms"]))
                ends = [e for s, e in found if start <= s < start + line.ms + 250]
                return {"kind": said["kind"], "line": line, "from_ms": start, "to_ms": max(ends)}
        return None

    def bot_speaks_at(self, ms):
        return any(s <= ms < e for s, e in measure_gap.turns(self.bot))

    def gap(self, placed):
        """Milliseconds from the line's last sound to the bot's first after it; None when it never answered."""
        starts = [s for s, _ in measure_gap.turns(self.bot) if s >= placed["to_ms"] - 50]
        if not starts or starts[0] - placed["to_ms"] > ANSWER_MS:
            return None
        return starts[0] - placed["to_ms"]

    def cut_off(self, placed):
        """True when the bot began to speak, or took the turn as ended, while the caller only paused."""
        if any(placed["from_ms"] + 100 < s < placed["to_ms"] - 50 for s, _ in measure_gap.turns(self.bot)):
            return True
        inside = [t for t in self.detail["turns"] if t["speaker"] == "customer" and
                  placed["from_ms"] - 300 < t["started_ms"] and t["ended_ms"] < placed["to_ms"] - 250]
        return bool(inside)

    def judged(self, placed):
        """How the machine judged the end of this turn: the endpointing class."""
        for i, turn in enumerate(self.detail["turns"]):
            if turn["speaker"] == "customer" and abs(turn["ended_ms"] - placed["to_ms"]) < 400:
                for later in self.detail["turns"][i + 1:]:
                    if later["speaker"] == "bot":
                        return (later.get("stages") or {}).get("judged", "none")
        return "none"

    def silent_after(self, placed):
        """Milliseconds from the line's first sound until the bot was silent; None when it was silent already."""
        over = next((b for b in self.bot if b[0] < placed["from_ms"] < b[1] + 50), None)
        if over is None:
            return None
        end = over[1]
        for s, e in self.bot:
            if over[1] < s < end + SILENT_MS:
                end = e
        return max(0, end - placed["from_ms"])

    def stopped(self, placed):
        """True when a barge-in was decided on within 2.5 s of the line's beginning."""
        times = [e["data"]["at_ms"] for e in self.detail["events"] if e["type"] == "barge_in"]
        return any(-300 <= t - placed["from_ms"] <= 2500 for t in times)

    def obeyed(self):
        """Milliseconds from each decision to fall silent until the bot was."""
        decisions = [e["data"]["decided_ms"] for e in self.detail["events"] if e["type"] == "barge_in"]
        return [max((e for s, e in self.bot if s < at + SILENT_MS and e > at), default=at) - at for at in decisions]

    def kept(self):
        """(is it right, told) of each turn of the bot that was cut: by the ledger as much of it was played as is heard in the recording (less
        a pause at its end), and some of its text is unsaid."""
        out = []
        for turn, _, to in self.cut_turns():
            late = to - turn["started_ms"] - turn["interrupted_at_ms"]
            out.append((-PAUSE_MS <= late <= LEDGER_MS and bool(turn["unsaid"]), f"{turn['text']!r} | {turn['unsaid']!r}, sound {late} ms after the ledger's end"))
        return out

    def cut_turns(self):
        """(turn, from_ms, to_ms of its sound) of each that was cut. Turns that paused and went on are left out: part of them was played twice."""
        for turn in self.detail["turns"]:
            if turn["speaker"] != "bot" or turn["interrupted_at_ms"] is None:
                continue
            heard = [b for b in self.bot if turn["started_ms"] - 50 <= b[0] < turn["ended_ms"]]
            if heard and not any(b[0] - a[1] > PAUSE_MS for a, b in zip(heard, heard[1:])):
                yield turn, heard[0][0], heard[-1][1]

    def bot_sound(self, from_ms, to_ms):
        """The bot's channel there, as the recorder's rate has it, and half a second of silence."""
        sound = self.played[max(0, from_ms) * self.rate // 1000:to_ms * self.rate // 1000]
        return sound + type(sound)("h", bytes(self.rate))

    def worst_hole(self):
        """The longest silence inside one spoken turn of the bot that its own text does not explain: see holes()."""
        return max(self.holes(), default=0)

    def holes(self):
        """Silences of the bot, in ms, with sound of the bot within 350 ms on both sides."""
        return [b[0] - a[1] for a, b in zip(self.bot, self.bot[1:]) if b[0] - a[1] < measure_gap.SAME_TURN_MS]
