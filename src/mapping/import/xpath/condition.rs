//! Conditions in brackets: attributes, places among siblings, what stands inside.

use super::{Alternatives, DEPTH, Parser, Way, few, plain, string, times};

impl Parser<'_> {
    /// A condition on the place among the siblings; `None` if it is another one.
    pub(super) fn place(
        &mut self,
        name: &str,
        way: Way,
        conditions: usize,
    ) -> Result<Option<String>, String> {
        let before = self.at;
        let what = if let Some(n) = self.number() {
            Some(format!("{n}"))
        } else if self.function("last") {
            self.need(")")?;
            Some("last".to_owned())
        } else if self.function("position") {
            self.need(")")?;
            let sign = ["<=", ">=", "<", ">", "="].into_iter().find(|s| self.take(s));
            let number = self.number();
            let last = number.is_none() && self.function("last") && self.take(")");
            match (sign, number) {
                (Some("="), Some(n)) => Some(format!("{n}")),
                (Some("="), None) if last => Some("last".to_owned()),
                (Some("<="), Some(n)) => Some(format!("-n+{n}")),
                (Some("<"), Some(n)) => Some(format!("-n+{}", n.saturating_sub(1))),
                (Some(">="), Some(n)) => Some(format!("n+{n}")),
                (Some(">"), Some(n)) => Some(format!("n+{}", n.saturating_add(1))),
                _ => return Err("`position()` is understood only beside a number".into()),
            }
        } else {
            None
        };
        let Some(what) = what else {
            self.at = before;
            return Ok(None);
        };
        self.spaces();
        if !self.rest().starts_with(']') {
            return Err(format!("`{}` is not understood", &self.text[before..]));
        }
        if conditions > 0 {
            return Err("CSS counts all elements of a name, not those that meet a condition".into());
        }
        if way == Way::Following {
            return Err("CSS cannot count from an element on".into());
        }
        let of = if name == "*" { "child" } else { "of-type" };
        Ok(Some(match what.as_str() {
            "last" => format!(":last-{of}"),
            n => format!(":nth-{of}({n})"),
        }))
    }

    pub(super) fn or(&mut self, depth: usize) -> Result<Alternatives, String> {
        if depth > DEPTH {
            return Err("it is nested too deep".into());
        }
        let mut out = self.and(depth)?;
        while self.keyword("or") {
            out.extend(self.and(depth)?);
            few(&out)?;
        }
        Ok(out)
    }

    fn and(&mut self, depth: usize) -> Result<Alternatives, String> {
        let mut out = self.term(depth)?;
        while self.keyword("and") {
            let next = self.term(depth)?;
            out = times(&out, &next)?;
        }
        Ok(out)
    }

    fn term(&mut self, depth: usize) -> Result<Alternatives, String> {
        if self.function("not") {
            let inner = self.or(depth + 1)?;
            self.need(")")?;
            return Ok(vec![inner.iter().map(|i| format!(":not({i})")).collect()]);
        }
        if self.take("(") {
            let inner = self.or(depth + 1)?;
            self.need(")")?;
            return Ok(inner);
        }
        for (name, sign) in [("contains", '*'), ("starts-with", '^'), ("ends-with", '$')] {
            if self.function(name) {
                return self.part_of(name, sign).map(|s| vec![s]);
            }
        }
        for name in [
            "string-length",
            "count",
            "name",
            "local-name",
            "translate",
            "lower-case",
            "matches",
            "text",
        ] {
            let before = self.at;
            if self.function(name) {
                self.at = before;
                return Err(match name {
                    "text" => "CSS does not look at text".to_owned(),
                    _ => format!("CSS has no `{name}()`"),
                });
            }
        }
        let squeezed = self.function("normalize-space");
        if self.take("@") {
            let name = self.name().ok_or("`@*` has no selector")?.to_ascii_lowercase();
            if squeezed {
                self.need(")")?;
            }
            return self.compared(&name).map(|s| vec![s]);
        }
        if squeezed {
            return Err("CSS does not look at text".into());
        }
        let before = self.at;
        if self.keyword("self") && self.take("::") {
            let name = self.name().ok_or("a name is missing behind `self::`")?;
            return Ok(vec![format!(":is({})", name.to_ascii_lowercase())]);
        }
        self.at = before;
        self.inner(depth)
    }

    /// `[p]`, `[.//img]`: what stands inside.
    fn inner(&mut self, depth: usize) -> Result<Alternatives, String> {
        self.spaces();
        let rest = self.rest();
        let below = rest.starts_with(".//") || rest.starts_with("descendant::");
        if rest.starts_with("//") {
            return Err("a condition on the whole page is no selector".into());
        }
        if rest.starts_with(['.', '=']) && !below && !rest.starts_with("./") {
            return Err("CSS does not look at text".into());
        }
        if depth > DEPTH {
            return Err("it is nested too deep".into());
        }
        let path = self.steps(depth + 1)?;
        self.spaces();
        if self.rest().starts_with(['=', '!', '<', '>']) {
            return Err("CSS does not look at text".into());
        }
        let way = if below { "" } else { "> " };
        let has = path.css.split(", ").map(|css| format!(":has({way}{css})"));
        Ok(has.collect())
    }

    /// `@name`, `@name = 'x'`, `@name != 'x'`.
    fn compared(&mut self, name: &str) -> Result<String, String> {
        for sign in ["!=", "="] {
            if self.take(sign) {
                let text = self
                    .literal()
                    .ok_or("an attribute is compared with something else than a text")?;
                let quoted = string(text)?;
                return Ok(match sign {
                    "=" if name == "id" && plain(text) => format!("#{text}"),
                    "=" => format!("[{name}={quoted}]"),
                    _ => format!("[{name}]:not([{name}={quoted}])"),
                });
            }
        }
        self.spaces();
        if self.rest().starts_with(['<', '>', '+', '-', '*']) {
            return Err("CSS cannot calculate with attributes".into());
        }
        Ok(format!("[{name}]"))
    }

    /// Behind `contains(` and its like.
    fn part_of(&mut self, function: &str, sign: char) -> Result<String, String> {
        let word = self.function("concat");
        if word {
            // concat(' ', normalize-space(@class), ' '): whole words of a class.
            let space = self.literal().is_some_and(|l| l.trim().is_empty());
            self.need(",")?;
            if !space {
                return Err("`concat()` is understood only as spaces round an attribute".into());
            }
        }
        let squeezed = self.function("normalize-space");
        if !self.take("@") {
            return Err("CSS does not look at text".into());
        }
        let name = self.name().ok_or("`@*` has no selector")?.to_ascii_lowercase();
        if squeezed {
            self.need(")")?;
        }
        if word {
            self.need(",")?;
            if !self.literal().is_some_and(|l| l.trim().is_empty()) {
                return Err("`concat()` is understood only as spaces round an attribute".into());
            }
            self.need(")")?;
        }
        self.need(",")?;
        // Some write the spaces round the word as a call of their own.
        let joined = self.function("concat");
        let text = if joined {
            let first = self.literal().is_some_and(|l| l.trim().is_empty()) && self.take(",");
            let text = self.literal();
            if !(first && self.take(",") && self.literal().is_some()) {
                return Err("`concat()` is understood only as spaces round a word".into());
            }
            self.need(")")?;
            text
        } else {
            self.literal()
        };
        let text = text.ok_or_else(|| format!("`{function}` is understood only with a text in quotes"))?;
        self.need(")")?;
        if !word {
            return Ok(format!("[{name}{sign}={}]", string(text)?));
        }
        let bare = text.trim();
        let whole = joined || (text.starts_with(' ') && text.ends_with(' '));
        if sign != '*' || !whole || bare.contains(' ') || bare.is_empty() {
            return Err("only whole words of an attribute are understood inside of `concat()`".into());
        }
        Ok(match name.as_str() {
            "class" if plain(bare) => format!(".{bare}"),
            _ => format!("[{name}~={}]", string(bare)?),
        })
    }
}
