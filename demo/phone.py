"""A baresip phone without a sound card: what it says is switched file by file, what it hears is read while it grows.

Configuration and traps: Debian's baresip 1.0.0; see docs of the test peers. Only the standard library.
"""
import array
import glob
import json
import os
import socket
import subprocess
import time
import wave

CONFIG = """poll_method epoll
sip_listen 127.0.0.1:{sip}
net_interface 127.0.0.1
call_local_timeout 120
call_max_calls 4
audio_source aufile,{dir}/quiet.wav
audio_player aubridge,sink
audio_alert aubridge,sink
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
audio_buffer 20-160
rtp_ports {rtp}-{rtp_last}
rtp_timeout {timeout}
jitter_buffer_delay 1-10
module_path {modules}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{ctrl}
snd_path {dir}
"""

STARTS = 3


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def sip_port():
    """Free for UDP and for TCP, the next one for TLS: baresip listens on all three."""
    for _ in range(50):
        port = free_port(socket.SOCK_DGRAM)
        with socket.socket() as plain, socket.socket() as tls:
            try:
                plain.bind(("127.0.0.1", port))
                tls.bind(("127.0.0.1", port + 1))
                return port
            except (OSError, OverflowError):
                pass
    raise RuntimeError("no port on 127.0.0.1 is free for UDP and TCP")


def write_wav(path, samples, pad_seconds=0.0):
    with wave.open(path, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(samples.tobytes() + bytes(2 * int(8000 * pad_seconds)))


class Phone:
    def __init__(self, folder, user="customer", timeout=30, trace=False):
        """`timeout`: hangs up after so many seconds without RTP, 0 never. `trace`: each SIP message goes to baresip.log."""
        self.folder = folder
        self.user = user
        os.makedirs(folder, exist_ok=True)
        write_wav(os.path.join(folder, "quiet.wav"), array.array("h"), 600)
        open(os.path.join(folder, "contacts"), "w").close()
        self.log = open(os.path.join(folder, "baresip.log"), "wb")
        self.control = None
        self.buffer = b""
        self.growing = {}  # "dec", "enc": the dump and how far it was read
        for _ in range(STARTS):  # somebody may take a port between our look and baresip's
            self.start(timeout, trace)
            if self.control:
                return
            self.process.kill()
            self.process.wait()
        raise RuntimeError(f"baresip does not start: see {self.log.name}")

    def start(self, timeout, trace):
        self.sip = sip_port()
        self.ctrl_port = free_port()
        rtp = free_port(socket.SOCK_DGRAM) & ~1
        rtp = min(max(rtp, 1024), 65000)
        modules = next(d for d in glob.glob("/usr/lib/*/baresip/modules") + ["/usr/lib/baresip/modules"] if os.path.isdir(d))
        with open(os.path.join(self.folder, "config"), "w") as out:
            out.write(CONFIG.format(sip=self.sip, ctrl=self.ctrl_port, rtp=rtp, rtp_last=rtp + 40, dir=self.folder, modules=modules, timeout=timeout))
        with open(os.path.join(self.folder, "accounts"), "w") as out:
            out.write(f"<sip:{self.user}@127.0.0.1:{self.sip}>;regint=0;answermode=auto;"
                      "audio_codecs=PCMA/8000/1,PCMU/8000/1;ptime=20\n")
        self.process = subprocess.Popen(["baresip", *(["-s"] if trace else []), "-f", self.folder], stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log)
        for _ in range(100):
            time.sleep(0.1)
            if self.process.poll() is not None:
                return
            try:
                self.control = socket.create_connection(("127.0.0.1", self.ctrl_port))
                return
            except OSError:
                pass

    @property
    def uri(self):
        return f"sip:{self.user}@127.0.0.1:{self.sip}"

    def command(self, name, params=""):
        message = json.dumps({"command": name, "params": params, "token": "t"}).encode()
        self.control.sendall(b"%d:%s," % (len(message), message))

    def events(self, timeout=0.0):
        """Everything that has come so far, at most `timeout` seconds waited for the first."""
        out = []
        self.control.settimeout(max(timeout, 0.001))
        try:
            while True:
                while b":" in self.buffer:
                    size, rest = self.buffer.split(b":", 1)
                    size = int(size)
                    if len(rest) <= size:
                        break
                    out.append(json.loads(rest[:size]))
                    self.buffer = rest[size + 1:]
                if out:
                    self.control.settimeout(0.001)
                data = self.control.recv(65536)
                if not data:
                    return out
                self.buffer += data
        except (socket.timeout, BlockingIOError):
            return out

    def say(self, path):
        """Speaks this file at once; pad it with silence, or the phone hangs up at its end."""
        self.command("ausrc", f"aufile,{path}")

    def press(self, keys):
        self.command("sndcode", keys)

    def hang_up(self):
        self.command("hangup")

    def dump(self, kind):
        found = sorted(glob.glob(os.path.join(self.folder, f"dump-*-{kind}.wav")))
        return found[-1] if found else None

    def listen(self):
        """New samples heard since the last call (array of int16)."""
        return self._grown("dec")

    def spoken(self):
        """New samples that went out since the last call: what the other end is about to hear."""
        return self._grown("enc")

    def _grown(self, kind):
        if kind not in self.growing:
            path = self.dump(kind)
            if path is None:
                return array.array("h")
            self.growing[kind] = (open(path, "rb"), 44)
        file, at = self.growing[kind]
        file.seek(at)
        data = file.read()
        data = data[:len(data) & ~1]
        self.growing[kind] = (file, at + len(data))
        samples = array.array("h")
        samples.frombytes(data)
        return samples

    def stop(self):
        for file, _ in self.growing.values():
            file.close()
        self.control.close()
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
