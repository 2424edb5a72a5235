"""A person asks not to be called again: it is in the store before the line is closed, and the next call to that person is refused."""
import os
from dataclasses import dataclass

import rest
from common import Phone, bot_turns, check, customer_turns, dial, english, mandarin, running, states, stored, wait_call, wait_end, wait_for
from crash import epoch, trace


@dataclass
class Wish:
    words: str
    render: object
    goodbye: str  # in what the bot says to it


WISHES = {"zh": Wish("不要再给我打电话了。", mandarin, "不会再给您打电话"), "en": Wish("Please stop calling me.", english, "won't call you again")}


def opt_out(language):
    def drill(house):
        wish, name = WISHES[language], "opt-out-" + language
        settings = house.of(language)
        house.render_of(language)
        folder = os.path.join(house.out, name)
        with running(house.serve(name, **settings)) as server, running(Phone(os.path.join(folder, "phone"), trace=True)) as phone:
            check(server.wait_ready(60), "the engines did not come up")
            server.wait_prompts("appointment_reminder", language, seconds=120)
            words = wish.render(wish.words, os.path.join(folder, "wish.wav"))
            call = dial(server, phone.uri, language)
            wait_call(server, call, 40, "the greeting", bot_turns)
            phone.say(words)
            wait_for(lambda: stored(server, "SELECT 1 FROM do_not_call"), 60, "the row in do_not_call", 0.1)
            check(not any(m.first.startswith("BYE") for m in trace(phone)), "the line was closed first")  # the goodbye takes seconds
            detail = wait_end(server, call, 60)
            check((detail["outcome"], detail["disposition"]) == ("completed", "opted_out"), f"{detail['outcome']}, {detail['disposition']}")
            heard = " ".join(turn["text"] for turn in customer_turns(detail))
            check_listed(server, call, detail, wish, trace(phone))
            for to in (phone.uri, phone.uri + ";transport=udp", phone.uri.upper().replace("CUSTOMER", "customer")):
                refused = rest.ask(server, "POST", rest.CALLS, rest.new_call(to, language=language)).refuses(403, f"the next call to {to}", "to")
                check("not to be called" in refused["detail"], f"the refusal does not say why: {refused['detail']}")
            check(len(stored(server, "SELECT id FROM calls")) == 1, "a refused call left a row")
        with running(house.serve(name, **settings)) as server:  # and after a restart
            rest.ask(server, "POST", rest.CALLS, rest.new_call(phone.uri, language=language)).refuses(403, "the next call after a restart", "to")
        return f"heard '{heard}', {detail['disposition']}; {refused['detail']}"
    return drill


def check_listed(server, call, detail, wish, messages):
    """The row is there since before the goodbye, and so before the BYE, which is ours."""
    rows = stored(server, "SELECT * FROM do_not_call")
    check(len(rows) == 1, f"{len(rows)} rows in do_not_call")
    row = rows[0]
    check((row["source"], row["call_id"]) == ("call", call) and row["reason"], f"the row does not say whence: {dict(row)}")
    index = stored(server, "SELECT target_index FROM calls WHERE id = ?", call)[0]["target_index"]
    check(row["target_index"] == index, "the row is not of the person called")
    check(b"127.0.0.1" not in row["target_sealed"], "the address lies open in the store")
    last = bot_turns(detail)[-1]
    check(wish.goodbye in last["text"] and not last["unsaid"], f"the bot's last words are '{last['text']}'")
    listed, answered = row["at_ms"] / 1000, epoch(detail["answered_at"])
    check(listed <= answered + last["started_ms"] / 1000 + 0.1, "the goodbye promised it before it was stored")  # clocks of the media and of the day
    check(states(detail)[-2:] == ["talking", "completed"], f"the steps are {states(detail)}")
    check(listed < epoch(detail["transitions"][-1]["at"]), "the call had ended before the row was stored")
    byes = [message for message in messages if message.first.startswith("BYE")]
    invite = next(message for message in messages if message.first.startswith("INVITE"))
    check(byes and byes[0].tag("from") == invite.tag("from"), "it was not the bot who hung up")


DRILLS = {f"opt-out/{language}": opt_out(language) for language in WISHES}
