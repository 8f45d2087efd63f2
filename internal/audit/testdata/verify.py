"""A second verifier, written from docs/audit-format.md alone.

usage: verify.py LIST    LIST holds lines: FILE [HEAD]; prints FILE, a tab, and "ok" or what is wrong.
                         Where FILE is a directory, it is that of a log audit.jsonl and its segments.
"""
import datetime, hashlib, json, os, re, sys

KEYS = ["v", "log", "seq", "prev", "id", "timestamp", "operation", "outcome", "user", "details", "data_affected", "export_path"]
OUTCOMES = {"pending", "success", "failed", "partial", "cancelled"}

def sha(data):
    return hashlib.sha256(data).hexdigest()

def parse(line):
    """The event in a line, or None; its kind is told by the key v."""
    every = []
    def once(pairs):
        keys = [k for k, _ in pairs]
        every.extend(keys)
        if len(set(keys)) != len(keys) or len(keys) > 4096 or len(every) > 1048576:
            raise ValueError("a key twice, or too many")
        return dict(pairs)
    try:
        e = json.loads(line.decode("utf-8"), object_pairs_hook=once, parse_constant=lambda c: 1 / 0)
        datetime.datetime.fromisoformat(e["timestamp"])
        assert re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d", e["timestamp"])
    except (ValueError, LookupError, TypeError, AssertionError, ArithmeticError, RecursionError):
        return None
    if not isinstance(e, dict) or len({k.lower() for k in e}) != len(e):
        return None
    want = KEYS if "v" in e else KEYS[5:]
    if {k.lower() for k in e} & set(KEYS) != set(want) or not set(want) <= set(e):
        return None
    texts = [e[k] for k in want if k in ("log", "prev", "id", "timestamp", "operation", "outcome", "user")]
    affected, path = e["data_affected"], e["export_path"]
    if not all(isinstance(t, str) for t in texts) or e["outcome"] not in OUTCOMES or not isinstance(e["details"], dict):
        return None
    if not isinstance(affected, list) or not all(isinstance(a, str) for a in affected) or not isinstance(path, (str, type(None))):
        return None
    if "v" in e and (type(e["v"]) is not int or e["v"] != 1 or type(e["seq"]) is not int or not re.fullmatch("[0-9a-f]{64}", e["prev"])):
        return None
    return e

def check(data, heads):
    """What is wrong with one file, or None; fills heads, and returns with it the first event, the last, and the last one's head."""
    return walk(data, heads, ends := {}), ends.get("first"), ends.get("last"), ends.get("head")

def walk(data, heads, ends):
    if data and not data.endswith(b"\n"):
        return "torn"
    log, seq, last, loose, ended = None, 0, "0" * 64, [], set()
    for n, line in enumerate(data.split(b"\n")[:-1], 1):
        e = parse(line)
        if e is None or "v" not in e:
            loose.append(line)
            ends["head"] = None  # the last line is none of the chain
            continue
        prev, d = last, e["details"]
        if loose:  # lines that are not chained: the event has to describe them
            prev, rest, torn = sha(loose[-1]), loose, d.get("recovered")
            if torn and (torn.get("bytes") != len(loose[-1]) or torn.get("sha256") != prev or torn.get("after") != last):
                return f"line {n}: recovered"
            rest = loose[:-1] if torn else loose
            text, said = b"".join(l + b"\n" for l in rest), d.get("unchained") or {}
            if rest and (said.get("lines") != len(rest) or said.get("after") != last
                         or (said.get("bytes"), said.get("sha256")) not in [(len(t), sha(t)) for t in (text, text[:-1])]):
                return f"line {n}: unchained"
        if e["prev"] != prev or e["seq"] != seq + 1 or log not in (None, e["log"]):
            return f"line {n}: not chained"
        if e["id"] in ended:
            return f"line {n}: after the outcome"
        if e["outcome"] != "pending":
            ended.add(e["id"])
        log, seq, last, loose = e["log"], e["seq"], sha(line), []
        ends["head"] = f"{log}:{seq}:{last}"
        ends["first"], ends["last"] = ends.get("first", e), e
        heads.add(ends["head"])
    if any(parse(l) is None for l in loose):
        return "malformed end"

def link(event):
    """What the first event of a segment says of the segment before it."""
    k = event["details"].get("continues") if event else None
    return k if isinstance(k, dict) else None

def closed(event):
    k = event["details"].get("closes") if event and event["operation"] == "rotate" and event["outcome"] == "success" else None
    return isinstance(k, dict) and k.get("log") == event["log"]

NAME = re.compile(r"audit-\d{4}-\d\d-\d\d-([A-Z0-9]{26})\.jsonl")

def verify_log(dir, heads):
    """The same over the segments of a log, from the newest to the oldest."""
    read = {n: open(os.path.join(dir, n), "rb").read() for n in os.listdir(dir) if n == "audit.jsonl" or NAME.fullmatch(n)}
    found = {n: (*check(data, mine := set()), mine) for n, data in read.items()}
    continued = {k["path"] for n, f in found.items() if n != "audit.jsonl" and (k := link(f[1])) and isinstance(k.get("path"), str)}
    at, want = "audit.jsonl", None
    while at:
        if at not in found:
            if at != "audit.jsonl":
                return f"{at}: missing"
            wrong, first, head, mine = None, None, None, set()
        else:
            wrong, first, _, head, mine = found.pop(at)
        if wrong:
            return f"{at}: {wrong}"
        if want and head != want:
            return f"{at}: not the end that is continued"
        heads |= mine
        k, was = link(first), at
        at = want = None
        if k:
            at, want = k.get("path"), "{log}:{seq}:{sha256}".format(**{"log": "", "seq": "", "sha256": "", **k})
            if not isinstance(at, str) or not NAME.fullmatch(at) or NAME.fullmatch(at)[1] != k.get("log"):
                return f"{was}: continues no segment"
        elif was == "audit.jsonl" and not first:  # a rotation was cut short
            ends = [(f[2]["timestamp"], n) for n, f in found.items() if f[3] and closed(f[2]) and n not in continued]
            at = max(ends)[1] if ends else None
    return f"{min(found)}: nothing continues it" if found else None

def verify(name, head):
    heads = set()
    wrong = verify_log(name, heads) if os.path.isdir(name) else check(open(name, "rb").read(), heads)[0]
    return wrong or ("ok" if not head or head in heads else "head")

for entry in open(sys.argv[1]):
    name, _, head = entry.rstrip("\n").partition(" ")
    print(name, verify(name, head), sep="\t")
