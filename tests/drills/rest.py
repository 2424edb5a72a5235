"""The REST routes of a running `aicall serve`, held against src/api/openapi.yaml: calls, pages, recordings, and every refusal. No engines
run and nobody speaks: carriers (sipp) ring, answer and hang up."""
import contextlib
import datetime
import http.client
import json
import os
import re
import sqlite3
import struct
import urllib.parse

from bad_input import NO_WORKERS, Carrier
from common import FLOW, ROOT, check, detail_of, dial_variables, free_port_udp, running, states, wait_call, wait_end, wait_for

CALLS = "/api/v1/calls"
STRANGER = "01999999-0000-7000-8000-000000000000"  # a call that nobody made
PROBLEM = "application/problem+json"
NUMBER = "+8613800138000"


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def json(self):
        return json.loads(self.body)

    def must(self, status, about):
        check(self.status == status, f"{about}: {self.status}, not {status}: {self.body[:300].decode(errors='replace')}")
        return self

    def refuses(self, status, about, *fields):
        """A problem of RFC 9457 with this status that names each of these fields, and no other."""
        self.must(status, about)
        check(self.headers["Content-Type"] == PROBLEM, f"{about}: a refusal of type {self.headers['Content-Type']}")
        body = self.json
        check(body["status"] == status and body["title"] and body["type"], f"{about}: {body}")
        named = {error["field"] for error in body.get("errors", [])}
        for error in body.get("errors", []):
            check(error["reason"], f"{about}: {error['field']} without a reason")
        if not named and fields:  # one field, told in the detail
            named = {body["detail"].split(":")[0]}
        check(named == set(fields), f"{about}: it names {sorted(named)}, not {sorted(fields)}: {body}")
        check(not fields or body["detail"], f"{about}: no detail")
        return body


def ask(server, method, path, body=None, **headers):
    """One request as a program makes it. headers: `If_None_Match` for If-None-Match; None leaves one out."""
    wanted = {"Authorization": "Bearer " + server.api.token, **{name.replace("_", "-"): value for name, value in headers.items()}}
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    with contextlib.closing(http.client.HTTPConnection(urllib.parse.urlsplit(server.base).netloc, timeout=20)) as connection:
        connection.request(method, path, data, {name: value for name, value in wanted.items() if value is not None})
        return Answer(connection.getresponse())


def new_call(to, **more):
    return {"to": to, "flow": FLOW, "language": "en", "variables": dial_variables(), **more}


def place(server, to, **headers):
    answer = ask(server, "POST", CALLS, new_call(to), **headers).must(202, f"a call to {to}")
    check_keys(answer.json, "Call")
    check(answer.headers["Location"] == f"{CALLS}/{answer.json['id']}", f"Location is {answer.headers['Location']}")
    return answer


def schema(name):
    """(properties, those required) of one schema of openapi.yaml, read by its indentation."""
    with open(os.path.join(ROOT, "src", "api", "openapi.yaml"), encoding="utf8") as source:
        block = re.split(r"\n    \S", source.read().split(f"\n    {name}:\n", 1)[1])[0]
    depth = 12 if "allOf" in block else 8
    found = re.search(r"required: \[([^\]]*)\]", block)
    return set(re.findall(rf"^ {{{depth}}}(\w+):", block, re.M)), set(found[1].split(", ")) if found else set()


def check_keys(body, *names):
    """The object has what these schemas (together one) require and nothing that they do not know."""
    known, required = (set().union(*parts) for parts in zip(*map(schema, names)))
    check(len(known) > 2, f"openapi.yaml: {names} was not understood")
    check(required <= set(body) <= known, f"{names[-1]}: missing {sorted(required - set(body))}, not in openapi.yaml {sorted(set(body) - known)}")


def nobody():
    """The address of a line without anybody: such a call fails at once."""
    return f"sip:nobody@127.0.0.1:{free_port_udp()}"


def light(house, name, **settings):
    return running(house.serve("rest-" + name, **NO_WORKERS, **settings))


# ---- placing and reading ----

def placed_once(house):
    """A request that is sent again (its answer was lost) makes no second call; a key stands for one request."""
    with light(house, "once") as server:
        to = nobody()
        first = place(server, to, Idempotency_Key="order-17")
        again = place(server, to, Idempotency_Key="order-17")
        check(again.json["id"] == first.json["id"], "the repeated request made another call")
        check(again.headers["Idempotency-Replayed"] == "true" and not first.headers["Idempotency-Replayed"], "the repetition is not marked as one")
        for about, other in (("to", new_call(nobody())), ("subject_id", new_call(to, subject_id="4711")), ("variables", new_call(to, variables={
                **dial_variables(), "customer_name": "Mr Smith"}))):
            ask(server, "POST", CALLS, other, Idempotency_Key="order-17").refuses(409, f"the key with another {about}", "Idempotency-Key")
        for key in ("", "two words", "x" * 129):
            ask(server, "POST", CALLS, new_call(to), Idempotency_Key=key).refuses(422, f"the key {key[:10]!r}", "Idempotency-Key")
        other = place(server, to, Idempotency_Key="order-18")
        check(other.json["id"] != first.json["id"], "another key made no other call")
        wait_end(server, other.json["id"], 15)
        late = place(server, to, Idempotency_Key="order-17")
        check(late.json["id"] == first.json["id"] and late.json["outcome"] == "unreachable", f"after its end: {late.json}")
        rows = ask(server, "GET", CALLS).json["calls"]
        check(len(rows) == 2, f"{len(rows)} calls were made of two keys")
        return "one key, one call; another body 409"


def etag(house):
    with light(house, "etag") as server:
        with running(Carrier("no_answer", os.path.join(house.out, "rest-etag"))) as carrier:
            call = place(server, carrier.uri).json["id"]
            wait_call(server, call, 15, "ringing", lambda d: d["state"] == "ringing")
            path = f"{CALLS}/{call}"
            ringing = ask(server, "GET", path).must(200, "the call")
            check_keys(ringing.json, "Call", "CallDetail")
            same = ask(server, "GET", path, If_None_Match=ringing.headers["ETag"]).must(304, "nothing has changed")
            check(not same.body and same.headers["ETag"] == ringing.headers["ETag"], "304 with a body, or another ETag")
            ask(server, "DELETE", path).must(202, "hanging up")
            wait_end(server, call, 10)
            over = ask(server, "GET", path, If_None_Match=ringing.headers["ETag"]).must(200, "it has changed")
            check(over.headers["ETag"] != ringing.headers["ETag"] and over.json["outcome"] == "cancelled", f"after the end: {over.json}")
            ask(server, "DELETE", path).refuses(409, "hanging up what is over")
        for method, path in (("GET", CALLS + "/abc"), ("GET", f"{CALLS}/{STRANGER}"), ("DELETE", CALLS + "/abc"), ("DELETE", f"{CALLS}/{STRANGER}"),
                             ("GET", f"{CALLS}/{STRANGER}/recording"), ("GET", f"{CALLS}/abc/recording"), ("GET", f"{CALLS}/{call}/recording")):
            ask(server, method, path).refuses(404, f"{method} {path}")
        return "304 until it changes; what is not there 404, what is over 409"


def pages(house):
    with light(house, "pages") as server:
        made = [place(server, nobody()).json["id"] for _ in range(5)]
        for call in made:
            wait_end(server, call, 15)
        seen, cursor, sizes = [], None, []
        for _ in range(5):
            page = ask(server, "GET", f"{CALLS}?limit=2" + (f"&cursor={cursor}" if cursor else "")).must(200, "a page").json
            seen += [call["id"] for call in page["calls"]]
            sizes.append(len(page["calls"]))
            cursor = page["next_cursor"]
            if len(sizes) == 1:
                place(server, nobody())  # meanwhile: it belongs before the first page
            if not cursor:
                break
        check(seen == made[::-1], f"the pages hold {seen}, not {made[::-1]}")
        check(sizes == [2, 2, 1], f"pages of {sizes}")
        wait_for(lambda: all(call["outcome"] for call in ask(server, "GET", CALLS).json["calls"]), 15, "the end of the last call")
        whole = ask(server, "GET", CALLS).json
        check(len(whole["calls"]) == 6 and whole["next_cursor"] is None, "without a limit: not all six")
        check(all(call["state"] == "failed" for call in ask(server, "GET", CALLS + "?state=failed").json["calls"]), "state=failed gives others too")
        check(ask(server, "GET", CALLS + "?state=ringing").json["calls"] == [], "state=ringing gives calls that are over")
        for query, field in (("limit=0", "limit"), ("limit=201", "limit"), ("limit=2x", "limit"), ("limit=", "limit"), ("cursor=abc", "cursor"),
                             ("state=gone", "state")):
            ask(server, "GET", f"{CALLS}?{query}").refuses(400, query, field)
        return f"5 calls by pages of {sizes}, a call placed meanwhile moves none"


def recording(house):
    """A call answered by a carrier, hung up by DELETE; its WAV by parts."""
    with light(house, "recording") as server, running(Carrier("answer", os.path.join(house.out, "rest-recording"))) as carrier:
        call = place(server, carrier.uri).json["id"]
        wait_call(server, call, 15, "the answer", lambda d: d["state"] == "talking")
        lived = ask(server, "DELETE", f"{CALLS}/{call}").must(202, "hanging up")
        check_keys(lived.json, "Call")
        detail = wait_end(server, call, 10)
        check((detail["state"], detail["outcome"]) == ("completed", "completed"), f"it ended as {detail['state']}, {detail['outcome']}")
        carrier.check_done("BYE")
        path = f"{CALLS}/{call}/recording"
        whole = wait_for(lambda: (a := ask(server, "GET", path)).status == 200 and a, 10, "the recording", 0.2)
        size = len(whole.body)
        check(whole.headers["Content-Type"] == "audio/wav" and whole.headers["Accept-Ranges"] == "bytes", str(whole.headers))
        check(whole.body[:4] == b"RIFF" and struct.unpack_from("<I", whole.body, 4)[0] == size - 8, "it is no WAV of its own length")
        for asked, first, last in (("bytes=0-43", 0, 43), ("bytes=44-99", 44, 99), ("bytes=100-", 100, size - 1), ("bytes=-50", size - 50, size - 1),
                                   (f"bytes=-{size + 9}", 0, size - 1), (f"bytes={size - 1}-{size + 99}", size - 1, size - 1)):
            part = ask(server, "GET", path, Range=asked).must(206, asked)
            check(part.headers["Content-Range"] == f"bytes {first}-{last}/{size}", f"{asked}: {part.headers['Content-Range']}")
            check(part.body == whole.body[first:last + 1], f"{asked}: not these bytes")
        for asked in (f"bytes={size}-", f"bytes={size + 5}-{size + 9}", "bytes=-0"):
            outside = ask(server, "GET", path, Range=asked)
            outside.refuses(416, asked)
            check(outside.headers["Content-Range"] == f"bytes */{size}", f"{asked}: {outside.headers['Content-Range']}")
        for asked in ("bytes=5-2", "lines=0-1", "bytes=a-b"):  # RFC 9110 14.2: as if there were none
            check(ask(server, "GET", path, Range=asked).must(200, asked).body == whole.body, f"{asked}: not the whole")
        ask(server, "DELETE", f"{CALLS}/{call}").refuses(409, "hanging up what is over")
        return f"DELETE hung up (BYE); {size} bytes by 6 ranges, 3 outside are 416"


# ---- refusals ----

BODIES = {  # fields named → the body; each alone, then all at once
    "to": [{}, {"to": 5}, {"to": ""}, {"to": "x" * 256}, {"to": "sip:a\r\nVia: b@127.0.0.1"}, new_call(None)],
    "flow": [new_call("sip:a@127.0.0.1", flow="none"), new_call("sip:a@127.0.0.1", flow=1)],
    "language": [new_call("sip:a@127.0.0.1", language="fr"), new_call("sip:a@127.0.0.1", language="zh")],  # the drills' flow is English
    "subject_id": [new_call("sip:a@127.0.0.1", subject_id="x" * 129), new_call("sip:a@127.0.0.1", subject_id=["x"])],
    "variables": [new_call("sip:a@127.0.0.1", variables=[]), new_call("sip:a@127.0.0.1", variables={f"v{i}": "x" for i in range(33)})],
    "variables.customer_name": [new_call("sip:a@127.0.0.1", variables={**dial_variables(), "customer_name": 7})],
    "variables.appointment_time": [new_call("sip:a@127.0.0.1", variables={}),
                                   new_call("sip:a@127.0.0.1", variables={**dial_variables(), "appointment_time": "soon"})],
    "more": [new_call("sip:a@127.0.0.1", more=1)],
}


def bad_bodies(house):
    with light(house, "bodies") as server:
        for body in (b"", b"{", b"[]", b'"to"', b"\xff\xfe", b'{"to":"sip:a@127.0.0.1"} x', b"[" * 500):
            ask(server, "POST", CALLS, body).refuses(400, repr(body[:20]))
        asked = 0
        for field, bodies in BODIES.items():
            for body in bodies:
                ask(server, "POST", CALLS, body).refuses(422, json.dumps(body)[:120], field)
                asked += 1
        everything = {"to": 5, "flow": "none", "language": "fr", "subject_id": "", "variables": {"a b": "x", "c": 4}, "more": 1, "again": 2}
        ask(server, "POST", CALLS, everything).refuses(422, "all at once", "to", "flow", "language", "subject_id", "variables.a b", "variables.c", "more", "again")
        ask(server, "POST", CALLS, b" " * (1 << 20) + b"{}").refuses(413, "a body of more than 1 MiB")
        check(ask(server, "GET", CALLS).json["calls"] == [], "a refused request left a row")
        return f"{asked} bodies each name their field, one names eight, nothing was stored"


def not_let_in(house):
    with light(house, "door") as server:
        check(ask(server, "GET", "/healthz", Authorization=None).must(200, "/healthz").json["status"] == "ok", "not ok")
        for path in (CALLS, f"{CALLS}/{STRANGER}", f"{CALLS}/{STRANGER}/recording", "/api/v1/flows", "/api/v1/system", "/metrics", "/api/v1/live", "/api/v1/talk"):
            for token in (None, "Bearer x", "Basic " + server.api.token, server.api.token):
                refused = ask(server, "GET", path, Authorization=token)
                refused.refuses(401, f"{path} with {'no' if token is None else 'a wrong'} token")
                check(refused.headers["WWW-Authenticate"] == "Bearer", "401 without WWW-Authenticate")
        ask(server, "POST", CALLS, new_call("sip:a@127.0.0.1"), Authorization=None).refuses(401, "a call without a token")
        ask(server, "DELETE", f"{CALLS}/{STRANGER}", Authorization=None).refuses(401, "DELETE without a token")
        ask(server, "POST", "/api/v1/login-codes", Authorization=None).refuses(401, "a login code without a token")
        port = server.base.rsplit(":", 1)[1]
        for name, value in (("Host", "evil.example"), ("Host", f"evil.example:{port}"), ("Host", "127.0.0.1:1"), ("Origin", "http://evil.example"),
                            ("Origin", "null"), ("Origin", "http://127.0.0.1:1"), ("Origin", f"http://127.0.0.1:{port}.evil.example")):
            for path in (CALLS, "/healthz", "/"):
                ask(server, "GET", path, **{name: value}).refuses(403, f"{name}: {value} at {path}")
            ask(server, "POST", CALLS, new_call("sip:a@127.0.0.1"), **{name: value}).refuses(403, f"a call with {name}: {value}")
        ask(server, "GET", CALLS, Host=f"localhost:{port}", Origin=f"http://localhost:{port}").must(200, "our own page")
        wrong = ask(server, "PUT", CALLS, b"")
        wrong.refuses(405, "PUT")
        check(set(wrong.headers["Allow"].split(", ")) == {"GET", "POST"}, f"Allow: {wrong.headers['Allow']}")
        ask(server, "GET", "/api/v1/nothing").refuses(404, "no such route")
        ask(server, "GET", "/login?code=" + "x" * 43, Authorization=None).refuses(403, "a code that nobody made")
        path = ask(server, "POST", "/api/v1/login-codes").must(201, "a login code").json["path"]
        opened = ask(server, "GET", path, Authorization=None).must(303, "the one-time link")
        cookie = opened.headers["Set-Cookie"]
        check("HttpOnly" in cookie and "SameSite=Strict" in cookie, f"the cookie is {cookie.split('=', 1)[1][43:]}")
        ask(server, "GET", CALLS, Authorization=None, Cookie=cookie.split(";")[0]).must(200, "with the session")
        ask(server, "GET", path, Authorization=None).refuses(403, "the one-time link again")
        check(ask(server, "GET", CALLS).json["calls"] == [], "somebody who was not let in made a call")
        check_keys(ask(server, "GET", "/api/v1/system").json, "System")
        return "401 without the token, 403 for another site's page, 405, 404; the link works once"


def closed_window():
    """Two hours of Shanghai's day that now is far from."""
    hour = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=8)).hour
    return ("20:00", "22:00") if hour < 12 else ("01:00", "03:00")


def may_not_dial(house):
    opens, closes = closed_window()
    rules = {"AICALL_COMPLIANCE__ALLOW_NUMBER_PREFIXES": "+86", "AICALL_COMPLIANCE__WINDOW_FROM": opens, "AICALL_COMPLIANCE__WINDOW_TO": closes}
    with light(house, "may-dial", **rules) as server:
        for to in ("sip:a@192.0.2.1", "sip:a@evil.example", "+12125550100", "sip:a@127.0.0.1.evil.example"):
            ask(server, "POST", CALLS, new_call(to)).refuses(403, to, "to")
        for to in ("hello", "sip:a", "12", "sip:a@127.0.0.1:99999", "http://127.0.0.1/"):
            ask(server, "POST", CALLS, new_call(to)).refuses(422, to, "to")
        late = ask(server, "POST", CALLS, new_call(NUMBER)).refuses(403, "outside the window", "to")
        opening = re.search(r"from (\S+Z)$", late["detail"])
        check(opening, f"it does not say when it may be called: {late['detail']}")
        hour = (datetime.datetime.fromisoformat(opening[1].replace("Z", "+00:00")) + datetime.timedelta(hours=8)).strftime("%H:%M")
        check(hour == opens, f"it may be called from {hour} and not {opens}")
        check(ask(server, "GET", CALLS).json["calls"] == [], "a refused call left a row")
        return f"hosts, prefixes and hours that are not allowed are 403 and name `to`: '{late['detail']}'"


def queue_full(house):
    """One line, one place in the queue. Who asks meanwhile not to be called is not, though the call was taken."""
    with light(house, "queue", AICALL_CALLS__MAX_ACTIVE="1", AICALL_CALLS__QUEUE_MAX="1") as server:
        folder = os.path.join(house.out, "rest-queue")
        with running(Carrier("no_answer", os.path.join(folder, "first"))) as first, running(Carrier("busy", os.path.join(folder, "second"))) as second:
            ringing = place(server, first.uri).json["id"]
            wait_call(server, ringing, 15, "ringing", lambda d: d["state"] == "ringing")
            waiting = place(server, second.uri).json["id"]
            full = ask(server, "POST", CALLS, new_call(nobody()))
            full.refuses(429, "a third call")
            check(int(full.headers["Retry-After"]) > 0, "429 without Retry-After")
            check(len(ask(server, "GET", CALLS).json["calls"]) == 2, "the refused call left a row")
            check(detail_of(server, waiting)["state"] == "queued", "the second call did not wait")
            ask(server, "DELETE", f"{CALLS}/{ringing}").must(202, "hanging up")
            detail = wait_end(server, waiting, 15)
            check(detail["outcome"] == "busy", f"the call that waited ended as {detail['outcome']}")
            first.check_done("CANCEL")
        with running(Carrier("no_answer", os.path.join(folder, "third"))) as third:
            ringing = place(server, third.uri).json["id"]
            wait_call(server, ringing, 15, "ringing", lambda d: d["state"] == "ringing")
            waiting = place(server, nobody()).json["id"]
            do_not_call(server, waiting)
            ask(server, "DELETE", f"{CALLS}/{ringing}").must(202, "hanging up")
            detail = wait_end(server, waiting, 15)
        check(detail["outcome"] == "not_allowed" and states(detail) == ["failed"], f"it was dialled: {detail['outcome']}, {states(detail)}")
        return f"429, later the line is free again; listed while it waited: {detail['outcome']}, '{detail['transitions'][0]['reason']}'"


def do_not_call(server, call):
    """Lists whom this call is for, as another program on the same store does (the index of both tables is the same)."""
    with contextlib.closing(sqlite3.connect(os.path.join(server.data, "aicall.db"), timeout=10)) as store, store:
        store.execute("INSERT INTO do_not_call (tenant_id, target_index, target_sealed, source, at_ms) "
                      "SELECT tenant_id, target_index, target_sealed, 'import', created_ms FROM calls WHERE id = ?", (call,))


DRILLS = {"one key, one call": placed_once, "ETag": etag, "pages": pages, "recording by parts": recording, "bad bodies": bad_bodies,
          "who is not let in": not_let_in, "who may not be dialled": may_not_dial, "a full queue": queue_full}
