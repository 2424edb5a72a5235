"""`aicall serve` with a data folder of its own, and its API: what the demo, the soak, the drills and the acceptance runs share. Only the standard library."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def program(name):
    places = (os.environ.get("AICALL_DIR", ""), os.path.join(ROOT, "build", "release"), os.path.join(ROOT, "..", "..", "bin"))
    for folder in places:  # chosen, in the repository, in what `make dist` made
        path = os.path.join(folder, name)
        if folder and os.access(path, os.X_OK):
            return os.path.abspath(path)
    sys.exit(f"{name} is not built: run `make build`")


def cache():
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "aicall")


def models():
    """Where the programs look for models: chosen, carried along, or the user's cache."""
    carried = os.path.join(ROOT, "models")
    if os.environ.get("AICALL_MODELS"):
        return os.environ["AICALL_MODELS"]
    return carried if os.path.exists(os.path.join(carried, "silero_vad.onnx")) else os.path.join(cache(), "models")


def host_of(uri):
    """The host of sip:user@host:port;parameters."""
    return re.match(r"\[[^]]*\]|[^:;?]*", re.sub(r"^sips?:(?:[^@]*@)?", "", uri)).group()


def own_address(host):
    """The address of this machine that `host` can answer to: what packets to it leave from. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, 5060))
        except OSError as error:
            sys.exit(f"CALL: {host} cannot be reached from here ({error.strerror or error}); name a host, or an IPv4 address, that can")
        return probe.getsockname()[0]


def own_phone_settings(uri, chosen):
    """What rings `uri`, a phone that may be on another machine: loopback would not be heard there. Of the variables in
    `chosen` none is changed."""
    host = host_of(uri)
    address = own_address(host) if not {"AICALL_SIP__LISTEN", "AICALL_MEDIA__ADDRESS"} <= set(chosen) else ""
    wanted = {"AICALL_COMPLIANCE__ALLOW_SIP_HOSTS": host, "AICALL_SIP__LISTEN": address, "AICALL_MEDIA__ADDRESS": address}
    return {name: value for name, value in wanted.items() if name not in chosen}


LANGUAGE_MODEL = "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"  # of `make language`
OWN_WORDS = {"AICALL_LANGUAGE__MODEL_FILE": LANGUAGE_MODEL, "AICALL_LANGUAGE__OWN_WORDS": "true"}


class Api:
    def __init__(self, base, token):
        self.base, self.token = base, token

    def __call__(self, method, path, body=None, headers=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.base + path, data, {"Authorization": "Bearer " + self.token, "Content-Type": "application/json", **(headers or {})}, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or b"null")


class Server:
    """`aicall serve` with a data folder of its own. `settings`: more environment, AICALL_<SECTION>__<KEY>."""

    def __init__(self, data, **settings):
        self.data = data
        os.makedirs(data, exist_ok=True)
        env = dict(os.environ, AICALL_SERVER__DATA_DIR=data, AICALL_SERVER__PORT=os.environ.get("PORT", "0"),
                   AICALL_LOG__FILE=os.path.join(data, "aicall.log"), AICALL_COMPLIANCE__TIME_ZONE="Asia/Shanghai")
        env.setdefault("AICALL_LANGUAGE__MODEL_FILE", "")  # the same calls whether one is installed or not
        env.update(settings)
        if os.environ.get("CALL"):
            env.update(own_phone_settings(os.environ["CALL"], env))
        self.process = subprocess.Popen([program("aicall"), "serve"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=env, start_new_session=True)
        self.base = self.link = None
        for _ in range(4):
            line = self.process.stdout.readline()
            if not line:
                break
            if " serves on " in line:
                self.base = line.split(" serves on ")[1].strip()
            if "one-time link" in line:
                self.link = line.split(": ", 1)[1].strip()
                break
        if not self.base:
            sys.exit("aicall serve did not start")
        threading.Thread(target=lambda: [None for _ in self.process.stdout], daemon=True).start()
        self.api = Api(self.base, open(os.path.join(data, "api.token")).read().strip())

    def wait_ready(self, seconds=180):
        for _ in range(seconds * 4):
            try:
                self.api("GET", "/readyz")
                return True
            except (urllib.error.URLError, OSError):
                time.sleep(0.25)
        return False

    def wait_prompts(self, flow=None, language=None, seconds=900):
        """Until the sentences of this flow are rendered (without a flow: all there is, fragments of times too). The first start
        takes minutes for it, later ones find them on the disk."""
        told = None
        for _ in range(seconds * 4):
            system = self.api("GET", "/api/v1/system")
            left = system["prompts_left"] if flow is None else sum(
                p["sentences_left"] for p in system["prompts"] if (p["flow"], p["language"]) == (flow, language))
            if not left:
                return
            if told is None or told - left >= 10:
                print(f"rendering what the bot will say: {left} sentences left", flush=True)
                told = left
            time.sleep(0.25)

    def children(self, role):
        out = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(self.process.pid)], capture_output=True, text=True).stdout
        return [int(line.split()[0]) for line in out.splitlines() if f"aicall-worker {role}" in line or f"aicall-{role} " in line]

    def save_recording(self, call_id, path):
        """False when there is none ten seconds after the call."""
        request = urllib.request.Request(f"{self.base}/api/v1/calls/{call_id}/recording", headers={"Authorization": "Bearer " + self.api.token})
        for _ in range(40):
            try:
                with urllib.request.urlopen(request, timeout=20) as answer, open(path, "wb") as out:
                    shutil.copyfileobj(answer, out)
                return True
            except urllib.error.HTTPError:
                time.sleep(0.25)
        return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
