"""What the callers of the acceptance runs say: sentences with inner pauses, back-channels, coughs, keyboard clicks.

Sentences are rendered once by the speak worker in voices that the bot does not use, and kept in the cache folder. "|" in a
sentence is an inner pause: the pieces are rendered apart, trimmed and joined with silence, so that its length is exact.
"""
import array
import hashlib
import math
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "demo"))
from engines import Voice, Worker  # noqa: E402
from phone import write_wav  # noqa: E402
from sound import RATE, level, telephone  # noqa: E402

BLOCK = 80  # 10 ms
QUIET_DB = -45.0
VOICES = {"zh": ["zm_yunyang", "zm_yunjian", "zf_xiaoyi"], "en": ["am_michael", "af_bella", "bf_emma"]}

# By the dialogue's node. Sentences with | hesitate inside; the rest are said in one breath.
SAY = {
    "greet": ["对，我是。", "是的，我就是。", "嗯，|我是。", "是我，您说。", "对，|我就是。", "我就是，|请问什么事？", "您好，|我是她本人。"],
    "question": ["请问你们的|地址在哪里？", "我想问一下|多少钱？", "那个，|你们几点开门？", "你们在什么地方？", "看一次要|多少钱？",
                 "请问|怎么过去？", "你们晚上|几点关门？", "我想问一下，|你们的地址是哪里？", "那费用|大概是多少？", "地址|能再说一遍吗？"],
    "cannot": ["我那天|来不了，想改个时间。", "不好意思，|我想改个时间。", "那个时间不行，|帮我改个时间吧。", "我想|换个时间可以吗？", "能不能|帮我改一下时间？"],
    "day": ["我想改到|星期六下午。", "星期五上午吧。", "那就改到|星期日下午。", "嗯，|星期六上午。", "改到|后天下午吧。", "明天下午|可以吗？"],
    "hour": ["下午|三点半。", "下午四点。", "上午|十点吧。", "嗯，|下午两点。", "那就|上午九点半。"],
    "right": ["对，没问题。", "对的。", "是的，|可以。", "没错。", "好的，|就这样。"],
    "done": ["没有了，谢谢。", "没有了，|谢谢你。", "不用了，谢谢。", "没有别的事了。"],
    "again": ["不好意思，|您再说一遍？"],
}
# In English: what `calls own --lang en` needs.
SAY_EN = {
    "greet": ["Yes, speaking.", "Yes, this is me.", "Yes, that's me."],
    "coming": ["Yes, I can make it.", "Sure, I'll be there."],
    "question": ["Can I eat right after a cleaning?", "Do I need an empty stomach|for the check-up?", "Do you treat children too?", "I take some medicine,|does that matter?",
                 "May I bring my family|with me?", "Do you do implants?", "Do you straighten teeth?", "Are sensitive gums normal|after a cleaning?",
                 "I'm pregnant,|can I still come?", "Do you pull teeth|as well?"],
    "done": ["No, thank you.", "No thanks, that's all."],
    "again": ["Sorry, could you repeat that?"],
}
BACK_CHANNELS = ["嗯。", "嗯嗯。", "哦。", "好。", "好的。", "对。", "是。", "啊。", "行。", "是的。"]
INTERRUPTIONS = ["等一下，请问你们的地址在哪里？", "等等，我想问一下多少钱？", "停一下，你们几点开门？", "不好意思，我想问一下地址在哪里？",
                 "我打断一下，看一次多少钱？", "先别说，你们几点关门？"]
# What the flow answers, in words that none of its rules knows; and what nothing in it answers.
OTHER_WORDS = ["我开自己的车来|有地方放吗？", "门口|让不让放车？", "坐地铁|怎么过去？", "看一次|得花多少？", "贵不贵啊？", "晚上|还开着吗？", "礼拜天|你们休息吗？",
               "我需要准备点啥|过去？", "要不要|拿病历？", "我可能会|迟个十分钟。", "超过时间了|还给看吗？", "你们店|开在什么地方啊？"]
FREE = ["洗完牙|能马上吃饭吗？", "检查之前|要空腹吗？", "小孩子|也能看吗？", "我在吃药|要紧吗？", "能带家里人|一起来吗？", "种牙|你们做不做？", "矫正牙齿|你们做吗？",
        "洗完牙|敏感正常吗？", "我怀孕了|能看吗？", "拔牙|也在你们那儿拔吗？"]
COMING = ["能来。", "没问题。", "可以的，我会到。"]
HUMAN_BACK_CHANNELS = ["好", "对", "是", "行", "知道"]


def trimmed(samples, margin=0):
    """Without the silence at both ends; `margin` samples of it stay."""
    blocks = [samples[i:i + BLOCK] for i in range(0, len(samples), BLOCK)]
    loud = [i for i, block in enumerate(blocks) if level(block) > QUIET_DB]
    if not loud:
        return array.array("h")
    return samples[max(0, loud[0] * BLOCK - margin):(loud[-1] + 1) * BLOCK + margin]


def silence(ms):
    return array.array("h", bytes(2 * (RATE * ms // 1000)))


def at_level(samples, db):
    """The same sound with its loudest 200 ms at `db` dBov."""
    size = RATE // 5
    best = max((level(samples[i:i + size]) for i in range(0, max(1, len(samples) - size // 2), size // 2)), default=-96)
    gain = 10 ** ((db - best) / 20)
    return array.array("h", (max(-32768, min(32767, int(s * gain))) for s in samples))


class Line:
    """One thing a caller says: `path` to play, `ms` of sound, `pauses` as (from_ms, length_ms) within it."""

    def __init__(self, text, path, ms, pauses):
        self.text, self.path, self.ms, self.pauses = text, path, ms, pauses


class Lines:
    def __init__(self, worker, models, cache, folder, pieces="pieces-3", margin=60 * RATE // 1000):
        """`pieces`: the cache's folder, of its own for another `margin` (samples kept before and after the sound:
        without them a quiet x or d at the beginning is lost)."""
        self.worker, self.models, self.folder, self.margin = worker, models, folder, margin
        self.cache = os.path.join(cache, "accept", pieces)
        os.makedirs(self.cache, exist_ok=True)
        self.number = 0
        self.human = self._human()

    def _human(self):
        found = {}
        folder = os.path.join(ROOT, "tests", "data", "audio_cmn")
        with open(os.path.join(folder, "index.tsv"), encoding="utf8") as index:
            for row in index:
                name, text = row.rstrip("\n").split("\t")[:2]
                if name != "file":
                    found[text] = os.path.join(folder, os.path.splitext(name)[0] + ".wav")
        return found

    def _piece_path(self, voice, text):
        return os.path.join(self.cache, hashlib.sha256(f"{voice}|{text}".encode()).hexdigest()[:24] + ".pcm")

    def render(self, wanted):
        """Renders what of [(voice, text)] is not in the cache yet."""
        missing = [(v, p) for v, text in wanted for p in text.split("|") if not os.path.exists(self._piece_path(v, p))]
        missing = sorted(set(missing), key=lambda m: (m[1], m[0]))  # by text: what is cut off has all voices of some
        if not missing:
            return
        print(f"rendering {len(missing)} pieces of speech", flush=True)
        worker = Worker(self.worker, "speak", self.models, self.folder)
        try:
            voice = Voice(worker)
            for name, text in missing:
                samples = trimmed(telephone(voice.say(text, name, language_of(name))), self.margin)
                path = self._piece_path(name, text)
                with open(path + ".new", "wb") as out:
                    out.write(samples.tobytes())
                os.replace(path + ".new", path)
        finally:
            worker.stop()

    def piece(self, voice, text):
        samples = array.array("h")
        with open(self._piece_path(voice, text), "rb") as source:
            samples.frombytes(source.read())
        return samples

    def _write(self, text, samples, pauses, db=-18.0):
        self.number += 1
        path = os.path.join(self.folder, f"line-{self.number}.wav")
        samples = at_level(samples, db)
        write_wav(path, samples, 60)
        return Line(text, path, len(samples) * 1000 // RATE, pauses)

    def sentence(self, rng, voice, text):
        """Inner pauses of 300 to 900 ms, drawn by `rng`."""
        samples, pauses = array.array("h"), []
        for i, piece in enumerate(text.split("|")):
            if i:
                length = rng.randrange(300, 901, 10)
                pauses.append(((len(samples) - self.margin) * 1000 // RATE, length))
                samples.extend(silence(length)[2 * self.margin:])
            samples.extend(self.piece(voice, piece))
        return self._write(text, samples, pauses)

    def back_channel(self, rng, voice):
        kind = rng.choice(["word", "word", "human", "cough", "keys", "babble"])
        if kind == "word":
            text = rng.choice(BACK_CHANNELS)
            return self._write(text, self.piece(voice, text), [], -20.0)
        if kind == "human":
            word = rng.choice([w for w in HUMAN_BACK_CHANNELS if w in self.human])
            with open(self.human[word], "rb") as source:
                return self._write(f"{word} (human)", trimmed(telephone(source.read())), [], -20.0)
        if kind == "cough":
            return self._write("cough", cough(rng), [], -16.0)
        if kind == "babble":
            return self._write("babble", self.babble(rng), [], -28.0)  # 10 dB below what the caller says
        return self._write("keyboard", keyboard(rng), [], -22.0)

    def babble(self, rng):
        """Two seconds of six sentences at once, of nobody in particular."""
        said = [text for texts in SAY.values() for text in texts]
        out = silence(2000)
        for text in rng.sample(said, 6):
            piece = at_level(self.piece(rng.choice(VOICES["zh"]), rng.choice(text.split("|"))), -20.0)
            for i in range(len(out)):
                out[i] = max(-32768, min(32767, out[i] + piece[i % len(piece)]))
        return out


def cough(rng):
    """Two bursts of noise with a fast attack, low-passed: what a cough is to an energy or spectral detector."""
    out = array.array("h")
    for length, gap in ((rng.randrange(120, 220), rng.randrange(60, 140)), (rng.randrange(150, 300), 0)):
        last = 0.0
        count = RATE * length // 1000
        for i in range(count):
            envelope = min(1.0, i / (0.01 * RATE)) * math.exp(-3.5 * i / count)
            last = 0.55 * last + 0.45 * rng.gauss(0, 1)
            out.append(int(9000 * envelope * max(-3.0, min(3.0, last))))
        out.extend(silence(gap))
    return out


def keyboard(rng):
    """Four to eight key strokes of a few milliseconds."""
    out = array.array("h")
    for _ in range(rng.randrange(4, 9)):
        count = RATE * rng.randrange(4, 12) // 1000
        out.extend(int(12000 * math.exp(-4.0 * i / count) * rng.uniform(-1, 1)) for i in range(count))
        out.extend(silence(rng.randrange(70, 190)))
    return out


def language_of(voice):
    """Kokoro's names begin with it."""
    return "zh" if voice.startswith("z") else "en"


def plan(seed, language="zh"):
    """Voice and sentences of a seeded caller: {node kind: [text]} in the order of use."""
    rng = random.Random(f"accept {seed}")
    voice = VOICES[language][seed % len(VOICES[language])]
    chosen = {}
    for kind, texts in (SAY if language == "zh" else SAY_EN).items():
        order = list(texts)
        rng.shuffle(order)
        chosen[kind] = order
    return rng, voice, chosen


def everything(seeds, *more, language="zh"):
    """[(voice, text)] of all that the callers of these seeds may say; `more`: texts beside the usual ones."""
    wanted = []
    usual = [*SAY.values(), BACK_CHANNELS, INTERRUPTIONS] if language == "zh" else SAY_EN.values()
    for seed in seeds:
        _, voice, _ = plan(seed, language)
        for texts in [*usual, *more]:
            wanted.extend((voice, text) for text in texts)
    return wanted
