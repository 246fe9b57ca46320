use super::*;
use proptest::prelude::*;

const ALL: Reading = Reading {
    depth: usize::MAX,
    elements: usize::MAX,
    scripts: true,
    noscript: false,
};

/// Trees as a text: html5ever splits text nowhere else, so that they are equal node by node.
fn told(html: &Html) -> String {
    let nodes = html.tree.root().descendants();
    let told = nodes.map(|n| format!("{} {:?}\n", n.ancestors().count(), n.value()));
    format!("{:?}\n{}", html.quirks_mode, told.collect::<String>())
}

fn as_html5ever(markup: &str) {
    assert_eq!(
        told(&parse(markup, ALL).html),
        told(&Html::parse_document(markup)),
        "{markup:?}"
    );
}

#[test]
fn odd_markup_is_read_as_html5ever_does() {
    for markup in [
        "",
        "<",
        "a<",
        "a</",
        "a</>b",
        "a</ x>b",
        "a< b <3",
        "a<!",
        "a<!>b",
        "<!-->a<!--->b<!---->c<!----!>d<!--a--!>e<!--a<!-->f",
        "a<!--b-",
        "a<!--b--",
        "a<!--b--!",
        "a<!---",
        "<!--a--b- ->c-->d",
        "a<?b>c<? d",
        "\u{feff}a\r\nb\rc",
        "<p\r\nclass='a\r\nb'>c",
        "<pre>\r\na</pre><textarea>\n\nb</textarea>",
        "<p a=1 A=2 b c = 'd' e=\"f&amp;g\" =h i=j/k / l>m",
        "<p a= >b",
        "<p a=''b=c>d",
        "<br/><br / ><div/>a",
        "<p a",
        "<p a='b>c",
        "<p></p a=b />c",
        "<P Ab=C>d</P>",
        "a&amp;b&ampc&amp=d&nosuch;e&notit;f&noti",
        "<a b='&amp;&ampc&amp=d&not;&notit;&noti' c=&lt;&gt d='&'>e",
        "&#65;&#x41&#x110000;&#0;&#128;&#129;&#xd800;&#;&#x;&#xg;&#99999999999;&#",
        "&acE;&ngE;&",
        "a\0b&am\0p;<p \0='\0'>\0</p\0><!--\0--><title>\0</title><svg>\0<![CDATA[\0]]></svg>",
        "<title>a<b>&amp;</titl></title >b",
        "<textarea></textarea/>a",
        "<style>a<!-- </style> -->b",
        "<script>a<!-- <script> </script> --> </script>b",
        "<script>a<!-- <script> </script> </script>b",
        "<script><!--></script>b",
        "<script><!-- <scripty></script>b",
        "<script><!-- <script></scripty></script>--></script>b",
        "<script>a</script",
        "<script>a</script ",
        "<noscript><p>a</noscript>b",
        "<noscript></p></noscript><iframe><p></iframe><xmp><p></xmp>",
        "<plaintext>a</plaintext><p>b",
        "<svg><foreignObject><![CDATA[\0a\0b\0",
        "<svg><foreignObject><![CDATA[\0]]><desc><![CDATA[c\0\0d]]></svg>",
        "<svg><![CDATA[a<b]]]>c]]><title><p>d</title></svg><![CDATA[e]]>",
        "<svg><script><p></script><path/><g/></svg><math><mi/>a",
        "<table>a<tr>b<td>c</table>d",
        "<p><table>",
        "<b><p>a</b>b</p>c",
        "<select><option>a<p>b</select>",
        "<template><p>a</template>b",
        "<frameset><frame></frameset>",
        "đ<đ>đ</đ><p đ=đ>",
    ] {
        as_html5ever(markup);
    }
}

#[test]
fn document_types_are_read_as_html5ever_does() {
    for rest in [
        "",
        " ",
        ">",
        " >",
        "html>",
        " html>",
        " HTML >",
        " html",
        " html x>",
        " html PUBLIC>",
        " html PUBLIC \"a\">",
        " html PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\">",
        " html PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\" \"http://www.w3.org/TR/html4/loose.dtd\">",
        " html public'a''b'x>",
        " html PUBLIC \"a>",
        " html PUBLIC \"a\" \"b>",
        " html PUBLIC \"a\" x>",
        " html PUBLIC \"a\"",
        " html PUBLIC \"a\" \"b\"",
        " html SYSTEM 'about:legacy-compat'>",
        " html SYSTEM 'a' x>",
        " html SYSTEM x>",
        " html SYSTEM",
        " html PUBLICx>",
        " html đ>",
    ] {
        as_html5ever(&format!("<!DOCTYPE{rest}<p><table>x"));
        as_html5ever(&format!("<!doctype{rest}"));
    }
}

/// What markup is made of.
const PIECES: [&str; 72] = [
    "<script>",
    "</script>",
    "<!--",
    "-->",
    "<p title=\"",
    "\">",
    "chữ ",
    "<textarea>",
    "</textarea>",
    "<svg>",
    "</svg>",
    "<![CDATA[",
    "]]>",
    "<?",
    "<a b = '",
    "'>",
    "</scriptx>",
    "<math>",
    "</math>",
    "<foreignObject>",
    "</foreignObject>",
    "<title>",
    "</title>",
    "<table>",
    "<div>",
    "<",
    ">",
    "/",
    "=",
    "'",
    "\"",
    "&",
    "&amp;",
    "&amp",
    "&nbsp;",
    "&#65;",
    "&#x",
    "&notin",
    ";",
    " ",
    "\n",
    "\r\n",
    "\r",
    "\0",
    "-",
    "--",
    "!",
    "!>",
    "</",
    "</p>",
    "<br/>",
    "<P A=b/>",
    "<a href=x y>",
    "</a>",
    "<b>",
    "</b>",
    "<td>",
    "<style>",
    "</style>",
    "<noscript>",
    "</noscript>",
    "<!DOCTYPE html>",
    "<!doctype",
    "<iframe>",
    "</iframe>",
    "<select>",
    "<template>",
    "x",
    "<li>",
    "<path d=M0 />",
    "<frameset>",
    "<pre>",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn any_markup_is_read_as_html5ever_does(parts in prop::collection::vec(0..PIECES.len(), 0..32)) {
        let markup: String = parts.iter().map(|p| PIECES[*p]).collect();
        prop_assert_eq!(told(&parse(&markup, ALL).html), told(&Html::parse_document(&markup)), "{:?}", markup);
    }

    /// What a reader sees is the same with and without the text of scripts.
    #[test]
    fn visible_text_stays(parts in prop::collection::vec(0..=PIECES.len(), 0..24)) {
        let long = format!("if(a<b){{'</p>'}}{}", "x".repeat(tokens::SCRIPT));
        let markup: String = parts.iter().map(|p| PIECES.get(*p).copied().unwrap_or(&long)).collect();
        let text = |html: &Html| {
            super::super::visible::VisibleText::of(html, &Default::default(), &Default::default()).as_str().to_owned()
        };
        prop_assert_eq!(text(&parse(&markup, USUAL).html), text(&Html::parse_document(&markup)), "{:?}", markup);
    }
}

const USUAL: Reading = Reading {
    depth: 512,
    elements: 120_000,
    scripts: false,
    noscript: false,
};

fn count(parsed: &Parsed, name: &str) -> usize {
    let nodes = parsed.html.tree.root().descendants();
    nodes
        .filter(|n| n.value().as_element().is_some_and(|e| e.name() == name))
        .count()
}

#[test]
fn elements_are_counted_and_what_only_looks_like_one_is_not() {
    let page = "<!-- <i> --><p class='<u>'><b>x</b><br>1 < 2 <script>'<u>'</script></p>";
    assert_eq!(parse(page, USUAL).elements, 4);
    let many = parse(&"<p>".repeat(200_000), USUAL);
    assert_eq!(many.elements, 120_001);
}

#[test]
fn deep_tags_go_and_text_stays() {
    for (open, close, name) in [
        ("<div>", "</div>", "div"),
        ("<x-y>", "</x-y>", "x-y"),
        ("<svg><tr>", "</tr></svg>", "tr"),
        ("<svg><title>", "</title></svg>", "title"),
    ] {
        let deep = format!("{}sâu{}<p>sau", open.repeat(50_000), close.repeat(50_000));
        let parsed = parse(&deep, USUAL);
        assert!(parsed.deep);
        assert!(count(&parsed, name) <= 512, "{open}");
        let text: String = parsed.html.root_element().text().collect();
        assert_eq!(text, "sâusau");
        let paragraph = parsed
            .html
            .tree
            .root()
            .descendants()
            .find(|n| n.value().as_element().is_some_and(|e| e.name() == "p"));
        assert!(paragraph.is_some_and(|p| p.ancestors().count() <= 512), "{open}");
    }
}

#[test]
fn attributes_beyond_the_limit_go() {
    let many: String = (0..1000).map(|n| format!(" a{n}='x y>' b{n}")).collect();
    let parsed = parse(&format!("<p>vào<div{many}>chữ</div>"), USUAL);
    assert!(parsed.deep);
    let mut elements = parsed
        .html
        .tree
        .root()
        .descendants()
        .filter_map(|n| n.value().as_element());
    let attributes = elements.find(|e| e.name() == "div").map(|e| e.attrs.len());
    assert_eq!(attributes, Some(256));
    assert!(!parse(&format!("<a href=\"{}\">x</a>", "y ".repeat(5000)), USUAL).deep);
}

#[test]
fn what_does_not_nest_is_no_depth() {
    for page in ["<p>x<td>y", "<svg><path/></svg>", "<br/><img>", "<li>a"] {
        assert!(!parse(&page.repeat(2000), USUAL).deep, "{page}");
    }
    let drawing = format!("<svg>{}</svg>", "<path/>".repeat(2000));
    assert!(!parse(&drawing, USUAL).deep);
    assert!(count(&parse(&"<b><div></b>".repeat(2000), USUAL), "div") <= 512);
}

#[test]
fn long_scripts_go_and_what_is_read_stays() {
    let long = "x".repeat(tokens::SCRIPT + 1);
    let text = |page: &str| -> String {
        let html = parse(page, USUAL).html;
        html.root_element().text().collect()
    };
    for (page, left) in [
        (format!("<script src=a>{long}</script><p>b"), "b"),
        (format!("<SCRIPT>{long}</Script >b"), "b"),
        (format!("<script>{long}</scripts>{long}</script>b"), "b"),
        (format!("<script>{long}<!-- <script></script> --></script>b"), "b"),
        (
            format!("<svg><title>t</title><path d='M0'/></svg><script>{long}</script>"),
            "t",
        ),
        ("<script>short</script>b".to_owned(), "shortb"),
    ] {
        assert_eq!(text(&page), left, "{page}");
    }
    for stays in [
        format!("<svg><script></svg>{long}</script>"),
        format!("<math><script></math>{long}</script>"),
        format!("<script type='application/ld+json'>{long}</script>"),
        format!("<script>{long}PageRequestManager</script>"),
        format!("<script>{long}"),
        format!("<svg><![CDATA[ > <script>{long}</script> ]]></svg>"),
        format!("<plaintext><script>{long}</script>"),
        format!("<textarea><script>{long}</script></textarea>"),
    ] {
        assert!(text(&stays).contains(&long), "{stays}");
    }
}

#[test]
fn noscript_is_opened_on_demand() {
    let page = "<NOSCRIPT class=x><p>a</noscript>";
    assert_eq!(count(&parse(page, USUAL), "p"), 0);
    let opened = parse(
        page,
        Reading {
            noscript: true,
            ..USUAL
        },
    );
    assert_eq!((count(&opened, "p"), count(&opened, "div")), (1, 1));
}
