"""Calls that end at odd moments on a real phone, without engines: right at the answer, before they were begun, and when the audio stops."""
import contextlib
import glob
import os
import signal
import time

import rest
from bad_input import NO_WORKERS, TALKED, Carrier
from common import ROOT, Phone, check, check_steps, dial, dial_variables, running, states, wait_call, wait_end, wait_for
from crash import check_bye, epoch, trace
from relay import Relay

INACTIVE_S = 5  # the least that media.inactivity_timeout_s can be


def at_the_answer(house):
    """The customer picks up and puts down again."""
    folder = os.path.join(house.out, "ending-answer")
    with running(house.serve("ending-answer", **NO_WORKERS)) as server, running(Phone(os.path.join(folder, "phone"), trace=True)) as phone:
        call = dial(server, phone.uri)
        wait_for(lambda: any(event.get("type") == "CALL_ESTABLISHED" for event in phone.events(0.02)), 20, "the answer at the phone", 0)
        phone.hang_up()
        detail = wait_end(server, call, 15)
        check((detail["state"], detail["outcome"]) == ("completed", "completed"), f"it ended as {detail['state']}, {detail['outcome']}")
        # the BYE may come before the answer is stored, and then nobody talks
        check_steps(server, detail, "dialing", *(TALKED if "talking" in states(detail) else TALKED[:-1]), "completed")
        check(not detail["disclosure_heard"], "the disclosure counts as heard")
        byes = wait_for(lambda: [m for m in trace(phone) if m.first.startswith("BYE")], 5, "the phone's BYE in its trace")
        invite = next(m for m in trace(phone) if m.first.startswith("INVITE"))
        check(all(bye.tag("to") == invite.tag("from") for bye in byes), "we sent a BYE of our own")
        wait_for(lambda: any(m.first.startswith("SIP/2.0 200") and "BYE" in m.header("cseq") for m in trace(phone)), 5, "200 to the phone's BYE")
        return f"{' → '.join(states(detail))} after {detail['duration_ms']} ms"


def audio_stops(house):
    """In the talk no more packets come, as when a mobile leaves its network."""
    folder = os.path.join(house.out, "ending-audio")
    settings = {**NO_WORKERS, "AICALL_MEDIA__INACTIVITY_TIMEOUT_S": str(INACTIVE_S)}
    with running(house.serve("ending-audio", **settings)) as server, running(Phone(os.path.join(folder, "phone"), timeout=0, trace=True)) as phone:
        with running(Relay(phone)) as relay:
            call = dial(server, relay.uri)
            wait_call(server, call, 20, "talking", lambda d: d["state"] == "talking" and relay.passed > 100)
            check(relay.system_audio and relay.phone_audio, "the audio does not go through the relay")
            relay.loss, cut = 1.0, time.time()
            detail = wait_end(server, call, 4 * INACTIVE_S)
            check((detail["state"], detail["outcome"]) == ("completed", "media_lost"), f"it ended as {detail['state']}, {detail['outcome']}")
            check_steps(server, detail, "dialing", *TALKED, "completed")
            took = epoch(detail["ended_at"]) - cut
            check(took > INACTIVE_S - 1, f"it was given up after {took:.1f} s already")
            wait_for(lambda: any(m.first.startswith("BYE") for m in trace(phone)), 5, "BYE at the phone")
            check_bye(trace(phone))
            check(server.save_recording(call, os.path.join(folder, "recording.wav")), "there is no recording")
            return f"{detail['outcome']}, BYE {took:.1f} s after the last packet"


def never_any_audio(house):
    """A carrier answers and sends no packet at all."""
    settings = {**NO_WORKERS, "AICALL_MEDIA__INACTIVITY_TIMEOUT_S": str(INACTIVE_S)}
    with running(Carrier("answer", os.path.join(house.out, "ending-silent"))) as carrier, running(house.serve("ending-silent", **settings)) as server:
        call = dial(server, carrier.uri)
        detail = wait_end(server, call, 30)
        check((detail["state"], detail["outcome"]) == ("completed", "media_lost"), f"it ended as {detail['state']}, {detail['outcome']}")
        check_steps(server, detail, "dialing", *TALKED, "completed")
        check(detail["duration_ms"] > (INACTIVE_S - 1) * 1000, f"it was given up after {detail['duration_ms']} ms already")
        carrier.check_done("BYE")
        return f"{detail['outcome']}, BYE {detail['duration_ms'] / 1000:.1f} s after the answer"


def while_it_waits(house):
    """DELETE of a call that was not dialled yet."""
    with running(house.serve("ending-queue", AICALL_CALLS__MAX_ACTIVE="1", **NO_WORKERS)) as server:
        with running(Carrier("no_answer", os.path.join(house.out, "ending-queue", "line"))) as carrier:
            first = dial(server, carrier.uri)
            wait_call(server, first, 15, "ringing", lambda d: d["state"] == "ringing")
            waiting = dial(server, rest.nobody())
            rest.ask(server, "DELETE", f"{rest.CALLS}/{waiting}").must(202, "DELETE of a call that waits")
            detail = wait_end(server, waiting, 10)
            check((detail["state"], detail["outcome"]) == ("failed", "cancelled"), f"it ended as {detail['state']}, {detail['outcome']}")
            check_steps(server, detail, "failed")
            rest.ask(server, "DELETE", f"{rest.CALLS}/{first}").must(202, "DELETE of the call that rings")
            check(wait_end(server, first, 15)["outcome"] == "cancelled", "the call that rang")
            carrier.check_done("CANCEL")
            system = server.api("GET", "/api/v1/system")
            check(system["waiting_calls"] == 0, f"{system['waiting_calls']} calls wait")
            return f"{' → '.join(['queued', *states(detail)])}, {detail['outcome']}"


@contextlib.contextmanager
def stopped_at_last(process):
    """Whatever fails, the program does not outlive the drill."""
    try:
        yield
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def interrupted_call(house):
    """Ctrl-C in `aicall call`: it hangs up and tells the end as ever."""
    folder = os.path.join(house.out, "ending-interrupt")
    with running(Phone(os.path.join(folder, "phone"), trace=True)) as phone:
        process = house.start("ending-interrupt", ["call", phone.uri, "--lang", "en", *(part for pair in dial_variables("en").items() for part in ("--var", "=".join(pair)))])
        with stopped_at_last(process):
            wait_for(lambda: any(event.get("type") == "CALL_ESTABLISHED" for event in phone.events(0.02)), 60, "the answer at the phone", 0)
            time.sleep(1)
            process.send_signal(signal.SIGINT)
            code, out, err = house.finish(process, 20)
        check(code == 0 and "[completed]" in out, f"it ended with {code}: {err.strip() or out.strip()[-300:]}")
        check("hanging up" in err, f"it does not say what it does: {err!r}")
        wait_for(lambda: any(m.first.startswith("BYE") for m in trace(phone)), 5, "BYE at the phone")
        return "BYE, [completed]"


def interrupted_hearing(house):
    """SIGTERM to `aicall speech transcribe`: it ends, and its worker and its folder with it."""
    before = set(glob.glob("/tmp/aicall-*"))
    words = sorted(glob.glob(os.path.join(ROOT, "tests", "data", "audio_cmn", "*.wav")))
    process = house.start("ending-transcribe", ["speech", "transcribe", *words * 10])
    with stopped_at_last(process):
        first = process.stdout.readline()
        check(first, "it hears nothing")
        mine = next((path for path in glob.glob("/tmp/aicall-*") if path not in before and worker_of(path, process.pid)), None)
        check(mine, "no worker of it is found")
        process.terminate()
        code, _, err = house.finish(process, 20)
    check(code == 128 + signal.SIGTERM, f"it ended with {code}: {err}")
    check(not os.path.exists(mine) and not worker_of(mine), f"{mine} or its worker is still there")
    return f"after {first.strip()!r}: exit {code}, no worker, no folder"


def worker_of(folder, parent=None):
    """Is there a process that listens in this folder (a child of this parent)?"""
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as arguments, open(path.replace("cmdline", "stat"), encoding="ascii", errors="replace") as told:
                if folder.encode() in arguments.read() and parent in (None, int(told.read().rsplit(")", 1)[1].split()[1])):
                    return True
        except OSError:
            pass  # it ended meanwhile
    return False


DRILLS = {"Ctrl-C in a call": interrupted_call, "SIGTERM while it hears": interrupted_hearing, "at the answer": at_the_answer, "the audio stops": audio_stops, "never any audio": never_any_audio, "while it waits": while_it_waits}
