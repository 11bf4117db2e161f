#!/usr/bin/env python3
"""usage: table.py [--rounds N] [--messages N] [--ehlo PROGRAM] [--write FILE] [--only WORD]

Measures ehlo beside its peers on this machine, each row several times and by
turns, and prints a table: medians, their ratio, the budget, and how far it is to a
bare program of the same libraries: floor/, a module of its own, with their newest
releases; and the same program with the releases that ehlo is built with ("lean"). swaks, curl, msmtp and Postfix's smtp-source are installed
from the distribution where they are absent and apt-get can; a peer that is not
there leaves its rows out. Everything stays on loopback, but for the rows of round
trips, which need root: two network namespaces that delay/ joins with 50 ms each
way. With --write the table goes to FILE too, as Markdown with machine and date; what
stands in FILE from its first "##" on stays.

The status is 1 if a budget is not kept.
"""

import argparse
import json
import os
import platform
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
FROM, TO = "a@client.test", "b@sink.test"
PEERS = {"swaks": "swaks", "curl": "curl", "msmtp": "msmtp", "smtp-source": "postfix"}
KIB = "900"  # smtp-source adds a header: 1024 octets leave, as from ehlo
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def install():
    missing = sorted({package for program, package in PEERS.items() if not shutil.which(program)})
    if not perl_has_tls():
        missing.append("libnet-ssleay-perl")  # which swaks only recommends
    if missing and shutil.which("apt-get") and os.geteuid() == 0:
        # policy-rc.d with status 101 keeps a package from starting its servers.
        guard = Path("/usr/sbin/policy-rc.d")
        ours = not guard.exists()
        if ours:
            guard.write_text("#!/bin/sh\nexit 101\n")
            guard.chmod(0o755)
        try:
            environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
            subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", *missing], env=environment, stdout=subprocess.DEVNULL)
        finally:
            if ours:
                guard.unlink()


def perl_has_tls():
    return shutil.which("perl") and subprocess.run(["perl", "-MNet::SSLeay", "-e", "1"], capture_output=True).returncode == 0


def forget():
    """Has programs read anew from the disk, as installed ones are: what a linker has just
    written lies in the page cache in small pieces, which costs each start."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("1\n")
    except OSError:
        pass  # without root: all programs are slower alike


def build(program, source, package="."):
    # A clone may be somebody else's, whose history git does not read.
    subprocess.run(["go", "build", "-buildvcs=false", "-o", program, package], cwd=source, check=True)


class Cost:
    """What a process took, as timed/ says it: wall and processor seconds, its peak in MiB."""

    def __init__(self, timed, argv, keep=False):
        argv = [str(a) for a in argv]
        self.began = time.time()
        out = subprocess.PIPE if keep else subprocess.DEVNULL
        child = subprocess.run([timed, *argv], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, text=True, errors="replace")
        said, _, figures = child.stderr.rpartition("timed ")
        if child.returncode:
            raise RuntimeError(f"{' '.join(argv)}: status {child.returncode}: {said.strip()}")
        wall, cpu, memory = figures.split()
        self.wall, self.cpu, self.memory = float(wall), float(cpu), int(memory) / 1024
        self.out = child.stdout


class Table:
    def __init__(self, directory, options):
        self.dir, self.options, self.servers, self.rows = directory, options, [], []
        for name in "sink", "sender", "delay", "floor", "timed":
            if (HERE / name).is_dir():
                build(directory / name, HERE / name)
        build(directory / "lean", HERE.parent.parent, "testdata/bench/floor/main.go")
        self.ehlo = options.ehlo or directory / "ehlo"
        if not options.ehlo:
            build(self.ehlo, HERE.parent.parent)
        forget()
        self.plain, self.chunking, self.secure = self.sink("-no-chunking"), self.sink(), self.sink("-no-chunking", "-tls", "-ca", directory / "ca.pem")
        # A store as machines have it, with the authority of the sink in it.
        self.store = directory / "store.pem"
        self.store.write_bytes((BUNDLE.read_bytes() if BUNDLE.exists() else b"") + (directory / "ca.pem").read_bytes())
        os.environ.update(SSL_CERT_FILE=str(self.store), SSL_CERT_DIR=str(directory / "none"))

    def sink(self, *flags, within=()):
        server = subprocess.Popen([*within, self.dir / "sink", *flags], stdout=subprocess.PIPE, text=True)
        self.servers.append(server)
        return server.stdout.readline().strip()

    def close(self):
        for server in self.servers:
            server.kill()
            server.wait()

    def wanted(self, what):
        return self.options.only in what

    def medians(self, jobs, times=1):
        """The median cost of each job, run by run by turns: whatever else the machine
        does meets all of them. Their order is another each time, as a run behind one that
        mostly waits begins on a processor that has gone to sleep."""
        costs, order = {name: [] for name in jobs}, random.Random(5321)
        for _ in range(self.options.rounds * times):
            for name in order.sample(list(jobs), len(jobs)):
                costs[name].append(Cost(self.dir / "timed", jobs[name]))
        pick = {}
        for name, runs in costs.items():
            pick[name] = Cost.__new__(Cost)
            for figure in "wall", "cpu", "memory":
                setattr(pick[name], figure, statistics.median(getattr(c, figure) for c in runs))
        return pick

    def row(self, what, ours, theirs, ratio, most=None, least=None):
        kept = (most is None or ratio <= most) and (least is None or ratio >= least)
        bound = "" if most is None and least is None else f"at most {most:.3g}" if most is not None else f"at least {least:.3g}"
        self.rows.append((what, ours, theirs, f"{ratio:.2f}", bound, "" if not bound else "yes" if kept else "NO"))
        print(f"{what:58}{ours:>16}{theirs:>22}{ratio:>8.2f}  {bound:14}{self.rows[-1][5]}", flush=True)

    def send(self, server, *flags):
        return [self.ehlo, "send", "--server", server, "--from", FROM, "--to", TO, "--helo", "client.test", "--body", "hello", *flags]

    def load(self, server, *flags):
        return [self.ehlo, "bench", "--quiet", server, "--helo", "client.test", "--from", FROM, "--to", TO, "--duration", "10m", *flags]

    def start(self):
        if not self.wanted("start"):
            return
        m = self.medians({"version": [self.ehlo, "--version"], "floor": [self.dir / "floor"]}, times=20)
        self.row("start: --version, beside a program that uses the four libraries once", ms(m["version"].wall), "floor " + ms(m["floor"].wall), m["version"].wall / m["floor"].wall, most=1.2)

    def dialogues(self):
        if not self.wanted("dialogue"):
            return
        message = self.dir / "hello.eml"
        message.write_bytes(b"From: <a@client.test>\r\nTo: <b@sink.test>\r\nSubject: x\r\n\r\nhello\r\n")
        jobs = {"ehlo": self.send(self.plain), "floor": [self.dir / "floor", "--to", self.plain], "lean": [self.dir / "lean", "--to", self.plain]}
        if shutil.which("curl"):
            jobs["curl"] = ["curl", "-sS", "--mail-from", FROM, "--mail-rcpt", TO, f"smtp://{self.plain}", "--upload-file", message]
        if shutil.which("swaks"):
            jobs["swaks"] = ["swaks", "--server", self.plain, "--from", FROM, "--to", TO, "--body", "hello"]
        m = self.medians(jobs, times=20)
        for peer, most in ("curl", 0.85), ("swaks", 1 / 6.5), ("floor", 1.25), ("lean", None):
            if peer in m:
                self.row(f"one dialogue, message delivered", ms(m["ehlo"].wall), f"{peer} {ms(m[peer].wall)}", m["ehlo"].wall / m[peer].wall, most=most)
        self.row("one dialogue, wall beyond CPU, in units of 3 ms", ms(m["ehlo"].wall), ms(m["ehlo"].cpu), (m["ehlo"].wall - m["ehlo"].cpu) / 0.003, most=1)
        self.row("one dialogue, memory, of 12.5 MiB", f"{m['ehlo'].memory:.1f} MiB", "", m["ehlo"].memory / 12.5, most=1)
        self.starttls("one STARTTLS dialogue, certificate proven", message, proof=True)
        self.starttls("one STARTTLS dialogue, the peers prove nothing", message, proof=False)

    def starttls(self, what, message, proof):
        """A dialogue by STARTTLS. The peers look into the store of authorities only if they
        are asked for proof; ehlo always does."""
        host, port = self.secure.rsplit(":", 1)
        jobs = {"ehlo": self.send(self.secure, "--tls-verify" if proof else "--tls")}
        if shutil.which("curl"):
            jobs["curl"] = ["curl", "-sS", "--ssl-reqd", *(["--cacert", self.store] if proof else ["-k"]), "--mail-from", FROM, "--mail-rcpt", TO, f"smtp://{self.secure}", "--upload-file", message]
        if shutil.which("swaks") and perl_has_tls():
            jobs["swaks"] = ["swaks", "--server", self.secure, "--from", FROM, "--to", TO, "--body", "hello", "--tls", *(["--tls-verify", "--tls-ca-path", self.store] if proof else [])]
        if shutil.which("msmtp"):
            script = 'exec msmtp --host="$1" --port="$2" --tls=on --tls-starttls=on "$4" --from=a@client.test b@sink.test < "$3"'
            jobs["msmtp"] = ["sh", "-c", script, "-", host, port, message, f"--tls-trust-file={self.store}" if proof else "--tls-certcheck=off"]
        if not proof:
            jobs["floor"] = [self.dir / "floor", "--tls", "--to", self.secure]
        m = self.medians(jobs, times=12)
        for peer, most in ("curl", 0.75), ("swaks", 1 / 15), ("msmtp", 1 / 13), ("floor", None):
            if peer in m:
                self.row(what, ms(m["ehlo"].wall), f"{peer} {ms(m[peer].wall)}", m["ehlo"].wall / m[peer].wall, most=most)
        if proof:
            self.row("one STARTTLS dialogue, memory, of 14 MiB", f"{m['ehlo'].memory:.1f} MiB", "", m["ehlo"].memory / 14, most=1)

    def big(self):
        if not self.wanted("attachment"):
            return
        files = {size: self.dir / f"{size}.bin" for size in (25, 250, 1024)}
        for size, path in files.items():
            with open(path, "wb") as f:
                block = os.urandom(1 << 20)
                for _ in range(size if size == 250 else 0):
                    f.write(block)
                f.truncate(size << 20)
        def attach(server, size):
            return self.send(server, "--quiet", "--attach", f"@{files[size]}")
        jobs = {"ehlo, BDAT": attach(self.chunking, 250), "sender, BDAT": [self.dir / "sender", "-addr", self.chunking, "-bdat", "-attach", files[250]],
                "ehlo, DATA": attach(self.plain, 250), "sender, DATA": [self.dir / "sender", "-addr", self.plain, "-attach", files[250]]}
        m = self.medians(jobs, times=3)  # they differ by little, and are done soon
        jobs = {"ehlo, DATA": jobs["ehlo, DATA"]}
        if shutil.which("curl"):
            jobs["curl, DATA"] = ["curl", "-sS", "--mail-from", FROM, "--mail-rcpt", TO, f"smtp://{self.plain}", "-F", f"=@{files[250]};encoder=base64"]
        if shutil.which("swaks"):
            jobs["swaks, DATA"] = ["swaks", "--server", self.plain, "--from", FROM, "--to", TO, "--attach", f"@{files[250]}"]
        slow = self.medians(jobs)
        for m, peer, least in (m, "sender, BDAT", 0.6), (m, "sender, DATA", 0.6), (slow, "curl, DATA", 8), (slow, "swaks, DATA", 12):
            if peer in m:
                name, by = peer.split(", ")
                ours = m[f"ehlo, {by}"].wall
                self.row(f"250 MiB attachment by {by}, speed", f"{ours:.2f} s", f"{name} {m[peer].wall:.2f} s", m[peer].wall / ours, least=least)
        m = self.medians({"25": attach(self.plain, 25), "1024": attach(self.plain, 1024), "BDAT": attach(self.chunking, 1024)})
        for by, memory in ("DATA", m["1024"].memory), ("BDAT", m["BDAT"].memory):
            self.row(f"1 GiB attachment by {by}, memory, of 20 MiB", f"{memory:.1f} MiB", "", memory / 20, most=1)
            self.row(f"1 GiB attachment by {by}, memory, of 25 MiB's", f"{memory:.1f} MiB", f"{m['25'].memory:.1f} MiB", memory / m["25"].memory, most=1.25)
        for path in files.values():
            path.unlink()

    def kept(self):
        if not self.wanted("kept") or not shutil.which("smtp-source"):
            return
        n = self.options.messages
        for sessions in 1, 10, 100:
            jobs = {"source": ["smtp-source", "-d", "-l", KIB, "-s", sessions, "-m", n, "-f", FROM, "-t", TO, self.plain]}
            common = ["--messages", n, "--sessions", sessions]
            jobs["lockstep"] = self.load(self.plain, *common, "--no-pipeline")
            jobs["PIPELINING"] = self.load(self.plain, *common)
            jobs["BDAT"] = self.load(self.chunking, *common)
            m = self.medians(jobs)
            least = {"lockstep": {10: 0.6, 100: 0.8}, "PIPELINING": {1: 1.5, 10: 1.2, 100: 1.2}, "BDAT": {1: 2.4, 10: 1.6, 100: 1.6}}
            for way in least:
                what, peer = f"kept connections, {way}, {sessions} sessions", m["source"]
                self.row(what + ", messages/s", f"{n / m[way].wall:.0f}", f"smtp-source {n / peer.wall:.0f}", peer.wall / m[way].wall, least=least[way].get(sessions))
                most = {"PIPELINING": 0.85, "BDAT": 0.65}.get(way)
                self.row(what + ", CPU", us(m[way].cpu / n), f"smtp-source {us(peer.cpu / n)}", m[way].cpu / peer.cpu, most=most)
            if sessions == 100:
                self.row("kept connections, 100 sessions, memory", f"{m['PIPELINING'].memory:.1f} MiB", f"smtp-source {m['source'].memory:.1f}", m["PIPELINING"].memory / m["source"].memory)

    def new(self):
        if not self.wanted("new connection") or not shutil.which("smtp-source"):
            return
        n = self.options.messages // 4
        for sessions, least in (10, 0.9), (100, 1.05):
            m = self.medians({
                "source": ["smtp-source", "-l", KIB, "-s", sessions, "-m", n, "-f", FROM, "-t", TO, self.plain],
                "ehlo": self.load(self.plain, "--messages", n, "--sessions", sessions, "--per-connection", 1),
            })
            peer = m["source"]
            self.row(f"a new connection each, {sessions} sessions, messages/s", f"{n / m['ehlo'].wall:.0f}", f"smtp-source {n / peer.wall:.0f}", peer.wall / m["ehlo"].wall, least=least)
        self.row("a new connection each, 100 sessions, memory", f"{m['ehlo'].memory:.1f} MiB", f"smtp-source {peer.memory:.1f}", m["ehlo"].memory / peer.memory, most=0.7)

    def trips(self):
        """Round trips of 100 ms, from the start of a run to the reply that matters, between two namespaces."""
        if not self.wanted("round trips") or os.geteuid() != 0 or not Path("/dev/net/tun").exists() or not shutil.which("ip"):
            return
        near, far = f"ehlo-near-{os.getpid()}", f"ehlo-far-{os.getpid()}"
        try:
            for name in near, far:
                subprocess.run(["ip", "netns", "add", name], check=True)
            line = subprocess.Popen([self.dir / "delay", "-near", near, "-far", far, "-delay", "50ms"], stdout=subprocess.PIPE, text=True)
            self.servers.append(line)
            if not line.stdout.readline().startswith("ready"):
                raise RuntimeError("delay/ did not begin")
            there = ["ip", "netns", "exec", far]
            plain, chunking, secure = (self.sink("-addr", "10.99.0.2:0", *flags, within=there) for flags in (["-no-chunking"], [], ["-no-chunking", "-tls"]))
            secure_chunking = self.sink("-addr", "10.99.0.2:0", "-tls", within=there)
            implicit = self.sink("-addr", "10.99.0.2:0", "-no-chunking", "-implicit", within=there)
            here = ["ip", "netns", "exec", near]
            many = [f for i in range(50) for f in ("--to", f"r{i}@sink.test")]
            jobs = {  # a run, whose reply ends the clock, and the budget
                "PIPELINING": (self.send(plain, "--no-tls"), "message", 5.3), "PIPELINING, STARTTLS": (self.send(secure, "--tls"), "message", 8.4),
                "CHUNKING": (self.send(chunking, "--no-tls"), "BDAT", 4.4), "CHUNKING, STARTTLS": (self.send(secure_chunking, "--tls"), "BDAT", 7.4),
                "implicit TLS": (self.send(implicit, "--tls-on-connect", "--tls-policy", "must"), "message", 6.4),
                "probe, EHLO": ([self.ehlo, "probe", "--helo", "client.test", "--no-tls", plain], "EHLO", 3.3),
                "probe, certificate": ([self.ehlo, "probe", "--helo", "client.test", secure], "tls", 5.4),
                "50 recipients": (self.send(plain, "--no-tls", *many), "message", None),
            }
            trips = {}
            for name, (argv, last, most) in jobs.items():
                argv = [*here, *argv, "--format", "jsonl"]
                trips[name] = statistics.median(trip(Cost(self.dir / "timed", argv, keep=True), last) for _ in range(self.options.rounds))
                if most:
                    self.row(f"round trips at 100 ms: {name}", f"{trips[name]:.2f}", "", trips[name], most=most)
            self.row("round trips at 100 ms: 50 recipients, of one", f"{trips['50 recipients']:.2f}", f"{trips['PIPELINING']:.2f}", trips["50 recipients"] / trips["PIPELINING"], most=1.05)
        finally:
            for name in near, far:
                subprocess.run(["ip", "netns", "delete", name], stderr=subprocess.DEVNULL)

    def write(self, path):
        model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
        load = os.getloadavg()[0]
        text = f"""# Performance

What `testdata/bench/table.py` measured on {datetime.now(timezone.utc):%Y-%m-%d}: medians of {self.options.rounds} rounds by turns, on
{os.cpu_count()} processors ({model}), {platform.system()} {platform.release()}. The load average was {load:.1f} at the end{"; other programs ran, so the figures are rough" if load > os.cpu_count() else ""}.
Everything but the round trips is over loopback, against `testdata/bench/sink`.

| what | ehlo | peer | ratio | budget | kept |
|---|---|---|---|---|---|
"""
        text += "".join("| " + " | ".join(row) + " |\n" for row in self.rows)
        _, mark, prose = (Path(path).read_text() if Path(path).exists() else "").partition("\n## ")
        Path(path).write_text(text + mark + prose)


def trip(cost, last):
    """Round trips of 100 ms from the start of a run to the last reply to `last`."""
    ends = []
    for record in map(json.loads, cost.out.splitlines()):
        if record["event"] == last or record["event"] == "received" and record["answers"] == last:
            ends.append(datetime.fromisoformat(record["at"].replace("Z", "+00:00")).timestamp())
    return (ends[-1] - cost.began) / 0.1


def ms(seconds):
    return f"{seconds * 1e3:.1f} ms"


def us(seconds):
    return f"{seconds * 1e6:.0f} us"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--messages", type=int, default=20000, metavar="N")
    parser.add_argument("--ehlo", type=Path, metavar="PROGRAM")
    parser.add_argument("--write", metavar="FILE")
    parser.add_argument("--only", default="", metavar="WORD", help="start, dialogue, attachment, kept, new connection, round trips")
    options = parser.parse_args()
    if options.rounds < 1 or options.messages < 100:
        parser.error("at least one round, and 100 messages")
    if options.only and options.write:
        parser.error("--write is for the whole table")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended, as by Ctrl-C
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    install()
    with tempfile.TemporaryDirectory(prefix="ehlo-bench.") as directory:
        table = Table(Path(directory), options)
        try:
            for part in table.start, table.dialogues, table.big, table.kept, table.new, table.trips:
                part()
        finally:
            table.close()
        if not table.rows:
            sys.exit(f"table.py: there is nothing to measure for {options.only!r} here: see --help, and which peers there are")
        if options.write:
            table.write(options.write)
    sys.exit(1 if any(row[-1] == "NO" for row in table.rows) else 0)


if __name__ == "__main__":
    main()
