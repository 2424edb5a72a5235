"""The two model workers as a customer program uses them: speech over HTTP, hearing over a WebSocket, both on Unix sockets.

Only the standard library. The protocols are those of src/worker/README.md.
"""
import base64
import http.client
import json
import os
import socket
import struct
import subprocess
import time


class UnixHttp(http.client.HTTPConnection):
    def __init__(self, path, timeout=120):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Worker:
    """One `aicall-worker ROLE`, started here and stopped by pid."""

    def __init__(self, program, role, models, folder, extra=()):
        self.socket = os.path.join(folder, role + ".sock")
        self.log = open(os.path.join(folder, role + ".log"), "wb")
        command = [program, role, "--socket", self.socket, "--models", models, *extra]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        for _ in range(600):
            if self.process.poll() is not None:
                raise RuntimeError(f"{role} worker ended: see {self.log.name}")
            try:
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                    probe.connect(self.socket)
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"{role} worker does not listen: see {self.log.name}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Voice:
    def __init__(self, worker):
        self.worker = worker

    def say(self, text, voice, language):
        """WAV bytes."""
        connection = UnixHttp(self.worker.socket)
        body = {"model": "kokoro" if language == "zh" else "piper", "voice": voice, "input": text,
                "response_format": "wav", "speed": 1.0}
        connection.request("POST", "/v1/audio/speech", json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"voice: {answer.status} {data[:200]!r}")
        return data


class Ear:
    """`transcribe(samples)` by a hear worker. A connection each: one that lies idle (the bot's prompts are rendered, it talks
    for long) would be closed for not answering pings."""

    def __init__(self, worker, language):
        self.worker, self.language = worker, language
        self.sock, self.buffer = None, b""

    def _connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(30)
        self.sock.connect(self.worker.socket)
        key = base64.b64encode(os.urandom(16)).decode()
        self.sock.sendall((f"GET /v1/hear HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
                           "Sec-WebSocket-Protocol: yyc3-hear.v1\r\n\r\n").encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.sock.recv(4096)
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(f"hear worker refused: {head[:100]!r}")
        self._send(1, json.dumps({"type": "open", "stream": 1, "lang": self.language, "rate": 8000}).encode())

    def _send(self, opcode, payload):
        mask = os.urandom(4)
        size = len(payload)
        head = bytes([0x80 | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += bytes([0x80 | 126]) + struct.pack(">H", size)
        else:
            head += bytes([0x80 | 127]) + struct.pack(">Q", size)
        masked = bytes(b ^ mask[i & 3] for i, b in enumerate(payload))
        self.sock.sendall(head + mask + masked)

    def _need(self, count):
        while len(self.buffer) < count:
            data = self.sock.recv(65536)
            if not data:
                raise RuntimeError("hear worker went away")
            self.buffer += data
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def _receive(self):
        first, second = self._need(2)
        size = second & 0x7F
        if size == 126:
            size = struct.unpack(">H", self._need(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self._need(8))[0]
        return first & 0x0F, self._need(size)

    def transcribe(self, samples):
        """Text of 8 kHz samples (array of int16)."""
        self._connect()
        with self.sock:
            for at in range(0, len(samples), 4000):
                piece = samples[at:at + 4000]
                chunk = struct.pack("<IQH", 1, at, len(piece)) + struct.pack(f"<{len(piece)}h", *piece)
                self._send(2, struct.pack("<BH", 1, 1) + chunk)
            self._send(1, json.dumps({"type": "decode", "job": 1, "stream": 1, "from": 0, "to": len(samples), "lang": self.language,
                                      "deadline_ms": 15000, "epoch": 0}).encode())
            for _ in range(10000):
                opcode, payload = self._receive()
                if opcode == 9:
                    self._send(10, payload)
                if opcode != 1:
                    continue
                message = json.loads(payload)
                if message.get("job") == 1:
                    return message.get("text", "")
        return ""
