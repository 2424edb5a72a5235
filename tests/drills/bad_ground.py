"""The ground under the system is bad: ports, stores, keys, models, disk. It says in one line what to do, and no row is lost."""
import errno
import json
import os
import re
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass

from bad_input import NO_WORKERS, Person
from common import FINAL, bot_turns, check, detail_of, dial, free_port_udp, log_lines, models, running, wait_end, wait_for

REFUSED = 69  # EX_UNAVAILABLE
BAD_CONFIG = 78  # EX_CONFIG


# ---- starts that are refused ----

def serve_refused(house, name, *says, status=REFUSED, **settings):
    """`aicall serve` ends by itself with one line that says all of this; the line."""
    code, _, err = house.run(name, ["serve"], 20, **settings)
    lines = err.strip().splitlines()
    check(code == status, f"aicall serve ended with {code}: {err.strip()}")
    check(len(lines) == 1 and all(text in lines[0] for text in says), f"it should have said {says} in one line: {err.strip()}")
    return lines[0].removeprefix("aicall: ")


def one_call(server):
    """A call to nobody, over at once: a row that must outlive what follows."""
    return wait_end(server, dial(server, f"sip:nobody@127.0.0.1:{free_port_udp()}"), 15)["id"]


def check_kept(server, call):
    detail = detail_of(server, call)
    check(detail["state"] == "failed" and detail["outcome"] == "unreachable", f"the row of before is now {detail['state']}, {detail['outcome']}")


def port_taken(house):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        return serve_refused(house, "port-taken", f"127.0.0.1:{port}", "set server.port", AICALL_SERVER__PORT=str(port), **NO_WORKERS)


def second_serve(house):
    with running(house.serve("second-serve", **NO_WORKERS)) as first:
        call = one_call(first)
        line = serve_refused(house, "second-serve", f"in use by process {first.process.pid}", "stop it", **NO_WORKERS)
        check_kept(first, call)
        return line


def key_gone(house):
    with running(house.serve("key-gone", **NO_WORKERS)) as server:
        call = one_call(server)
    key = os.path.join(server.data, "master.key")
    os.rename(key, key + ".away")
    line = serve_refused(house, "key-gone", "master.key is gone", "restore it from backup", **NO_WORKERS)
    check(not os.path.exists(key), "a new key was made")
    os.rename(key + ".away", key)
    with running(house.serve("key-gone", **NO_WORKERS)) as server:
        check_kept(server, call)
    return line


# ---- models that are not as they should be: it starts, says what is missing, and calls go on with less ----

@dataclass
class Models:
    file: str
    damaged: bool = False


MODELS = {
    "a hearing model is missing": Models("silero_vad.onnx"),
    "a hearing model is damaged": Models("whisper-tiny.en-q8_0.bin", damaged=True),
    "the other language's recogniser is damaged": Models("whisper-base-q8_0.bin", damaged=True),
    "a voice is missing": Models("piper-joe/model.onnx"),  # the other language still speaks
    "a voice is damaged": Models("kokoro/model.onnx", damaged=True),
}


def models_with(case, folder):
    """A models folder of links, but for one file."""
    shutil.copytree(models(), folder, symlinks=True, copy_function=lambda a, b: os.symlink(os.path.realpath(a), b))
    path = os.path.join(folder, case.file)
    os.remove(path)
    if case.damaged:
        with open(path, "wb") as out:
            out.write(b"this is no model\n" * 100)
    return folder


def models_case(name, case):
    def run(house):
        name_of = "model-" + name.replace(" ", "-")
        folder = os.path.join(house.out, name_of)
        os.makedirs(folder, exist_ok=True)
        with running(house.serve(name_of, AICALL_SPEECH__MODELS_DIR=models_with(case, os.path.join(folder, "models")))) as server:
            line = wait_for(lambda: told(server, os.path.basename(case.file)), 20, f"a line that names {case.file}", 0.3)
            check("run `aicall models pull`" in line, f"it does not say what to do: {line}")
            check(server.wait_ready(60), "the workers did not come up with what models there are")
            with running(Person(server, folder)) as person:
                person.dial()
                person.wait(30, "the greeting", bot_turns)
                person.phone.press("1")
                detail = person.wait(30, "the bot to go on by the keypad", lambda d: len(bot_turns(d)) >= 2)
                check(detail["turns"][0]["text"], "the greeting was silent")
                person.phone.hang_up()
                detail = person.end(15)
            check(detail["outcome"] == "completed", f"the call ended as {detail['outcome']}")
            return f"'{line}'; the call was had by keys, degraded: {detail['degraded']}"
    return run


def told(server, file):
    """What was said about this file, in a warning or by a worker."""
    for line in log_lines(server):
        found = re.search(r"model file [^\"\\]*" + re.escape(file) + r"[^\"\\]*", json.dumps(line, ensure_ascii=False))
        if found:
            return found[0]
    return None


# ---- the disk is full in mid-call ----

class SmallDisk:
    """64 MiB of memory as a disk. Needs the right to mount; without it the drill fails and says so."""

    def __init__(self, folder):
        self.folder, self.filler = folder, os.path.join(folder, "filler")
        os.makedirs(folder, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "none", folder], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        check(done.returncode == 0, f"a small disk cannot be mounted, run the drills as root: {done.stderr.strip()}")

    def fill(self):
        with open(self.filler, "ab", buffering=0) as out:
            for size in (1 << 20, 4096, 1):
                while True:
                    try:
                        out.write(bytes(size))
                    except OSError as error:
                        if error.errno != errno.ENOSPC:
                            raise
                        break

    def free(self):
        os.remove(self.filler)

    def stop(self):
        subprocess.run(["umount", "-l", self.folder], check=False, stdin=subprocess.DEVNULL)


def phrases_gone(house):
    gone = os.path.join(house.out, "no-phrases.txt")
    return serve_refused(house, "phrases-gone", "speech.phrases_zh", "not there", status=BAD_CONFIG, AICALL_SPEECH__PHRASES_ZH=gone)


def disk_full(house):
    folder = os.path.join(house.out, "disk-full")
    with running(SmallDisk(os.path.join(folder, "data"))) as disk, running(house.serve("disk-full", AICALL_LOG__FILE=os.path.join(folder, "aicall.log"))) as server:
        house.wait_idle(server)
        with running(Person(server, folder)) as person:
            person.dial()
            person.wait(30, "the answer", lambda d: d["state"] == "talking")
            disk.fill()
            since = time.time()
            time.sleep(6)
            worst, _ = person.relay.worst_gap_ms(since, time.time())
            check(worst <= 60, f"{worst:.0f} ms without a packet of the bot")
            check(person.phone.process.poll() is None and not any(e.get("type") == "CALL_CLOSED" for e in person.phone.events()), "the call ended")
            person.phone.hang_up()
            time.sleep(4)
            disk.free()
            detail = wait_for(lambda: (d := detail_of(server, person.call))["state"] in FINAL and d, 25, "the end of the call in the store, with room again", 0.3)
        said = [line["message"] for line in log_lines(server)]
        check(any("free disk space" in text for text in said), f"no line says what to do: {sorted(set(said))}")
        check(not any("was lost" in text for text in said), "a row was lost")
        check(detail["outcome"] == "completed", f"the call ended as {detail['outcome']}")
        check([s["state"] for s in detail["transitions"]][-1] == "completed", "the last transition is missing")
        check(server.save_recording(person.call, os.path.join(folder, "recording.wav")), "there is no recording of what there was room for")
        check(wait_end(server, one_call(server), 5), "no call after it")
        return f"'{next(t for t in said if 'free disk space' in t)}'; outcome {detail['outcome']}, turns {len(detail['turns'])}, recording kept"


CASES = {"port taken": port_taken, "second serve on the same store": second_serve, "key file gone": key_gone, "phrases gone": phrases_gone,
         "disk full": disk_full,
         **{name: models_case(name, case) for name, case in MODELS.items()}}
LIGHT = ("port taken", "second serve on the same store", "key file gone", "phrases gone")  # no engines run
