#!/usr/bin/env python3
"""usage: stream.py [--size MIB] [--big MIB] [--rounds N] [--ehlo PROGRAM]

Sends big messages over loopback to a server that discards them, with ehlo and
beside it: a bare sender (sender/), which is as fast as this machine lets a client
be, and curl and swaks where they are installed. All take turns, N rounds; medians
are printed, in MiB of the message a second, and the peak of resident memory. Then
ehlo alone sends MIB of --big, from a file and through a pipe, signed and not.

It needs Go; --ehlo measures a program that is built already. It ends with
status 1 if a budget is not kept:

    speed    0.6 times the bare sender with an attachment, by the same command; a
             whole message too, which the bare sender does not even look at
    speed    8 times curl with an attachment
    memory   20 MiB, whatever the size

Memory is what time(1) of GNU says. Where there is none it is what the kernel says,
which counts from before the program began: no figure is below that of this script,
which stands on the last line then.
"""

import argparse
import base64
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MIB = 1 << 20
FROM, TO = "a@client.test", "b@sink.test"
FASTER_THAN_SENDER, FASTER_THAN_CURL, MOST_MEMORY = 0.6, 8, 20
HERE = Path(__file__).resolve().parent
TIME = shutil.which("time")


class Failed(Exception):
    pass


def run(argv, feed=None):
    """The seconds that argv takes, those of its processor, and its peak in MiB."""
    argv = [str(a) for a in argv]
    began = time.monotonic()
    source = subprocess.Popen(["cat", feed], stdout=subprocess.PIPE) if feed else None
    child = subprocess.Popen([TIME, "-f", "%M", *argv] if TIME else argv, stdin=source.stdout if source else subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if source:
        source.stdout.close()
    said = child.stderr.read().decode(errors="replace").strip()
    _, status, usage = os.wait4(child.pid, 0)
    took = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if source:
        source.wait()
    if child.returncode != 0:
        raise Failed(f"{' '.join(argv)}: status {child.returncode}: {said}")
    peak = int(said.splitlines()[-1]) if TIME else usage.ru_maxrss
    return took, usage.ru_utime + usage.ru_stime, peak / 1024


def octets(path, size):
    """A file of octets that no compression or table makes faster."""
    block = os.urandom(MIB)
    with open(path, "wb") as f:
        for _ in range(size):
            f.write(block)
    return path


def message(path, size, end):
    """A whole message of size MiB, in lines of 76; some begin with a dot."""
    line = base64.b64encode(os.urandom(57)) + end
    lines = (line * 99 + b"." + line[1:]) * 10
    head = end.join([f"From: <{FROM}>".encode(), f"To: <{TO}>".encode(), b"Subject: big",
                     b"Date: Sun, 22 Nov 2026 06:00:00 +0000", b"Message-ID: <big@client.test>", b"", b""])
    with open(path, "wb") as f:
        left = size * MIB - f.write(head)
        while left >= len(lines):
            left -= f.write(lines)
        f.write(line * (left // len(line)))
    return path


class Bench:
    def __init__(self, directory, options):
        self.dir, self.options, self.sinks = directory, options, []
        for name in "sink", "sender":
            self.build(directory / name, HERE / name)
        self.ehlo = options.ehlo or self.build(directory / "ehlo", HERE.parent.parent)
        self.bdat, self.data = self.sink(), self.sink("-no-chunking")
        self.key = directory / "key.pem"

    def build(self, program, source):
        subprocess.run(["go", "build", "-o", program, "."], cwd=source, check=True)
        return program

    def sink(self, *flags):
        server = subprocess.Popen([self.dir / "sink", *flags], stdout=subprocess.PIPE, text=True)
        self.sinks.append(server)
        return server.stdout.readline().strip()

    def close(self):
        for server in self.sinks:
            server.kill()
            server.wait()

    def send(self, server, *flags):
        return [self.ehlo, "send", "--quiet", "--server", server, "--from", FROM, "--to", TO, "--helo", "client.test", *flags]

    def signed(self):
        """The flags that sign, or none where there is no openssl to make a key."""
        if not shutil.which("openssl"):
            return []
        if not self.key.exists():
            subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.key], check=True)
        # Nobody answers there: whether the key is published is not the matter.
        return ["--dkim-key", self.key, "--dkim-domain", "client.test", "--dkim-selector", "s", "--dns-server", "127.0.0.1:9"]

    def speed(self):
        size = self.options.size
        big = octets(self.dir / "big.bin", size)
        crlf = message(self.dir / "crlf.eml", size, b"\r\n")
        lf = message(self.dir / "lf.eml", size, b"\n")
        encoded = size * 4 / 3 * 78 / 76
        sender = self.dir / "sender"
        jobs = {}  # client, job, command: argv and MiB on the wire
        for name, server, flags in ("BDAT", self.bdat, ["-bdat"]), ("DATA", self.data, []):
            jobs["sender", "attachment", name] = [sender, "-addr", server, *flags, "-attach", big], encoded
            jobs["ehlo", "attachment", name] = self.send(server, "--attach", f"@{big}"), encoded
            if self.signed():
                jobs["ehlo", "attachment, signed", name] = self.send(server, "--attach", f"@{big}", *self.signed()), encoded
            jobs["sender", "message", name] = [sender, "-addr", server, *flags, "-data", crlf], size
            jobs["ehlo", "message", name] = self.send(server, "--data", f"@{crlf}"), size
            jobs["ehlo", "message in LF", name] = self.send(server, "--data", f"@{lf}"), size * 78 / 77
        if shutil.which("curl"):
            curl = ["curl", "--silent", "--show-error", "--mail-from", FROM, "--mail-rcpt", TO, f"smtp://{self.data}"]
            jobs["curl", "attachment", "DATA"] = [*curl, "-F", f"=@{big};encoder=base64"], encoded
            jobs["curl", "message", "DATA"] = [*curl, "--upload-file", crlf], size
        if shutil.which("swaks"):
            swaks = ["swaks", "--server", self.data, "--from", FROM, "--to", TO]
            jobs["swaks", "attachment", "DATA"] = [*swaks, "--attach", f"@{big}"], encoded
            jobs["swaks", "message", "DATA"] = [*swaks, "--data", f"@{crlf}"], size
        figures = {job: [] for job in jobs}
        for _ in range(self.options.rounds):
            for job, (argv, _) in jobs.items():
                figures[job].append(run(argv))
        for path in big, crlf, lf:
            path.unlink()
        return self.speeds(jobs, figures)

    def speeds(self, jobs, figures):
        rate = {job: jobs[job][1] / statistics.median(f[0] for f in figures[job]) for job in jobs}
        kept = True
        print(f"{self.options.size} MiB, medians of {self.options.rounds}\n")
        print(f"{'CLIENT':8}{'SENDS':20}{'BY':5}{'SECONDS':>8}{'CPU':>7}{'MIB/S':>7}{'MEMORY':>8}{'TO SENDER':>11}{'TO CURL':>9}")
        for job, runs in figures.items():
            client, what, by = job
            seconds, cpu, memory = (statistics.median(column) for column in zip(*runs))
            to_sender = rate[job] / rate["sender", "attachment", by]
            curl = rate.get(("curl", what.split(",")[0], "DATA"))
            row = f"{client:8}{what:20}{by:5}{seconds:8.2f}{cpu:7.2f}{rate[job]:7.0f}{memory:8.1f}{to_sender:11.2f}"
            row += f"{rate[job] / curl:9.1f}" if curl else ""
            if client == "ehlo" and "signed" not in what:
                over = to_sender < FASTER_THAN_SENDER or what == "attachment" and curl and rate[job] / curl < FASTER_THAN_CURL
                row, kept = row + ("  over budget" if over else ""), kept and not over
            print(row)
        return kept

    def memory(self):
        size = self.options.big
        attachment = self.dir / "big.bin"
        with open(attachment, "wb") as f:
            f.truncate(size * MIB)
        whole = message(self.dir / "big.eml", size, b"\r\n")
        kept = True
        print(f"\n{size} MiB\n\n{'EHLO SENDS':26}{'BY':6}{'SECONDS':>8}{'MEMORY':>8}")
        for by, server in ("BDAT", self.bdat), ("DATA", self.data):
            for kind, sign in ("", []), (", signed", self.signed()):
                if kind and not sign:
                    continue
                for what, flags, feed in (("attachment", ["--attach", f"@{attachment}"], None),
                                          ("message", ["--data", f"@{whole}"], None),
                                          ("message, piped", ["--data", "-"], whole)):
                    seconds, _, memory = run(self.send(server, *flags, *sign), feed)
                    over = memory > MOST_MEMORY
                    print(f"{what + kind:26}{by:6}{seconds:8.2f}{memory:8.1f}{'  over budget' if over else ''}", flush=True)
                    kept = kept and not over
        return kept


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=250, metavar="MIB")
    parser.add_argument("--big", type=int, default=1024, metavar="MIB", help="0 leaves this part out")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="0 leaves this part out")
    parser.add_argument("--ehlo", type=Path, metavar="PROGRAM")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ehlo-bench.") as directory:
        bench = Bench(Path(directory), options)
        try:
            kept = True
            if options.rounds:
                kept = bench.speed()
            if options.big:
                kept = bench.memory() and kept
        except Failed as failure:
            sys.exit(f"stream.py: {failure}")
        finally:
            bench.close()
    if not TIME:
        print(f"\nNo memory below {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.1f} is seen.")
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
