"""What happens when the language worker dies or hangs in mid-call: whoever speaks to the bot does not notice. The model is a small one that
chooses badly, and its choices count for nothing that matters."""
import os
import signal
import time
import urllib.request

from common import Phone, bot_turns, check, customer_turns, detail_of, dial, english, running, wait_call, wait_end, wait_for
from crash import engine

MODEL = "smollm2-135m-instruct-q4_1.gguf"
SILENCE_MS = 2500  # between the caller's last sound and the bot's first, at most
BACK_S = 15.0  # with the next question and its answer, which come first
ODD = "My brother took the red bicycle to the harbour."  # no rule knows what to do with it


def metric(server, name):
    request = urllib.request.Request(server.base + "/metrics", headers={"Authorization": "Bearer " + server.api.token})
    with urllib.request.urlopen(request, timeout=20) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.split("{")[0].split(" ")[0] == name)


def say_and_wait(server, call, phone, wav):
    """Says it; the bot's answer to it as a turn."""
    detail = detail_of(server, call)
    said, answered = len(customer_turns(detail)), len(bot_turns(detail))
    phone.say(wav)
    detail = wait_call(server, call, 20, "an answer of the bot", lambda d: len(customer_turns(d)) > said and len(bot_turns(d)) > answered)
    return bot_turns(detail)[-1]


def drill_of(what):
    def drill(house):
        name = f"{'kill' if what == signal.SIGKILL else 'stop'}-language"
        folder = os.path.join(house.out, name)
        server, phone = house.serve(name, AICALL_LANGUAGE__MODEL_FILE=MODEL), Phone(os.path.join(folder, "phone"))
        with running(server), running(phone):
            house.wait_idle(server)
            wait_for(lambda: engine(server, "language") == "up", 30, "the language worker")
            yes, odd = english("Yes, this is me.", os.path.join(folder, "yes.wav")), english(ODD, os.path.join(folder, "odd.wav"))
            call = dial(server, phone.uri)
            wait_call(server, call, 30, "the greeting", bot_turns)
            gaps = [say_and_wait(server, call, phone, yes), say_and_wait(server, call, phone, odd)]
            asked = metric(server, "yyc3_call_thoughts_total")
            check(asked >= 1, "the model was not asked what nobody understood")
            old = server.children("language")
            check(len(old) == 1, f"{len(old)} language workers; one was expected")
            os.kill(old[0], what)
            struck = time.time()
            gaps.append(say_and_wait(server, call, phone, odd))
            wait_for(lambda: server.children("language") not in ([], old) and engine(server, "language") == "up", BACK_S, "another language worker")
            back = time.time() - struck
            phone.hang_up()
            detail = wait_end(server, call, 15)
            check(detail["outcome"] == "completed", f"the call ended as {detail['outcome']}")
            silences = [turn["stages"]["gap_ms"] for turn in gaps]
            check(max(silences) <= SILENCE_MS, f"the bot was silent for {silences} ms before its answers")
            return f"silent for {silences} ms before its answers, the last with no model; asked {asked:.0f} times; back after {back:.1f} s"
    return drill


DRILLS = {"kill-language": drill_of(signal.SIGKILL), "stop-language": drill_of(signal.SIGSTOP)}
