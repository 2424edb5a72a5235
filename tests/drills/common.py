"""What the drills share: a folder with English dialogues and prompts rendered once, servers, calls, and plain checks."""
import array
import contextlib
import copy
import itertools
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "demo"))
sys.path.insert(0, os.path.join(ROOT, "tools", "accept"))
from phone import Phone, free_port, write_wav  # noqa: E402
from recorded import measure_gap  # noqa: E402
from server import Server, cache, models, program  # noqa: E402
from sound import level, telephone  # noqa: E402

FLOW = "appointment_reminder"
FINAL = ("completed", "failed")
SAID_IN_CHINESE = ("greet", "remind", "confirmed", "farewell", "opted_out", "gave_up", "nobody_there")
STRANGE_VOICE = "zm_yunxia"  # of Kokoro: neither the bot's, nor the demo's customers', nor tools/accept's
RTP_PORTS = range(23000, 29000, 200)  # a server's own, so that two at once never try each other's


class Wrong(Exception):
    """What a drill saw and should not have."""


def check(good, what):
    if not good:
        raise Wrong(what)


def wait_for(condition, seconds, what, every=0.05):
    """The first true value of condition(), or Wrong."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        check(time.monotonic() < end, f"not within {seconds} s: {what}")
        time.sleep(every)


def chinese(flow):
    """The product's dialogue in Chinese, cut to what the drills reach: a sentence costs seconds of a core, the whole flow minutes."""
    nodes = {name: copy.deepcopy(flow["nodes"][name]) for name in SAID_IN_CHINESE}
    for node in nodes.values():
        for way in node.get("next", []):
            way["go"] = way["go"] if way["go"] in nodes else "farewell"
    exits = {name: to if isinstance(to, dict) or to in nodes else "farewell" for name, to in flow["globals"].items()}
    return {**flow, "languages": ["zh"], "nodes": nodes, "globals": exits, "faq": [q for q in flow["faq"] if q["id"] == "address"]}


class House:
    """One run of drills. A server in it speaks English, so that prompts cost 0.2 s a sentence and not 3, and finds them rendered; or Chinese,
    when it is opened with house.zh."""

    def __init__(self, out):
        self.out, self.lock = out, threading.Lock()
        self.flows, self.prompts = os.path.join(out, "flows"), os.path.join(cache(), "drills", "prompts")
        self.zh = {"AICALL_DIALOGUE__FLOWS_DIR": self.flows + "-zh", "AICALL_SPEECH__RENDER_FIRST": "zh"}
        self.zh_lock, self.zh_rendered = threading.Lock(), False
        self.ports = itertools.cycle(RTP_PORTS)  # the first is free again by then
        for name in ("CALL", "PORT"):
            os.environ.pop(name, None)  # they are for the demo
        with open(os.path.join(ROOT, "flows", FLOW + ".json"), encoding="utf8") as source:
            flow = json.load(source)
        for folder, what in ((self.flows, {**flow, "languages": ["en"]}), (self.flows + "-zh", chinese(flow))):
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, FLOW + ".json"), "w", encoding="utf8") as out_file:
                json.dump(what, out_file, ensure_ascii=False)

    def settings(self, name, more):
        """The data folder and the environment of a server."""
        data = os.path.join(self.out, name, "data")
        os.makedirs(data, mode=0o700, exist_ok=True)
        if not os.path.exists(os.path.join(data, "prompts")) and os.path.isdir(self.prompts):
            shutil.copytree(self.prompts, os.path.join(data, "prompts"))
        with self.lock:
            port = next(self.ports)
        return data, {"AICALL_DIALOGUE__FLOWS_DIR": self.flows, "AICALL_SPEECH__RENDER_FIRST": "en", "AICALL_LOG__LEVEL": "debug",
                      "AICALL_MEDIA__RTP_PORT_MIN": str(port), "AICALL_MEDIA__RTP_PORT_MAX": str(port + 199), **more}

    def serve(self, name, **more):
        data, settings = self.settings(name, more)
        server = Server(data, **settings)
        server.log = settings.get("AICALL_LOG__FILE", os.path.join(data, "aicall.log"))
        return server

    def wait_idle(self, server):
        """Engines up and nothing left to render: a call then starts as on any day but the first."""
        check(server.wait_ready(60), "the engines did not come up")
        server.wait_prompts(seconds=120)

    def render(self):
        """Prompts of a first start, kept for every server after it, in the user's cache for the next run too."""
        with running(self.serve("render")) as server:
            check(server.wait_ready(90), "the engines did not come up")
            server.wait_prompts(seconds=200)
            shutil.copytree(os.path.join(server.data, "prompts"), self.prompts, dirs_exist_ok=True)
        return "rendered, or found in the cache"

    def of(self, language):
        """Settings of a server that speaks it."""
        return self.zh if language == "zh" else {}

    def render_of(self, language):
        """The sentences of this language: English ones are there, Chinese ones are rendered by whoever needs them first; the others wait."""
        with self.zh_lock:
            if language == "en" or self.zh_rendered:
                return
            with running(self.serve("render-zh", **self.zh)) as server:
                check(server.wait_ready(90), "the engines did not come up")
                server.wait_prompts(FLOW, "zh", seconds=300)
                shutil.copytree(os.path.join(server.data, "prompts"), self.prompts, dirs_exist_ok=True)
            self.zh_rendered = True

    def run(self, name, arguments, seconds=60, **more):
        """`aicall` with these arguments to its end: (exit status, what it printed on stdout, on stderr)."""
        return self.finish(self.start(name, arguments, **more), seconds)

    def start(self, name, arguments, **more):
        """`aicall` with these arguments, running."""
        data, settings = self.settings(name, more)
        env = {**os.environ, "AICALL_SERVER__DATA_DIR": data, "AICALL_SERVER__PORT": "0", "AICALL_LOG__FILE": os.path.join(data, "aicall.log"), **settings}
        return subprocess.Popen([program("aicall"), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)

    def finish(self, process, seconds):
        """The end of what start() began, as run() tells it."""
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as late:
            process.kill()
            process.communicate()
            raise Wrong(f"{' '.join(process.args[:3])} does not end within {seconds} s") from late
        return process.returncode, out, err


class running:
    """with running(thing): thing.stop() at the end, whatever happens."""

    def __init__(self, thing):
        self.thing = thing

    def __enter__(self):
        return self.thing

    def __exit__(self, *_):
        self.thing.stop()


def dial_variables(language="en"):
    return {"customer_name": "Ms Wang" if language == "en" else "王女士", "appointment_time": time.strftime("%Y-%m-%dT15:00", time.gmtime(time.time() + 32 * 3600))}


def dial(server, to, language="en", **variables):
    body = {"to": to, "flow": FLOW, "language": language, "variables": {**dial_variables(language), **variables}}
    try:
        return server.api("POST", "/api/v1/calls", body)["id"]
    except urllib.error.HTTPError as error:
        raise Wrong(f"the call was refused: {error.read().decode()}") from error


def detail_of(server, call):
    return server.api("GET", f"/api/v1/calls/{call}")


def wait_call(server, call, seconds, what, condition):
    """The call's detail once condition(detail) holds; Wrong when it ends before or takes too long."""
    def look():
        detail = detail_of(server, call)
        if condition(detail):
            return detail
        check(detail["state"] not in FINAL, f"the call ended ({detail['state']}, {detail['outcome']}) before {what}")
        return None
    return wait_for(look, seconds, what, 0.1)


def wait_end(server, call, seconds):
    return wait_call(server, call, seconds, "the end of the call", lambda detail: detail["state"] in FINAL)


def states(detail):
    """The stored steps of a call, in their order."""
    return [step["state"] for step in detail["transitions"]]


def check_steps(server, detail, *expected):
    """These steps and no other are stored, each from the one before it, in the order of time, the last when the call ended."""
    check(states(detail) == list(expected), f"the steps {states(detail)} are stored, {list(expected)} was expected")
    rows = stored(server, "SELECT seq, from_state, to_state, at_ms FROM call_transitions WHERE call_id = ? ORDER BY seq", detail["id"])
    chain = [(row["from_state"], row["to_state"]) for row in rows]
    check(chain == list(zip(("queued", *expected), expected)), f"the steps in the store are {chain}")
    times = [step["at"] for step in detail["transitions"]]
    check(times == sorted(times) and detail["created_at"] <= times[0], f"the times of the steps run backwards: {times}")
    check(times[-1] == detail["ended_at"], f"the last step is at {times[-1]}, the call ended at {detail['ended_at']}")


def bot_turns(detail):
    return [turn for turn in detail["turns"] if turn["speaker"] == "bot"]


def customer_turns(detail):
    return [turn for turn in detail["turns"] if turn["speaker"] == "customer"]


def english(text, path, voice="en-us"):
    """Speaks a line with espeak-ng into a telephone's WAV, padded with silence so that the phone does not hang up after it."""
    wide = path + ".wide.wav"
    subprocess.run(["espeak-ng", "-v", voice, "-s", "140", "-w", wide, text], check=True, timeout=20, stdin=subprocess.DEVNULL)
    return for_phone(wide, path)


def mandarin(text, path):
    """The same with the product's own engine, in a voice that no bot and no other caller has: Whisper understands no word of eSpeak's Mandarin."""
    wide = path + ".wide.wav"
    done = subprocess.run([program("aicall"), "speech", "say", "--lang", "zh", "--voice", STRANGE_VOICE, "-o", wide, text], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=150)
    check(done.returncode == 0, f"aicall speech say ended with {done.returncode}: {done.stderr.strip()}")
    return for_phone(wide, path)


def for_phone(wide, path):
    with open(wide, "rb") as source:
        samples = telephone(source.read())
    os.remove(wide)
    loudest = max(abs(s) for s in samples) or 1
    write_wav(path, array.array("h", (int(s * 12000 / loudest) for s in samples)), 120)
    return path


def log_lines(server):
    with open(server.log, encoding="utf8") as source:
        return [json.loads(line) for line in source if line.startswith("{")]


def stored(server, question, *values):
    """Rows of the server's SQLite store, read beside it."""
    with contextlib.closing(sqlite3.connect(os.path.join(server.data, "aicall.db"), timeout=10)) as store:
        store.row_factory = sqlite3.Row
        return store.execute(question, values).fetchall()


def hear_wav(path, *options, language="en"):
    """What `aicall speech transcribe` hears in a file."""
    done = subprocess.run([program("aicall"), "speech", "transcribe", "--lang", language, "--json", *options, path], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120)
    check(done.returncode == 0, f"aicall speech transcribe ended with {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)["text"]


def speech_ms(samples, rate=8000):
    """How long a channel speaks: what lies above -45 dBov."""
    return sum(end - start for start, end in measure_gap.sounds(samples, rate))


def free_port_udp():
    """An even UDP port, free with the three above it."""
    for _ in range(100):
        port = free_port(socket.SOCK_DGRAM) & ~1
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(4)]
        try:
            for i, one in enumerate(sockets):
                one.bind(("127.0.0.1", port + i))
            return port
        except OSError:
            pass
        finally:
            for one in sockets:
                one.close()
    raise RuntimeError("no free UDP ports on 127.0.0.1")
