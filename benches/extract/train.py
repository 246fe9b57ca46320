#!/usr/bin/env python3
"""Learns the trees of src/extract/auto/data/trees.txt from pages with gold text. Needs numpy and lightgbm.

train.py bare SET OUT            a copy of SET whose pages lost all names: classes, ids, roles, sectioning tags, metadata.
                                 Old portals are like that; learning from both keeps the trees from leaning on names.
train.py check DUMP… [options]   learns from all sites but one half, scores the other; both ways
train.py learn DUMP… --to FILE   learns from everything and writes the trees

SET is a folder with pages.jsonl (id, url, html, gold{text}). DUMP is SET=PREFIX, where PREFIX.jsonl, .f32 and .names are
what `cargo bench --bench extract -- features SET PREFIX` wrote.
"""
import argparse, collections, hashlib, json, pathlib, re, unicodedata
from urllib.parse import urlparse

WORD = re.compile(r"\w+")


def words(text):
    return WORD.findall(unicodedata.normalize("NFC", text or "").lower())


def bare(source, target):
    source, target = pathlib.Path(source), pathlib.Path(target)
    with (source / "pages.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            page = json.loads(line)
            body = (source / page["html"]).read_bytes()
            body = re.sub(rb"<script[^>]*ld\+json.*?</script>", b"", body, flags=re.S | re.I)
            body = re.sub(rb"<meta[^>]*property=[^>]*>", b"", body, flags=re.I)
            body = re.sub(rb"<(/?)(article|main|nav|aside|footer|header|section|figure|figcaption)\b", rb"<\1div", body, flags=re.I)
            names = rb"\s(class|id|role|itemprop|itemtype|data-[\w-]+|aria-[\w-]+)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)"
            body = re.sub(names, b"", body, flags=re.I)
            path = target / page["html"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
    (target / "pages.jsonl").write_bytes((source / "pages.jsonl").read_bytes())


def label(blocks, gold):
    """How much of each block is in the gold text: 0 to 1; and the number of its words."""
    told = words(gold)
    lines = collections.Counter(" ".join(words(line)) for line in gold.split("\n"))
    grams = {n: collections.Counter(tuple(told[i:i + n]) for i in range(len(told) - n + 1)) for n in range(1, 5)}
    shares, counts = [], []
    for block in blocks:
        own = words(block)
        counts.append(len(own))
        if not own:
            shares.append(0.0)
            continue
        n = min(4, len(own))
        share = sum(1 for i in range(len(own) - n + 1) if grams[n][tuple(own[i:i + n])]) / (len(own) - n + 1)
        # A word or two are somewhere in every text: they count as a line of their own, or between lines that count.
        shares.append(-share if len(own) < 4 and share and not lines[" ".join(own)] else share)
    for i, share in enumerate(shares):
        if share < 0:
            before = next((shares[j] for j in range(i - 1, -1, -1) if shares[j] >= 0 and counts[j]), 0)
            behind = next((shares[j] for j in range(i + 1, len(shares)) if shares[j] >= 0 and counts[j]), 0)
            shares[i] = 1.0 if before > 0.5 and behind > 0.5 else 0.0
    # What the page says more often than the gold text counts where most around it counts.
    same = collections.defaultdict(list)
    for i, block in enumerate(blocks):
        if shares[i] > 0.5:
            same[" ".join(words(block))].append(i)
    whole = " " + " ".join(told) + " "
    for text, places in same.items():
        have = max(1, whole.count(" " + text + " "))
        if len(places) > have:
            def around(i):
                return sum(shares[j] * counts[j] for j in range(max(0, i - 4), min(len(shares), i + 5)) if j != i)
            for i in sorted(places, key=around, reverse=True)[have:]:
                shares[i] = 0.0
    return shares, counts


def site(page):
    host = urlparse(page.get("url") or "").hostname or page["id"]
    parts = host.split(".")
    if len(parts) < 2:
        return page["id"]
    long = len(parts) > 2 and parts[-2] in ("co", "com", "gov", "org", "net", "ac")
    return ".".join(parts[-3:] if long else parts[-2:])


def load(dumps):
    import numpy as np
    pages = []
    for dump in dumps:
        folder, prefix = dump.split("=")
        names = pathlib.Path(prefix + ".names").read_text().split("\n")
        rows = np.fromfile(prefix + ".f32", dtype="<f4").reshape(-1, len(names))
        gold = [json.loads(line) for line in (pathlib.Path(folder) / "pages.jsonl").open(encoding="utf-8")]
        at = 0
        for page, line in zip(gold, open(prefix + ".jsonl", encoding="utf-8")):
            blocks = json.loads(line)["blocks"]
            shares, counts = label(blocks, page["gold"]["text"])
            key = page["id"] if "fakehost" in (page.get("url") or "") else site(page)
            half = int(hashlib.md5(key.encode()).hexdigest(), 16) % 2
            pages.append(dict(dump=prefix, page=page, blocks=blocks, rows=rows[at:at + len(blocks)], shares=np.array(shares), counts=np.array(counts), half=half))
            at += len(blocks)
        assert at == len(rows), f"{prefix}: the dump is of other pages"
    return pages, names


def fit(pages, names, args):
    import lightgbm as lgb, numpy as np
    weights = []
    for p in pages:
        size = max(len(words(p["page"]["gold"]["text"])), 30)
        weight = np.minimum((np.maximum(p["counts"], 1) / size) ** 0.7, 1.0)
        weights.append(weight * (args.bare if "-bare" in p["dump"].rsplit("/", 1)[-1] else 1.0))
    weights = np.concatenate(weights)
    data = lgb.Dataset(np.concatenate([p["rows"] for p in pages]), np.concatenate([p["shares"] for p in pages]), weight=weights / weights.mean(), feature_name=names)
    how = dict(objective="cross_entropy", num_leaves=args.leaves, learning_rate=args.rate, min_data_in_leaf=60, feature_fraction=0.4, bagging_fraction=0.7, bagging_freq=2, lambda_l2=5, max_bin=63, verbose=-1, seed=1, deterministic=True)
    return lgb.train(how, data, args.trees)


def overlap(gold, answer):
    gold, answer = collections.Counter(gold), collections.Counter(answer)
    both = sum((gold & answer).values())
    return both, sum(answer.values()) - both, sum(gold.values()) - both


def f1(tp, fp, fn):
    return 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 1.0


def check(pages, names, args):
    for half in (0, 1):
        model = fit([p for p in pages if p["half"] != half], names, args)
        for p in pages:
            if p["half"] == half:
                p["likely"] = model.predict(p["rows"]) if len(p["blocks"]) else []
    result = {}
    for dump in dict.fromkeys(p["dump"] for p in pages):
        for cut in args.cut:
            shares, bags, short = [0.0] * 3, [], []
            for p in (p for p in pages if p["dump"] == dump):
                gold = words(p["page"]["gold"]["text"])
                text = words("\n".join(b for b, q in zip(p["blocks"], p["likely"]) if q > cut))
                grams = [[tuple(w[i:i + 4]) for i in range(max(1, len(w) - 3)) if w[i:i + 4]] for w in (gold, text)]
                got = overlap(*grams)
                shares = [s + g / (sum(got) or 1) for s, g in zip(shares, got)]
                bags.append(f1(*overlap(gold, text)))
                if len(p["page"]["gold"]["text"]) < 500:
                    short.append(bags[-1])
            print(f"{pathlib.Path(dump).name:18} cut {cut:.2f}  shingle F1 {f1(*shares):.4f}  word F1 {sum(bags) / len(bags):.4f}  short {sum(short) / max(1, len(short)):.3f} of {len(short)}", flush=True)


def write(model, names, path):
    lines = [" ".join(names)]
    for tree in model.dump_model()["tree_info"]:
        nodes, leaves = [], []

        def walk(node):
            if "split_feature" not in node:
                leaves.append(node["leaf_value"])
                return -len(leaves)
            at = len(nodes)
            nodes.append(None)
            left, right = walk(node["left_child"]), walk(node["right_child"])
            nodes[at] = f"{node['split_feature']} {node['threshold']:.5g} {left} {right}"
            return at

        walk(tree["tree_structure"])
        lines.append(";".join(nodes) + "|" + " ".join(f"{leaf:.4g}" for leaf in leaves))
    pathlib.Path(path).write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["bare", "check", "learn"])
    parser.add_argument("of", nargs="+")
    parser.add_argument("--to", default="src/extract/auto/data/trees.txt")
    parser.add_argument("--trees", type=int, default=120)
    parser.add_argument("--leaves", type=int, default=16)
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--bare", type=float, default=0.5, help="weight of pages without names")
    parser.add_argument("--cut", type=float, nargs="+", default=[0.42, 0.5])
    parser.add_argument("--keep", help="write likelihoods of `check` here")
    args = parser.parse_args()
    if args.what == "bare":
        bare(*args.of)
        return
    pages, names = load(args.of)
    if args.what == "check":
        check(pages, names, args)
        if args.keep:
            import pickle
            pickle.dump([{k: v for k, v in p.items() if k != "rows"} for p in pages], open(args.keep, "wb"))
    else:
        write(fit(pages, names, args), names, args.to)


if __name__ == "__main__":
    main()
