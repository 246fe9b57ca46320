#!/usr/bin/env python3
"""Learns the trees of src/extract/auto/data/trees.txt from pages with gold text. Needs numpy and lightgbm.

train.py bare SET OUT            a copy of SET whose pages lost all names: classes, ids, roles, sectioning tags, metadata.
                                 Old portals are like that; learning from both keeps the trees from leaning on names.
train.py legacy SET OUT          a copy of SET whose pages look as portals of the years 2000 to 2010 do: layout tables, text
                                 in cells parted by <br>, bold lines for headings, links in rows for menus. Needs lxml.
train.py check DUMP… [options]   learns from all sites but those of a fold, scores that fold; all ways. --held PREFIX writes
                                 what was said of each block, for `cargo bench --bench extract -- held SET FILE`
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


SECTIONS = {"article", "main", "nav", "aside", "header", "footer", "section", "div"}


def legacy(source, target, seed="1"):
    import random
    source, target = pathlib.Path(source), pathlib.Path(target)
    with (source / "pages.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            page = json.loads(line)
            dice = random.Random(hashlib.md5((page["id"] + seed).encode()).hexdigest())
            path = target / page["html"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(aged((source / page["html"]).read_bytes(), dice))
    (target / "pages.jsonl").write_bytes((source / "pages.jsonl").read_bytes())


def aged(body, dice):
    """A page in the markup of long ago. Each page throws the dice once for its habits, so that there are many."""
    import lxml.etree, lxml.html

    def wrap(element, *tags):
        made = [lxml.etree.Element(tag) for tag in tags]
        for outer, inner in zip(made, made[1:]):
            outer.append(inner)
        made[-1].text, element.text = element.text, None
        made[-1].extend(list(element))
        element.append(made[0])

    def behind(element, count):
        parent, tail = element.getparent(), element.tail
        element.tail = None
        for n in range(count):
            made = lxml.etree.Element("br")
            parent.insert(parent.index(element) + 1 + n, made)
        made.tail = tail

    def size(element):
        return len("".join(element.itertext()).strip())

    declared = re.search(rb"charset=[\"']?([\w-]+)", body[:4096], re.I)
    try:
        text = body.decode(declared.group(1).decode() if declared else "utf-8")
    except (LookupError, UnicodeDecodeError):
        text = body.decode("utf-8", "replace")
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", " ", text)
    page = lxml.html.document_fromstring(text, parser=lxml.html.HTMLParser(huge_tree=True))
    keep_h1, keep_headings, metas = dice.random() < 0.4, dice.random() < 0.5, dice.random() < 0.5
    paragraphs = dice.choices(["keep", "br", "div"], [0.45, 0.4, 0.15])[0]
    menus = dice.choices(["keep", "bar", "br", "rows"], [0.4, 0.2, 0.2, 0.2])[0]
    names = dice.choices([0, 0.25, 1], [0.55, 0.25, 0.2])[0]
    tables = dice.choice([0, 0.3, 0.6, 0.9])
    elements = [e for e in page.iter() if isinstance(e.tag, str)]
    for e in elements:
        gone = e.tag in ("script", "svg", "iframe", "template", "noscript", "link", "object", "video", "audio")
        hidden = e.tag not in ("html", "body") and re.search(r"display:\s*none", e.get("style") or "")
        told = e.tag == "meta" and (e.get("property") or not metas)
        if (gone or hidden or told) and e.getparent() is not None:
            e.drop_tree()
            continue
        for name in list(e.attrib):
            machine = name in ("role", "itemprop", "itemtype", "itemscope") or name.startswith(("data-", "aria-"))
            if machine and name != "data-src" or name in ("class", "id") and dice.random() >= names:
                del e.attrib[name]
    content = page.find("body")
    for e in [] if content is None else [e for e in content.iter() if isinstance(e.tag, str)]:
        if e.getparent() is None:
            continue
        if e.tag == "h1" and not keep_h1 or e.tag in ("h2", "h3", "h4", "h5", "h6") and not keep_headings:
            e.tag = "span" if paragraphs == "br" else "p"
            wrap(e, *dice.choice([("b",), ("font", "b"), ("strong",)]))
            if e.tag == "span":
                behind(e, 1)
        elif e.tag == "p" and paragraphs == "div":
            e.tag = "div"
        elif e.tag == "p" and paragraphs == "br":
            if e.getparent().tag not in ("li", "td", "a", "blockquote", "figcaption"):
                behind(e, 2)
                e.drop_tag()
        elif e.tag in ("ul", "ol") and menus != "keep":
            if size(e) and sum(map(size, e.iter("a"))) > 0.6 * size(e):
                for item in list(e.iter("li")):
                    item.tag = "td" if menus == "rows" else "span"
                    if menus == "bar":
                        item.tail = " | " + (item.tail or "")
                    elif menus == "br":
                        behind(item, 1)
                    else:
                        row, parent = lxml.etree.Element("tr"), item.getparent()
                        row.tail, item.tail = item.tail, None
                        parent.insert(parent.index(item), row)
                        row.append(item)
                e.tag = "table" if menus == "rows" else "div"
        elif e.tag == "figure":
            e.tag = dice.choice(["table", "div"])
            if e.tag == "table":
                wrap(e, "tr", "td")
        elif e.tag == "figcaption":
            e.tag = dice.choice(["div", "div", "span"])
        elif e.tag in ("time", "button", "label", "picture"):
            e.tag = "span"
        elif e.tag in ("details", "summary", "address", "hgroup", "form"):
            e.tag = "div"
    within = ("ul", "ol", "dl", "tr", "table", "a", "span", "p", "tbody", "font", "b")
    for e in [] if content is None else [e for e in content.iter() if e.tag in SECTIONS]:
        e.tag = "div"
        if e.getparent() is None or e.getparent().tag in within or size(e) < 40 or dice.random() >= tables:
            continue
        children = [c for c in e if isinstance(c.tag, str)]
        parts = [c for c in children if c.tag in SECTIONS and size(c)]
        if len(parts) in (2, 3) and len(parts) == len(children) and not (e.text or "").strip():
            stacked, row, e.tag = dice.random() < 0.6, None, "table"
            for child in children:
                if row is None or stacked:
                    row = lxml.etree.SubElement(e, "tr")
                cell = lxml.etree.SubElement(row, "td")
                cell.tail, child.tail = child.tail, None
                cell.append(child)
        else:
            wrap(e, "tr", "td")
            e.tag = "table"
    out = re.sub(r"(?i)<meta[^>]*charset[^>]*>", "", lxml.html.tostring(page, encoding="unicode"))
    return re.sub(r"(?i)<head[^>]*>", "<head><meta charset=utf-8>", out, count=1).encode()


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
            pages.append(dict(dump=prefix, page=page, blocks=blocks, rows=rows[at:at + len(blocks)], shares=np.array(shares), counts=np.array(counts), site=key))
            at += len(blocks)
        assert at == len(rows), f"{prefix}: the dump is of other pages"
    return pages, names


def fit(pages, names, args):
    import lightgbm as lgb, numpy as np
    weights = []
    for p in pages:
        size = max(len(words(p["page"]["gold"]["text"])), 30)
        weight = np.minimum((np.maximum(p["counts"], 1) / size) ** 0.7, 1.0)
        dump = pathlib.Path(p["dump"]).name
        weights.append(weight * (args.bare if "-bare" in dump else args.portals if "portals" in dump else 1.0))
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
    import numpy as np
    for p in pages:
        p["fold"] = int(hashlib.md5((p["site"] + str(args.seed)).encode()).hexdigest(), 16) % args.folds
    for fold in range(args.folds):
        model = fit([p for p in pages if p["fold"] != fold], names, args)
        for p in pages:
            if p["fold"] == fold:
                p["likely"] = model.predict(p["rows"]) if len(p["blocks"]) else np.zeros(0)
    if args.held:
        for dump in dict.fromkeys(p["dump"] for p in pages):
            said = np.concatenate([p["likely"] for p in pages if p["dump"] == dump])
            said.astype("<f4").tofile(f"{args.held}-{pathlib.Path(dump).name}.f32")
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
    parser.add_argument("what", choices=["bare", "legacy", "check", "learn"])
    parser.add_argument("of", nargs="+")
    parser.add_argument("--to", default="src/extract/auto/data/trees.txt")
    parser.add_argument("--trees", type=int, default=200)
    parser.add_argument("--leaves", type=int, default=16)
    parser.add_argument("--rate", type=float, default=0.07)
    parser.add_argument("--bare", type=float, default=0.5, help="weight of pages without names")
    parser.add_argument("--portals", type=float, default=0.15, help="weight of pages of the sample portal")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0, help="another one, other folds")
    parser.add_argument("--held", help="write what `check` says of each block to files that begin so")
    parser.add_argument("--cut", type=float, nargs="+", default=[0.36, 0.46, 0.54])
    args = parser.parse_args()
    if args.what in ("bare", "legacy"):
        {"bare": bare, "legacy": legacy}[args.what](*args.of)
        return
    pages, names = load(args.of)
    if args.what == "check":
        check(pages, names, args)
    else:
        write(fit(pages, names, args), names, args.to)


if __name__ == "__main__":
    main()
