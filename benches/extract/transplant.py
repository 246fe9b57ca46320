#!/usr/bin/env python3
"""Families of pages of one template, made of single pages with gold text. Needs lxml.

transplant.py OUT SET... [--pages 10] [--most 400] [--every 1] [--seed 1]

Each page of a SET (a folder with pages.jsonl: id, url, html, gold{text, title?, authors?}) whose gold text is found in its
tree becomes a family: ten pages in which the frame, its names and the shape of the address are that page's, and the
article is another one's: paragraphs (some pages are short), title (shown, in <title>, in metadata, in JSON-LD), summary,
date, author, captions. Teasers and lists of other news get other titles on every page, but for some that stay; parts of the
article that are no text come and go; some families get a box inside of the text. A text that another page of the same host
shows as well stays.

Kinds: `plain` as it was; `old` without JSON-LD, OpenGraph, sectioning tags and data attributes, as pages of 2005 to 2015
are; `bare` without any name; `table` the same laid out in tables, headlines in <font>, paragraphs parted by <br><br>.

Writes OUT/FAMILY/pages.jsonl and OUT/FAMILY/html/NN.html, the form that `just bench extract families OUT` reads. Texts are
their publishers': the pages stay where they are made.
"""
import argparse, collections, copy, json, pathlib, random, re, unicodedata
from urllib.parse import urlparse
import lxml.html
from lxml import etree

WORD = re.compile(r"\w+")
BLOCK = {"p", "div", "li", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "dd", "dt", "section", "article", "main", "aside", "header", "footer", "nav", "ul", "ol", "table", "tr", "tbody", "figure", "figcaption", "form", "body", "center", "address", "dl", "fieldset"}
SECTIONS = {"article", "main", "nav", "aside", "footer", "header", "section", "figure", "figcaption", "time", "picture"}
END = tuple(".!?:;…\"”»'’)。」")


def words(text):
    return WORD.findall(unicodedata.normalize("NFC", text or "").lower())


def folded(text):
    return " ".join(words(text))


def spaces(text):
    return " ".join((text or "").split())


def slug(text):
    plain = unicodedata.normalize("NFD", text.lower()).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", plain)[:9]) or "bai-viet"


def tag(e):
    return e.tag if isinstance(e.tag, str) else ""


def shown(root):
    """Elements that are not scripts or the head, in order."""
    skip = set()
    for e in root.iter():
        if tag(e) in ("script", "style", "noscript", "head", "template", "svg", "iframe", ""):
            skip.update(e.iter())
        elif e not in skip:
            yield e


def leaves(root):
    """Blocks that hold no other block with text."""
    for e in shown(root):
        if tag(e) in BLOCK and e.text_content().strip() and not any(tag(d) in BLOCK and d is not e and d.text_content().strip() for d in e.iterdescendants()):
            yield e


def parse(data):
    match = re.search(rb"charset=[\"']?([\w-]+)", data[:4000])
    name = match.group(1).decode() if match else "utf-8"
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        try:
            text = data.decode(name, "replace")
        except LookupError:
            text = data.decode("utf-8", "replace")
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    return lxml.html.document_fromstring(text, parser=lxml.html.HTMLParser(remove_comments=True, remove_pis=True))


def signature(e):
    return tag(e) + "." + re.sub(r"\d+", "0", (e.get("class") or "") + "#" + (e.get("id") or ""))


def path(e):
    return "/".join(signature(a) for a in [e, *list(e.iterancestors())[:3]])


class Source:
    """A page with the places of its article."""

    def __init__(self, page, folder, others):
        self.page, self.gold = page, page["gold"]
        self.root = parse((folder / page["html"]).read_bytes())
        lines = [folded(l) for l in self.gold["text"].split("\n") if folded(l)]
        whole, known = " ".join(lines), set(lines)
        self.whole = whole
        found = []
        for e in leaves(self.root):
            text = folded(e.text_content())
            if text in known or (len(text) > 40 and f" {text} " in f" {whole} "):
                found.append((e, len(text)))
        total = sum(n for _, n in found)
        self.slots, self.lead, self.container = [], None, None
        if not total:
            return
        under = collections.Counter()
        for e, n in found:
            for a in e.iterancestors():
                under[a] += n
        best = max((n for e, n in found), default=0)
        inside = [a for a, n in under.items() if n >= 0.8 * total]
        # the deepest of them
        self.container = max(inside, key=lambda a: sum(1 for _ in a.iterancestors())) if inside else None
        seen = set()
        for e, _ in found:
            text = folded(e.text_content())
            if self.container in list(e.iterancestors()) and text not in seen:
                seen.add(text)
                self.slots.append(e)
        covered = sum(len(folded(e.text_content())) for e in self.slots)
        first = [e for e, _ in found if e not in self.slots and folded(e.text_content()) in lines[:2] and folded(e.text_content()) not in seen]
        if first:
            self.lead = first[-1]
            covered += len(folded(self.lead.text_content()))
        self.coverage = covered / max(1, len(whole))
        self.static = None
        if others:
            self.static = set()
            for other in others:
                self.static.update(folded(t) for t in parse((folder / other["html"]).read_bytes()).itertext())

    def fits(self):
        return self.container is not None and len(self.slots) >= 4 and self.coverage >= 0.85


class Pool:
    """Articles that lend their text."""

    def __init__(self, pages):
        self.articles, self.titles, self.captions, self.authors = collections.defaultdict(list), collections.defaultdict(list), [], []
        for page, lang in pages:
            gold = page["gold"]
            lines = [spaces(l) for l in gold["text"].split("\n") if len(words(l)) > 1]
            title = spaces(gold.get("title") or "")
            if len(words(title)) < 4 or len(lines) < 3 or len(title) > 150 or len(" ".join(lines)) < 700:
                continue
            self.articles[lang].append((title, lines[:60]))
            self.titles[lang].append(title)
            self.titles[lang] += [l for l in lines if 30 < len(l) < 110 and not l.endswith(END)]
            self.captions += [spaces(i[1]) for i in gold.get("images") or [] if i[1] and len(i[1]) > 25]
            self.authors += [a for a in gold.get("authors") or [] if isinstance(a, str) and 5 < len(a) < 30]
        self.authors = sorted(set(self.authors)) or ["Nguyễn Văn An", "Jane Doe"]

    def of(self, lang):
        return lang if len(self.articles[lang]) >= 12 else "en"


def texts(root):
    """Every (element, attribute) of text and tails of shown elements."""
    for e in root.iter():
        if isinstance(e.tag, str) and tag(e) not in ("script", "style"):
            if e.text:
                yield e, "text"
        if e.tail:
            yield e, "tail"


def swap(text, old, new):
    if not text or not old or len(old) < 4:
        return text
    pattern = r"\s+".join(re.escape(w) for w in old.split())
    return re.sub(pattern, lambda _: new, text)


def longest(a):
    """The text of a link that says most: (element, where)."""
    best = (0, None, None)
    for e in a.iter():
        if isinstance(e.tag, str) and tag(e) not in ("script", "style") and e.text and len(e.text.strip()) > best[0]:
            best = (len(e.text.strip()), e, "text")
        if e is not a and e.tail and len(e.tail.strip()) > best[0]:
            best = (len(e.tail.strip()), e, "tail")
    return best


def address(url, title, rng):
    """The same shape of address with another title and other numbers."""
    def part(segment):
        # A word of letters and digits is a number of the page, too; a year stays one.
        base, dot, ending = segment.partition(".")
        if base.count("-") >= 3:
            number = re.search(r"\d{4,}", base)
            base = slug(title) + (f"-{rng.randrange(10 ** 6, 10 ** 7)}" if number else "")
        else:
            base = re.sub(r"\d{5,}", lambda m: str(rng.randrange(10 ** (len(m.group()) - 1), 10 ** len(m.group()))) if len(m.group()) < 18 else m.group(), base)
            base = re.sub(r"(?<!\d)(0?[1-9]|[12]\d)(?!\d)", lambda m: str(rng.randrange(1, 29)).zfill(len(m.group())), base)
        return base + dot + ending
    scheme, _, rest = url.partition("//")
    host, *parts = rest.split("/")
    return f"{scheme}//" + "/".join([host] + [part(p) for p in parts])


def draw(rng, items, n):
    return [rng.choice(items) for _ in range(n)]


def set_text(e, text, rng, url):
    for child in list(e):
        e.remove(child)
    e.text = text
    parts = text.split(" ")
    if rng.random() < 0.15 and len(parts) > 14 and tag(e) in ("p", "div"):
        at, n = rng.randrange(1, len(parts) - 5), rng.randrange(1, 4)
        child = etree.SubElement(e, "a" if rng.random() < 0.7 else "b")
        if tag(child) == "a":
            child.set("href", url)
        e.text, child.text, child.tail = " ".join(parts[:at]) + " ", " ".join(parts[at:at + n]), " " + " ".join(parts[at + n:])


def remove(e):
    parent = e.getparent()
    if parent is None:
        return
    e.tail = None
    parent.remove(e)
    # A list without entries is none.
    if tag(parent) in ("ul", "ol") and not len(parent):
        remove(parent)


class Family:
    """What the pages of one family have in common: which parts stay, which change, which come and go."""

    def __init__(self, source, pool, lang, seed):
        self.source, self.pool, self.lang, self.seed = source, pool, lang, seed
        self.rng = random.Random(seed)
        self.choices = {}
        self.box = self.rng.choice([None, None, None, "list", "line", "line", "aside"])
        self.box_share = self.rng.choice([0.3, 0.6, 0.9])
        self.fixed_titles = self.rng.sample(pool.titles[lang], min(30, len(pool.titles[lang])))
        self.labels = {"list": self.rng.choice(["Related articles", "More on this story", "Also read", "Mehr zum Thema", "Tin liên quan"]),
                       "line": self.rng.choice(["Read more:", "Related:", "READ:", "See also:", "FULL STORY:"]),
                       "aside": self.rng.choice(["Profile", "At a glance", "About the author", "Background"])}

    def chance(self, what, share):
        """The same answer for a part on all pages of the family."""
        if what not in self.choices:
            self.choices[what] = self.rng.random() < share
        return self.choices[what]

    def is_static(self, text, place):
        """Whether a text that is no link is the frame's."""
        if self.source.static is not None:
            return folded(text) in self.source.static or self.chance("s" + place, 0.1)
        return self.chance("s" + place, 0.5)

    def make(self, number, donor):
        source, rng, pool = self.source, random.Random(f"{self.seed}/{number}"), self.pool
        title, lines = donor
        lines = list(lines)
        roll = rng.random()
        if roll < 0.15:
            lines = lines[:rng.randrange(1, 4)]
        elif roll < 0.5:
            lines = lines[:rng.randrange(4, 12)]
        root = copy.deepcopy(source.root)
        old = list(source.root.iter())
        new = list(root.iter())
        to = dict(zip(old, new))
        container, slots = to[source.container], [to[s] for s in source.slots]
        lead = to[source.lead] if source.lead is not None else None
        url = address(source.page["url"], title, rng)
        if url == source.page["url"]:
            url += f"?id={rng.randrange(1000, 99999)}"
        held = set()
        for e in [*slots, *([lead] if lead is not None else [])]:
            held.update(e.iter())
        above = {a for s in slots for a in s.iterancestors()}
        self.frame(root, container, held, above, rng, url)
        self.article(container, slots, lead, lines, rng, url)
        self.heading(root, title, lines, url, rng)
        return root, url, title, "\n".join(lines)

    def article(self, container, slots, lead, lines, rng, url):
        body = list(lines)
        if lead is not None:
            set_text(lead, body.pop(0), rng, url)
        is_sub = lambda line: len(line) < 80 and not line.endswith(END)
        heads = [s for s in slots if tag(s)[:1] == "h"]
        paras = [s for s in slots if tag(s)[:1] != "h"]
        usual = collections.Counter(signature(p) for p in paras).most_common(1)
        usual = next(p for p in paras if signature(p) == usual[0][0]) if paras else slots[0]
        pattern, head = copy.deepcopy(usual), copy.deepcopy(heads[0]) if heads else None
        pattern.tail = None
        queue = list(paras)
        for h in heads:
            remove(h)
        last = None
        placed = []
        for at, line in enumerate(body):
            if at and is_sub(line):
                e = copy.deepcopy(head) if head is not None else etree.Element("h3")
                e.tail = None
                set_text(e, line, rng, url)
                if last is not None:
                    last.addnext(e)
                elif queue:
                    queue[0].addprevious(e)
                last = e
                placed.append(e)
                continue
            if queue:
                e = queue.pop(0)
            else:
                e = copy.deepcopy(pattern)
                last.addnext(e) if last is not None else container.append(e)
            set_text(e, line, rng, url)
            last = e
            placed.append(e)
        for e in queue:
            remove(e)
        # Heads after a slot further on would be out of order: slots keep theirs.
        if self.box and rng.random() < self.box_share and len(placed) > 2:
            self.add_box(rng.choice(placed[:-1]), rng, url)

    def add_box(self, after, rng, url):
        title = lambda: rng.choice(self.pool.titles[self.lang])
        label = self.labels[self.box]
        if self.box == "line":
            e = etree.Element("p")
            b = etree.SubElement(e, "strong")
            b.text, b.tail = label, " "
            a = etree.SubElement(e, "a", href=address(self.source.page["url"], title(), rng))
            a.text = title()
        else:
            e = etree.Element("div", {"class": "inset-" + self.box})
            etree.SubElement(e, "h4").text = label
            if self.box == "list":
                ul = etree.SubElement(e, "ul")
                for _ in range(rng.randrange(2, 5)):
                    t = title()
                    etree.SubElement(etree.SubElement(ul, "li"), "a", href=address(self.source.page["url"], t, rng)).text = t
            else:
                _, lines = rng.choice(self.pool.articles[self.lang])
                etree.SubElement(e, "p").text = rng.choice(lines)[:300]
        after.addnext(e)

    def frame(self, root, container, held, above, rng, url):
        pool, lang = self.pool, self.lang
        source_title = self.source.gold.get("title")
        inside = set(container.iter())
        # Parts of the article that are no text come and go.
        for e in [e for a in above if a in inside for e in a if e not in above and e not in held]:
            if tag(e) and e.getparent() is not None and not self.chance("keep" + path(e), 0.6) and rng.random() < 0.4:
                tail = e.tail
                e.tail = None
                e.getparent().remove(e)
        # Lists of links are of various length.
        for e in list(shown(root)):
            if tag(e) in ("ul", "ol") and e not in above and e not in held and len(e) >= 4 and self.chance("len" + path(e), 0.5):
                links = [li for li in e if len(words(li.text_content())) >= 4 and li.find(".//a") is not None]
                if len(links) >= 4:
                    for li in rng.sample(links, rng.randrange(0, len(links) // 2 + 1)):
                        remove(li)
        fixed = collections.Counter()
        for e in list(shown(root)):
            if e in held:
                continue
            if tag(e) == "a" and len(words(e.text_content())) >= 4 and len(e.text_content()) >= 20:
                place = path(e.getparent()) if e.getparent() is not None else ""
                if self.source.static is not None and folded(e.text_content()) in self.source.static and self.chance("f" + place, 0.7):
                    continue
                if self.chance("l" + place, 0.2):
                    new = self.fixed_titles[fixed[place] % len(self.fixed_titles)]
                    fixed[place] += 1
                    local = random.Random(new)
                else:
                    new, local = rng.choice(pool.titles[lang]), rng
                _, where, what = longest(e)
                if where is not None:
                    setattr(where, what, new)
                    if e.get("title"):
                        e.set("title", new)
                    href = e.get("href") or ""
                    if urlparse(href).path.count("/") >= 1 and not href.startswith(("#", "javascript", "mailto")):
                        e.set("href", address(href, new, local) if "//" in href else address("http://x" + (href if href.startswith("/") else "/" + href), new, local)[8:])
                continue
            for what in ("text", "tail"):
                text = getattr(e, what)
                parent = e if what == "text" else e.getparent()
                if not text or parent is None or parent in held or tag(parent) in ("script", "style", "title") or any(tag(a) == "a" for a in [parent, *list(parent.iterancestors())[:3]]):
                    continue
                bare = spaces(text)
                if any(tag(a) in ("h1", "title") for a in [parent, *list(parent.iterancestors())[:4]]) or folded(bare) == folded(source_title):
                    continue
                names = (parent.get("class") or "").lower()
                if tag(parent) == "time" or (re.search(r"date|time|publi|ngay", names) and len(bare) < 60):
                    setattr(e, what, re.sub(r"\d{1,2}", lambda m: str(rng.randrange(1, 13)).zfill(len(m.group())), text))
                elif "caption" in names or any(tag(a) == "figcaption" or "caption" in (a.get("class") or "").lower() for a in list(parent.iterancestors())[:2]) or tag(parent) == "figcaption":
                    if len(bare) > 20 and pool.captions:
                        setattr(e, what, rng.choice(pool.captions))
                elif len(bare) >= 60 and len(words(bare)) > 7 and not self.is_static(bare, path(parent)):
                    if not any(tag(a) in ("footer", "nav", "form") or re.search(r"cookie|consent|footer|legal|newsletter", (a.get("class") or "") + (a.get("id") or ""), re.I) for a in [parent, *parent.iterancestors()]):
                        setattr(e, what, rng.choice(rng.choice(pool.articles[lang])[1])[:max(80, len(bare))])

    def heading(self, root, title, lines, url, rng):
        gold = self.source.gold
        old = spaces(gold.get("title") or "")
        lead = lines[0][:160]
        names = [a for a in gold.get("authors") or [] if isinstance(a, str) and len(a) > 4]
        change = dict(zip(names, draw(rng, self.pool.authors, len(names))))
        for e, what in list(texts(root)):
            text = getattr(e, what)
            out = swap(text, old, title)
            for a, b in change.items():
                out = swap(out, a, b)
            if out != text:
                setattr(e, what, out)
        for e in root.iter("h1"):
            said, told = set(words(e.text_content())), set(words(old))
            if told and spaces(e.text_content()) != title and len(said & told) >= 0.4 * len(told):
                for child in list(e):
                    e.remove(child)
                e.text = title
        for e in root.iter("title"):
            if title not in (e.text or ""):
                parts = re.split(r"( [|\-–—:·»] |\|)", spaces(e.text))
                at = max(range(0, len(parts), 2), key=lambda i: len(parts[i]))
                parts[at] = title
                e.text = "".join(parts)
        for e in root.iter("meta"):
            name = (e.get("property") or e.get("name") or e.get("itemprop") or "").lower()
            content = e.get("content") or ""
            if re.search(r"(^|:|\.)title$|headline", name):
                e.set("content", swap(content, old, title) if old and old in spaces(content) else title)
            elif re.search(r"description$", name):
                e.set("content", lead)
            elif re.search(r"(published|modified|updated|date|time)", name):
                e.set("content", re.sub(r"-\d\d-\d\d", lambda _: f"-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}", content))
            elif re.search(r"url$", name):
                e.set("content", url)
            elif "author" in name and change:
                e.set("content", ", ".join(change.values()))
        for e in root.iter("link"):
            if e.get("rel") == "canonical":
                e.set("href", url)
        for e in root.iter("time"):
            if e.get("datetime"):
                e.set("datetime", re.sub(r"-\d\d-\d\d", lambda _: f"-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}", e.get("datetime")))
        for e in list(root.iter("script")):
            if "ld+json" in (e.get("type") or ""):
                try:
                    data = json.loads(e.text or "")
                except ValueError:
                    remove_keeping_tail(e)
                    continue
                self.tell(data, old, title, lines, url, change, rng)
                e.text = json.dumps(data, ensure_ascii=False).replace("</", "<\\/")
            elif len(e.text or "") > 200:
                e.text = ""

    def tell(self, data, old, title, lines, url, change, rng):
        open_ = [data]
        while open_:
            at = open_.pop()
            if isinstance(at, list):
                open_ += at
            elif isinstance(at, dict):
                for key, value in list(at.items()):
                    if key == "headline" or (key == "name" and isinstance(value, str) and folded(value) == folded(old)):
                        at[key] = title
                    elif key in ("articleBody", "text") and isinstance(value, str) and len(value) > 100:
                        at[key] = " ".join(lines)
                    elif key == "description" and isinstance(value, str):
                        at[key] = lines[0][:160]
                    elif key in ("datePublished", "dateModified", "dateCreated") and isinstance(value, str):
                        at[key] = re.sub(r"-\d\d-\d\d", lambda _: f"-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}", value)
                    elif isinstance(value, str):
                        for a, b in change.items():
                            value = swap(value, a, b)
                        at[key] = value.replace(self.source.page["url"], url)
                    else:
                        open_.append(value)


def remove_keeping_tail(e):
    if e.tail:
        e.tail = None
    e.getparent().remove(e)


def dress(root, kind):
    """Another age of the web."""
    if kind == "plain":
        return root
    for e in list(root.iter()):
        if tag(e) == "script" and "ld+json" in (e.get("type") or ""):
            remove_keeping_tail(e)
        elif tag(e) == "meta" and (e.get("property") or (e.get("name") or "").startswith("twitter")):
            remove_keeping_tail(e)
    for e in root.iter():
        if not tag(e):
            continue
        if tag(e) in SECTIONS:
            e.tag = "span" if tag(e) in ("time", "picture") else "div"
        for name in list(e.attrib):
            if name.startswith(("data-", "aria-")) or name in ("role", "itemprop", "itemtype", "itemscope", "datetime"):
                del e.attrib[name]
        if kind != "old":
            for name in ("class", "id"):
                e.attrib.pop(name, None)
    if kind != "table":
        return root
    for e in list(root.iter("div")):
        parts = [c for c in e if tag(c) == "div" and c.text_content().strip()]
        if len(parts) >= 2 and not (e.text or "").strip() and all(tag(c) in ("div", "script", "style") and not (c.tail or "").strip() for c in e):
            e.tag = "table"
            e.attrib.clear()
            e.set("width", "100%")
            for c in list(e):
                row = etree.Element("tr")
                e.replace(c, row)
                if tag(c) == "div":
                    c.tag = "td"
                    row.append(c)
                else:
                    etree.SubElement(row, "td").append(c)
    body = root.find("body")
    for e in list(root.iter("p")):
        if e.getparent() is not None:
            for _ in range(2):
                e.append(etree.Element("br"))
            e.drop_tag()
    for name, size in (("h1", "5"), ("h2", "4"), ("h3", "3"), ("h4", "3")):
        for e in list(root.iter(name)):
            e.tag = "div"
            font = etree.Element("font", size=size)
            bold = etree.SubElement(font, "b")
            bold.text, e.text = e.text, None
            for c in list(e):
                bold.append(c)
            e.append(font)
    return root


def language(root, page):
    said = (root.get("lang") or root.get("xml:lang") or "").lower()[:2]
    return said or "en"


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("out", type=pathlib.Path)
    a.add_argument("sets", type=pathlib.Path, nargs="+")
    a.add_argument("--pages", type=int, default=10)
    a.add_argument("--most", type=int, default=400, help="families at most")
    a.add_argument("--every", type=int, default=1, help="of the pages that fit only every n-th")
    a.add_argument("--seed", type=int, default=1)
    args = a.parse_args()
    sources, donors = [], []
    for folder in args.sets:
        pages = [json.loads(l) for l in (folder / "pages.jsonl").open(encoding="utf-8")]
        pages = [p for p in pages if p.get("type", "article") == "article"]
        hosts = collections.defaultdict(list)
        for n, page in enumerate(pages):
            host = urlparse(page.get("url") or "").hostname
            if not host or host == "fakehost":
                # One address for all: each gets one of its own.
                page["url"] = f"http://www.{slug(folder.name)}-{slug(page['id'])}.example/news/{2000 + n % 20}/{n + 11}/{slug(page['gold'].get('title') or 'article-of-the-day-one')}-{n + 10000}.html"
                host = urlparse(page["url"]).hostname
            hosts[host].append(page)
        for page in pages:
            try:
                root = parse((folder / page["html"]).read_bytes())
            except (etree.ParserError, ValueError):
                continue
            donors.append((page, language(root, page)))
        sources += [(folder, host, found) for host, found in sorted(hosts.items())]
    pool = Pool(donors)
    print({k: len(v) for k, v in pool.articles.items() if len(v) >= 12}, "articles lend their text")
    kinds = ["old", "table", "bare"]
    made = 0
    for at, (folder, host, found) in enumerate(sources):
        page = found[0]
        if at % args.every:
            continue
        try:
            source = Source(page, folder, found[1:])
        except (etree.ParserError, ValueError):
            continue
        if not source.fits():
            continue
        lang = pool.of(language(source.root, page))
        for kind in ["plain", kinds[at % 3]]:
            if made >= args.most:
                break
            name = f"{slug(host).replace('www-', '')}-{kind}"
            family = Family(source, pool, lang, f"{args.seed}/{name}")
            some = [d for d in pool.articles[lang] if folded(d[0]) != folded(page["gold"].get("title") or "")]
            picked = family.rng.sample(some, min(args.pages, len(some)))
            place = args.out / name
            (place / "html").mkdir(parents=True, exist_ok=True)
            with (place / "pages.jsonl").open("w", encoding="utf-8") as out:
                for number, donor in enumerate(picked):
                    root, url, title, text = family.make(number, donor)
                    root = dress(root, kind)
                    data = lxml.html.tostring(root, encoding="utf-8", doctype="<!DOCTYPE html>" if kind in ("plain", "old") else None)
                    data = re.sub(rb"<meta[^>]*charset=[^>]*>", b"", data, flags=re.I).replace(b"<head>", b'<head><meta charset="utf-8">', 1)
                    (place / "html" / f"{number:02}.html").write_bytes(data)
                    out.write(json.dumps({"id": f"{name}/{number:02}", "url": url, "html": f"html/{number:02}.html", "gold": {"text": text, "title": title}}, ensure_ascii=False) + "\n")
            made += 1
    print(made, "families")


if __name__ == "__main__":
    main()
